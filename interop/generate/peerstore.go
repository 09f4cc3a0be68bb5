package main

import (
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/log"
	ds "github.com/ipfs/go-datastore"
	"github.com/ipfs/go-datastore/query"
	dssync "github.com/ipfs/go-datastore/sync"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/record"
	"github.com/libp2p/go-libp2p/p2p/host/peerstore/pstoreds"
	"github.com/multiformats/go-base32"
	"github.com/multiformats/go-multiaddr"

	"github.com/ethereum-optimism/optimism/op-node/p2p/gating"
	"github.com/ethereum-optimism/optimism/op-node/p2p/store"
	"github.com/ethereum-optimism/optimism/op-service/clock"
)

const peerstoreTime = 1_796_102_941

// pstoreClock is the clock of go-libp2p's address book.
type pstoreClock struct{}

func (pstoreClock) Now() time.Time                       { return time.Unix(peerstoreTime, 0) }
func (pstoreClock) After(time.Duration) <-chan time.Time { return nil }

// peerstoreBooks is what op-node makes of its datastore, with a clock that stands.
type peerstoreBooks struct {
	store ds.Batching
	peers store.ExtendedPeerstore
	gater gating.BlockingConnectionGater
	cases []object
	known map[string]bool
}

func newPeerstoreBooks() (*peerstoreBooks, error) {
	ctx := context.Background()
	data := dssync.MutexWrap(ds.NewMapDatastore())
	options := pstoreds.DefaultOpts()
	options.Clock = pstoreClock{}
	base, err := pstoreds.NewPeerstore(ctx, data, options)
	if err != nil {
		return nil, err
	}
	now := clock.NewDeterministicClock(time.Unix(peerstoreTime, 0))
	extended, err := store.NewExtendedPeerstore(ctx, log.New(), now, base, data, time.Hour)
	if err != nil {
		return nil, err
	}
	gater, err := gating.NewBlockingConnectionGater(data)
	return &peerstoreBooks{store: data, peers: extended, gater: gater, known: map[string]bool{}}, err
}

// add notes the one record that has come since the last call, with what it means.
func (b *peerstoreBooks) add(kind string, meaning object, err error) error {
	if err != nil {
		return err
	}
	results, err := b.store.Query(context.Background(), query.Query{})
	if err != nil {
		return err
	}
	entries, err := results.Rest()
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if b.known[entry.Key] {
			continue
		}
		b.known[entry.Key] = true
		meaning["kind"], meaning["key"], meaning["value"] = kind, entry.Key, hexText(entry.Value)
		b.cases = append(b.cases, meaning)
		return nil
	}
	return fmt.Errorf("no new record of %s", kind)
}

func peerstoreRecords() (object, error) {
	b, err := newPeerstoreBooks()
	if err != nil {
		return nil, err
	}
	for _, kind := range []string{"secp256k1", "ed25519", "rsa"} {
		key, err := identity(kind, "peerstore")
		if err != nil {
			return nil, err
		}
		id, err := peer.IDFromPrivateKey(key)
		if err != nil {
			return nil, err
		}
		for _, step := range []func(peer.ID, crypto.PrivKey) error{
			b.addAddresses, b.addKeys, b.addMetadata, b.addScores, b.addBan, b.addPeerMetadata, b.addBlockedPeer,
		} {
			if err := step(id, key); err != nil {
				return nil, err
			}
		}
	}
	if err := b.addAddressRules(); err != nil {
		return nil, err
	}
	old, err := oldProtocols()
	if err != nil {
		return nil, err
	}
	b.cases = append(b.cases, old)
	return object{
		"about": "Records of op-node's peerstore: the key and the value of each, and what it means. 'exact' is false where Go does not " +
			"always write the same bytes, or no longer writes these.",
		"source": source("github.com/libp2p/go-libp2p", "github.com/ethereum-optimism/optimism"),
		"kind":   "generated",
		"cases":  b.cases,
	}, nil
}

func (b *peerstoreBooks) addAddresses(id peer.ID, key crypto.PrivKey) error {
	ttls := []time.Duration{30 * time.Minute, time.Hour, peerstore.PermanentAddrTTL} // the one that expires first is stored first
	stated := []object{}
	var addrs []multiaddr.Multiaddr
	for i, text := range []string{"/ip4/198.51.100.9/tcp/9222", "/ip6/2001:db8::9/tcp/9222", "/dns4/node.example/tcp/443"} {
		addr, err := multiaddr.NewMultiaddr(text)
		if err != nil {
			return err
		}
		addrs = append(addrs, addr)
		b.peers.AddAddrs(id, addrs[i:i+1], ttls[i])
		stated = append(stated, object{"address": text, "ttl": strconv.FormatInt(int64(ttls[i]), 10),
			"expiry": strconv.FormatInt(time.Unix(peerstoreTime, 0).Add(ttls[i]).Unix(), 10)})
	}
	envelope, err := record.Seal(&peer.PeerRecord{PeerID: id, Addrs: addrs[:1], Seq: 1 << 60}, key)
	if err != nil {
		return err
	}
	raw, err := envelope.Marshal()
	if err != nil {
		return err
	}
	if _, err := b.peers.ConsumePeerRecord(envelope, time.Minute); err != nil {
		return err
	}
	return b.add("addresses", object{"peer": id.String(), "addresses": stated, "seq": "1152921504606846976", "envelope": hexText(raw)}, nil)
}

func (b *peerstoreBooks) addKeys(id peer.ID, key crypto.PrivKey) error {
	if err := b.add("public_key", object{"peer": id.String()}, b.peers.AddPubKey(id, key.GetPublic())); err != nil {
		return err
	}
	return b.add("private_key", object{"peer": id.String()}, b.peers.AddPrivKey(id, key))
}

func (b *peerstoreBooks) addMetadata(id peer.ID, _ crypto.PrivKey) error {
	texts := map[string]string{"AgentVersion": "optimism", "ProtocolVersion": ""}
	for _, name := range []string{"AgentVersion", "ProtocolVersion"} {
		meaning := object{"peer": id.String(), "name": name, "text": texts[name]}
		if err := b.add("metadata", meaning, b.peers.Put(id, name, texts[name])); err != nil {
			return err
		}
	}
	if err := b.add("metadata", object{"peer": id.String(), "name": "protocols", "protocols": []string{}},
		b.peers.SetProtocols(id)); err != nil {
		return err
	}
	// Go writes a map in any order: a set of many is in the tests with op-node.
	one := map[protocol.ID]struct{}{"/meshsub/1.3.0": {}}
	return b.add("metadata", object{"peer": id.String(), "name": "one", "protocols": []string{"/meshsub/1.3.0"}}, b.peers.Put(id, "one", one))
}

// oldProtocols is the set as go-libp2p wrote it before v0.25.
func oldProtocols() (object, error) {
	gob.Register(map[string]struct{}{})
	var value any = map[string]struct{}{"/ipfs/id/1.0.0": {}}
	var out bytes.Buffer
	err := gob.NewEncoder(&out).Encode(&value)
	key, keyErr := identity("secp256k1", "old")
	if keyErr != nil {
		return nil, keyErr
	}
	id, idErr := peer.IDFromPrivateKey(key)
	if idErr != nil {
		return nil, idErr
	}
	return object{"kind": "metadata", "peer": id.String(), "name": "protocols", "protocols": []string{"/ipfs/id/1.0.0"},
		"key":   "/peers/metadata/" + base32.RawStdEncoding.EncodeToString([]byte(id)) + "/protocols",
		"value": hexText(out.Bytes()), "exact": false}, err
}

func (b *peerstoreBooks) addScores(id peer.ID, _ crypto.PrivKey) error {
	scores := store.GossipScores{
		Total:              -123.45600000000002,
		Blocks:             store.TopicScores{TimeInMesh: 86400, FirstMessageDeliveries: 1e-7, MeshMessageDeliveries: 1.5e22, InvalidMessageDeliveries: 3},
		IPColocationFactor: -35,
		BehavioralPenalty:  0.1,
	}
	if _, err := b.peers.SetScore(id, scores); err != nil {
		return err
	}
	_, err := b.peers.SetScore(id, store.IncrementValidResponses{Cap: 10})
	return b.add("scores", object{"peer": id.String(), "last_update": strconv.Itoa(peerstoreTime),
		"numbers": []string{"-123.45600000000002", "86400", "1e-7", "1.5e22", "3", "-35", "0.1", "1", "0", "0"}}, err)
}

func (b *peerstoreBooks) addBan(id peer.ID, _ crypto.PrivKey) error {
	until := time.Unix(peerstoreTime+3600, 0)
	return b.add("peer_ban", object{"peer": id.String(), "expiry": strconv.Itoa(peerstoreTime + 3600), "last_update": strconv.Itoa(peerstoreTime)},
		b.peers.SetPeerBanExpiration(id, until))
}

func (b *peerstoreBooks) addPeerMetadata(id peer.ID, _ crypto.PrivKey) error {
	_, err := b.peers.SetPeerMetadata(id, store.PeerMetadata{ENR: "enr:-<&>\"\\" + id.String(), OPStackID: 1<<64 - 1})
	return b.add("peer_metadata", object{"peer": id.String(), "enr": "enr:-<&>\"\\" + id.String(), "chain": "18446744073709551615",
		"last_update": strconv.Itoa(peerstoreTime)}, err)
}

func (b *peerstoreBooks) addBlockedPeer(id peer.ID, _ crypto.PrivKey) error {
	return b.add("blocked_peer", object{"peer": id.String()}, b.gater.BlockPeer(id))
}

// addAddressRules stores rules for addresses, each in one of its spellings.
func (b *peerstoreBooks) addAddressRules() error {
	for _, ip := range []string{"192.0.2.7", "::ffff:192.0.2.8", "2001:db8:0:0:0:0:0:1", "::1", "2001:DB8::a:0:0:b"} {
		parsed := net.ParseIP(ip)
		meaning := object{"text": parsed.String(), "spelling": ip}
		if err := b.add("blocked_ip", meaning, b.gater.BlockAddr(parsed)); err != nil {
			return err
		}
		meaning = object{"text": parsed.String(), "spelling": ip, "expiry": strconv.Itoa(peerstoreTime + 60), "last_update": strconv.Itoa(peerstoreTime)}
		if err := b.add("ip_ban", meaning, b.peers.SetIPBanExpiration(parsed, time.Unix(peerstoreTime+60, 0))); err != nil {
			return err
		}
	}
	for _, cidr := range []string{"10.1.2.3/8", "2001:db8:1::/48", "192.0.2.255/32", "0.0.0.0/0"} {
		_, subnet, err := net.ParseCIDR(cidr)
		if err != nil {
			return err
		}
		if err := b.add("blocked_subnet", object{"text": subnet.String(), "spelling": cidr}, b.gater.BlockSubnet(subnet)); err != nil {
			return err
		}
	}
	return nil
}
