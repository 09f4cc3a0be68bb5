package main

import (
	"context"
	"time"

	"opp2p.example/interop/internal/blocks"
)

// produce makes the node a sequencer. The blocks whose time has already come are only held, so that they can be fetched
// but were never gossiped; every later one is published when it is due.
func (n *node) produce(ctx context.Context) {
	builder, err := blocks.NewBuilder(n.cfg, n.options.seed)
	if err != nil {
		n.answer("produce", err)
		return
	}
	due, err := n.cfg.TargetBlockNumber(uint64(time.Now().Unix()))
	if err != nil { // genesis is yet to come
		due = n.cfg.Genesis.L2.Number
	}
	for builder.Number() < due {
		envelope, err := builder.Next(n.options.transactions, n.options.padding)
		if err != nil {
			n.answer("produce", err)
			return
		}
		n.store.add(envelope)
	}
	n.out.Emit(map[string]any{"event": "producing", "held": builder.Number() - n.cfg.Genesis.L2.Number})
	for {
		next := time.Unix(int64(n.cfg.TimestampForBlock(builder.Number()+1)), 0)
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(next)):
		}
		envelope, err := builder.Next(n.options.transactions, n.options.padding)
		if err != nil {
			n.answer("produce", err)
			return
		}
		if err := n.publish(ctx, envelope, nil); err != nil {
			n.answer("produce", err)
		}
	}
}
