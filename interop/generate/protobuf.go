package main

import (
	"fmt"

	pubsubpb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	identifypb "github.com/libp2p/go-libp2p/p2p/protocol/identify/pb"
	"github.com/multiformats/go-multiaddr"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func protobufMessages() (object, error) {
	var cases, decoding []object
	identify, err := identifyMessages()
	if err != nil {
		return nil, err
	}
	for _, m := range append(identify, rpcMessages()...) {
		encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(m.message)
		if err != nil {
			return nil, err
		}
		cases = append(cases, object{"group": m.group, "name": m.name, "bytes": hexText(encoded),
			"length_prefixed": hexText(lengthPrefixed(encoded)), "decoded": decoded(m.message.ProtoReflect())})
	}
	for _, c := range rpcEncodings {
		message := &pubsubpb.RPC{}
		err := proto.Unmarshal(c.bytes, message)
		item := judged(object{"name": c.name, "why": c.why, "bytes": hexText(c.bytes)}, err)
		if err == nil {
			item["decoded"] = decoded(message.ProtoReflect())
		}
		decoding = append(decoding, item)
	}
	return object{
		"about": "Messages of identify and GossipSub: the deterministic encoding and the fields that are set (bytes and " +
			"message ids in hex). 'rpc_decoding' gives what the reference reads from other encodings of an RPC.",
		"source":       source("github.com/libp2p/go-libp2p", "github.com/libp2p/go-libp2p-pubsub", "google.golang.org/protobuf"),
		"kind":         "generated",
		"cases":        cases,
		"rpc_decoding": decoding,
	}, nil
}

type namedMessage struct {
	group, name string
	message     proto.Message
}

func identifyMessages() ([]namedMessage, error) {
	key, err := identity("secp256k1", "b")
	if err != nil {
		return nil, err
	}
	public, err := crypto.MarshalPublicKey(key.GetPublic())
	if err != nil {
		return nil, err
	}
	envelope, err := sealRecord(key, key, 17, recordAddrs)
	if err != nil {
		return nil, err
	}
	listen := [][]byte{multiaddr.StringCast(recordAddrs[0]).Bytes(), multiaddr.StringCast(recordAddrs[1]).Bytes()}
	protocols := []string{"/ipfs/id/1.0.0", "/ipfs/ping/1.0.0", "/meshsub/1.2.0", "/opstack/req/payload_by_number/901/0"}
	return []namedMessage{
		{"identify", "all_fields", &identifypb.Identify{ProtocolVersion: proto.String("test/1"), AgentVersion: proto.String("opp2p/0.1"),
			PublicKey: public, ListenAddrs: listen, ObservedAddr: multiaddr.StringCast("/ip4/203.0.113.77/tcp/50000").Bytes(),
			Protocols: protocols, SignedPeerRecord: envelope}},
		{"identify", "of_op_node", &identifypb.Identify{ProtocolVersion: proto.String(""), AgentVersion: proto.String("optimism"),
			PublicKey: public, ListenAddrs: listen[:1], Protocols: protocols}},
		{"identify", "only_the_record", &identifypb.Identify{SignedPeerRecord: envelope}},
		{"identify", "nothing", &identifypb.Identify{}},
	}, nil
}

func rpcMessages() []namedMessage {
	topics := []string{"/optimism/901/0/blocks", "/optimism/901/3/blocks"}
	id := func(label string) string { return string(bytesOf("message id "+label, 20)) }
	control := func(c *pubsubpb.ControlMessage) *pubsubpb.RPC { return &pubsubpb.RPC{Control: c} }
	return []namedMessage{
		{"gossipsub", "hello", &pubsubpb.RPC{Subscriptions: []*pubsubpb.RPC_SubOpts{
			{Subscribe: proto.Bool(true), Topicid: &topics[0]}, {Subscribe: proto.Bool(true), Topicid: &topics[1]}}}},
		{"gossipsub", "leave", &pubsubpb.RPC{Subscriptions: []*pubsubpb.RPC_SubOpts{{Subscribe: proto.Bool(false), Topicid: &topics[1]}}}},
		{"gossipsub", "publish", &pubsubpb.RPC{Publish: []*pubsubpb.Message{{Data: bytesOf("published", 150), Topic: &topics[1]}}}},
		{"gossipsub", "publish_nothing", &pubsubpb.RPC{Publish: []*pubsubpb.Message{{Topic: &topics[0]}}}},
		{"gossipsub", "graft_and_prune", control(&pubsubpb.ControlMessage{
			Graft: []*pubsubpb.ControlGraft{{TopicID: &topics[0]}},
			Prune: []*pubsubpb.ControlPrune{{TopicID: &topics[1], Backoff: proto.Uint64(61)}}})},
		{"gossipsub", "prune_with_peers", control(&pubsubpb.ControlMessage{Prune: []*pubsubpb.ControlPrune{
			{TopicID: &topics[0], Backoff: proto.Uint64(1 << 40), Peers: []*pubsubpb.PeerInfo{{PeerID: []byte(peer.ID(id("peer")))}}}}})},
		{"gossipsub", "ihave", control(&pubsubpb.ControlMessage{Ihave: []*pubsubpb.ControlIHave{
			{TopicID: &topics[0], MessageIDs: []string{id("1"), id("2"), id("3")}}, {TopicID: &topics[1], MessageIDs: []string{id("4")}}}})},
		{"gossipsub", "iwant", control(&pubsubpb.ControlMessage{Iwant: []*pubsubpb.ControlIWant{{MessageIDs: []string{id("2"), id("4")}}}})},
		{"gossipsub", "idontwant", control(&pubsubpb.ControlMessage{Idontwant: []*pubsubpb.ControlIDontWant{{MessageIDs: []string{id("1")}}}})},
		{"gossipsub", "nothing", &pubsubpb.RPC{}},
	}
}

var rpcEncodings = []struct {
	name, why string
	bytes     []byte
}{
	{"other_order", "publish before subscriptions", []byte{0x12, 3, 0x22, 1, 't', 0x0a, 5, 0x08, 1, 0x12, 1, 't'}},
	{"fields_of_op_node", "partial-message fields in a subscription", []byte{0x0a, 9, 0x08, 1, 0x12, 1, 't', 0x18, 0, 0x20, 0}},
	{"unknown_number", "an unknown field is passed over", []byte{0xfa, 0x7f, 2, 9, 9, 0x0a, 2, 0x08, 1}},
	{"twice", "of a field given twice the last counts", []byte{0x0a, 7, 0x08, 1, 0x08, 0, 0x12, 1, 't'}},
	{"long_bool", "a truth value in two bytes", []byte{0x0a, 3, 0x08, 0x80, 0x00}},
	{"length_past_end", "a length beyond the end", []byte{0x12, 0x20, 0x22, 1, 't'}},
	{"tag_cut", "the input ends in a tag", []byte{0x0a, 2, 0x08, 1, 0x80}},
	{"field_number_0", "there is no field 0", []byte{0x02, 0}},
	{"endless_varint", "a varint of eleven bytes", []byte{0x0a, 12, 0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}},
	{"control_twice", "two control messages are one", []byte{0x1a, 5, 0x1a, 3, 0x0a, 1, 'a', 0x1a, 5, 0x22, 3, 0x0a, 1, 'b'}},
}

// decoded shows the fields that are set, by their names in the .proto file.
func decoded(message protoreflect.Message) object {
	out := object{}
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		name := string(field.Name())
		if !field.IsList() {
			out[name] = decodedValue(field, value)
			return true
		}
		items := []any{}
		for i := range value.List().Len() {
			items = append(items, decodedValue(field, value.List().Get(i)))
		}
		out[name] = items
		return true
	})
	if unknown := message.GetUnknown(); len(unknown) > 0 {
		out["(unknown fields)"] = hexText(unknown)
	}
	return out
}

func decodedValue(field protoreflect.FieldDescriptor, value protoreflect.Value) any {
	switch field.Kind() {
	case protoreflect.MessageKind:
		return decoded(value.Message())
	case protoreflect.BytesKind:
		return hexText(value.Bytes())
	case protoreflect.StringKind:
		if field.Name() == "messageIDs" {
			return hexText([]byte(value.String()))
		}
		return value.String()
	case protoreflect.BoolKind, protoreflect.Uint64Kind:
		return value.Interface()
	}
	panic(fmt.Sprintf("no rule for a %s", field.Kind()))
}
