// Command opnode-sync-client fills a gap of blocks from its peers with the payload_by_number client of op-node v1.19.0,
// the last version that has one. It says with its exit code whether the whole gap was filled with one chain of blocks.
// interop/README.md has the flags and the JSON lines.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum-optimism/optimism/op-node/metrics"
	"github.com/ethereum-optimism/optimism/op-node/p2p"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/clock"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

type options struct {
	configPath string
	connect    string
	signer     string
	start      uint64
	endNumber  uint64
	endHash    string
	endParent  string
	threshold  time.Duration
	timeout    time.Duration
	logLevel   string
}

func parseFlags() *options {
	o := &options{}
	flag.StringVar(&o.configPath, "rollup.config", "", "path of the rollup config JSON (required)")
	flag.StringVar(&o.connect, "connect", "", "peers to fetch from: multiaddrs with /p2p/, comma-separated (required)")
	flag.StringVar(&o.signer, "signer", "", "address of the block signer, for an end that comes by gossip")
	flag.Uint64Var(&o.start, "start", 0, "number of the block that is there already: the gap begins above it")
	flag.Uint64Var(&o.endNumber, "end.number", 0, "number of the trusted block above the gap; 0: the first gossiped block")
	flag.StringVar(&o.endHash, "end.hash", "", "its hash")
	flag.StringVar(&o.endParent, "end.parent", "", "its parent's hash")
	flag.DurationVar(&o.threshold, "timestamp.threshold", time.Minute, "how old a gossiped payload may be")
	flag.DurationVar(&o.timeout, "timeout", 3*time.Minute, "for everything")
	flag.StringVar(&o.logLevel, "log.level", "warn", "debug, info, warn or error; op-node's own logs go to stderr")
	flag.Parse()
	return o
}

func main() {
	if err := run(parseFlags()); err != nil {
		fmt.Fprintln(os.Stderr, "opnode-sync-client:", err)
		os.Exit(1)
	}
}

func run(o *options) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return err
	}
	logger := log.NewLogger(log.NewTerminalHandlerWithLevel(os.Stderr, level, false))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()

	cfg, err := loadRollupConfig(o.configPath)
	if err != nil {
		return err
	}
	conf, err := p2pConfig(o)
	if err != nil {
		return err
	}
	g := newGap(common.HexToAddress(o.signer))
	node, err := p2p.NewNodeP2P(ctx, cfg, logger, conf, g, nil, g, metrics.NoopMetrics, clock.SystemClock)
	if err != nil {
		return err
	}
	defer node.Close()
	emit(map[string]any{"event": "ready", "peer_id": node.Host().ID().String()})
	if err := connectAll(ctx, node.Host(), o.connect); err != nil {
		return err
	}
	end, err := trustedEnd(ctx, o, g)
	if err != nil {
		return err
	}
	emit(map[string]any{"event": "requesting", "start": o.start, "end": end.Number, "end_hash": end.Hash.Hex()})
	return fill(ctx, node, g, o.start, end)
}

// trustedEnd is the block whose parents are fetched: named by flags, or the first that gossip brings.
func trustedEnd(ctx context.Context, o *options, g *gap) (eth.L2BlockRef, error) {
	if o.endNumber != 0 {
		return eth.L2BlockRef{Number: o.endNumber, Hash: common.HexToHash(o.endHash), ParentHash: common.HexToHash(o.endParent)}, nil
	}
	select {
	case envelope := <-g.arrived:
		p := envelope.ExecutionPayload
		return eth.L2BlockRef{Number: uint64(p.BlockNumber), Hash: p.BlockHash, ParentHash: p.ParentHash, Time: uint64(p.Timestamp)}, nil
	case <-ctx.Done():
		return eth.L2BlockRef{}, errors.New("no block came by gossip")
	}
}

func loadRollupConfig(path string) (*rollup.Config, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	cfg := &rollup.Config{}
	if err := json.NewDecoder(file).Decode(cfg); err != nil {
		return nil, err
	}
	return cfg, cfg.Check()
}

func emit(line any) {
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		os.Exit(1)
	}
}
