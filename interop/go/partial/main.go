// Command partial is a go-libp2p-pubsub 0.19 peer for the interop test of partial messages (gossipsub v1.3). A message
// has eight parts of 2,000 bytes; part i holds the byte i+1. A partial message is a bitmap of the parts in it and then
// the parts in order; metadata is a bitmap of the parts that a peer has: it wants the others.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"sync"

	"github.com/libp2p/go-libp2p"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p-pubsub/partialmessages"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	topicName = "parts"
	parts     = 8
	partSize  = 2000
)

// heard is what one peer has of a group by its newest word, and what we told it last.
type heard struct {
	has, told byte
	known     bool
}

type node struct {
	lines  *writer
	ps     *pubsub.PubSub
	topic  *pubsub.Topic
	begin  byte
	mu     sync.Mutex
	groups map[string]byte // what we have of each
}

type writer struct{ mu sync.Mutex }

func (w *writer) emit(object map[string]any) {
	line, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := os.Stdout.Write(append(line, '\n')); err != nil {
		os.Exit(1)
	}
}

func encode(bitmap byte) []byte {
	out := []byte{bitmap}
	for i := range parts {
		if bitmap&(1<<i) != 0 {
			out = append(out, bytes.Repeat([]byte{byte(i + 1)}, partSize)...)
		}
	}
	return out
}

func decode(message []byte) (byte, error) {
	if len(message) == 0 || !bytes.Equal(message, encode(message[0])) {
		return 0, fmt.Errorf("a partial message of %d bytes is not what its bitmap says", len(message))
	}
	return message[0], nil
}

func (n *node) incoming(from peer.ID, states map[peer.ID]heard, rpc *pb.PartialMessagesExtension) error {
	group := string(rpc.GroupID)
	state := states[from]
	if len(rpc.PartsMetadata) == 1 {
		state.has, state.known = rpc.PartsMetadata[0], true
	}
	var got byte
	if len(rpc.PartialMessage) != 0 {
		bitmap, err := decode(rpc.PartialMessage)
		if err != nil {
			n.lines.emit(map[string]any{"event": "error", "error": err.Error()})
			return err
		}
		got = bitmap
		state.has |= bitmap
	}
	states[from] = state
	n.mu.Lock()
	before, known := n.groups[group]
	if !known {
		before = n.begin
	}
	n.groups[group] = before | got
	n.mu.Unlock()
	n.lines.emit(map[string]any{"event": "partial", "from": from.String(), "group": group, "parts": got, "has": state.has})
	if before|got == 0xff && before != 0xff {
		n.lines.emit(map[string]any{"event": "complete", "group": group})
	}
	go n.publish(group)
	return nil
}

func (n *node) publish(group string) {
	n.mu.Lock()
	if _, known := n.groups[group]; !known {
		n.groups[group] = n.begin
	}
	have := n.groups[group]
	n.mu.Unlock()
	actions := func(states map[peer.ID]heard, wants func(peer.ID) bool) iter.Seq2[peer.ID, partialmessages.PublishAction] {
		return func(yield func(peer.ID, partialmessages.PublishAction) bool) {
			for p, state := range states {
				var action partialmessages.PublishAction
				if lacks := have &^ state.has; wants(p) && state.known && lacks != 0 {
					action.EncodedPartialMessage = encode(lacks)
					state.has |= lacks
				}
				if state.told != have {
					action.EncodedPartsMetadata = []byte{have}
					state.told = have
				}
				states[p] = state
				if !yield(p, action) {
					return
				}
			}
		}
	}
	if err := pubsub.PublishPartial(n.ps, topicName, []byte(group), actions); err != nil {
		n.lines.emit(map[string]any{"event": "error", "error": err.Error()})
	}
}

func (n *node) read(ctx context.Context, subscription *pubsub.Subscription, self peer.ID) {
	for {
		message, err := subscription.Next(ctx)
		if err != nil {
			return
		}
		if message.ReceivedFrom == self {
			continue
		}
		n.lines.emit(map[string]any{"event": "message", "from": message.ReceivedFrom.String(), "text": string(message.Data)})
	}
}

func run() error {
	dial := flag.String("dial", "", "a multiaddr with a peer id")
	have := flag.Int("have", 0, "the parts that this peer has at first, as a bitmap")
	supports := flag.Bool("supports", false, "send partial messages and take whole ones")
	flag.Parse()
	ctx := context.Background()
	n := &node{lines: &writer{}, begin: byte(*have), groups: map[string]byte{}}
	host, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableRelay())
	if err != nil {
		return err
	}
	defer host.Close()
	extension := &partialmessages.PartialMessagesExtension[heard]{
		Logger:             slog.New(slog.NewTextHandler(os.Stderr, nil)),
		GroupTTLByHeatbeat: 20,
		OnIncomingRPC:      n.incoming,
		OnEmitGossip: func(_ string, group []byte, _ []peer.ID, _ map[peer.ID]heard) {
			go n.publish(string(group))
		},
	}
	n.ps, err = pubsub.NewGossipSub(ctx, host, pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign),
		pubsub.WithNoAuthor(), pubsub.WithPartialMessagesExtension(extension),
		pubsub.WithMessageIdFn(func(message *pb.Message) string { return string(message.Data) }))
	if err != nil {
		return err
	}
	use := pubsub.RequestPartialMessages()
	if *supports {
		use = pubsub.SupportsPartialMessages()
	}
	if n.topic, err = n.ps.Join(topicName, use); err != nil {
		return err
	}
	subscription, err := n.topic.Subscribe()
	if err != nil {
		return err
	}
	go n.read(ctx, subscription, host.ID())
	n.lines.emit(map[string]any{"addr": host.Addrs()[0].String() + "/p2p/" + host.ID().String()})
	if *dial != "" {
		address, err := ma.NewMultiaddr(*dial)
		if err != nil {
			return err
		}
		info, err := peer.AddrInfoFromP2pAddr(address)
		if err != nil {
			return err
		}
		if err := host.Connect(ctx, *info); err != nil {
			return err
		}
	}
	return n.commands(ctx)
}

// commands are JSON objects, one a line: {"group": …} publishes parts, {"whole": …} a message, {"peers": …} tells of peers.
func (n *node) commands(ctx context.Context) error {
	decoder := json.NewDecoder(os.Stdin)
	for {
		var command struct{ Group, Whole, Peers string }
		if err := decoder.Decode(&command); err != nil {
			return nil
		}
		switch {
		case command.Group != "":
			n.publish(command.Group)
		case command.Whole != "":
			if err := n.topic.Publish(ctx, []byte(command.Whole)); err != nil {
				return err
			}
		default:
			n.lines.emit(map[string]any{"event": "peers", "count": len(n.topic.ListPeers())})
		}
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "partial:", err)
		os.Exit(1)
	}
}
