package main

import (
	"bytes"
	"encoding/binary"
	"fmt"

	flynn "github.com/flynn/noise"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	noisepb "github.com/libp2p/go-libp2p/p2p/security/noise/pb"
	"google.golang.org/protobuf/proto"
)

// noiseSide is one end of a handshake with all its keys fixed.
type noiseSide struct {
	role      string
	identity  crypto.PrivKey
	static    flynn.DHKey
	ephemeral []byte
	muxers    []string
	state     *flynn.HandshakeState
	out, in   *flynn.CipherState
}

func noiseHandshakes() (object, error) {
	var cases []object
	for _, c := range []struct {
		initiator, responder string
		muxers               [2][]string
	}{
		{"ed25519", "ed25519", [2][]string{nil, nil}},
		{"secp256k1", "ed25519", [2][]string{{"/yamux/1.0.0"}, {"/yamux/1.0.0", "/mplex/6.7.0"}}},
		{"ecdsa", "secp256k1", [2][]string{{"/mplex/6.7.0", "/yamux/1.0.0"}, nil}},
		{"rsa", "rsa", [2][]string{nil, {"/yamux/1.0.0"}}},
	} {
		name := fmt.Sprintf("%s-with-%s-%d-%d-muxers", c.initiator, c.responder, len(c.muxers[0]), len(c.muxers[1]))
		initiator, err := newNoiseSide(name, "initiator", c.initiator, c.muxers[0])
		if err != nil {
			return nil, err
		}
		responder, err := newNoiseSide(name, "responder", c.responder, c.muxers[1])
		if err != nil {
			return nil, err
		}
		item, err := noiseCase(name, initiator, responder)
		if err != nil {
			return nil, err
		}
		cases = append(cases, item)
	}
	return object{
		"about": "Whole libp2p-noise handshakes (Noise_XX_25519_ChaChaPoly_SHA256) with all keys fixed. 'framed' is the message " +
			"with its two-byte length, as on the wire; with these keys and payloads every byte is determined.",
		"source": source("github.com/flynn/noise", "github.com/libp2p/go-libp2p"),
		"kind":   "generated",
		"cases":  cases,
	}, nil
}

func newNoiseSide(name, role, kind string, muxers []string) (*noiseSide, error) {
	label := "a"
	if role == "responder" {
		label = "b"
	}
	key, err := identity(kind, label)
	if err != nil {
		return nil, err
	}
	s := &noiseSide{role: role, identity: key, muxers: muxers, ephemeral: bytesOf("ephemeral "+name+role, 32)}
	suite := flynn.NewCipherSuite(flynn.DH25519, flynn.CipherChaChaPoly, flynn.HashSHA256)
	s.static, err = suite.GenerateKeypair(bytes.NewReader(bytesOf("static "+name+role, 32)))
	if err != nil {
		return nil, err
	}
	s.state, err = flynn.NewHandshakeState(flynn.Config{CipherSuite: suite, Pattern: flynn.HandshakeXX,
		Initiator: role == "initiator", StaticKeypair: s.static, Random: bytes.NewReader(s.ephemeral)})
	return s, err
}

func (s *noiseSide) payload() ([]byte, error) {
	public, err := crypto.MarshalPublicKey(s.identity.GetPublic())
	if err != nil {
		return nil, err
	}
	signature, err := sign(s.identity, append([]byte("noise-libp2p-static-key:"), s.static.Public...))
	if err != nil {
		return nil, err
	}
	message := &noisepb.NoiseHandshakePayload{IdentityKey: public, IdentitySig: signature}
	if len(s.muxers) > 0 {
		message.Extensions = &noisepb.NoiseExtensions{StreamMuxers: s.muxers}
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(message)
}

func (s *noiseSide) describe() (object, error) {
	id, err := peer.IDFromPrivateKey(s.identity)
	if err != nil {
		return nil, err
	}
	private, err := crypto.MarshalPrivateKey(s.identity)
	if err != nil {
		return nil, err
	}
	muxers := s.muxers
	if muxers == nil {
		muxers = []string{}
	}
	return object{
		"identity_private_key_protobuf": hexText(private),
		"peer_id":                       id.String(),
		"static_private":                hexText(s.static.Private),
		"static_public":                 hexText(s.static.Public),
		"ephemeral_private":             hexText(s.ephemeral),
		"stream_muxers":                 muxers,
	}, nil
}

func noiseCase(name string, initiator, responder *noiseSide) (object, error) {
	first, err := noiseMessages(initiator, responder)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(initiator.state.ChannelBinding(), responder.state.ChannelBinding()) {
		return nil, fmt.Errorf("the sides disagree")
	}
	transport, err := noiseTransport(initiator, responder)
	if err != nil {
		return nil, err
	}
	item := object{"name": name, "prologue": "0x", "handshake": first, "transport": transport,
		"handshake_hash": hexText(initiator.state.ChannelBinding())}
	for _, side := range []*noiseSide{initiator, responder} {
		if item[side.role], err = side.describe(); err != nil {
			return nil, err
		}
	}
	return item, nil
}

// noiseMessages runs the three messages; the first carries nothing, the others a payload.
func noiseMessages(initiator, responder *noiseSide) ([]object, error) {
	var messages []object
	from, to := initiator, responder
	for i := range 3 {
		var payload []byte
		var err error
		if i > 0 {
			if payload, err = from.payload(); err != nil {
				return nil, err
			}
		}
		message, a, b, err := from.state.WriteMessage(nil, payload)
		if err != nil {
			return nil, err
		}
		_, c, d, err := to.state.ReadMessage(nil, message)
		if err != nil {
			return nil, err
		}
		messages = append(messages, object{"from": from.role, "payload": hexText(payload),
			"message": hexText(message), "framed": framed(message)})
		if a != nil { // the last message: the first cipher is the initiator's
			initiator.out, initiator.in = a, b
			responder.in, responder.out = c, d
		}
		from, to = to, from
	}
	return messages, nil
}

func noiseTransport(initiator, responder *noiseSide) ([]object, error) {
	var frames []object
	from, to := initiator, responder
	for i, size := range []int{1, 0, 40, 300, 16, 1200} {
		plaintext := bytesOf(fmt.Sprintf("transport %d", i), size)
		sealed, err := from.out.Encrypt(nil, nil, plaintext)
		if err != nil {
			return nil, err
		}
		if _, err := to.in.Decrypt(nil, nil, sealed); err != nil {
			return nil, err
		}
		frames = append(frames, object{"from": from.role, "plaintext": hexText(plaintext), "framed": framed(sealed)})
		from, to = to, from
	}
	return frames, nil
}

func framed(message []byte) string {
	return hexText(append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...))
}
