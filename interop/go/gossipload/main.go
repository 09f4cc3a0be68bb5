// Command gossipload is go-libp2p-pubsub's side of the rows "gossip" of bench/compare: GossipSub nodes in one process, each connected to
// each over TCP on loopback, with Noise and Yamux. interop/README.md describes it. It is built against two sets of versions.
//
//	gossipload nodes=2 publishers=1 size=1024 count=20000 window=64 paced=1000 interval-us=1000
package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

const (
	topicName   = "/opp2p/bench"
	numberBytes = 8
	warmUps     = 1 << 62 // numbers from here on are not measured
	stalled     = 2 * time.Second
)

type node struct {
	host  host.Host
	topic *pubsub.Topic
	sub   *pubsub.Subscription
}

// part is one measurement: every message that it publishes has to reach all other nodes.
type part struct {
	first    uint64
	sent     []atomic.Int64 // nanoseconds since begin
	missing  []atomic.Int32 // nodes that have not got it
	last     atomic.Int64
	arrived  atomic.Uint64
	complete chan struct{}
}

type bench struct {
	nodes      []*node
	publishers int
	size       int
	begin      time.Time
	running    atomic.Pointer[part]
	warm       atomic.Uint64
	times      [][]int64 // per node, of the running part
	next       uint64
}

func words(args []string) map[string]int {
	out := map[string]int{}
	for _, word := range args {
		name, value, _ := strings.Cut(word, "=")
		number, err := strconv.Atoi(value)
		if err != nil {
			fail(fmt.Errorf("%s wants a number: %w", name, err))
		}
		out[name] = number
	}
	return out
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "gossipload:", err)
	os.Exit(1)
}

func must[T any](value T, err error) T {
	if err != nil {
		fail(err)
	}
	return value
}

func messageID(message *pb.Message) string {
	sum := sha256.Sum256(message.Data)
	return string(sum[:20])
}

func newNode(ctx context.Context) *node {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		fail(err)
	}
	made := must(libp2p.New(
		libp2p.Identity(key), libp2p.Transport(tcp.NewTCPTransport), libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport), libp2p.ResourceManager(&network.NullResourceManager{}), libp2p.DisableRelay(),
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0")))
	params := pubsub.DefaultGossipSubParams()
	params.D, params.Dlo, params.Dhi, params.Dlazy = 8, 6, 12, 6
	params.HeartbeatInterval = 500 * time.Millisecond
	gossip := must(pubsub.NewGossipSub(ctx, made,
		pubsub.WithGossipSubParams(params), pubsub.WithMessageIdFn(messageID), pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign),
		pubsub.WithNoAuthor(), pubsub.WithMaxMessageSize(10<<20), pubsub.WithPeerOutboundQueueSize(256), pubsub.WithValidateQueueSize(256)))
	topic := must(gossip.Join(topicName))
	return &node{host: made, topic: topic, sub: must(topic.Subscribe(pubsub.WithBufferSize(4096)))}
}

func (b *bench) receive(ctx context.Context, at int) {
	self := b.nodes[at].host.ID()
	for {
		message, err := b.nodes[at].sub.Next(ctx)
		if err != nil {
			return
		}
		if message.ReceivedFrom == self {
			continue
		}
		number := binary.LittleEndian.Uint64(message.Data)
		if number >= warmUps {
			b.warm.Add(1)
			continue
		}
		running := b.running.Load()
		if running == nil || number < running.first || number-running.first >= uint64(len(running.sent)) {
			continue
		}
		index := number - running.first
		now := time.Since(b.begin).Nanoseconds()
		b.times[at] = append(b.times[at], now-running.sent[index].Load())
		if running.missing[index].Add(-1) == 0 {
			running.last.Store(now)
			running.arrived.Add(1)
			running.complete <- struct{}{}
		}
	}
}

func (b *bench) publish(ctx context.Context, number uint64, data []byte) {
	binary.LittleEndian.PutUint64(data, number)
	if err := b.nodes[number%uint64(b.publishers)].topic.Publish(ctx, data); err != nil {
		fail(err)
	}
}

// warmUp waits for meshes: until ten messages in a row have reached all.
func (b *bench) warmUp(ctx context.Context) {
	for number, good := uint64(warmUps), 0; good < 10; number++ {
		if number-warmUps > 100 {
			fail(fmt.Errorf("the nodes do not find together"))
		}
		all := b.warm.Load() + uint64(len(b.nodes)-1)
		b.publish(ctx, number, make([]byte, b.size))
		for wait := 0; wait < 100 && b.warm.Load() < all; wait++ {
			time.Sleep(10 * time.Millisecond)
		}
		good++
		if b.warm.Load() < all {
			good = 0
		}
	}
	time.Sleep(2 * time.Second)
}

// measure publishes `count` messages: with `window` of them under way, or one each `interval`.
func (b *bench) measure(ctx context.Context, name string, count, window int, interval time.Duration) map[string]any {
	running := &part{first: b.next, sent: make([]atomic.Int64, count), missing: make([]atomic.Int32, count), complete: make(chan struct{}, count)}
	for i := range running.missing {
		running.missing[i].Store(int32(len(b.nodes) - 1))
	}
	b.times = make([][]int64, len(b.nodes))
	b.next += uint64(count)
	b.running.Store(running)
	var before syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	started := time.Since(b.begin).Nanoseconds()
	timer := time.NewTimer(stalled)
	free := window
	sent := 0
	for ; sent < count; sent++ {
		if interval > 0 {
			time.Sleep(time.Duration(started) + time.Duration(sent)*interval - time.Since(b.begin))
		} else if free == 0 {
			timer.Reset(stalled)
			select {
			case <-running.complete:
				free++
			case <-timer.C:
				free = window // those under way are lost
			}
		}
		free--
		running.sent[sent].Store(time.Since(b.begin).Nanoseconds())
		// Its own bytes: pubsub keeps them.
		b.publish(ctx, running.first+uint64(sent), make([]byte, b.size))
	}
	for last := time.Now(); running.arrived.Load() < uint64(count) && time.Since(last) < stalled; {
		seen := running.arrived.Load()
		time.Sleep(time.Millisecond)
		if running.arrived.Load() != seen {
			last = time.Now()
		}
	}
	arrived := running.arrived.Load()
	took := float64(running.last.Load()-started) / 1e9
	b.running.Store(nil)
	time.Sleep(50 * time.Millisecond)
	var after syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	cpu := func(u syscall.Rusage) float64 {
		return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
	}
	var times []int64
	for _, of := range b.times {
		times = append(times, of...)
	}
	slices.Sort(times)
	at := func(part float64) float64 {
		if len(times) == 0 {
			return 0
		}
		return float64(times[int(part*float64(len(times)-1))]) / 1e3
	}
	return map[string]any{"part": name, "count": count, "lost": uint64(count) - arrived, "per_second": float64(arrived) / took,
		"cpu_seconds": cpu(after) - cpu(before), "p50_us": at(0.5), "p99_us": at(0.99)}
}

func main() {
	args := words(os.Args[1:])
	number := func(name string, otherwise int) int {
		if value, ok := args[name]; ok {
			return value
		}
		return otherwise
	}
	ctx := context.Background()
	b := &bench{publishers: number("publishers", 1), size: max(number("size", 1024), numberBytes), begin: time.Now()}
	for range number("nodes", 2) {
		b.nodes = append(b.nodes, newNode(ctx))
	}
	for i, one := range b.nodes {
		for _, other := range b.nodes[:i] {
			if err := one.host.Connect(ctx, peer.AddrInfo{ID: other.host.ID(), Addrs: other.host.Addrs()}); err != nil {
				fail(err)
			}
		}
	}
	for i := range b.nodes {
		go b.receive(ctx, i)
	}
	b.warmUp(ctx)
	encoder := json.NewEncoder(os.Stdout)
	if count := number("count", 0); count > 0 {
		encoder.Encode(b.measure(ctx, "saturation", count, number("window", 64), 0))
	}
	if count := number("paced", 0); count > 0 {
		encoder.Encode(b.measure(ctx, "paced", count, 0, time.Duration(number("interval-us", 1000))*time.Microsecond))
	}
}
