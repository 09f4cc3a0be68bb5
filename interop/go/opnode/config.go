package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	ds "github.com/ipfs/go-datastore"
	"github.com/ipfs/go-datastore/sync"
	leveldb "github.com/ipfs/go-ds-leveldb"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/multiformats/go-multiaddr"

	"github.com/ethereum-optimism/optimism/op-node/p2p"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
)

func loadRollupConfig(path string) (*rollup.Config, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	cfg := &rollup.Config{}
	if err := cfg.ParseRollupConfig(file); err != nil {
		return nil, err
	}
	return cfg, cfg.Check()
}

// p2pConfig has op-node's default values (op-node/flags) where no flag of ours says otherwise; discovery is off, and so
// is banning unless peers are scored.
func p2pConfig(o *options, cfg *rollup.Config) (*p2p.Config, error) {
	scoring, err := p2p.GetScoringParams(o.scoring, cfg.BlockTime)
	if err != nil {
		return nil, err
	}
	key, err := nodeKey(o.nodeKey)
	if err != nil {
		return nil, err
	}
	ip := net.ParseIP(o.listenIP)
	if ip == nil || o.listenPort > 65535 {
		return nil, fmt.Errorf("cannot listen on %q port %d", o.listenIP, o.listenPort)
	}
	store, err := openStore(o.peerstore)
	if err != nil {
		return nil, err
	}
	conf := &p2p.Config{
		Priv:                     key,
		NoDiscovery:              true,
		ScoringParams:            scoring,
		BanningEnabled:           scoring != nil,
		BanningThreshold:         -100,
		BanningDuration:          time.Hour,
		ListenIP:                 ip,
		ListenTCPPort:            uint16(o.listenPort),
		PeersLo:                  20,
		PeersHi:                  30,
		PeersGrace:               30 * time.Second,
		MeshD:                    p2p.DefaultMeshD,
		MeshDLo:                  p2p.DefaultMeshDlo,
		MeshDHi:                  p2p.DefaultMeshDhi,
		MeshDLazy:                p2p.DefaultMeshDlazy,
		GossipTimestampThreshold: o.threshold,
		UserAgent:                "optimism",
		TimeoutNegotiation:       10 * time.Second,
		TimeoutAccept:            10 * time.Second,
		TimeoutDial:              10 * time.Second,
		Store:                    store,
		EnableReqRespSync:        o.reqResp,
		EnablePingService:        true,
	}
	for _, text := range splitList(o.static) {
		addr, err := multiaddr.NewMultiaddr(text)
		if err != nil {
			return nil, err
		}
		conf.StaticPeers = append(conf.StaticPeers, addr)
	}
	if err := setTransports(o, conf); err != nil {
		return nil, err
	}
	return conf, conf.Check()
}

// openStore opens what op-node's --p2p.peerstore.path names.
func openStore(path string) (ds.Batching, error) {
	if path == "memory" {
		return sync.MutexWrap(ds.NewMapDatastore()), nil
	}
	return leveldb.NewDatastore(path, nil)
}

func setTransports(o *options, conf *p2p.Config) error {
	for _, name := range splitList(o.muxers) {
		switch name {
		case "yamux":
			conf.HostMux = append(conf.HostMux, p2p.YamuxC())
		case "mplex":
			conf.HostMux = append(conf.HostMux, p2p.MplexC())
		default:
			return fmt.Errorf("unknown muxer %q", name)
		}
	}
	for _, name := range splitList(o.security) {
		switch name {
		case "noise":
			conf.HostSecurity = append(conf.HostSecurity, p2p.NoiseC())
		case "tls":
			conf.HostSecurity = append(conf.HostSecurity, p2p.TlsC())
		case "none":
			conf.NoTransportSecurity = true
		default:
			return fmt.Errorf("unknown security transport %q", name)
		}
	}
	return nil
}

func nodeKey(text string) (*crypto.Secp256k1PrivateKey, error) {
	if text == "" {
		key, _, err := crypto.GenerateSecp256k1Key(rand.Reader)
		if err != nil {
			return nil, err
		}
		return key.(*crypto.Secp256k1PrivateKey), nil
	}
	raw, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil {
		return nil, err
	}
	key, err := crypto.UnmarshalSecp256k1PrivateKey(raw)
	if err != nil {
		return nil, err
	}
	return key.(*crypto.Secp256k1PrivateKey), nil
}

func splitList(text string) []string {
	parts := []string{}
	for _, part := range strings.Split(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}
