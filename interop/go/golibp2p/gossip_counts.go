package main

import (
	"math"
	"sync"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// gossipCounts counts what the router of go-libp2p-pubsub traces. Its methods are those of pubsub.RawTracer.
type gossipCounts struct {
	mu                sync.Mutex
	delivered         uint64
	duplicates        uint64
	rejected          map[string]uint64 // by reason
	idontwantSent     uint64            // ids
	idontwantReceived map[string]uint64 // ids, by peer
	dropped           uint64            // RPCs, for a queue that is full
	undeliverable     uint64
	grafts            uint64
	prunes            uint64
}

func (c *gossipCounts) line() map[string]any {
	c.mu.Lock()
	defer c.mu.Unlock()
	received, total := map[string]uint64{}, uint64(0)
	for id, count := range c.idontwantReceived {
		received[id] = count
		total += count
	}
	rejected := map[string]uint64{}
	for reason, count := range c.rejected {
		rejected[reason] = count
	}
	return map[string]any{"delivered": c.delivered, "duplicates": c.duplicates, "rejected": rejected, "idontwant_sent": c.idontwantSent,
		"idontwant_received": total, "idontwant_received_from": received, "dropped": c.dropped, "undeliverable": c.undeliverable,
		"grafts": c.grafts, "prunes": c.prunes}
}

func (c *gossipCounts) add(counter *uint64, by uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*counter += by
}

func idontwants(rpc *pubsub.RPC) uint64 {
	count := uint64(0)
	for _, entry := range rpc.GetControl().GetIdontwant() {
		count += uint64(len(entry.GetMessageIDs()))
	}
	return count
}

func (c *gossipCounts) DeliverMessage(*pubsub.Message)       { c.add(&c.delivered, 1) }
func (c *gossipCounts) DuplicateMessage(*pubsub.Message)     { c.add(&c.duplicates, 1) }
func (c *gossipCounts) UndeliverableMessage(*pubsub.Message) { c.add(&c.undeliverable, 1) }
func (c *gossipCounts) DropRPC(*pubsub.RPC, peer.ID)         { c.add(&c.dropped, 1) }
func (c *gossipCounts) Graft(peer.ID, string)                { c.add(&c.grafts, 1) }
func (c *gossipCounts) Prune(peer.ID, string)                { c.add(&c.prunes, 1) }
func (c *gossipCounts) SendRPC(rpc *pubsub.RPC, _ peer.ID)   { c.add(&c.idontwantSent, idontwants(rpc)) }

func (c *gossipCounts) RejectMessage(_ *pubsub.Message, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rejected == nil {
		c.rejected = map[string]uint64{}
	}
	c.rejected[reason]++
}

func (c *gossipCounts) RecvRPC(rpc *pubsub.RPC) {
	count := idontwants(rpc)
	if count == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idontwantReceived == nil {
		c.idontwantReceived = map[string]uint64{}
	}
	c.idontwantReceived[rpc.From().String()] += count
}

func (c *gossipCounts) OnNewOutboundStream(peer.ID, protocol.ID) {}
func (c *gossipCounts) OnClosedOutboundStream(peer.ID)           {}
func (c *gossipCounts) Join(string)                              {}
func (c *gossipCounts) Leave(string)                             {}
func (c *gossipCounts) ValidateMessage(*pubsub.Message)          {}
func (c *gossipCounts) ThrottlePeer(peer.ID)                     {}

// lightScores and lightThresholds are op-node's scoring `light` for blocks every `slot`; its application score, which nothing
// counts in, is 0.
func lightScores(slot time.Duration) *pubsub.PeerScoreParams {
	const toZero = 0.01
	return &pubsub.PeerScoreParams{
		AppSpecificScore:            func(peer.ID) float64 { return 0 },
		AppSpecificWeight:           1,
		IPColocationFactorWeight:    -35,
		IPColocationFactorThreshold: 10,
		BehaviourPenaltyWeight:      -16,
		BehaviourPenaltyThreshold:   6,
		BehaviourPenaltyDecay:       math.Pow(toZero, 1.0/60),
		DecayInterval:               slot,
		DecayToZero:                 toZero,
		RetainScore:                 600 * slot,
	}
}

func lightThresholds() *pubsub.PeerScoreThresholds {
	return &pubsub.PeerScoreThresholds{GossipThreshold: -10, PublishThreshold: -40, GraylistThreshold: -40, AcceptPXThreshold: 20,
		OpportunisticGraftThreshold: 0.05}
}
