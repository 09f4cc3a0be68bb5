package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-msgio"
	"google.golang.org/protobuf/proto"

	"opp2p.example/interop/internal/jsonlines"
)

const gossipProtocol = "/meshsub/1.1.0"

// rudeCommand is an RPC to send, once or several times; the fields that are set are in it.
type rudeCommand struct {
	Subscribe   bool   `json:"subscribe"`
	Unsubscribe bool   `json:"unsubscribe"`
	Graft       bool   `json:"graft"`
	Prune       bool   `json:"prune"`
	Backoff     uint64 `json:"backoff"` // seconds; of prune
	Ihave       bool   `json:"ihave"`   // an id that nobody has; a new one each time
	Times       int    `json:"times"`   // 0: once
	Quit        bool   `json:"quit"`
}

// runRude dials a peer and writes the gossip RPCs that commands say, whatever the rules are. It has no router: it answers
// nothing by itself. What the peer sends it prints, a line for each RPC.
func runRude(args []string) error {
	set := flag.NewFlagSet("rude", flag.ExitOnError)
	options := hostFlags(set)
	topic := set.String("topic", "", "the topic of all that it sends")
	if len(args) == 0 {
		usage()
	}
	set.Parse(args[1:])
	info, err := peer.AddrInfoFromString(args[0])
	if err != nil {
		return err
	}
	h, err := newHost(options)
	if err != nil {
		return err
	}
	defer h.Close()
	out := jsonlines.Stdout()
	h.SetStreamHandler(gossipProtocol, func(s network.Stream) { readRPCs(s, out) })
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := h.Connect(ctx, *info); err != nil {
		return err
	}
	stream, err := h.NewStream(ctx, info.ID, gossipProtocol)
	if err != nil {
		return err
	}
	writer := msgio.NewVarintWriter(stream)
	out.Emit(map[string]string{"event": "ready", "peer_id": h.ID().String()})
	failed := error(nil)
	err = jsonlines.Commands(os.Stdin, func(line []byte) bool {
		var c rudeCommand
		if failed = json.Unmarshal(line, &c); failed != nil || c.Quit {
			return false
		}
		for range max(c.Times, 1) {
			var frame []byte
			if frame, failed = proto.Marshal(c.rpc(*topic)); failed != nil {
				return false
			}
			if failed = writer.WriteMsg(frame); failed != nil {
				failed = fmt.Errorf("writing to the peer: %w", failed)
				return false
			}
		}
		out.Emit(map[string]any{"event": "sent"})
		return true
	})
	if failed != nil {
		return failed
	}
	return err
}

func (c *rudeCommand) rpc(topic string) *pb.RPC {
	rpc := &pb.RPC{Control: &pb.ControlMessage{}}
	if c.Subscribe || c.Unsubscribe {
		rpc.Subscriptions = []*pb.RPC_SubOpts{{Subscribe: &c.Subscribe, Topicid: &topic}}
	}
	if c.Graft {
		rpc.Control.Graft = []*pb.ControlGraft{{TopicID: &topic}}
	}
	if c.Prune {
		rpc.Control.Prune = []*pb.ControlPrune{{TopicID: &topic, Backoff: &c.Backoff}}
	}
	if c.Ihave {
		id := make([]byte, 20)
		rand.Read(id)
		rpc.Control.Ihave = []*pb.ControlIHave{{TopicID: &topic, MessageIDs: []string{string(id)}}}
	}
	return rpc
}

type rpcLine struct {
	Event     string `json:"event"` // rpc
	Subscribe int    `json:"subscribe"`
	Messages  int    `json:"messages"`
	Ihave     int    `json:"ihave"`
	Iwant     int    `json:"iwant"` // ids
	Graft     int    `json:"graft"`
	Prune     int    `json:"prune"`
}

func readRPCs(s network.Stream, out *jsonlines.Writer) {
	reader := msgio.NewVarintReaderSize(s, maxGossip)
	for {
		frame, err := reader.ReadMsg()
		var rpc pb.RPC
		if err == nil {
			err = proto.Unmarshal(frame, &rpc)
			reader.ReleaseMsg(frame)
		}
		if err != nil {
			s.Reset()
			return
		}
		control, wanted := rpc.GetControl(), 0
		for _, iwant := range control.GetIwant() {
			wanted += len(iwant.GetMessageIDs())
		}
		out.Emit(rpcLine{"rpc", len(rpc.GetSubscriptions()), len(rpc.GetPublish()), len(control.GetIhave()), wanted,
			len(control.GetGraft()), len(control.GetPrune())})
	}
}
