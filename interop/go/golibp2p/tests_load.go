package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

// testBulk moves many bytes each way: up into sink, which answers count and digest, down out of half-close.
func testBulk(ctx context.Context, s *session) (map[string]any, error) {
	start := time.Now()
	if err := s.upload(ctx, s.options.bytes); err != nil {
		return nil, fmt.Errorf("up: %w", err)
	}
	up := time.Since(start).Seconds()
	start = time.Now()
	if err := s.download(ctx, s.options.bytes); err != nil {
		return nil, fmt.Errorf("down: %w", err)
	}
	return map[string]any{"bytes": s.options.bytes, "up_seconds": up, "down_seconds": time.Since(start).Seconds()}, nil
}

func (s *session) upload(ctx context.Context, size int64) error {
	stream, err := s.open(ctx, sinkID)
	if err != nil {
		return err
	}
	defer stream.Reset()
	digest := sha256.New()
	if _, err := io.CopyN(stream, io.TeeReader(&patternReader{}, digest), size); err != nil {
		return err
	}
	if err := stream.CloseWrite(); err != nil {
		return err
	}
	answer, err := io.ReadAll(io.LimitReader(stream, 64))
	if err != nil {
		return err
	}
	want := digest.Sum(binary.BigEndian.AppendUint64(nil, uint64(size)))
	if !bytes.Equal(answer, want) {
		return fmt.Errorf("sink answered %x, want %x", answer, want)
	}
	return stream.Close()
}

// testStreams opens all streams, each used once so that it is open on both sides, and then finishes them all.
func testStreams(ctx context.Context, s *session) (map[string]any, error) {
	const greeting = "open"
	streams := make([]network.Stream, 0, s.options.streams)
	defer func() {
		for _, stream := range streams {
			stream.Reset()
		}
	}()
	for i := range s.options.streams {
		stream, err := s.open(ctx, echoID)
		if err != nil {
			return nil, fmt.Errorf("stream %d: %w", i, err)
		}
		streams = append(streams, stream)
		if _, err := stream.Write([]byte(greeting)); err != nil {
			return nil, fmt.Errorf("stream %d: %w", i, err)
		}
		back := make([]byte, len(greeting))
		if _, err := io.ReadFull(stream, back); err != nil {
			return nil, fmt.Errorf("stream %d: %w", i, err)
		}
		if string(back) != greeting {
			return nil, fmt.Errorf("stream %d: wrong echo", i)
		}
	}
	done := make(chan error, len(streams))
	for i, stream := range streams {
		go func() {
			err := exchange(stream, 1000+i)
			if err != nil {
				err = fmt.Errorf("stream %d: %w", i, err)
			}
			done <- err
		}()
	}
	var failures error
	for range streams {
		failures = errors.Join(failures, <-done)
	}
	return map[string]any{"streams": len(streams)}, failures
}
