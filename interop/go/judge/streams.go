package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"github.com/golang/snappy"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/record"
	identifypb "github.com/libp2p/go-libp2p/p2p/protocol/identify/pb"
	"github.com/libp2p/go-msgio"
	"github.com/libp2p/go-msgio/pbio"
	"github.com/multiformats/go-multistream"
	"github.com/multiformats/go-varint"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// Cases stay far below it; so a length above is refused before it is believed with an allocation.
const maxContents = 1 << 20

func snappyLength(input []byte, read *digest) (verdict, error) {
	n, err := snappy.DecodedLen(input)
	if err != nil {
		return refuse, err
	}
	read.number(uint64(n))
	return accept, nil
}

func snappyBlock(input []byte, read *digest) (verdict, error) {
	if n, err := snappy.DecodedLen(input); err != nil || n > maxContents {
		return refuse, errors.Join(err, errors.New("or too large"))
	}
	out, err := snappy.Decode(nil, input)
	if err != nil {
		return refuse, err
	}
	read.bytes(out)
	return accept, nil
}

// A reader has 140 KB of buffers.
var frameReaders = sync.Pool{New: func() any { return snappy.NewReader(nil) }}

func snappyFrames(input []byte, read *digest) (verdict, error) {
	frames := frameReaders.Get().(*snappy.Reader)
	defer frameReaders.Put(frames)
	frames.Reset(bytes.NewReader(input))
	out, err := io.ReadAll(frames)
	if err != nil {
		return refuse, err
	}
	read.bytes(out)
	return accept, nil
}

func multiformatsVarint(input []byte, read *digest) (verdict, error) {
	value, size, err := varint.FromUvarint(input)
	if err != nil {
		return refuse, err
	}
	read.number(value)
	read.number(uint64(size))
	return accept, nil
}

func protobufVarint(input []byte, read *digest) (verdict, error) {
	value, size := protowire.ConsumeVarint(input)
	if size < 0 {
		return refuse, protowire.ParseError(size)
	}
	read.number(value)
	read.number(uint64(size))
	return accept, nil
}

func streamEnd(err error) (verdict, error) {
	switch {
	case errors.Is(err, io.EOF):
		return accept, err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return incomplete, err
	default:
		return refuse, err
	}
}

// gossipFrames cuts a stream as pubsub does: go-msgio's reader with op-node's bound.
func gossipFrames(input []byte, read *digest) (verdict, error) {
	in := &counted{Reader: bytes.NewReader(input)}
	frames := msgio.NewVarintReaderSize(in, 10<<20)
	for {
		start := in.taken
		message, err := frames.ReadMsg()
		if err != nil {
			if errors.Is(err, io.EOF) && in.taken > start {
				err = io.ErrUnexpectedEOF // the length was the last that came
			}
			return streamEnd(err)
		}
		if len(message) > 0 {
			read.bytes(message)
		}
	}
}

type counted struct {
	*bytes.Reader
	taken int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.taken += n
	return n, err
}

func multistreamTokens(input []byte, read *digest) (verdict, error) {
	in := bytes.NewReader(input)
	for {
		token, err := multistream.ReadNextTokenBytes(in)
		if err != nil {
			return streamEnd(err)
		}
		read.bytes(token)
	}
}

// identifyStream is readAllIDMessages of go-libp2p's identify, which is not exported.
func identifyStream(input []byte, read *digest) (verdict, error) {
	const signedIDSize, maxMessages = 8 * 1024, 10
	in := pbio.NewDelimitedReader(bytes.NewReader(input), signedIDSize)
	var whole, part identifypb.Identify
	for range maxMessages {
		switch err := in.ReadMsg(&part); err {
		case io.EOF:
			digestIdentify(&whole, read)
			return accept, nil
		case nil:
			proto.Merge(&whole, &part)
		default:
			return refuse, err
		}
	}
	return refuse, errors.New("too many parts")
}

func digestIdentify(m *identifypb.Identify, read *digest) {
	read.optional(m.PublicKey)
	read.number(uint64(len(m.ListenAddrs)))
	for _, a := range m.ListenAddrs {
		read.bytes(a)
	}
	read.number(uint64(len(m.Protocols)))
	for _, p := range m.Protocols {
		read.bytes([]byte(p))
	}
	read.optional(m.ObservedAddr)
	read.optionalText(m.ProtocolVersion)
	read.optionalText(m.AgentVersion)
	read.optional(m.SignedPeerRecord)
}

// peerRecord asks what identify asks of a record, but for who the remote peer is.
func peerRecord(input []byte, read *digest) (verdict, error) {
	envelope, content, err := record.ConsumeEnvelope(input, peer.PeerRecordEnvelopeDomain)
	if err != nil {
		return refuse, err
	}
	rec, ok := content.(*peer.PeerRecord)
	if !ok {
		return refuse, errors.New("not a peer record")
	}
	signer, err := peer.IDFromPublicKey(envelope.PublicKey)
	if err != nil {
		return refuse, err
	}
	if signer != rec.PeerID {
		return refuse, errors.New("signed by another peer")
	}
	key, err := crypto.MarshalPublicKey(envelope.PublicKey)
	if err != nil {
		return refuse, err
	}
	read.bytes(key)
	read.bytes([]byte(rec.PeerID))
	read.number(rec.Seq)
	read.number(uint64(len(rec.Addrs)))
	for _, a := range rec.Addrs {
		read.bytes(a.Bytes())
	}
	return accept, nil
}

// number64 takes eight bytes off the front.
func number64(input []byte) (uint64, []byte) {
	return binary.LittleEndian.Uint64(input), input[8:]
}
