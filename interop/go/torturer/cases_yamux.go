package main

// illegal is a case of one frame that no peer may send.
func illegal(why string, kind byte, flags uint16, stream, length uint32) torment {
	return torment{ends: thrownOut, reaches: layerYamux, why: why,
		run: overYamux(func(s *session) error { return s.send(frame(0, kind, flags, stream, length, nil)) })}
}

// flood is a case that sends a frame again and again, or another each time.
func flood(frame func(i int) []byte) torment {
	return torment{ends: endured, reaches: layerYamux, written: 100_000,
		run: overYamux(func(s *session) error { return s.again(func(i int) error { return s.send(frame(i)) }) })}
}

func (s *session) idle() error { return nil }

var yamuxCases = map[string]torment{
	"yamux-unknown-type": illegal("unknown Yamux frame", 9, 0, 1, 0),
	"yamux-bad-version": {ends: thrownOut, reaches: layerYamux, why: "version",
		run: overYamux(func(s *session) error { return s.send(frame(7, typeData, flagSYN, 1, 0, nil)) })},
	"yamux-wrong-parity": illegal("opens a stream with an id of ours", typeData, flagSYN, 2, 0),
	"yamux-stream-zero":  illegal("opens a stream with an id of ours", typeData, flagSYN, 0, 10),
	"yamux-reused-id": {ends: thrownOut, reaches: layerStream, why: "opens a stream that is open",
		run: onStream(ping, func(t *stream) error { return t.session.send(data(t.id, flagSYN, nil)) })},
	"yamux-beyond-the-window": {ends: thrownOut, reaches: layerStream, written: initialWindow, why: "more than its credit",
		run: onStream(ping, func(t *stream) error { return t.overrun(noise(8 << 20)) })},
	"yamux-length-without-data": {ends: thrownOut, reaches: layerStream, why: "more than its credit",
		run: onStream(ping, func(t *stream) error {
			return t.session.send(frame(0, typeData, 0, t.id, 0xffffffff, nil))
		})},
	"yamux-window-overflow": {ends: endured, reaches: layerStream, written: 100_000, run: onStream(ping, func(t *stream) error {
		return t.session.again(func(int) error { return t.session.send(frame(0, typeWindow, 0, t.id, 0xffffffff, nil)) })
	})},
	"yamux-go-away-and-go-on": {ends: thrownOut, reaches: layerYamux, why: "gone away", run: overYamux(func(s *session) error {
		if err := s.send(frame(0, typeGoAway, 0, 0, 0, nil)); err != nil {
			return err
		}
		return s.again(func(int) error { _, err := s.throw(ping); return err })
	})},
	"yamux-empty-data": {ends: endured, reaches: layerStream, written: 100_000, run: onStream(ping, func(t *stream) error {
		return t.session.again(func(int) error { return t.session.send(data(t.id, 0, nil)) })
	})},
	"yamux-unknown-stream":  flood(func(i int) []byte { return data(uint32(2*i+1001), 0, noise(1000)) }),
	"yamux-syn-flood":       flood(func(i int) []byte { return frame(0, typeWindow, flagSYN, uint32(2*i+1), 0, nil) }),
	"yamux-reset-storm":     flood(func(i int) []byte { return frame(0, typeWindow, flagRST, uint32(2*i+1), 0, nil) }),
	"yamux-acks-of-nothing": flood(func(i int) []byte { return frame(0, typeWindow, flagACK, uint32(2*i+2), 0, nil) }),
	"yamux-ping-flood":      flood(func(i int) []byte { return frame(0, typePing, flagSYN, 0, uint32(i), nil) }),
	"yamux-open-and-reset": flood(func(i int) []byte {
		id := uint32(2*i + 1)
		return append(data(id, flagSYN, proposal(ping)), frame(0, typeWindow, flagRST, id, 0, nil)...)
	}),
}
