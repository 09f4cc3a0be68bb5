package main

import (
	"encoding/binary"

	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	older "opp2p.example/pubsub-v0.12/pb"
)

const maxControl = 512 << 10 // pubsub.DefaultMaxControlMessageSize

// gossipRPC does what pubsub v0.17 does with the bytes of a frame before anything acts on them.
func gossipRPC(input []byte, read *digest) (verdict, error) {
	if err := pb.ValidateRawRPCControlMessageSize(input, maxControl); err != nil {
		return refuse, err
	}
	var rpc pb.RPC
	if err := proto.Unmarshal(input, &rpc); err != nil {
		return refuse, err
	}
	digestRPC(&rpc, read)
	return accept, nil
}

func digestRPC(rpc *pb.RPC, read *digest) {
	read.number(uint64(len(rpc.Subscriptions)))
	for _, s := range rpc.Subscriptions {
		read.optionalFlag(s.Subscribe)
		read.optionalText(s.Topicid)
		read.optionalFlag(s.RequestsPartial)
		read.optionalFlag(s.SupportsSendingPartial)
	}
	read.number(uint64(len(rpc.Publish)))
	for _, m := range rpc.Publish {
		read.optional(m.From)
		read.optional(m.Data)
		read.optional(m.Seqno)
		read.optionalText(m.Topic)
		read.optional(m.Signature)
		read.optional(m.Key)
	}
	read.flag(rpc.Control != nil)
	if rpc.Control != nil {
		digestControl(rpc.Control, read)
	}
	read.flag(rpc.TestExtension != nil)
}

func digestControl(c *pb.ControlMessage, read *digest) {
	ids := func(list []string) {
		read.number(uint64(len(list)))
		for _, id := range list {
			read.bytes([]byte(id))
		}
	}
	read.number(uint64(len(c.Ihave)))
	for _, entry := range c.Ihave {
		read.optionalText(entry.TopicID)
		ids(entry.MessageIDs)
	}
	read.number(uint64(len(c.Iwant)))
	for _, entry := range c.Iwant {
		ids(entry.MessageIDs)
	}
	read.number(uint64(len(c.Graft)))
	for _, entry := range c.Graft {
		read.optionalText(entry.TopicID)
	}
	read.number(uint64(len(c.Prune)))
	for _, entry := range c.Prune {
		read.optionalText(entry.TopicID)
		read.number(uint64(len(entry.Peers)))
		for _, p := range entry.Peers {
			read.optional(p.PeerID)
			read.optional(p.SignedPeerRecord)
		}
		read.flag(entry.Backoff != nil)
		if entry.Backoff != nil {
			read.number(*entry.Backoff)
		}
	}
	read.number(uint64(len(c.Idontwant)))
	for _, entry := range c.Idontwant {
		ids(entry.MessageIDs)
	}
	read.flag(c.Extensions != nil)
	if c.Extensions != nil {
		read.optionalFlag(c.Extensions.PartialMessages)
		read.optionalFlag(c.Extensions.TestExtension)
	}
}

// olderMessage reads a pubsub Message as op-node up to v1.19.2 does (pubsub v0.12). Behind the digest stands the RPC in which it goes on
// to others. What only v1.19.6 takes is ignore.
func olderMessage(input []byte, read *digest) (verdict, error) {
	var message older.Message
	if err := message.Unmarshal(input); err != nil {
		wrapped := protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), input)
		var unread digest
		if newer, _ := gossipRPC(wrapped, &unread); newer == accept {
			return ignore, err
		}
		return refuse, err
	}
	read.optional(message.From)
	read.optional(message.Data)
	read.optional(message.Seqno)
	read.optionalText(message.Topic)
	read.optional(message.Signature)
	read.optional(message.Key)
	forwarded, err := (&older.RPC{Publish: []*older.Message{&message}}).Marshal()
	if err != nil {
		return refuse, err
	}
	read.more = binary.LittleEndian.AppendUint32(nil, uint32(len(forwarded)))
	read.more = append(read.more, forwarded...)
	return accept, nil
}
