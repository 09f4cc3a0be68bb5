package main

import (
	"context"
	"encoding/hex"
	"errors"
	"net"
	"sort"
	"strings"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-base32"
	"github.com/multiformats/go-multiaddr"

	"github.com/ethereum-optimism/optimism/op-node/p2p/store"
)

// describe is what op-node's own calls say of every peer and every address that has a record.
func (b *books) describe(ctx context.Context) (map[string]any, error) {
	records, err := b.dump(ctx)
	if err != nil {
		return nil, err
	}
	peers := map[string]any{}
	ips := map[string]any{}
	for key := range records {
		parts := strings.Split(strings.TrimPrefix(key, "/"), "/")
		if parts[0] == "ips" && len(parts) == 3 {
			until, err := b.peers.GetIPBanExpiration(net.ParseIP(parts[2]))
			if err != nil {
				return nil, err
			}
			ips[parts[2]] = until.Unix()
		}
		if parts[0] != "peers" || len(parts) < 3 {
			continue
		}
		raw, err := base32.RawStdEncoding.DecodeString(parts[2])
		if err != nil {
			return nil, err
		}
		id, err := peer.IDFromBytes(raw)
		if err != nil {
			return nil, err
		}
		if peers[id.String()] != nil {
			continue
		}
		if peers[id.String()], err = b.describePeer(id); err != nil {
			return nil, err
		}
	}
	return map[string]any{"event": "described", "peers": peers, "ip_bans": ips, "blocked": b.blocked()}, nil
}

func (b *books) describePeer(id peer.ID) (map[string]any, error) {
	scores, err := b.peers.GetPeerScores(id)
	if err != nil {
		return nil, err
	}
	metadata, err := b.peers.GetPeerMetadata(id)
	if err != nil {
		return nil, err
	}
	out := map[string]any{
		"addresses": texts(b.peers.Addrs(id), multiaddr.Multiaddr.String),
		"scores":    scores,
		"metadata":  metadata,
	}
	until, err := b.peers.GetPeerBanExpiration(id)
	if err == nil {
		out["banned_until"] = until.Unix()
	} else if !errors.Is(err, store.ErrUnknownBan) {
		return nil, err
	}
	for _, name := range []string{"AgentVersion", "ProtocolVersion"} {
		if value, err := b.peers.Get(id, name); err == nil {
			out[name] = value
		}
	}
	protocols, err := b.peers.GetProtocols(id)
	if err != nil {
		return nil, err
	}
	out["protocols"] = texts(protocols, func(id protocol.ID) string { return string(id) })
	if envelope := b.peers.GetPeerRecord(id); envelope != nil {
		record, err := envelope.Record()
		if err != nil {
			return nil, err
		}
		out["record_seq"] = record.(*peer.PeerRecord).Seq
	}
	return out, addKeys(out, b.peers.PubKey(id), b.peers.PrivKey(id))
}

func addKeys(out map[string]any, public crypto.PubKey, private crypto.PrivKey) error {
	if public != nil {
		raw, err := crypto.MarshalPublicKey(public)
		if err != nil {
			return err
		}
		out["public_key"] = hex.EncodeToString(raw)
	}
	if private != nil {
		raw, err := private.Raw()
		if err != nil {
			return err
		}
		out["private_key"] = hex.EncodeToString(raw)
	}
	return nil
}

func (b *books) blocked() map[string]any {
	return map[string]any{
		"peers":     texts(b.gater.ListBlockedPeers(), peer.ID.String),
		"addresses": texts(b.gater.ListBlockedAddrs(), net.IP.String),
		"subnets":   texts(b.gater.ListBlockedSubnets(), (*net.IPNet).String),
	}
}

func texts[T any](from []T, text func(T) string) []string {
	out := []string{}
	for _, one := range from {
		out = append(out, text(one))
	}
	sort.Strings(out)
	return out
}
