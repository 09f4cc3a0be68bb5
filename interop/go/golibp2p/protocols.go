package main

import (
	"crypto/sha256"
	"encoding/binary"
	"io"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// The protocols of the tests; interop/README.md says what each side does.
const (
	echoID      protocol.ID = "/echo/1.0.0"
	sinkID      protocol.ID = "/sink/1.0.0"
	resetID     protocol.ID = "/reset/1.0.0"
	halfCloseID protocol.ID = "/half-close/1.0.0"
	perfID      protocol.ID = "/perf/1.0.0"
)

const (
	// resetAfter is how much the reset protocol reads before it resets.
	resetAfter = 1024
	// maxAnswer bounds what half-close and perf write for one request.
	maxAnswer = 1 << 32
)

func registerProtocols(h host.Host) {
	for id, serve := range map[protocol.ID]func(network.Stream) error{
		echoID:      serveEcho,
		sinkID:      serveSink,
		resetID:     serveReset,
		halfCloseID: serveHalfClose,
		perfID:      servePerf,
	} {
		h.SetStreamHandler(id, func(s network.Stream) {
			if err := serve(s); err != nil {
				s.Reset()
				return
			}
			s.Close()
		})
	}
}

func serveEcho(s network.Stream) error {
	_, err := io.Copy(s, s)
	return err
}

func serveSink(s network.Stream) error {
	digest := sha256.New()
	count, err := io.Copy(digest, s)
	if err != nil {
		return err
	}
	answer := binary.BigEndian.AppendUint64(nil, uint64(count))
	_, err = s.Write(digest.Sum(answer))
	return err
}

func serveReset(s network.Stream) error {
	if _, err := io.ReadFull(s, make([]byte, resetAfter)); err != nil {
		return err
	}
	return s.Reset()
}

func serveHalfClose(s network.Stream) error {
	request, err := io.ReadAll(io.LimitReader(s, 9))
	if err != nil {
		return err
	}
	if len(request) != 8 {
		return io.ErrUnexpectedEOF
	}
	return answer(s, binary.BigEndian.Uint64(request), &patternReader{})
}

func servePerf(s network.Stream) error {
	var size [8]byte
	if _, err := io.ReadFull(s, size[:]); err != nil {
		return err
	}
	if _, err := discard(s); err != nil {
		return err
	}
	return answer(s, binary.BigEndian.Uint64(size[:]), zeroReader{})
}

func answer(s network.Stream, size uint64, from io.Reader) error {
	if size > maxAnswer {
		return io.ErrShortBuffer
	}
	return send(s, from, int64(size))
}

// Pieces of this size are what the programs of the other implementations send and read too.
const chunk = 256 << 10

func send(to io.Writer, from io.Reader, count int64) error {
	_, err := io.CopyBuffer(struct{ io.Writer }{to}, io.LimitReader(from, count), make([]byte, chunk))
	return err
}

func discard(from io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{from}, make([]byte, chunk))
}

// patternReader gives the endless bytes 0, 1, … 250, 0, 1, …: a period that is prime to every buffer size.
type patternReader struct{ at byte }

const patternPeriod = 251

func (p *patternReader) Read(to []byte) (int, error) {
	for i := range to {
		to[i] = p.at
		p.at = (p.at + 1) % patternPeriod
	}
	return len(to), nil
}

type zeroReader struct{}

// Nobody else writes to the buffers that it is asked to fill, which are zero from the start.
func (zeroReader) Read(to []byte) (int, error) { return len(to), nil }
