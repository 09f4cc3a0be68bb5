package main

import (
	"slices"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

// identifyLine is what identify told about a peer.
type identifyLine struct {
	Event            string   `json:"event,omitempty"`
	Peer             string   `json:"peer"`
	AgentVersion     string   `json:"agent_version"`
	ProtocolVersion  string   `json:"protocol_version"`
	Protocols        []string `json:"protocols"`
	ListenAddrs      []string `json:"listen_addrs"`
	ObservedAddr     string   `json:"observed_addr"`
	SignedPeerRecord bool     `json:"signed_peer_record"` // there and of this peer
	RecordAddrs      []string `json:"record_addrs"`
}

func describeIdentify(e event.EvtPeerIdentificationCompleted) identifyLine {
	line := identifyLine{
		Peer:            e.Peer.String(),
		AgentVersion:    e.AgentVersion,
		ProtocolVersion: e.ProtocolVersion,
		Protocols:       []string{},
		ListenAddrs:     addrTexts(e.ListenAddrs),
		RecordAddrs:     []string{},
	}
	for _, id := range e.Protocols {
		line.Protocols = append(line.Protocols, string(id))
	}
	slices.Sort(line.Protocols)
	if e.ObservedAddr != nil {
		line.ObservedAddr = e.ObservedAddr.String()
	}
	if e.SignedPeerRecord == nil {
		return line
	}
	record, err := e.SignedPeerRecord.Record()
	if err != nil {
		return line
	}
	if r, ok := record.(*peer.PeerRecord); ok {
		line.SignedPeerRecord = r.PeerID == e.Peer && e.Peer.MatchesPublicKey(e.SignedPeerRecord.PublicKey)
		line.RecordAddrs = addrTexts(r.Addrs)
	}
	return line
}

func addrTexts(addrs []multiaddr.Multiaddr) []string {
	texts := []string{}
	for _, a := range addrs {
		texts = append(texts, a.String())
	}
	return texts
}
