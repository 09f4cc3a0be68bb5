// Command opnode-peer is a node of op-node's own p2p package (host, gossip, payload_by_number server) without the rest
// of op-node. It follows a chain by gossip, can sequence one, and serves the blocks it holds. interop/README.md has the
// flags and the JSON lines.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/ethereum/go-ethereum/log"

	"opp2p.example/interop/internal/jsonlines"
)

type options struct {
	configPath   string
	blocksPath   string
	listenIP     string
	listenPort   uint
	static       string
	nodeKey      string
	peerstore    string
	signer       string
	sequencerKey string
	scoring      string
	threshold    time.Duration
	security     string
	muxers       string
	reqResp      bool
	quiet        bool
	produce      bool
	transactions int
	padding      int
	seed         string
	logLevel     string
	rpc          bool
}

func parseFlags() *options {
	o := &options{}
	// Not the global set: op-node's packages have flags of their own there.
	flags := flag.NewFlagSet("opnode-peer", flag.ExitOnError)
	flags.StringVar(&o.configPath, "rollup.config", "", "path of the rollup config JSON (required)")
	flags.StringVar(&o.blocksPath, "blocks", "", "folder of envelope JSON files to serve")
	flags.StringVar(&o.listenIP, "listen.ip", "127.0.0.1", "IP to listen on")
	flags.UintVar(&o.listenPort, "listen.port", 0, "TCP port to listen on, 0 for any")
	flags.StringVar(&o.static, "static", "", "static peers: multiaddrs with /p2p/, comma-separated")
	flags.StringVar(&o.nodeKey, "priv", "", "node key, 32 bytes in hex; random if empty")
	flags.StringVar(&o.peerstore, "peerstore.path", "memory", "peerstore folder, as op-node's --p2p.peerstore.path")
	flags.StringVar(&o.signer, "signer", "", "address of the block signer; the sequencer key's if empty, none without one")
	flags.StringVar(&o.sequencerKey, "sequencer.key", "", "block signing key, 32 bytes in hex; without it nothing is published")
	flags.StringVar(&o.scoring, "scoring", "none", "peer scoring: none or light")
	flags.DurationVar(&o.threshold, "timestamp.threshold", time.Minute, "how old a gossiped payload may be")
	flags.StringVar(&o.security, "security", "noise", "comma-separated: noise, tls; or none alone")
	flags.StringVar(&o.muxers, "mux", "yamux,mplex", "comma-separated, in order of preference")
	flags.BoolVar(&o.reqResp, "req-resp", true, "serve payload_by_number")
	flags.BoolVar(&o.quiet, "quiet", false, "only count accepted payloads, neither keep nor print them")
	flags.BoolVar(&o.produce, "produce", false, "sequence: build every block since genesis, then publish each new one when it is due")
	flags.IntVar(&o.transactions, "produce.transactions", 3, "transactions in a block besides the deposit")
	flags.IntVar(&o.padding, "produce.padding", 64, "bytes of data in each transaction")
	flags.StringVar(&o.seed, "produce.seed", "opnode-peer", "what the contents of the blocks follow from")
	flags.StringVar(&o.logLevel, "log.level", "warn", "debug, info, warn or error; op-node's own logs go to stderr")
	flags.BoolVar(&o.rpc, "rpc", false, "serve op-node's opp2p_ methods on a free port of 127.0.0.1, which the ready line names")
	_ = flags.Parse(os.Args[1:]) // ends the program when it fails
	return o
}

func main() {
	if err := run(parseFlags()); err != nil {
		fmt.Fprintln(os.Stderr, "opnode-peer:", err)
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
	n, err := newNode(ctx, o, logger, jsonlines.Stdout())
	if err != nil {
		return err
	}
	defer n.close()
	if err := n.announce(); err != nil {
		return err
	}
	if o.produce {
		go n.produce(ctx)
	}
	go func() {
		defer stop()
		if err := jsonlines.Commands(os.Stdin, func(line []byte) bool { return n.command(ctx, line) }); err != nil {
			logger.Error("reading commands", "err", err)
		}
	}()
	<-ctx.Done()
	return nil
}
