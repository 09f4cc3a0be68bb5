package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"

	"github.com/ethereum/go-ethereum/rpc"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/ethereum-optimism/optimism/op-node/p2p"
	oprpc "github.com/ethereum-optimism/optimism/op-service/rpc"
	"github.com/ethereum-optimism/optimism/op-service/sources"

	opclient "github.com/ethereum-optimism/optimism/op-service/client"
)

// serveRPC serves op-node's own opp2p_ methods on a free port of loopback and answers the port.
func (n *node) serveRPC() (int, error) {
	server := oprpc.NewServer("127.0.0.1", 0, "interop")
	server.AddAPI(rpc.API{Namespace: p2p.NamespaceRPC, Service: p2p.NewP2PAPIBackend(n.p2p, n.log)})
	if err := server.Start(); err != nil {
		return 0, err
	}
	return server.Port()
}

// ask is a set of calls to an RPC by op-node's own client, which decodes the answers into op-node's types.
type ask struct {
	URL    string `json:"url"`
	Token  string `json:"token"`
	Peer   string `json:"peer"`   // connected to that node; it is disconnected at the end
	Other  string `json:"other"`  // a peer to block
	IP     string `json:"ip"`     // an address to block
	Subnet string `json:"subnet"` // a subnet to block, as CIDR
}

// step is one call: what the client made of the answer, as op-node's types become JSON, or the error.
type step struct {
	Call   string `json:"call"`
	Result any    `json:"result"`
	Error  string `json:"error,omitempty"`
}

type askedLine struct {
	Event string `json:"event"`
	Steps []step `json:"steps"`
}

func runAsk(ctx context.Context, a *ask) (*askedLine, error) {
	var options []rpc.ClientOption
	if a.Token != "" {
		options = append(options, rpc.WithHTTPAuth(func(h http.Header) error {
			h.Set("Authorization", "Bearer "+a.Token)
			return nil
		}))
	}
	raw, err := rpc.DialOptions(ctx, a.URL, options...)
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	client := sources.NewP2PClient(opclient.NewBaseRPCClient(raw))
	connected, err := peer.Decode(a.Peer)
	if err != nil {
		return nil, fmt.Errorf("peer: %w", err)
	}
	other, err := peer.Decode(a.Other)
	if err != nil {
		return nil, fmt.Errorf("other: %w", err)
	}
	ip := net.ParseIP(a.IP)
	_, subnet, err := net.ParseCIDR(a.Subnet)
	if err != nil {
		return nil, err
	}
	line := &askedLine{Event: "asked"}
	get := func(call string, result any, err error) {
		one := step{Call: call, Result: result}
		if err != nil {
			one = step{Call: call, Error: err.Error()}
		}
		line.Steps = append(line.Steps, one)
	}
	do := func(call string, err error) { get(call, nil, err) }
	lists := func(when string) {
		peers, err := client.ListBlockedPeers(ctx)
		get("listBlockedPeers "+when, peers, err)
		addresses, err := client.ListBlockedAddrs(ctx)
		get("listBlockedAddrs "+when, addresses, err)
		subnets, err := client.ListBlockedSubnets(ctx)
		get("listBlockedSubnets "+when, subnets, err)
	}
	self, err := client.Self(ctx)
	get("self", self, err)
	stats, err := client.PeerStats(ctx)
	get("peerStats", stats, err)
	do("protectPeer", client.ProtectPeer(ctx, connected))
	do("blockPeer", client.BlockPeer(ctx, other))
	do("blockAddr", client.BlockAddr(ctx, ip))
	do("blockSubnet", client.BlockSubnet(ctx, subnet))
	lists("blocked")
	dump, err := client.Peers(ctx, true)
	get("peers", dump, err)
	do("unblockPeer", client.UnblockPeer(ctx, other))
	do("unblockAddr", client.UnblockAddr(ctx, ip))
	do("unblockSubnet", client.UnblockSubnet(ctx, subnet))
	do("unprotectPeer", client.UnprotectPeer(ctx, connected))
	lists("unblocked")
	do("connectPeer without a peer", client.ConnectPeer(ctx, "/ip4/127.0.0.1/tcp/1"))
	do("disconnectPeer", client.DisconnectPeer(ctx, connected))
	dump, err = client.Peers(ctx, true)
	get("peers afterwards", dump, err)
	return line, nil
}

func (n *node) ask(ctx context.Context, text json.RawMessage) {
	var a ask
	err := json.Unmarshal(text, &a)
	var line *askedLine
	if err == nil {
		line, err = runAsk(ctx, &a)
	}
	if err != nil {
		n.answer("ask", err)
		return
	}
	n.out.Emit(line)
}
