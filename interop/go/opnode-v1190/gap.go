package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/ethereum-optimism/optimism/op-node/p2p"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// requestInterval is how often the missing range is asked for again; op-node's driver does so every two block times.
const requestInterval = 2 * time.Second

// gap takes what op-node hands on: blocks of gossip and, through the same call, blocks that the sync client fetched.
type gap struct {
	signer  common.Address
	arrived chan *eth.ExecutionPayloadEnvelope
}

func newGap(signer common.Address) *gap {
	return &gap{signer: signer, arrived: make(chan *eth.ExecutionPayloadEnvelope, 1024)}
}

func (g *gap) OnUnsafeL2Payload(ctx context.Context, from peer.ID, envelope *eth.ExecutionPayloadEnvelope) error {
	p := envelope.ExecutionPayload
	emit(map[string]any{"event": "block", "number": uint64(p.BlockNumber), "hash": p.BlockHash.Hex(),
		"parent_hash": p.ParentHash.Hex(), "timestamp": uint64(p.Timestamp),
		"transactions": len(p.Transactions), "peer": from.String()})
	select {
	case g.arrived <- envelope:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *gap) P2PSequencerAddress() common.Address { return g.signer }

func (g *gap) PreviousP2PSequencerAddress() common.Address { return common.Address{} }

func (g *gap) ConfirmCurrentSigner() {}

// fill asks for the blocks between start and end until all are there, and checks that they are the ancestors of end.
func fill(ctx context.Context, node *p2p.NodeP2P, g *gap, start uint64, end eth.L2BlockRef) error {
	began := time.Now()
	parents := map[uint64]common.Hash{} // by number, of the blocks in the chain of end
	hashes := map[uint64]common.Hash{}
	wanted := end.Number - start - 1
	ticker := time.NewTicker(requestInterval)
	defer ticker.Stop()
	request := func() {
		_ = node.RequestL2Range(ctx, eth.L2BlockRef{Number: start}, end) // it is asked again when it was too busy
	}
	request()
	for uint64(len(hashes)) < wanted {
		select {
		case envelope := <-g.arrived:
			p := envelope.ExecutionPayload
			if number := uint64(p.BlockNumber); number > start && number < end.Number {
				hashes[number], parents[number] = p.BlockHash, p.ParentHash
			}
		case <-ticker.C:
			request()
		case <-ctx.Done():
			emit(map[string]any{"event": "done", "ok": false, "blocks": len(hashes), "wanted": wanted})
			return fmt.Errorf("%d of %d blocks came", len(hashes), wanted)
		}
	}
	child := end.ParentHash
	for number := end.Number - 1; number > start; number-- {
		if hashes[number] != child {
			emit(map[string]any{"event": "done", "ok": false, "blocks": len(hashes), "wanted": wanted})
			return fmt.Errorf("block %d is %s, its child names %s", number, hashes[number], child)
		}
		child = parents[number]
	}
	emit(map[string]any{"event": "done", "ok": true, "blocks": len(hashes), "wanted": wanted,
		"lowest_parent": child.Hex(), "seconds": time.Since(began).Seconds()})
	return nil
}
