package main

import (
	"fmt"
	"math/rand"
	"net"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/record"
	"github.com/multiformats/go-multiaddr"

	"github.com/ethereum-optimism/optimism/op-node/p2p/store"
)

// fill stores count peers: every fifth has a key of another type, and each has some of what op-node can know of a peer.
func (b *books) fill(count int, seed int64) ([]string, error) {
	rng := rand.New(rand.NewSource(seed))
	ids := []string{}
	for n := 0; n < count; n++ {
		id, key, err := newPeer(rng, n)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id.String())
		for _, step := range []func(peer.ID, crypto.PrivKey, *rand.Rand, int) error{
			b.fillPeerstore, b.fillRecord, b.fillScores, b.fillBans, b.fillMetadata, b.fillGater,
		} {
			if err := step(id, key, rng, n); err != nil {
				return nil, err
			}
		}
	}
	return ids, nil
}

func newPeer(rng *rand.Rand, n int) (peer.ID, crypto.PrivKey, error) {
	kind, bits := crypto.Secp256k1, 0
	if n%5 == 1 {
		kind = crypto.Ed25519
	}
	if n%5 == 3 {
		kind, bits = crypto.RSA, 2048
	}
	key, _, err := crypto.GenerateKeyPairWithReader(kind, bits, rng)
	if err != nil {
		return "", nil, err
	}
	id, err := peer.IDFromPrivateKey(key)
	return id, key, err
}

func (b *books) fillPeerstore(id peer.ID, key crypto.PrivKey, rng *rand.Rand, n int) error {
	ttls := []time.Duration{time.Hour, 7 * 24 * time.Hour, peerstore.PermanentAddrTTL, 30 * time.Minute}
	for i := 0; i <= n%4; i++ {
		text := fmt.Sprintf("/ip4/10.%d.%d.%d/tcp/%d", n%256, i, rng.Intn(256), 1024+rng.Intn(60000))
		switch i {
		case 1:
			text = fmt.Sprintf("/ip6/2001:db8::%x/tcp/9222", rng.Intn(65536))
		case 2:
			text = fmt.Sprintf("/dns4/peer%d.example/tcp/9222", n)
		case 3:
			text = fmt.Sprintf("/ip4/192.0.2.%d/udp/9222/quic-v1", rng.Intn(256))
		}
		addr, err := multiaddr.NewMultiaddr(text)
		if err != nil {
			return err
		}
		b.peers.AddAddrs(id, []multiaddr.Multiaddr{addr}, ttls[(n+i)%len(ttls)])
	}
	if err := b.peers.AddPubKey(id, key.GetPublic()); err != nil {
		return err
	}
	if err := b.peers.Put(id, "AgentVersion", fmt.Sprintf("optimism/%d ü", n)); err != nil {
		return err
	}
	if err := b.peers.Put(id, "ProtocolVersion", ""); err != nil {
		return err
	}
	protocols := []protocol.ID{}
	for i := 0; i < n%3*4; i++ {
		protocols = append(protocols, protocol.ID(fmt.Sprintf("/meshsub/1.%d.0", i)))
	}
	return b.peers.SetProtocols(id, protocols...)
}

// fillRecord stores a signed peer record for every third peer.
func (b *books) fillRecord(id peer.ID, key crypto.PrivKey, rng *rand.Rand, n int) error {
	if n%3 != 0 {
		return nil
	}
	addr, err := multiaddr.NewMultiaddr(fmt.Sprintf("/ip4/203.0.113.%d/tcp/9222", n%256))
	if err != nil {
		return err
	}
	envelope, err := record.Seal(&peer.PeerRecord{PeerID: id, Addrs: []multiaddr.Multiaddr{addr}, Seq: uint64(rng.Int63())}, key)
	if err != nil {
		return err
	}
	_, err = b.peers.ConsumePeerRecord(envelope, time.Hour)
	return err
}

func (b *books) fillScores(id peer.ID, _ crypto.PrivKey, rng *rand.Rand, n int) error {
	_, err := b.peers.SetScore(id, store.GossipScores{
		Total: rng.NormFloat64() * 100,
		Blocks: store.TopicScores{
			TimeInMesh:               float64(n * 15),
			FirstMessageDeliveries:   rng.Float64() * 1e-9,
			MeshMessageDeliveries:    rng.Float64() * 1e22,
			InvalidMessageDeliveries: float64(n % 2),
		},
		IPColocationFactor: -35 * rng.Float64(),
		BehavioralPenalty:  rng.ExpFloat64(),
	})
	if err != nil || n%2 == 0 {
		return err
	}
	if _, err := b.peers.SetScore(id, store.IncrementValidResponses{Cap: 10}); err != nil {
		return err
	}
	if _, err := b.peers.SetScore(id, store.IncrementRejectedPayloads{Cap: 20}); err != nil {
		return err
	}
	_, err = b.peers.SetScore(id, &store.DecayApplicationScores{
		ValidResponseDecay: 0.9261187281, ErrorResponseDecay: 0.9261187281, RejectedPayloadDecay: 0.9261187281, DecayToZero: 0.01})
	return err
}

func (b *books) fillBans(id peer.ID, _ crypto.PrivKey, rng *rand.Rand, n int) error {
	until := time.Now().Add(time.Hour + time.Duration(n)*time.Second)
	if n%4 == 0 {
		if err := b.peers.SetPeerBanExpiration(id, until); err != nil {
			return err
		}
	}
	switch n % 4 {
	case 1:
		return b.peers.SetIPBanExpiration(net.IPv4(198, 51, 100, byte(rng.Intn(256))), until)
	case 2:
		return b.peers.SetIPBanExpiration(net.ParseIP(fmt.Sprintf("2001:db8:0:0:%x::1", 1+rng.Intn(65535))), until)
	}
	return nil
}

func (b *books) fillMetadata(id peer.ID, _ crypto.PrivKey, rng *rand.Rand, n int) error {
	if n%2 != 0 {
		return nil
	}
	_, err := b.peers.SetPeerMetadata(id, store.PeerMetadata{ENR: fmt.Sprintf("enr:-%d_<&>", n), OPStackID: rng.Uint64()})
	return err
}

func (b *books) fillGater(id peer.ID, _ crypto.PrivKey, rng *rand.Rand, n int) error {
	switch n % 4 {
	case 0:
		return b.gater.BlockPeer(id)
	case 1:
		return b.gater.BlockAddr(net.ParseIP(fmt.Sprintf("192.0.2.%d", rng.Intn(256))))
	case 2:
		return b.gater.BlockAddr(net.ParseIP(fmt.Sprintf("2001:db8::%x:0", rng.Intn(65536))))
	}
	_, subnet, err := net.ParseCIDR(fmt.Sprintf("10.%d.0.0/16", rng.Intn(256)))
	if err != nil {
		return err
	}
	return b.gater.BlockSubnet(subnet)
}
