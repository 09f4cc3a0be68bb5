package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/multiformats/go-multistream"
)

type testFunc func(context.Context, *session) (map[string]any, error)

var tests = map[string]testFunc{
	"identify":    testIdentify,
	"ping":        testPing,
	"echo":        testEcho,
	"bulk":        testBulk,
	"streams":     testStreams,
	"reset":       testReset,
	"half-close":  testHalfClose,
	"perf":        testPerf,
	"unsupported": testUnsupported,
}

var allTests = []string{"identify", "ping", "echo", "reset", "half-close", "streams", "bulk", "perf", "unsupported"}

// connect dials the target and waits until identify has run.
func (s *session) connect(target peer.AddrInfo) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.options.timeout)
	defer cancel()
	identified, err := s.host.EventBus().Subscribe([]any{
		new(event.EvtPeerIdentificationCompleted), new(event.EvtPeerIdentificationFailed)})
	if err != nil {
		return err
	}
	defer identified.Close()
	if err := s.host.Connect(ctx, target); err != nil {
		return err
	}
	select {
	case e := <-identified.Out():
		if failed, ok := e.(event.EvtPeerIdentificationFailed); ok {
			return fmt.Errorf("identify: %w", failed.Reason)
		}
		s.known = describeIdentify(e.(event.EvtPeerIdentificationCompleted))
		return nil
	case <-ctx.Done():
		return fmt.Errorf("identify: %w", ctx.Err())
	}
}

func (s *session) open(ctx context.Context, id protocol.ID) (network.Stream, error) {
	stream, err := s.host.NewStream(ctx, s.target, id)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		stream.SetDeadline(deadline)
	}
	return stream, nil
}

func testIdentify(_ context.Context, s *session) (map[string]any, error) {
	state := s.host.Network().ConnsToPeer(s.target)[0].ConnState()
	details := map[string]any{"identify": s.known, "security": state.Security,
		"muxer": state.StreamMultiplexer, "early_muxer": state.UsedEarlyMuxerNegotiation}
	for _, want := range []string{"/ipfs/id/1.0.0", "/ipfs/ping/1.0.0"} {
		if !slices.Contains(s.known.Protocols, want) {
			return details, fmt.Errorf("identify does not name %s", want)
		}
	}
	switch {
	case s.known.AgentVersion == "":
		return details, errors.New("identify has no agent version")
	case s.known.ObservedAddr == "":
		return details, errors.New("identify has no observed address")
	case len(s.known.ListenAddrs) == 0:
		return details, errors.New("identify has no listen address")
	case !s.known.SignedPeerRecord:
		return details, errors.New("identify has no signed peer record of the peer")
	}
	return details, nil
}

func testPing(ctx context.Context, s *session) (map[string]any, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	micros := []int64{}
	answers := ping.Ping(ctx, s.host, s.target)
	for range s.options.count {
		answer, open := <-answers
		if !open {
			return nil, errors.New("ping ended early")
		}
		if answer.Error != nil {
			return nil, answer.Error
		}
		micros = append(micros, answer.RTT.Microseconds())
	}
	return map[string]any{"round_trip_micros": micros}, nil
}

func testEcho(ctx context.Context, s *session) (map[string]any, error) {
	sizes := []int{0, 1, 65535, 1 << 20}
	for _, size := range sizes {
		if err := s.echo(ctx, size); err != nil {
			return nil, fmt.Errorf("echo of %d bytes: %w", size, err)
		}
	}
	return map[string]any{"sizes": sizes}, nil
}

// echo sends random bytes on a stream of its own and expects them back, then the end of the stream.
func (s *session) echo(ctx context.Context, size int) error {
	stream, err := s.open(ctx, echoID)
	if err != nil {
		return err
	}
	defer stream.Reset()
	return exchange(stream, size)
}

func exchange(stream network.Stream, size int) error {
	sent := make([]byte, size)
	rand.Read(sent)
	wrote := make(chan error, 1)
	go func() {
		_, err := stream.Write(sent)
		wrote <- errors.Join(err, stream.CloseWrite())
	}()
	got, err := io.ReadAll(stream)
	if err != nil {
		return err
	}
	if err := <-wrote; err != nil {
		return err
	}
	if !bytes.Equal(sent, got) {
		return fmt.Errorf("%d bytes came back, of which some differ from the %d sent", len(got), len(sent))
	}
	return stream.Close()
}

func testReset(ctx context.Context, s *session) (map[string]any, error) {
	stream, err := s.open(ctx, resetID)
	if err != nil {
		return nil, err
	}
	defer stream.Reset()
	if _, err := stream.Write(make([]byte, 4*resetAfter)); err != nil && !errors.Is(err, network.ErrReset) {
		return nil, err
	}
	n, err := io.Copy(io.Discard, stream)
	if !errors.Is(err, network.ErrReset) {
		return nil, fmt.Errorf("read %d bytes and then %v, want a reset", n, err)
	}
	details := map[string]any{"read_error": err.Error()}

	// A reset from this side must leave the connection alone as well.
	mine, err := s.open(ctx, echoID)
	if err != nil {
		return details, err
	}
	if _, err := mine.Write(make([]byte, resetAfter)); err != nil {
		return details, err
	}
	if err := mine.Reset(); err != nil {
		return details, err
	}
	return details, s.echo(ctx, 1000)
}

func testHalfClose(ctx context.Context, s *session) (map[string]any, error) {
	// More than any receive window, so that window updates flow on the stream that this side has closed.
	const size = 20 << 20
	return map[string]any{"bytes": size}, s.download(ctx, size)
}

// download asks half-close for size bytes and checks each.
func (s *session) download(ctx context.Context, size int64) error {
	stream, err := s.open(ctx, halfCloseID)
	if err != nil {
		return err
	}
	defer stream.Reset()
	if _, err := stream.Write(binary.BigEndian.AppendUint64(nil, uint64(size))); err != nil {
		return err
	}
	if err := stream.CloseWrite(); err != nil {
		return err
	}
	expected := &patternReader{}
	buffer, want := make([]byte, 64<<10), make([]byte, 64<<10)
	var count int64
	for {
		n, err := stream.Read(buffer)
		expected.Read(want[:n])
		if !bytes.Equal(buffer[:n], want[:n]) {
			return fmt.Errorf("wrong contents between byte %d and %d", count, count+int64(n))
		}
		count += int64(n)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if count != size {
		return fmt.Errorf("got %d bytes, want %d", count, size)
	}
	return stream.Close()
}

func testPerf(ctx context.Context, s *session) (map[string]any, error) {
	stream, err := s.open(ctx, perfID)
	if err != nil {
		return nil, err
	}
	defer stream.Reset()
	start := time.Now()
	if _, err := stream.Write(binary.BigEndian.AppendUint64(nil, uint64(s.options.download))); err != nil {
		return nil, err
	}
	if err := send(stream, zeroReader{}, s.options.upload); err != nil {
		return nil, err
	}
	if err := stream.CloseWrite(); err != nil {
		return nil, err
	}
	got, err := discard(stream)
	if err != nil {
		return nil, err
	}
	details := map[string]any{"upload_bytes": s.options.upload, "download_bytes": got,
		"seconds": time.Since(start).Seconds()}
	if got != s.options.download {
		return details, fmt.Errorf("got %d bytes, want %d", got, s.options.download)
	}
	return details, stream.Close()
}

// testUnsupported proposes a protocol that nobody speaks: that is refused as what it is, and nothing else is harmed.
func testUnsupported(ctx context.Context, s *session) (map[string]any, error) {
	stream, err := s.open(ctx, "/opp2p-nobody-speaks-this/1.0.0")
	if err == nil {
		stream.Reset()
		return nil, errors.New("a protocol that nobody speaks was taken")
	}
	if unsupported := (multistream.ErrNotSupported[protocol.ID]{}); !errors.As(err, &unsupported) {
		return nil, fmt.Errorf("want that it is unsupported, got %w", err)
	}
	return map[string]any{"open_error": err.Error()}, s.echo(ctx, 1000)
}
