package main

import (
	"sync"
	"time"

	pb "github.com/libp2p/go-libp2p-pubsub/pb"

	"github.com/ethereum-optimism/optimism/op-node/metrics"

	"opp2p.example/interop/internal/jsonlines"
)

// meter counts the gossip events and tells of each request that was served; the other metrics go nowhere.
type meter struct {
	metrics.Metricer
	out    *jsonlines.Writer
	mu     sync.Mutex
	gossip map[string]uint64
	served map[byte]uint64 // by result code
}

func newMeter(out *jsonlines.Writer) *meter {
	return &meter{Metricer: metrics.NoopMetrics, out: out, gossip: map[string]uint64{}, served: map[byte]uint64{}}
}

type servedLine struct {
	Event  string `json:"event"`
	Number uint64 `json:"number"`
	Code   byte   `json:"code"`
	Micros int64  `json:"micros"`
}

func (m *meter) ServerPayloadByNumberEvent(number uint64, code byte, duration time.Duration) {
	m.mu.Lock()
	m.served[code]++
	m.mu.Unlock()
	m.out.Emit(servedLine{"served", number, code, duration.Microseconds()})
}

func (m *meter) RecordGossipEvent(kind int32) {
	m.mu.Lock()
	m.gossip[pb.TraceEvent_Type(kind).String()]++
	m.mu.Unlock()
}

func (m *meter) counts() (gossip map[string]uint64, served map[byte]uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	gossip, served = map[string]uint64{}, map[byte]uint64{}
	for kind, count := range m.gossip {
		gossip[kind] = count
	}
	for code, count := range m.served {
		served[code] = count
	}
	return gossip, served
}
