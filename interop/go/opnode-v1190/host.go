package main

import (
	"context"
	"crypto/rand"
	"net"
	"strings"
	"time"

	ds "github.com/ipfs/go-datastore"
	"github.com/ipfs/go-datastore/sync"
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/ethereum-optimism/optimism/op-node/p2p"
)

// p2pConfig has op-node's default values, without discovery, scoring and banning.
func p2pConfig(o *options) (*p2p.Config, error) {
	key, _, err := crypto.GenerateSecp256k1Key(rand.Reader)
	if err != nil {
		return nil, err
	}
	conf := &p2p.Config{
		Priv:                     key.(*crypto.Secp256k1PrivateKey),
		NoDiscovery:              true,
		ListenIP:                 net.IPv4(127, 0, 0, 1),
		HostMux:                  []libp2p.Option{p2p.YamuxC(), p2p.MplexC()},
		HostSecurity:             []libp2p.Option{p2p.NoiseC()},
		PeersLo:                  20,
		PeersHi:                  30,
		PeersGrace:               30 * time.Second,
		MeshD:                    p2p.DefaultMeshD,
		MeshDLo:                  p2p.DefaultMeshDlo,
		MeshDHi:                  p2p.DefaultMeshDhi,
		MeshDLazy:                p2p.DefaultMeshDlazy,
		GossipTimestampThreshold: o.threshold,
		UserAgent:                "optimism",
		TimeoutDial:              10 * time.Second,
		Store:                    sync.MutexWrap(ds.NewMapDatastore()),
		EnableReqRespSync:        true,
	}
	return conf, conf.Check()
}

func connectAll(ctx context.Context, h host.Host, list string) error {
	for _, text := range strings.Split(list, ",") {
		info, err := peer.AddrInfoFromString(strings.TrimSpace(text))
		if err != nil {
			return err
		}
		if err := h.Connect(ctx, *info); err != nil {
			return err
		}
		emit(map[string]any{"event": "connected", "peer": info.ID.String()})
	}
	return nil
}
