package main

import (
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/record"
	recordpb "github.com/libp2p/go-libp2p/core/record/pb"
	"github.com/multiformats/go-multiaddr"
	"google.golang.org/protobuf/proto"
)

var recordAddrs = []string{"/ip4/198.51.100.9/tcp/9003", "/ip6/2001:db8:9::1/tcp/9003", "/dns4/node.example/tcp/443"}

func signedPeerRecords() (object, error) {
	var cases []object
	for i, kind := range keyKinds {
		if kind == "ecdsa" {
			continue // its seals differ from run to run
		}
		more, err := recordCases(kind, uint64(4000+i))
		if err != nil {
			return nil, err
		}
		cases = append(cases, more...)
	}
	return object{
		"about": "Signed envelopes (RFC 0002) that hold peer records (RFC 0003), opened by the reference for the domain below. " +
			"'signer_matches_peer_id' says whether the signer is the peer that the record is about.",
		"source":       source("github.com/libp2p/go-libp2p"),
		"kind":         "generated",
		"domain":       peer.PeerRecordEnvelopeDomain,
		"payload_type": hexText(peer.PeerRecordEnvelopePayloadType),
		"cases":        cases,
	}, nil
}

func recordCases(kind string, seq uint64) ([]object, error) {
	key, err := identity(kind, "a")
	if err != nil {
		return nil, err
	}
	other, err := identity("ed25519", "b")
	if err != nil {
		return nil, err
	}
	good, err := sealRecord(key, key, seq, recordAddrs)
	if err != nil {
		return nil, err
	}
	private, err := crypto.MarshalPrivateKey(key)
	if err != nil {
		return nil, err
	}
	first := openedRecord(kind+"/good", "sealed by the peer itself", good)
	first["private_key_protobuf"] = hexText(private)
	out := []object{first}
	for _, c := range []struct {
		name, why string
		signer    crypto.PrivKey
		addrs     []string
	}{
		{"no_addresses", "a record without addresses", key, nil},
		{"of_another_peer", "sealed by somebody who is not the peer of the record", other, recordAddrs},
	} {
		envelope, err := sealRecord(c.signer, key, seq+1, c.addrs)
		if err != nil {
			return nil, err
		}
		out = append(out, openedRecord(kind+"/"+c.name, c.why, envelope))
	}
	broken, err := brokenRecords(good, other)
	if err != nil {
		return nil, err
	}
	for _, b := range broken {
		out = append(out, openedRecord(kind+"/"+b.name, b.why, b.envelope))
	}
	return out, nil
}

type brokenRecord struct {
	name, why string
	envelope  []byte
}

func brokenRecords(good []byte, other crypto.PrivKey) ([]brokenRecord, error) {
	key, err := crypto.PublicKeyToProto(other.GetPublic())
	if err != nil {
		return nil, err
	}
	out := []brokenRecord{
		{"cut", "the last three bytes are missing", good[:len(good)-3]},
		{"empty", "no bytes", nil},
	}
	for _, change := range []struct {
		name, why string
		apply     func(*recordpb.Envelope)
	}{
		{"seq_changed", "the last byte of the payload differs", func(e *recordpb.Envelope) { e.Payload = flipped(e.Payload, -1) }},
		{"type_changed", "another payload type", func(e *recordpb.Envelope) { e.PayloadType = []byte{0x03, 0x02} }},
		{"signature_changed", "a bit of the signature differs", func(e *recordpb.Envelope) { e.Signature = flipped(e.Signature, 20) }},
		{"unsigned", "no signature", func(e *recordpb.Envelope) { e.Signature = nil }},
		{"key_replaced", "the public key of somebody else", func(e *recordpb.Envelope) { e.PublicKey = key }},
		{"no_key", "no public key", func(e *recordpb.Envelope) { e.PublicKey = nil }},
	} {
		var envelope recordpb.Envelope
		if err := proto.Unmarshal(good, &envelope); err != nil {
			return nil, err
		}
		change.apply(&envelope)
		encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(&envelope)
		if err != nil {
			return nil, err
		}
		out = append(out, brokenRecord{change.name, change.why, encoded})
	}
	return out, nil
}

func sealRecord(signer, about crypto.PrivKey, seq uint64, addrs []string) ([]byte, error) {
	id, err := peer.IDFromPrivateKey(about)
	if err != nil {
		return nil, err
	}
	contents := &peer.PeerRecord{PeerID: id, Seq: seq}
	for _, text := range addrs {
		contents.Addrs = append(contents.Addrs, multiaddr.StringCast(text))
	}
	envelope, err := record.Seal(contents, signer)
	if err != nil {
		return nil, err
	}
	return envelope.Marshal()
}

func openedRecord(name, why string, encoded []byte) object {
	envelope, opened, err := record.ConsumeEnvelope(encoded, peer.PeerRecordEnvelopeDomain)
	item := judged(object{"name": name, "why": why, "envelope": hexText(encoded)}, err)
	if err != nil {
		return item
	}
	contents := opened.(*peer.PeerRecord)
	addrs := []string{}
	for _, addr := range contents.Addrs {
		addrs = append(addrs, addr.String())
	}
	item["addrs"] = addrs
	item["seq"] = decimal(contents.Seq)
	item["peer_id"] = contents.PeerID.String()
	item["payload"] = hexText(envelope.RawPayload)
	item["payload_type"] = hexText(envelope.PayloadType)
	item["signer_matches_peer_id"] = contents.PeerID.MatchesPublicKey(envelope.PublicKey)
	return item
}
