package main

import (
	"encoding/binary"
	"fmt"
	"time"

	ma "github.com/multiformats/go-multiaddr"

	"opp2p.example/interop/internal/jsonlines"
)

// Encodings of a message that say the same: what op-node takes and passes on in each of them, an honest node takes as well.
var forms = map[string]func(topic, contents []byte) []byte{
	"plain": func(topic, contents []byte) []byte { return gossipMessage(string(topic), contents) },
	// Snappy's length in six bytes instead of as few as it needs.
	"padded-snappy-length": func(topic, contents []byte) []byte {
		size, n := binary.Uvarint(contents)
		return gossipMessage(string(topic), append(padded(size, 6), contents[n:]...))
	},
	"padded-protobuf": func(topic, contents []byte) []byte {
		return paddedField(published, append(paddedField(2, contents), paddedField(4, topic)...))
	},
	// Unknown fields: groups, each in the one before it.
	"groups-65-deep": func(topic, contents []byte) []byte {
		return field(published, append(append(field(2, contents), groups(65)...), field(4, topic)...))
	},
}

// padded is a varint of so many bytes, the last of which may be zeros.
func padded(value uint64, size int) []byte {
	out := make([]byte, size)
	for i := range out {
		out[i] = byte(value) | 0x80
		value >>= 7
	}
	out[size-1] &= 0x7f
	return out
}

func paddedField(number uint64, bytes []byte) []byte {
	return append(append(padded(number<<3|2, 10), padded(uint64(len(bytes)), 10)...), bytes...)
}

func groups(depth int) []byte {
	const begin, end = 15<<3 | 3, 15<<3 | 4
	return append(repeat([]byte{begin}, depth), repeat([]byte{end}, depth)...)
}

// gossiping connects to a node, subscribes to the blocks and asks into its mesh.
func gossiping(target ma.Multiaddr, until time.Time, prepare func(*session)) (*stream, error) {
	a := &attack{target: target, until: until}
	if err := a.dial(); err != nil {
		return nil, err
	}
	s, err := a.yamux()
	if err != nil {
		return nil, err
	}
	prepare(s)
	s.start()
	t, err := s.open(gossip)
	if err != nil {
		return nil, err
	}
	return t, t.write(lengthPrefixed(append(subscription(topic), field(control, field(graft, field(1, []byte(topic))))...)))
}

type bridged struct {
	Blocks    int    `json:"blocks"`
	ThrownOut string `json:"thrownOut,omitempty"` // what ended the connection to the second node before the time was over
}

// bridge passes the messages of one node to another one in another form.
func bridge(name, from, to string, lasting time.Duration) error {
	form, known := forms[name]
	if !known {
		return fmt.Errorf("there is no form %q", name)
	}
	source, err := ma.NewMultiaddr(from)
	if err != nil {
		return err
	}
	target, err := ma.NewMultiaddr(to)
	if err != nil {
		return err
	}
	until := time.Now().Add(lasting)
	sink, err := gossiping(target, until, func(*session) {})
	if err != nil {
		return err
	}
	passed := make(chan []byte, 1000)
	_, err = gossiping(source, until, func(s *session) {
		s.handler[gossip] = func(t *stream, payload []byte) {
			frames, rest := messages(append(t.remainder, payload...))
			for _, rpc := range frames {
				fields(rpc, func(number uint64, message []byte) {
					if number == published {
						passed <- lengthPrefixed(reencoded(message, form))
					}
				})
			}
			t.remainder = append([]byte(nil), rest...)
		}
	})
	if err != nil {
		return err
	}
	jsonlines.Stdout().Emit(map[string]string{"event": "ready"})
	var done bridged
	for {
		select {
		case frame := <-passed:
			if err := sink.write(frame); err != nil && err != errOver {
				done.ThrownOut = err.Error()
			} else if err == nil {
				done.Blocks++
				continue
			}
		case <-time.After(time.Until(until)):
		}
		jsonlines.Stdout().Emit(done)
		return nil
	}
}

func reencoded(message []byte, form func(topic, contents []byte) []byte) []byte {
	var topic, contents []byte
	fields(message, func(number uint64, value []byte) {
		switch number {
		case 2:
			contents = value
		case 4:
			topic = value
		}
	})
	return form(topic, contents)
}
