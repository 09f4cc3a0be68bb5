package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/log"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/ethereum-optimism/optimism/op-node/p2p"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/clock"
	"github.com/ethereum-optimism/optimism/op-service/eth"
	opsigner "github.com/ethereum-optimism/optimism/op-service/signer"

	"opp2p.example/interop/internal/jsonlines"
)

// node is the whole peer. Its callbacks run on op-node's goroutines; what they share is atomic or has a lock of its own.
type node struct {
	options   *options
	cfg       *rollup.Config
	log       log.Logger
	out       *jsonlines.Writer
	store     *blockStore
	metrics   *meter
	signer    *opsigner.LocalSigner // nil: nothing can be signed
	expected  atomic.Pointer[common.Address]
	p2p       *p2p.NodeP2P
	accepted  atomic.Uint64
	published atomic.Uint64
}

func newNode(ctx context.Context, o *options, logger log.Logger, out *jsonlines.Writer) (*node, error) {
	cfg, err := loadRollupConfig(o.configPath)
	if err != nil {
		return nil, fmt.Errorf("rollup config: %w", err)
	}
	n := &node{options: o, cfg: cfg, log: logger, out: out, store: newBlockStore(), metrics: newMeter(out)}
	if o.blocksPath != "" {
		if err := n.store.loadFolder(o.blocksPath); err != nil {
			return nil, err
		}
	}
	if err := n.setSigner(); err != nil {
		return nil, err
	}
	conf, err := p2pConfig(o, cfg)
	if err != nil {
		return nil, err
	}
	n.p2p, err = p2p.NewNodeP2P(ctx, cfg, logger, conf, n, n.store, n, n.metrics, clock.SystemClock)
	if err != nil {
		return nil, err
	}
	n.p2p.Host().Network().Notify(&network.NotifyBundle{
		ConnectedF: func(_ network.Network, c network.Conn) {
			n.out.Emit(connectionLine{"connected", c.RemotePeer().String(), c.RemoteMultiaddr().String(), c.Stat().Direction.String()})
		},
		DisconnectedF: func(_ network.Network, c network.Conn) {
			n.out.Emit(connectionLine{"disconnected", c.RemotePeer().String(), c.RemoteMultiaddr().String(), c.Stat().Direction.String()})
		},
	})
	return n, nil
}

// setSigner takes the keys of the flags; without any the expected signer is zero and every block is ignored.
func (n *node) setSigner() error {
	expected := common.Address{}
	if text := n.options.sequencerKey; text != "" {
		raw, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
		if err != nil {
			return err
		}
		key, err := crypto.ToECDSA(raw)
		if err != nil {
			return err
		}
		n.signer = opsigner.NewLocalSigner(key)
		expected = crypto.PubkeyToAddress(key.PublicKey)
	}
	if text := n.options.signer; text != "" {
		if !common.IsHexAddress(text) {
			return fmt.Errorf("%q is no address", text)
		}
		expected = common.HexToAddress(text)
	}
	if n.options.produce && n.signer == nil {
		return fmt.Errorf("producing blocks needs a sequencer key")
	}
	n.expected.Store(&expected)
	return nil
}

type readyLine struct {
	Event  string `json:"event"`
	Addr   string `json:"addr"`
	PeerID string `json:"peer_id"`
	Chain  string `json:"chain_id"`
	Signer string `json:"signer"`
	Blocks int    `json:"blocks"` // held and served from the start
	RPC    int    `json:"rpc_port,omitempty"`
}

type connectionLine struct {
	Event     string `json:"event"` // connected, disconnected
	Peer      string `json:"peer"`
	Addr      string `json:"addr"`
	Direction string `json:"direction"`
}

type payloadLine struct {
	Event        string `json:"event"` // payload (accepted from gossip), published
	Peer         string `json:"peer,omitempty"`
	Number       uint64 `json:"number"`
	Hash         string `json:"hash"`
	ParentHash   string `json:"parent_hash"`
	Timestamp    uint64 `json:"timestamp"`
	Transactions int    `json:"transactions"`
}

func describe(event string, from peer.ID, envelope *eth.ExecutionPayloadEnvelope) payloadLine {
	p := envelope.ExecutionPayload
	line := payloadLine{Event: event, Number: uint64(p.BlockNumber), Hash: p.BlockHash.Hex(),
		ParentHash: p.ParentHash.Hex(), Timestamp: uint64(p.Timestamp), Transactions: len(p.Transactions)}
	if from != "" {
		line.Peer = from.String()
	}
	return line
}

// announce prints the line that a driver waits for: where this node listens.
func (n *node) announce() error {
	addrs := n.p2p.Host().Addrs()
	if len(addrs) == 0 {
		return fmt.Errorf("no listening address")
	}
	port := 0
	if n.options.rpc {
		var err error
		if port, err = n.serveRPC(); err != nil {
			return err
		}
	}
	id := n.p2p.Host().ID().String()
	n.out.Emit(readyLine{"ready", addrs[0].String() + "/p2p/" + id, id, n.cfg.L2ChainID.String(),
		n.expected.Load().Hex(), n.store.size(), port})
	return nil
}

// OnUnsafeL2Payload is called by op-node for every payload that passed its validation.
func (n *node) OnUnsafeL2Payload(_ context.Context, from peer.ID, envelope *eth.ExecutionPayloadEnvelope) error {
	n.accepted.Add(1)
	if n.options.quiet {
		return nil
	}
	n.store.add(envelope)
	n.out.Emit(describe("payload", from, envelope))
	return nil
}

// P2PSequencerAddress and the next two are op-node's view of the block signer. A change by command has no grace period.
func (n *node) P2PSequencerAddress() common.Address { return *n.expected.Load() }

func (n *node) PreviousP2PSequencerAddress() common.Address { return common.Address{} }

func (n *node) ConfirmCurrentSigner() {}

func (n *node) close() {
	if err := n.p2p.Close(); err != nil {
		n.log.Warn("closing", "err", err)
	}
}
