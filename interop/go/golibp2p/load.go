package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"opp2p.example/interop/internal/jsonlines"
)

// go-libp2p's side of bench/compare: each of these commands puts one kind of load on a peer and prints one line of JSON. They take
// the same words as bench_load and rustlibp2p.
var loads = map[string]func(words) error{"perf": loadPerf, "echo": loadEcho, "dials": loadDials, "idle": loadIdle}

const (
	echoSize     = 32
	connectLimit = 2 * time.Minute
)

// words are what stands behind the command: name=value, and the address.
type words struct {
	address string
	options map[string]string
}

func parseWords(args []string) words {
	w := words{options: map[string]string{}}
	for _, arg := range args {
		if name, value, ok := strings.Cut(arg, "="); ok {
			w.options[name] = value
		} else {
			w.address = arg
		}
	}
	return w
}

func (w words) number(name string, otherwise int64) int64 {
	if text, ok := w.options[name]; ok {
		if value, err := strconv.ParseInt(text, 10, 64); err == nil {
			return value
		}
	}
	return otherwise
}

type loader struct {
	host   host.Host
	target peer.AddrInfo
}

func connectLoader(w words) (*loader, error) {
	target, err := peer.AddrInfoFromString(w.address)
	if err != nil {
		return nil, err
	}
	options := &hostOptions{security: "noise", muxer: "yamux", keyType: "ed25519"}
	if key, ok := w.options["key"]; ok {
		options.keyType = key
	}
	h, err := newHost(options)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), connectLimit)
	defer cancel()
	return &loader{h, *target}, h.Connect(ctx, *target)
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func loadPerf(w words) error {
	s, err := connectLoader(w)
	if err != nil {
		return err
	}
	up, down, streams := w.number("up", 0), w.number("down", 0), w.number("streams", 1)
	cpu, start := cpuSeconds(), time.Now()
	errs := make(chan error, streams)
	for range streams {
		go func() { errs <- s.perf(up/streams, down/streams) }()
	}
	for range streams {
		if err := <-errs; err != nil {
			return err
		}
	}
	jsonlines.Stdout().Emit(map[string]any{"seconds": time.Since(start).Seconds(), "cpu_seconds": cpuSeconds() - cpu})
	return nil
}

func (s *loader) perf(up, down int64) error {
	stream, err := s.host.NewStream(context.Background(), s.target.ID, perfID)
	if err != nil {
		return err
	}
	defer stream.Reset()
	if _, err := stream.Write(binary.BigEndian.AppendUint64(nil, uint64(down))); err != nil {
		return err
	}
	if err := send(stream, zeroReader{}, up); err != nil {
		return err
	}
	if err := stream.CloseWrite(); err != nil {
		return err
	}
	got, err := discard(stream)
	if err == nil && got != down {
		err = fmt.Errorf("got %d bytes, want %d", got, down)
	}
	return err
}

func echoOnce(h host.Host, to peer.ID) error {
	stream, err := h.NewStream(context.Background(), to, echoID)
	if err != nil {
		return err
	}
	defer stream.Close()
	var buffer [echoSize]byte
	if _, err := stream.Write(buffer[:]); err != nil {
		return err
	}
	if err := stream.CloseWrite(); err != nil {
		return err
	}
	_, err = io.ReadFull(stream, buffer[:])
	return err
}

// runAll has inFlight workers do count pieces of work, and prints how long they took.
func runAll(count, inFlight int64, work func() error) error {
	var left atomic.Int64
	left.Store(count)
	var mu sync.Mutex
	var times []float64
	var failed error
	var workers sync.WaitGroup
	start := time.Now()
	for range inFlight {
		workers.Go(func() {
			for left.Add(-1) >= 0 {
				begin := time.Now()
				err := work()
				took := time.Since(begin).Seconds()
				mu.Lock()
				times = append(times, took)
				if err != nil {
					failed = err
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	if failed != nil {
		return failed
	}
	took := time.Since(start).Seconds()
	slices.Sort(times)
	at := func(part float64) float64 { return times[int(part*float64(len(times)-1))] * 1e6 }
	jsonlines.Stdout().Emit(map[string]any{"count": len(times), "per_second": float64(len(times)) / took, "p50_us": at(0.5), "p99_us": at(0.99)})
	return nil
}

func loadEcho(w words) error {
	s, err := connectLoader(w)
	if err != nil {
		return err
	}
	return runAll(w.number("count", 2000), w.number("in-flight", 1), func() error { return echoOnce(s.host, s.target.ID) })
}

func loadDials(w words) error {
	return runAll(w.number("count", 500), w.number("in-flight", 4), func() error {
		s, err := connectLoader(w)
		if err != nil {
			return err
		}
		defer s.host.Close()
		return echoOnce(s.host, s.target.ID)
	})
}

func loadIdle(w words) error {
	count := w.number("count", 1000)
	for range count {
		if _, err := connectLoader(w); err != nil {
			return err
		}
	}
	jsonlines.Stdout().Emit(map[string]any{"connected": count})
	io.Copy(io.Discard, os.Stdin)
	return nil
}
