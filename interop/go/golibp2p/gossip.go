package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"opp2p.example/interop/internal/jsonlines"
)

// maxGossip is the size limit of messages and RPCs, which all peers of the mixed mesh raise.
const maxGossip = 8 << 20

// gossipCommand is one line of stdin; exactly one of its commands is set (bytes goes with publish).
type gossipCommand struct {
	Connect    string `json:"connect"`
	Disconnect string `json:"disconnect"`
	Join       string `json:"join"`
	Leave      string `json:"leave"`
	Publish    string `json:"publish"`
	Bytes      int    `json:"bytes"`
	Stats      bool   `json:"stats"`
	Quit       bool   `json:"quit"`
}

type gossipPeer struct {
	host   host.Host
	pubsub *pubsub.PubSub
	counts *gossipCounts
	out    *jsonlines.Writer
	signed bool

	mu     sync.Mutex
	topics map[string]*gossipTopic
}

type gossipTopic struct {
	topic  *pubsub.Topic
	cancel context.CancelFunc
	done   chan struct{} // nobody reads the subscription any more
}

// runGossip is a GossipSub peer that is driven by commands: interop/README.md describes them.
func runGossip(args []string) error {
	set := flag.NewFlagSet("gossip", flag.ExitOnError)
	options := hostFlags(set)
	set.StringVar(&options.listen, "listen", "/ip4/127.0.0.1/tcp/0", "multiaddr to listen on")
	signatures := set.String("signatures", "signed", "signed or unsigned: StrictSign or StrictNoSign")
	scoring := set.String("scoring", "none", "none or light: op-node's scores, inspected each second")
	set.Parse(args)

	h, err := newHost(options)
	if err != nil {
		return err
	}
	defer h.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	g := &gossipPeer{host: h, counts: &gossipCounts{}, out: jsonlines.Stdout(), topics: map[string]*gossipTopic{}}
	if g.pubsub, err = g.newPubSub(ctx, *signatures, *scoring); err != nil {
		return err
	}
	g.out.Emit(map[string]string{"addr": h.Addrs()[0].String() + "/p2p/" + h.ID().String()})
	return jsonlines.Commands(os.Stdin, func(line []byte) bool { return g.command(ctx, line) })
}

func (g *gossipPeer) newPubSub(ctx context.Context, signatures, scoring string) (*pubsub.PubSub, error) {
	options := []pubsub.Option{
		pubsub.WithMaxMessageSize(maxGossip),
		pubsub.WithValidateQueueSize(256),
		pubsub.WithRawTracer(g.counts),
	}
	switch signatures {
	case "signed":
		g.signed = true
		options = append(options, pubsub.WithMessageSignaturePolicy(pubsub.StrictSign))
	case "unsigned":
		options = append(options, pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign), pubsub.WithNoAuthor(),
			pubsub.WithMessageIdFn(func(m *pb.Message) string {
				sum := sha256.Sum256(m.Data)
				return string(sum[:])
			}))
	default:
		return nil, fmt.Errorf("--signatures is signed or unsigned, not %q", signatures)
	}
	switch scoring {
	case "none":
	case "light":
		options = append(options, pubsub.WithPeerScore(lightScores(2*time.Second), lightThresholds()),
			pubsub.WithPeerScoreInspect(pubsub.ExtendedPeerScoreInspectFn(g.inspect), time.Second))
	default:
		return nil, fmt.Errorf("--scoring is none or light, not %q", scoring)
	}
	return pubsub.NewGossipSub(ctx, g.host, options...)
}

func (g *gossipPeer) command(ctx context.Context, line []byte) bool {
	var c gossipCommand
	err := json.Unmarshal(line, &c)
	name := "unknown"
	switch {
	case err != nil:
	case c.Quit:
		return false
	case c.Stats:
		g.out.Emit(g.stats())
		return true
	case c.Connect != "":
		name, err = "connect", g.connect(ctx, c.Connect)
	case c.Disconnect != "":
		name, err = "disconnect", g.disconnect(c.Disconnect)
	case c.Join != "":
		name, err = "join", g.join(ctx, c.Join)
	case c.Leave != "":
		name, err = "leave", g.leave(c.Leave)
	case c.Publish != "":
		name, err = "publish", g.publish(ctx, c.Publish, c.Bytes)
	default:
		err = fmt.Errorf("no command in %.100q", line)
	}
	result := map[string]any{"event": "result", "command": name, "ok": err == nil}
	if err != nil {
		result["error"] = err.Error()
	}
	g.out.Emit(result)
	return true
}

func (g *gossipPeer) connect(ctx context.Context, address string) error {
	info, err := peer.AddrInfoFromString(address)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return g.host.Connect(ctx, *info)
}

func (g *gossipPeer) disconnect(text string) error {
	id, err := peer.Decode(text)
	if err != nil {
		return err
	}
	return g.host.Network().ClosePeer(id)
}

func (g *gossipPeer) join(ctx context.Context, name string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.topics[name] != nil {
		return fmt.Errorf("%s is joined already", name)
	}
	topic, err := g.pubsub.Join(name)
	if err != nil {
		return err
	}
	subscription, err := topic.Subscribe(pubsub.WithBufferSize(1024))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	g.topics[name] = &gossipTopic{topic, cancel, done}
	go func() {
		defer close(done)
		defer subscription.Cancel()
		for {
			message, err := subscription.Next(ctx)
			if err != nil {
				return
			}
			if message.ReceivedFrom != g.host.ID() {
				g.out.Emit(describeMessage("message", name, message.GetFrom(), message.Data))
			}
		}
	}()
	return nil
}

func (g *gossipPeer) leave(name string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	joined := g.topics[name]
	if joined == nil {
		return fmt.Errorf("%s is not joined", name)
	}
	delete(g.topics, name)
	joined.cancel()
	<-joined.done
	var err error
	for range 100 { // the end of the subscription is on its way through the router's queue
		if err = joined.topic.Close(); err == nil {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}

func (g *gossipPeer) publish(ctx context.Context, name string, bytes int) error {
	g.mu.Lock()
	joined := g.topics[name]
	g.mu.Unlock()
	if joined == nil {
		return fmt.Errorf("%s is not joined", name)
	}
	data := make([]byte, bytes)
	rand.Read(data)
	if err := joined.topic.Publish(ctx, data); err != nil {
		return err
	}
	author := peer.ID("")
	if g.signed {
		author = g.host.ID()
	}
	g.out.Emit(describeMessage("published", name, author, data))
	return nil
}

type messageLine struct {
	Event  string `json:"event"` // message, published
	Topic  string `json:"topic"`
	Author string `json:"author"` // empty without a signature
	Bytes  int    `json:"bytes"`
	Digest string `json:"digest"` // SHA-256
}

func describeMessage(event, topic string, author peer.ID, data []byte) messageLine {
	sum := sha256.Sum256(data)
	line := messageLine{Event: event, Topic: topic, Bytes: len(data), Digest: hex.EncodeToString(sum[:])}
	if author != "" {
		line.Author = author.String()
	}
	return line
}

func (g *gossipPeer) stats() map[string]any {
	g.mu.Lock()
	defer g.mu.Unlock()
	topics := map[string]int{}
	for name, joined := range g.topics {
		topics[name] = len(joined.topic.ListPeers())
	}
	line := g.counts.line()
	line["event"], line["topics"] = "stats", topics
	return line
}

// inspect emits the score of each peer, with the counter of the behaviour penalty.
func (g *gossipPeer) inspect(scores map[peer.ID]*pubsub.PeerScoreSnapshot) {
	type score struct {
		Score   float64 `json:"score"`
		Penalty float64 `json:"penalty"`
	}
	peers := map[string]score{}
	for id, snapshot := range scores {
		peers[id.String()] = score{snapshot.Score, snapshot.BehaviourPenalty}
	}
	g.out.Emit(map[string]any{"event": "scores", "peers": peers})
}
