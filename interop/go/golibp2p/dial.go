package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"opp2p.example/interop/internal/jsonlines"
)

type dialOptions struct {
	test     string
	bytes    int64
	upload   int64
	download int64
	streams  int
	count    int
	timeout  time.Duration
}

// session is what a test works with: a host that is connected to the target.
type session struct {
	host    host.Host
	target  peer.ID
	options dialOptions
	known   identifyLine
}

// result is the one line that dial prints.
type result struct {
	Test    string         `json:"test"`
	OK      bool           `json:"ok"`
	Seconds float64        `json:"seconds"`
	Error   string         `json:"error,omitempty"`
	Details map[string]any `json:"details"`
}

var errTestFailed = errors.New("the test failed")

func runDial(args []string) error {
	if len(args) == 0 {
		usage()
	}
	address := args[0]
	set := flag.NewFlagSet("dial", flag.ExitOnError)
	hosting := hostFlags(set)
	var o dialOptions
	set.StringVar(&o.test, "test", "", "identify, ping, echo, bulk, streams, reset, half-close, perf, unsupported or all")
	set.Int64Var(&o.bytes, "bytes", 100_000_000, "bytes each way of bulk")
	set.Int64Var(&o.upload, "upload-bytes", 10_000_000, "bytes up of perf")
	set.Int64Var(&o.download, "download-bytes", 10_000_000, "bytes down of perf")
	set.IntVar(&o.streams, "streams", 1000, "streams of streams, all open at once")
	set.IntVar(&o.count, "count", 5, "pings of ping")
	set.DurationVar(&o.timeout, "timeout", 2*time.Minute, "for connecting and each test")
	set.Parse(args[1:])

	names := []string{o.test}
	if o.test == "all" {
		names = allTests
	}
	for _, name := range names {
		if tests[name] == nil {
			return fmt.Errorf("unknown test %q", name)
		}
	}
	return dialAndTest(hosting, o, address, names)
}

func dialAndTest(hosting *hostOptions, o dialOptions, address string, names []string) error {
	target, err := peer.AddrInfoFromString(address)
	if err != nil {
		return err
	}
	h, err := newHost(hosting)
	if err != nil {
		return err
	}
	defer h.Close()
	s := &session{host: h, target: target.ID, options: o}
	if err := s.connect(*target); err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	out := jsonlines.Stdout()
	failed := false
	for _, name := range names {
		r := s.run(name)
		out.Emit(r)
		failed = failed || !r.OK
	}
	if failed {
		fmt.Fprintln(os.Stderr, "golibp2p:", errTestFailed)
		h.Close()
		os.Exit(1)
	}
	return nil
}

func (s *session) run(name string) result {
	ctx, cancel := context.WithTimeout(context.Background(), s.options.timeout)
	defer cancel()
	start := time.Now()
	details, err := tests[name](ctx, s)
	if err == nil {
		err = s.stillOneConnection()
	}
	r := result{Test: name, OK: err == nil, Seconds: time.Since(start).Seconds(), Details: details}
	if err != nil {
		r.Error = err.Error()
	}
	return r
}

// stillOneConnection makes sure that no test hides a lost connection behind a new one.
func (s *session) stillOneConnection() error {
	conns := s.host.Network().ConnsToPeer(s.target)
	if len(conns) != 1 {
		return fmt.Errorf("%d connections to the peer, want 1", len(conns))
	}
	if conns[0].Stat().Direction != network.DirOutbound {
		return errors.New("the connection is not the one that was dialled")
	}
	return nil
}
