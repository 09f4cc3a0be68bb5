package main

import (
	"encoding/binary"
	"time"

	"github.com/libp2p/go-libp2p/core/protocol"
)

// openingEach is a step that opens a stream and sends on it what `frames` makes of its number.
func openingEach(id protocol.ID, frames func(i int, stream uint32) []byte) func(*session) error {
	return func(s *session) error {
		return s.again(func(i int) error {
			stream, err := s.throw(id)
			if err != nil {
				return err
			}
			if more := frames(i, stream); more != nil {
				return s.send(more)
			}
			return nil
		})
	}
}

func nothing(int, uint32) []byte { return nil }

var streamCases = map[string]torment{
	"streams-never-used": {ends: endured, reaches: layerYamux, written: 300_000, run: overYamux(func(s *session) error {
		for range 5000 {
			if _, err := s.throw(ping); err != nil {
				return err
			}
		}
		return nil
	})},
	"streams-half-negotiated": {ends: endured, reaches: layerYamux, written: 100_000, run: overYamux(func(s *session) error {
		return s.again(func(int) error {
			stream := s.next
			s.next += 2
			return s.send(data(stream, flagSYN, proposal(ping)[:25]))
		})
	})},
	"streams-unknown-protocols": {ends: endured, reaches: layerYamux, written: 100_000,
		run: overYamux(openingEach("/no/such/protocol/at/all", nothing))},
	"streams-never-read": {ends: thrownOut, reaches: layerYamux, written: 100_000, why: "more than it reads",
		run: deaf(openingEach(ping, nothing))},
}

// pushing is a case that pushes an identity that is none.
func pushing(bytes func() []byte) func(*attack) error {
	return onStreams(push, func(t *stream) error {
		if err := t.write(bytes()); err != nil {
			return err
		}
		return t.session.send(data(t.id, flagFIN, nil))
	})
}

// answering is a case that answers the node's question who we are.
func answering(answer func(*stream, []byte)) func(*attack) error {
	return overYamux(func(s *session) error {
		s.mutex.Lock()
		s.handler[identify] = answer
		s.mutex.Unlock()
		return nil
	})
}

var manyAddresses = lengthPrefixed(repeat(field(2, []byte{4, 127, 0, 0, 1, 6, 1, 2}), 100_000))

var identifyCases = map[string]torment{
	"identify-push-oversized": {ends: endured, reaches: layerStream, written: 60_000,
		run: pushing(func() []byte { return lengthPrefixed(field(6, noise(1<<20))) })},
	"identify-push-truncated": {ends: endured, reaches: layerStream, written: 5000,
		run: pushing(func() []byte { return append(binary.AppendUvarint(nil, 5000), noise(100)...) })},
	"identify-push-100000-addresses": {ends: endured, reaches: layerStream, written: 60_000,
		run: pushing(func() []byte { return manyAddresses })},
	"identify-push-flood": {ends: endured, reaches: layerYamux, written: 100_000,
		run: overYamux(openingEach(push, func(_ int, stream uint32) []byte {
			return data(stream, flagFIN, lengthPrefixed(field(6, []byte("x"))))
		}))},
	"identify-answer-oversized": {ends: endured, reaches: layerStream, written: 60_000,
		run: answering(answerIdentifyWith(lengthPrefixed(field(6, noise(1<<20)))))},
	"identify-answer-truncated": {ends: endured, reaches: layerStream,
		run: answering(answerIdentifyWith(append(binary.AppendUvarint(nil, 5000), noise(100)...)))},
	"identify-answer-garbage": {ends: endured, reaches: layerStream, written: 4000,
		run: answering(answerIdentifyWith(noise(4000)))},
	"identify-answer-100000-addresses": {ends: endured, reaches: layerStream, written: 60_000,
		run: answering(answerIdentifyWith(manyAddresses))},
	"identify-answer-byte-a-second": {ends: endured, reaches: layerStream, run: answering(func(t *stream, _ []byte) {
		t.session.reach(layerStream)
		go t.session.slowly(300*time.Millisecond, func(int) error { return t.write([]byte{100}) })
	})},
}

func number(n int) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(n)) }

// payload_by_number
var blockCases = map[string]torment{
	"blocks-half-requests": {ends: endured, reaches: layerYamux, written: 100_000,
		run: overYamux(openingEach(blocks, func(_ int, stream uint32) []byte { return data(stream, 0, []byte{1, 0, 0, 0}) }))},
	"blocks-never-read": {ends: either, reaches: layerYamux, written: 10_000,
		run: deaf(openingEach(blocks, func(i int, stream uint32) []byte { return data(stream, flagFIN, number(i%20+1)) }))},
	"blocks-oversized-request": {ends: endured, reaches: layerStream, written: 10_000,
		run: onStreams(blocks, func(t *stream) error { return t.write(noise(200_000)) })},
	"blocks-ask-and-leave": {ends: endured, reaches: layerYamux, written: 100_000,
		run: overYamux(openingEach(blocks, func(_ int, stream uint32) []byte {
			return append(data(stream, 0, number(1)), frame(0, typeWindow, flagRST, stream, 0, nil)...)
		}))},
	"blocks-byte-a-second": {ends: endured, reaches: layerStream, written: 300, run: onStream(blocks, func(t *stream) error {
		return t.session.slowly(300*time.Millisecond, func(int) error { return t.write([]byte{1}) })
	})},
}
