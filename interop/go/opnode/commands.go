package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/ethereum-optimism/optimism/op-node/p2p"
	"github.com/ethereum-optimism/optimism/op-service/eth"
	opsigner "github.com/ethereum-optimism/optimism/op-service/signer"
)

// command is one line of stdin; exactly one of its fields is set (signature goes with publish).
type command struct {
	Publish    json.RawMessage `json:"publish"`
	Signature  *eth.Bytes65    `json:"signature"` // publish with this signature instead of the node's own
	Connect    string          `json:"connect"`
	Disconnect string          `json:"disconnect"`
	Signer     *common.Address `json:"signer"` // from now on the block signer
	Peers      bool            `json:"peers"`
	Stats      bool            `json:"stats"`
	Ask        json.RawMessage `json:"ask"` // calls to an RPC by op-node's own client: rpc.go
	Quit       bool            `json:"quit"`
}

// resultLine answers a command that has no data to give.
type resultLine struct {
	Event   string `json:"event"`
	Command string `json:"command"`
	OK      bool   `json:"ok"`
	Error   string `json:"error,omitempty"`
}

const commandTimeout = 30 * time.Second

// command runs one line and answers whether more may come. Commands run one after the other.
func (n *node) command(ctx context.Context, line []byte) bool {
	var c command
	if err := json.Unmarshal(line, &c); err != nil {
		n.answer("unknown", err)
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	switch {
	case c.Quit:
		return false
	case c.Peers:
		n.out.Emit(n.peers())
	case c.Stats:
		n.out.Emit(n.stats())
	case len(c.Ask) > 0:
		n.ask(ctx, c.Ask)
	case c.Connect != "":
		n.answer("connect", n.connect(ctx, c.Connect))
	case c.Disconnect != "":
		n.answer("disconnect", n.disconnect(c.Disconnect))
	case c.Signer != nil:
		n.expected.Store(c.Signer)
		n.answer("signer", nil)
	case len(c.Publish) > 0:
		envelope, err := parseEnvelope(c.Publish)
		if err == nil {
			err = n.publish(ctx, envelope, c.Signature)
		}
		n.answer("publish", err)
	default:
		n.answer("unknown", fmt.Errorf("no command in %.100q", line))
	}
	return true
}

func (n *node) answer(name string, err error) {
	line := resultLine{Event: "result", Command: name, OK: err == nil}
	if err != nil {
		line.Error = err.Error()
	}
	n.out.Emit(line)
}

// publish signs (unless a signature is given), publishes through op-node, and keeps what was published.
func (n *node) publish(ctx context.Context, envelope *eth.ExecutionPayloadEnvelope, signature *eth.Bytes65) error {
	var err error
	switch {
	case signature != nil:
		err = n.p2p.GossipOut().PublishSignedL2Payload(ctx,
			&opsigner.SignedExecutionPayloadEnvelope{Envelope: envelope, Signature: *signature})
	case n.signer != nil:
		err = n.p2p.GossipOut().SignAndPublishL2Payload(ctx, envelope, &p2p.PreparedSigner{Signer: n.signer})
	default:
		err = fmt.Errorf("no sequencer key")
	}
	if err != nil {
		return err
	}
	n.store.add(envelope)
	n.published.Add(1)
	n.out.Emit(describe("published", "", envelope))
	return nil
}

func (n *node) connect(ctx context.Context, address string) error {
	info, err := peer.AddrInfoFromString(address)
	if err != nil {
		return err
	}
	return n.p2p.Host().Connect(ctx, *info)
}

func (n *node) disconnect(text string) error {
	id, err := peer.Decode(text)
	if err != nil {
		return err
	}
	return n.p2p.Host().Network().ClosePeer(id)
}

type peerEntry struct {
	Peer      string   `json:"peer"`
	Addr      string   `json:"addr"`
	Direction string   `json:"direction"`
	Security  string   `json:"security"`
	Muxer     string   `json:"muxer"`
	Agent     string   `json:"agent"`
	Protocols []string `json:"protocols"`
	Score     float64  `json:"score"`
}

type peersLine struct {
	Event string      `json:"event"`
	Peers []peerEntry `json:"peers"`
}

func (n *node) peers() peersLine {
	line := peersLine{Event: "peers", Peers: []peerEntry{}}
	h := n.p2p.Host()
	for _, c := range h.Network().Conns() {
		line.Peers = append(line.Peers, n.peerEntry(c))
	}
	return line
}

func (n *node) peerEntry(c network.Conn) peerEntry {
	id, store := c.RemotePeer(), n.p2p.Host().Peerstore()
	entry := peerEntry{Peer: id.String(), Addr: c.RemoteMultiaddr().String(), Direction: c.Stat().Direction.String(),
		Security: string(c.ConnState().Security), Muxer: string(c.ConnState().StreamMultiplexer), Protocols: []string{}}
	if agent, err := store.Get(id, "AgentVersion"); err == nil {
		entry.Agent, _ = agent.(string)
	}
	if protocols, err := store.GetProtocols(id); err == nil {
		for _, p := range protocols {
			entry.Protocols = append(entry.Protocols, string(p))
		}
	}
	if score, err := n.p2p.GetPeerScore(id); err == nil {
		entry.Score = score
	}
	return entry
}

type statsLine struct {
	Event      string            `json:"event"`
	Accepted   uint64            `json:"accepted"`
	Published  uint64            `json:"published"`
	Blocks     int               `json:"blocks"`
	Peers      int               `json:"peers"`
	TopicPeers [4]int            `json:"topic_peers"` // v1 to v4
	Served     map[byte]uint64   `json:"served"`      // by result code
	Gossip     map[string]uint64 `json:"gossip"`      // pubsub events by type, for example REJECT_MESSAGE
}

func (n *node) stats() statsLine {
	gossip, served := n.metrics.counts()
	topics := n.p2p.GossipOut()
	return statsLine{
		Event:     "stats",
		Accepted:  n.accepted.Load(),
		Published: n.published.Load(),
		Blocks:    n.store.size(),
		Peers:     len(n.p2p.Peers()),
		TopicPeers: [4]int{len(topics.BlocksTopicV1Peers()), len(topics.BlocksTopicV2Peers()),
			len(topics.BlocksTopicV3Peers()), len(topics.BlocksTopicV4Peers())},
		Served: served,
		Gossip: gossip,
	}
}
