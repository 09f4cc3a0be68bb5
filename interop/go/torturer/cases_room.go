package main

import (
	"encoding/binary"
	"time"

	"github.com/golang/snappy"
)

// What all peers share: room of unfinished frames, of messages in validation, of requests; places of connections.

const (
	unfinishedRoom = 128 << 20 // of the node, for all peers together
	hoarders       = 13        // frames of maxRPC fill it, the last one smaller
)

// unfinished begins a frame of the largest size and sends so much of it that all together just leave it room for nothing else; then
// it goes on as `further` says. The identities do not wait for each other: whoever is thrown out begins again.
func unfinished(further func(t *stream) error) torment {
	return torment{ends: endured, reaches: layerStream, written: 1 << 20, identities: hoarders, memory: 220, blocksMs: 500,
		run: onStreams(gossip, func(t *stream) error {
			share := maxRPC - 1
			if t.session.number == hoarders-1 {
				share = unfinishedRoom - (hoarders-1)*maxRPC - (4 << 10)
			}
			bytes := append(lengthPrefixed(subscription(topic)), binary.AppendUvarint(nil, maxRPC)...)
			if err := t.write(append(bytes, make([]byte, share)...)); err != nil {
				return err
			}
			return further(t)
		})}
}

// feed sends zeros at a rate, in bytes a second, as long as the node takes them.
func feed(t *stream, rate int) error {
	piece := make([]byte, max(rate/10, 1))
	pause := time.Duration(float64(time.Second) * float64(len(piece)) / float64(rate))
	return t.session.slowly(pause, func(int) error { return t.write(piece) })
}

// atRate sends messages for validation, so many a second of each identity, 256 in a frame. Each is another one, of a few bytes that
// snappy can unpack.
func atRate(identities, each int) torment {
	const inFrame = 256
	return torment{ends: endured, reaches: layerStream, written: 100_000, identities: identities, hears: "messages",
		run: onStreams(gossip, func(t *stream) error {
			if err := t.write(lengthPrefixed(subscription(topic))); err != nil {
				return err
			}
			begin, counter := time.Now(), uint64(0)
			return t.session.again(func(int) error {
				due := begin.Add(time.Duration(float64(counter) / float64(each) * float64(time.Second)))
				time.Sleep(time.Until(due))
				var frame []byte
				for range inFrame {
					counter++
					contents := append(noise(8), binary.LittleEndian.AppendUint64(nil, counter)...)
					frame = append(frame, gossipMessage(topic, snappy.Encode(nil, contents))...)
				}
				return t.write(lengthPrefixed(frame))
			})
		})}
}

// manyBombs is a frame of as many messages as fit that unpack to 10 MiB each.
func manyBombs() []byte {
	contents := make([]byte, maxRPC)
	var out []byte
	for {
		copy(contents, noise(16))
		bomb := gossipMessage(topic, snappy.Encode(nil, contents))
		if len(out)+len(bomb) > maxRPC-1000 {
			return out
		}
		out = append(out, bomb...)
	}
}

const requestsOfAPeer = 64 // that the node serves at once

var roomCases = map[string]torment{
	"gossip-frames-never-ended":   unfinished((*stream).untilReset),
	"gossip-frames-byte-a-second": unfinished(func(t *stream) error { return feed(t, 1) }),
	"gossip-frames-slowly-fed":    unfinished(func(t *stream) error { return feed(t, 66<<10) }),
	"gossip-small-messages-two":   atRate(2, 25_000),
	"gossip-small-messages-four":  atRate(4, 25_000),
	"gossip-many-bombs-in-one-frame": {ends: endured, reaches: layerStream, written: 1 << 20, memory: 220,
		run: rpc(manyBombs)},
	"blocks-places-held": {ends: endured, reaches: layerYamux, written: 10_000, identities: 10, run: overYamux(func(s *session) error {
		for range requestsOfAPeer {
			stream, err := s.throw(blocks)
			if err == nil {
				err = s.send(data(stream, 0, []byte{1, 0, 0, 0}))
			}
			if err != nil {
				return err
			}
			time.Sleep(time.Millisecond)
		}
		return nil
	})},
	"sync-silent-newcomers": {ends: endured, reaches: layerStream, identities: 8, run: silentNewcomer},
	"connections-held": {ends: endured, reaches: layerYamux, identities: 60, patience: time.Second,
		run: overYamux((*session).idle)},
	"connections-fresh-50-a-second": {ends: endured, run: freshConnections},
}

// silentNewcomer says that it serves blocks, takes a request, and comes as another identity instead of answering.
func silentNewcomer(a *attack) error {
	asked := make(chan struct{}, 1000)
	s, err := a.yamux()
	if err != nil {
		return err
	}
	s.handler[identify] = answerIdentifyWith(lengthPrefixed(append(identity(), field(3, []byte(blocks))...)))
	s.handler[blocks] = func(*stream, []byte) { asked <- struct{}{} }
	s.start()
	select {
	case <-asked:
		return errLeaving
	case <-time.After(time.Until(a.until)):
		return errOver
	}
}

// freshConnections opens 50 connections a second and says nothing on them.
func freshConnections(a *attack) error {
	const open = 500 // at a time, ten seconds of them
	var held []*attack
	defer func() {
		for _, one := range held {
			one.conn.Close()
		}
	}()
	return a.slowly(20*time.Millisecond, func(int) error {
		more := &attack{target: a.target, until: a.until}
		if err := more.dial(); err != nil {
			return err
		}
		if held = append(held, more); len(held) > open {
			held[0].conn.Close()
			held = held[1:]
		}
		return nil
	})
}
