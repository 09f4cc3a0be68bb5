package main

import (
	"context"
	"io"

	"github.com/libp2p/go-yamux/v5"
)

// yamuxPair is a client and a server whose frames this program carries, one side at a time.
type yamuxPair struct {
	client, server         *yamux.Session
	clientWire, serverWire *wire
	writes                 []object
	clientFrames           []object
	serverFrames           []object
}

type yamuxScript struct {
	name, about string
	steps       func(*yamuxPair) error
}

var yamuxScripts = []yamuxScript{
	{"one_question", "the client asks on one stream, the server answers, both end it", func(p *yamuxPair) error {
		stream, err := p.client.OpenStream(context.Background())
		if err != nil {
			return err
		}
		if err := send(p, stream, []byte("what is the head?")); err != nil {
			return err
		}
		accepted, err := p.server.AcceptStream()
		if err != nil {
			return err
		}
		if err := receive(accepted, 17); err != nil {
			return err
		}
		if err := send(p, accepted, bytesOf("head", 32)); err != nil {
			return err
		}
		if err := receive(stream, 32); err != nil {
			return err
		}
		return closeBoth(p, stream, accepted)
	}},
	{"server_first", "the server opens a stream and the client resets it", func(p *yamuxPair) error {
		stream, err := p.server.OpenStream(context.Background())
		if err != nil {
			return err
		}
		if err := send(p, stream, []byte("from the server")); err != nil {
			return err
		}
		accepted, err := p.client.AcceptStream()
		if err != nil {
			return err
		}
		if err := accepted.Reset(); err != nil {
			return err
		}
		return p.settle()
	}},
	{"half_closed", "the client ends its side first, the server still sends", func(p *yamuxPair) error {
		stream, err := p.client.OpenStream(context.Background())
		if err != nil {
			return err
		}
		if err := stream.CloseWrite(); err != nil {
			return err
		}
		if err := p.settle(); err != nil {
			return err
		}
		accepted, err := p.server.AcceptStream()
		if err != nil {
			return err
		}
		if err := send(p, accepted, bytesOf("late", 500)); err != nil {
			return err
		}
		if err := receive(stream, 500); err != nil {
			return err
		}
		if err := accepted.CloseWrite(); err != nil {
			return err
		}
		return p.settle()
	}},
	{"three_streams", "three streams that are open at once, used in turn", func(p *yamuxPair) error {
		var streams []*yamux.Stream
		for range 3 {
			stream, err := p.client.OpenStream(context.Background())
			if err != nil {
				return err
			}
			streams = append(streams, stream)
			if err := p.settle(); err != nil {
				return err
			}
		}
		for i, at := range []int{2, 0, 1, 0, 2} {
			if err := send(p, streams[at], bytesOf("turn", 3+i)); err != nil {
				return err
			}
		}
		return nil
	}},
	{"client_leaves", "the client ends the session", func(p *yamuxPair) error {
		if err := p.client.Close(); err != nil {
			return err
		}
		return p.settle()
	}},
}

func yamuxSession(script yamuxScript) (object, error) {
	p := &yamuxPair{clientWire: newWire(), serverWire: newWire(), writes: []object{}, clientFrames: []object{}, serverFrames: []object{}}
	var err error
	if p.client, err = yamux.Client(p.clientWire, yamuxConfig(), nil); err != nil {
		return nil, err
	}
	if p.server, err = yamux.Server(p.serverWire, yamuxConfig(), nil); err != nil {
		return nil, err
	}
	defer p.client.Close()
	defer p.server.Close()
	if err := p.settle(); err != nil { // the first pings of both
		return nil, err
	}
	if err := script.steps(p); err != nil {
		return nil, err
	}
	return object{"name": script.name, "about": script.about, "writes": p.writes,
		"client_frames": p.clientFrames, "server_frames": p.serverFrames}, nil
}

// settle carries frames to and fro until neither side has any.
func (p *yamuxPair) settle() error {
	for {
		moved, err := p.carry("client", p.clientWire, p.serverWire, &p.clientFrames)
		if err != nil {
			return err
		}
		back, err := p.carry("server", p.serverWire, p.clientWire, &p.serverFrames)
		if err != nil {
			return err
		}
		if !moved && !back {
			return nil
		}
	}
}

func (p *yamuxPair) carry(name string, from, to *wire, frames *[]object) (bool, error) {
	written := from.settle()
	split, err := yamuxSplit(written)
	if err != nil {
		return false, err
	}
	for _, frame := range split {
		p.writes = append(p.writes, object{"from": name, "bytes": hexText(frame)})
		*frames = append(*frames, yamuxFrame(frame))
	}
	to.deliver(written)
	return len(split) > 0, nil
}

func send(p *yamuxPair, stream *yamux.Stream, data []byte) error {
	if _, err := stream.Write(data); err != nil {
		return err
	}
	return p.settle()
}

func receive(stream *yamux.Stream, size int) error {
	_, err := io.ReadFull(stream, make([]byte, size))
	return err
}

func closeBoth(p *yamuxPair, a, b *yamux.Stream) error {
	if err := a.Close(); err != nil {
		return err
	}
	if err := p.settle(); err != nil {
		return err
	}
	if err := b.Close(); err != nil {
		return err
	}
	return p.settle()
}
