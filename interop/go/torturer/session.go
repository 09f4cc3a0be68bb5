package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	libp2pnoise "github.com/libp2p/go-libp2p/p2p/security/noise"
	mss "github.com/multiformats/go-multistream"
)

// secure negotiates Noise and completes the handshake; what is written to its result is sealed.
func (a *attack) secure() (net.Conn, error) {
	if err := mss.SelectProtoOrFail(libp2pnoise.ID, a.conn); err != nil {
		return nil, err
	}
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, err
	}
	a.key = key
	transport, err := libp2pnoise.New(libp2pnoise.ID, key, nil)
	if err != nil {
		return nil, err
	}
	_, target := peer.SplitAddr(a.target)
	conn, err := transport.SecureOutbound(context.Background(), a.conn, target)
	if err == nil {
		a.reach(layerNoise)
	}
	return conn, err
}

var (
	errReset   = errors.New("the node reset the stream")
	errRefused = errors.New("the node does not speak the protocol")
)

// session is a secured connection that speaks Yamux. Once start() was called it keeps the rules where its case does not break them: it
// answers pings, identify and gossip streams of the node, gives credit for what it reads and waits for credit before it writes.
type session struct {
	*attack
	conn    net.Conn
	next    uint32
	handler map[protocol.ID]func(*stream, []byte) // of streams that the node opens, with what comes on them

	mutex   sync.Mutex
	changed *sync.Cond
	deaf    bool          // from now on nothing is read
	late    time.Duration // how long an answer to a ping waits
	batch   int           // bytes of a stream for which credit is given together; 0: for each frame
	streams map[uint32]*stream
	err     error // of reading, when it has ended
}

// stream is one that a session keeps account of.
type stream struct {
	session   *session
	id        uint32
	window    int64  // what the node lets us send
	got       []byte // until the protocol is agreed on
	greeted   bool   // the node has our header
	agreed    bool
	protocol  protocol.ID
	reset     bool
	unpaid    int    // bytes that were read and for which no credit was given yet
	mute      bool   // gets no credit any more
	remainder []byte // of a message that has not come whole yet
}

func (a *attack) yamux() (*session, error) {
	conn, err := a.secure()
	if err != nil {
		return nil, err
	}
	if err := mss.SelectProtoOrFail("/yamux/1.0.0", conn); err != nil {
		return nil, err
	}
	a.reach(layerYamux)
	s := &session{attack: a, conn: conn, next: 1, streams: map[uint32]*stream{}}
	s.changed = sync.NewCond(&s.mutex)
	s.handler = map[protocol.ID]func(*stream, []byte){identify: answerIdentify, gossip: (*stream).hearGossip}
	return s, nil
}

// start reads what the node sends, in the background.
func (s *session) start() {
	s.attack.session = s
	go func() {
		err := s.hear()
		s.mutex.Lock()
		defer s.mutex.Unlock()
		s.err = over(err)
		s.changed.Broadcast()
	}()
	time.AfterFunc(time.Until(s.until), func() {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		s.changed.Broadcast()
	})
}

func (s *session) hear() error {
	var header [headerSize]byte
	for {
		s.mutex.Lock()
		for s.deaf && !s.over() {
			s.changed.Wait()
		}
		s.mutex.Unlock()
		if _, err := io.ReadFull(s.conn, header[:]); err != nil {
			return err
		}
		kind, flags := header[1], binary.BigEndian.Uint16(header[2:])
		id, length := binary.BigEndian.Uint32(header[4:]), binary.BigEndian.Uint32(header[8:])
		var payload []byte
		if kind == typeData {
			payload = make([]byte, length)
			if _, err := io.ReadFull(s.conn, payload); err != nil {
				return err
			}
		}
		if err := s.take(kind, flags, id, length, payload); err != nil {
			return err
		}
	}
}

func (s *session) take(kind byte, flags uint16, id, length uint32, payload []byte) error {
	switch kind {
	case typePing:
		if flags&flagSYN != 0 {
			answer := frame(0, typePing, flagACK, 0, length, nil)
			if s.late == 0 {
				return s.send(answer)
			}
			time.AfterFunc(s.late, func() { s.send(answer) })
		}
		return nil
	case typeGoAway:
		return nil
	}
	s.mutex.Lock()
	if flags&flagSYN != 0 {
		s.streams[id] = &stream{session: s, id: id, window: initialWindow}
	}
	known := s.streams[id]
	if known != nil {
		if kind == typeWindow {
			known.window += int64(length)
		}
		known.reset = known.reset || flags&flagRST != 0
		s.changed.Broadcast()
	}
	s.mutex.Unlock()
	if flags&flagSYN != 0 {
		if err := s.send(frame(0, typeWindow, flagACK, id, 0, nil)); err != nil {
			return err
		}
	}
	if known == nil || len(payload) == 0 {
		return nil
	}
	s.mutex.Lock()
	known.unpaid += len(payload)
	credit := 0
	if !known.mute && known.unpaid >= s.batch {
		credit, known.unpaid = known.unpaid, 0
	}
	s.mutex.Unlock()
	if credit > 0 {
		if err := s.send(frame(0, typeWindow, 0, id, uint32(credit), nil)); err != nil {
			return err
		}
	}
	return known.hear(payload)
}

// hear takes what came on a stream: the rest of the negotiation first.
func (t *stream) hear(payload []byte) error {
	incoming := t.id%2 == 0
	if !t.agreed {
		t.got = append(t.got, payload...)
		lines, rest := messages(t.got)
		if len(lines) < 2 {
			return nil
		}
		chosen := protocol.ID(bytes.TrimSuffix(lines[len(lines)-1], []byte("\n")))
		if incoming && t.session.handler[chosen] == nil { // the node may propose another
			answer := message("na")
			if !t.greeted {
				answer = append(message("/multistream/1.0.0"), answer...)
			}
			t.got, t.greeted = append(message("/multistream/1.0.0"), rest...), true
			return t.session.send(data(t.id, 0, answer))
		}
		if incoming {
			answer := proposal(chosen)
			if t.greeted {
				answer = message(string(chosen))
			}
			if err := t.session.send(data(t.id, 0, answer)); err != nil {
				return err
			}
		}
		t.session.mutex.Lock()
		t.agreed, t.protocol = true, chosen
		t.session.changed.Broadcast()
		t.session.mutex.Unlock()
		payload = rest
	}
	if handler := t.session.handler[t.protocol]; incoming && handler != nil {
		handler(t, payload)
	}
	return nil
}

// messages cuts what has come whole, each behind its length, off the rest.
func messages(bytes []byte) (whole [][]byte, rest []byte) {
	for {
		size, n := binary.Uvarint(bytes)
		if n <= 0 || size > uint64(len(bytes)-n) {
			return whole, bytes
		}
		whole = append(whole, bytes[n:n+int(size)])
		bytes = bytes[n+int(size):]
	}
}

func (s *session) send(frames ...[]byte) error {
	for _, one := range frames {
		if _, err := s.conn.Write(one); err != nil {
			return over(err)
		}
	}
	return nil
}

// throw opens a stream and proposes a protocol on it, without waiting for anything and without keeping account of it.
func (s *session) throw(id protocol.ID) (uint32, error) {
	number := s.next
	s.next += 2
	return number, s.send(data(number, flagSYN, proposal(id)))
}

// open opens a stream and waits until the node speaks the protocol on it.
func (s *session) open(id protocol.ID) (*stream, error) {
	opened := &stream{session: s, id: s.next, window: initialWindow - int64(len(proposal(id)))}
	s.next += 2
	s.mutex.Lock()
	s.streams[opened.id] = opened
	s.mutex.Unlock()
	if err := s.send(data(opened.id, flagSYN, proposal(id))); err != nil {
		return nil, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err := s.wait(func() bool { return opened.agreed || opened.reset }); err != nil {
		return nil, err
	}
	if opened.protocol != id {
		return nil, errRefused
	}
	s.reach(layerStream)
	return opened, nil
}

// wait waits, with the mutex held, for something that the reader brings.
func (s *session) wait(condition func() bool) error {
	for !condition() {
		if s.over() {
			return errOver
		}
		if s.err != nil {
			return s.err
		}
		s.changed.Wait()
	}
	return nil
}

// write sends bytes on a stream in frames of 16 KB, as the node gives credit.
func (t *stream) write(bytes []byte) error {
	for len(bytes) > 0 {
		t.session.mutex.Lock()
		err := t.session.wait(func() bool { return t.window > 0 || t.reset })
		n := min(len(bytes), 16<<10, int(max(t.window, 0)))
		t.window -= int64(n)
		reset := t.reset
		t.session.mutex.Unlock()
		if err != nil {
			return err
		}
		if reset {
			t.session.mutex.Lock()
			t.session.heard.Resets++
			delete(t.session.streams, t.id)
			t.session.mutex.Unlock()
			return errReset
		}
		if err := t.session.send(data(t.id, 0, bytes[:n])); err != nil {
			return err
		}
		bytes = bytes[n:]
	}
	return nil
}

// untilReset waits for the node to reset the stream.
func (t *stream) untilReset() error {
	t.session.mutex.Lock()
	defer t.session.mutex.Unlock()
	if err := t.session.wait(func() bool { return t.reset }); err != nil {
		return err
	}
	t.session.heard.Resets++
	delete(t.session.streams, t.id)
	return errReset
}

// overrun sends bytes on a stream, whatever its window says.
func (t *stream) overrun(bytes []byte) error {
	for len(bytes) > 0 {
		n := min(len(bytes), 16<<10)
		if err := t.session.send(data(t.id, 0, bytes[:n])); err != nil {
			return err
		}
		bytes = bytes[n:]
	}
	return nil
}
