package main

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/libp2p/go-yamux/v5"
)

const yamuxHeaderSize = 12

var yamuxTypes = []string{"data", "window_update", "ping", "go_away"}

// yamuxSplit cuts what a side wrote into frames; a rest that is no whole frame is an error.
func yamuxSplit(written []byte) ([][]byte, error) {
	var frames [][]byte
	for len(written) > 0 {
		if len(written) < yamuxHeaderSize {
			return nil, fmt.Errorf("half a header: %x", written)
		}
		size := yamuxHeaderSize
		if written[1] == 0 {
			size += int(binary.BigEndian.Uint32(written[8:]))
		}
		if len(written) < size {
			return nil, fmt.Errorf("half a frame: %x", written[:yamuxHeaderSize])
		}
		frames = append(frames, written[:size])
		written = written[size:]
	}
	return frames, nil
}

func yamuxFrame(frame []byte) object {
	item := object{
		"version":   int(frame[0]),
		"type":      yamuxTypes[frame[1]],
		"flags":     int(binary.BigEndian.Uint16(frame[2:])),
		"stream_id": int(binary.BigEndian.Uint32(frame[4:])),
		"length":    int(binary.BigEndian.Uint32(frame[8:])),
	}
	if len(frame) > yamuxHeaderSize {
		item["data"] = hexText(frame[yamuxHeaderSize:])
	}
	return item
}

func yamuxHeader(kind byte, flags uint16, stream, length uint32) []byte {
	header := binary.BigEndian.AppendUint16([]byte{0, kind}, flags)
	header = binary.BigEndian.AppendUint32(header, stream)
	return binary.BigEndian.AppendUint32(header, length)
}

func yamuxConfig() *yamux.Config {
	config := yamux.DefaultConfig()
	config.EnableKeepAlive = false
	config.LogOutput = io.Discard
	return config
}

func yamuxSessions() (object, error) {
	var headers, sessions, raw []object
	for _, h := range []struct {
		kind           byte
		flags          uint16
		stream, length uint32
		why            string
	}{
		{0, 0, 1, 1000, "data"},
		{0, 1, 5, 3, "data that opens a stream"},
		{0, 4, 2, 0, "the end of a stream"},
		{1, 1, 7, 0, "opening a stream"},
		{1, 2, 7, 0, "accepting a stream"},
		{1, 0, 4294967295, 4294967295, "the largest window update of the largest stream"},
		{1, 8, 6, 0, "a reset"},
		{2, 1, 0, 3735928559, "a ping"},
		{2, 2, 0, 3735928559, "its answer"},
		{3, 0, 0, 1, "going away after a protocol error"},
	} {
		headers = append(headers, object{"type": h.kind, "flags": h.flags, "stream_id": h.stream, "length": h.length,
			"why": h.why, "bytes": hexText(yamuxHeader(h.kind, h.flags, h.stream, h.length))})
	}
	for _, script := range yamuxScripts {
		item, err := yamuxSession(script)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", script.name, err)
		}
		sessions = append(sessions, item)
	}
	for _, c := range yamuxRawInputs() {
		item, err := yamuxRaw(c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.why, err)
		}
		raw = append(raw, item)
	}
	return object{
		"about": "Yamux sessions between two ends of the reference, frame by frame in the order of delivery (one side's frames " +
			"are all delivered before the other side's answers), a table of headers, and bytes that are fed to a server " +
			"that has just started: whether they end the session and what the server writes. Pings of stream 0 that " +
			"nobody asked for are the reference's measurement of the round trip.",
		"source":              source("github.com/libp2p/go-yamux/v5"),
		"kind":                "generated",
		"headers":             headers,
		"sessions":            sessions,
		"raw_input_to_server": raw,
	}, nil
}

type yamuxRawInput struct {
	why   string
	bytes []byte
	zeros int
}

func yamuxRawInputs() []yamuxRawInput {
	open := yamuxHeader(1, 1, 1, 0)
	return []yamuxRawInput{
		{"nothing", nil, 0},
		{"a version that does not exist", flipped(yamuxHeader(2, 1, 0, 1), 0), 0},
		{"a frame type that does not exist", yamuxHeader(9, 0, 1, 0), 0},
		{"a ping is answered with its own value", yamuxHeader(2, 1, 0, 4242), 0},
		{"an answer that no ping asked for", yamuxHeader(2, 2, 0, 99), 0},
		{"a window update for a stream that was never opened", yamuxHeader(1, 0, 11, 5), 0},
		{"a stream that is opened twice", join(open, open), 0},
		{"an even id from the client", yamuxHeader(1, 1, 4, 0), 0},
		{"half a header", open[:7], 0},
		{"a stream's window, filled to the last byte", join(open, yamuxHeader(0, 0, 1, 256<<10)), 256 << 10},
		{"one byte more than a stream's window", join(open, yamuxHeader(0, 0, 1, 256<<10+1)), 256<<10 + 1},
		{"going away without an error", yamuxHeader(3, 0, 0, 0), 0},
	}
}

// yamuxRaw starts a server, lets it write its first ping, and feeds the input.
func yamuxRaw(c yamuxRawInput) (object, error) {
	peer := newWire()
	session, err := yamux.Server(peer, yamuxConfig(), nil)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	written := peer.settle()
	peer.deliver(join(c.bytes, make([]byte, c.zeros)))
	written = join(written, peer.settle())
	frames := []object{}
	split, err := yamuxSplit(written)
	if err != nil {
		return nil, err
	}
	for _, frame := range split {
		frames = append(frames, yamuxFrame(frame))
	}
	return object{"why": c.why, "bytes": hexText(c.bytes), "followed_by_zero_bytes": c.zeros, "server_frames": frames,
		"session_closed": session.IsClosed()}, nil
}
