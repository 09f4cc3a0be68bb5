// Command benchpeer is go-libp2p's side of bench/compare: `serve` answers echo and perf, the other commands put one kind of
// load on a peer and print one line of JSON. They take the same words as bench_load and bench/rust.
package main

import (
	"context"
	"crypto/rand"
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

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"

	"opp2p.example/interop/internal/jsonlines"
)

const (
	echoID protocol.ID = "/echo/1.0.0"
	perfID protocol.ID = "/perf/1.0.0"

	echoSize = 32
	limit    = 2 * time.Minute
)

// words are what stands behind the command: name=value, and the address.
type words struct {
	address string
	options map[string]string
}

func parse(args []string) words {
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

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("usage: benchpeer serve | perf|echo|dials|idle ADDRESS [name=value…]"))
	}
	w := parse(os.Args[2:])
	run, ok := map[string]func(words) error{"serve": serve, "perf": perf, "echo": echo, "dials": dials, "idle": idle}[os.Args[1]]
	if !ok {
		fail(fmt.Errorf("no command %q", os.Args[1]))
	}
	if err := run(w); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "benchpeer:", err)
	os.Exit(1)
}

func newHost(w words, listen bool) (host.Host, error) {
	kind := crypto.Ed25519
	if w.options["key"] == "secp256k1" {
		kind = crypto.Secp256k1
	}
	key, _, err := crypto.GenerateKeyPairWithReader(kind, 0, rand.Reader)
	if err != nil {
		return nil, err
	}
	address := libp2p.NoListenAddrs
	if listen {
		address = libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0")
	}
	return libp2p.New(libp2p.Identity(key), libp2p.Transport(tcp.NewTCPTransport), libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport), libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.DisableRelay(), address)
}

func serve(w words) error {
	h, err := newHost(w, true)
	if err != nil {
		return err
	}
	defer h.Close()
	h.SetStreamHandler(echoID, func(s network.Stream) {
		if _, err := io.Copy(s, s); err != nil {
			s.Reset()
			return
		}
		s.Close()
	})
	h.SetStreamHandler(perfID, func(s network.Stream) {
		if err := servePerf(s); err != nil {
			s.Reset()
		}
	})
	jsonlines.Stdout().Emit(map[string]string{"addr": h.Addrs()[0].String() + "/p2p/" + h.ID().String()})
	io.Copy(io.Discard, os.Stdin)
	return nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// In pieces of 256 KiB, as the other programs have them.
func sendZeros(to io.Writer, count int64) error {
	_, err := io.CopyBuffer(struct{ io.Writer }{to}, io.LimitReader(zeros{}, count), make([]byte, 256<<10))
	return err
}

func discard(from io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{from}, make([]byte, 256<<10))
}

func servePerf(s network.Stream) error {
	var head [8]byte
	if _, err := io.ReadFull(s, head[:]); err != nil {
		return err
	}
	if _, err := discard(s); err != nil {
		return err
	}
	if err := sendZeros(s, int64(binary.BigEndian.Uint64(head[:]))); err != nil {
		return err
	}
	return s.Close()
}

type session struct {
	host   host.Host
	target peer.AddrInfo
}

func connect(w words) (*session, error) {
	target, err := peer.AddrInfoFromString(w.address)
	if err != nil {
		return nil, err
	}
	h, err := newHost(w, false)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return &session{h, *target}, h.Connect(ctx, *target)
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func perf(w words) error {
	s, err := connect(w)
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

func (s *session) perf(up, down int64) error {
	stream, err := s.host.NewStream(context.Background(), s.target.ID, perfID)
	if err != nil {
		return err
	}
	defer stream.Reset()
	if _, err := stream.Write(binary.BigEndian.AppendUint64(nil, uint64(down))); err != nil {
		return err
	}
	if err := sendZeros(stream, up); err != nil {
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

func echo(w words) error {
	s, err := connect(w)
	if err != nil {
		return err
	}
	return runAll(w.number("count", 2000), w.number("in-flight", 1), func() error { return echoOnce(s.host, s.target.ID) })
}

func dials(w words) error {
	return runAll(w.number("count", 500), w.number("in-flight", 4), func() error {
		s, err := connect(w)
		if err != nil {
			return err
		}
		defer s.host.Close()
		return echoOnce(s.host, s.target.ID)
	})
}

func idle(w words) error {
	count := w.number("count", 1000)
	for range count {
		if _, err := connect(w); err != nil {
			return err
		}
	}
	jsonlines.Stdout().Emit(map[string]any{"connected": count})
	io.Copy(io.Discard, os.Stdin)
	return nil
}
