package main

import (
	"math"
	"math/big"
	"sort"
	"time"

	opnodemetrics "github.com/ethereum-optimism/optimism/op-node/metrics"
	"github.com/ethereum-optimism/optimism/op-node/p2p/store"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/eth"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
)

// opNodeMetrics lists all metrics that op-node registers: name, type, help, labels; and of those that its p2p side records,
// the buckets, and the label values with which each series was recorded here.
func opNodeMetrics() (object, error) {
	meter := opnodemetrics.NewMetrics("default", nil)
	recordAll(meter)
	families, err := meter.Registry().Gather()
	if err != nil {
		return nil, err
	}
	series := map[string][]object{}
	buckets := map[string][]float64{}
	for _, family := range families {
		for _, one := range family.GetMetric() {
			labels := object{}
			for _, label := range one.GetLabel() {
				labels[label.GetName()] = label.GetValue()
			}
			series[family.GetName()] = append(series[family.GetName()], labels)
			if histogram := one.GetHistogram(); histogram != nil {
				buckets[family.GetName()] = upperBounds(histogram)
			}
		}
	}
	var list []object
	for _, metric := range meter.Document() {
		labels := metric.Labels
		if labels == nil {
			labels = []string{}
		}
		entry := object{"name": metric.Name, "type": metric.Type, "help": metric.Help, "labels": labels}
		if bounds, ok := buckets[metric.Name]; ok {
			entry["buckets"] = bounds
		}
		if len(labels) > 0 && len(series[metric.Name]) > 0 {
			entry["series"] = series[metric.Name]
		}
		list = append(list, entry)
	}
	sort.Slice(list, func(a, b int) bool { return list[a]["name"].(string) < list[b]["name"].(string) })
	return object{
		"source":  source("github.com/ethereum-optimism/optimism", "github.com/libp2p/go-libp2p-pubsub"),
		"metrics": list,
	}, nil
}

// upperBounds are those of a histogram's buckets without the last one, +Inf.
func upperBounds[B interface{ GetUpperBound() float64 }](histogram interface{ GetBucket() []B }) []float64 {
	out := []float64{}
	for _, bucket := range histogram.GetBucket() {
		if bound := bucket.GetUpperBound(); !math.IsInf(bound, 1) {
			out = append(out, bound)
		}
	}
	return out
}

// recordAll calls what op-node's p2p side calls, once with each value that is not free.
func recordAll(meter *opnodemetrics.Metrics) {
	meter.RecordInfo("version")
	meter.RecordUp()
	at := uint64(1)
	meter.RecordHardforkActivationTimes(&rollup.Config{
		L2ChainID: big.NewInt(10), RegolithTime: &at, CanyonTime: &at, DeltaTime: &at, EcotoneTime: &at, FjordTime: &at,
		GraniteTime: &at, HoloceneTime: &at, IsthmusTime: &at, JovianTime: &at, KarstTime: &at, LagoonTime: &at,
		PectraBlobScheduleTime: &at, KeepKarstUpgradeGas: true,
	})
	meter.SetPeerScores([]store.PeerScores{{}})
	for kind := range pb.TraceEvent_Type_name {
		meter.RecordGossipEvent(kind)
	}
	for _, allow := range []bool{true, false} {
		meter.RecordDial(allow)
		meter.RecordAccept(allow)
	}
	for code := byte(0); code < 4; code++ {
		meter.ServerPayloadByNumberEvent(1, code, time.Second)
	}
	meter.RecordPeerUnban()
	meter.RecordIPUnban()
	meter.RecordPublishingError()
	payload := &eth.ExecutionPayload{Timestamp: 1}
	meter.RecordReceivedUnsafePayload(&eth.ExecutionPayloadEnvelope{ExecutionPayload: payload})
	meter.RecordUnsafePayloadsBuffer(1, 1, eth.BlockID{})
	meter.RecordL2Ref("l2_unsafe", eth.L2BlockRef{Time: 1})
}
