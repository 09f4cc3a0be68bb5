package main

import (
	"encoding/binary"
	"time"
)

var sealed = func(run func(*attack, func([]byte) error) error) func(*attack) error {
	return func(a *attack) error {
		conn, err := a.secure()
		if err != nil {
			return err
		}
		return run(a, func(bytes []byte) error { _, err := conn.Write(bytes); return over(err) })
	}
}

// Before and under Noise.
var transportCases = map[string]torment{
	"tcp-silence": {ends: endured, run: func(a *attack) error { return nil }},
	"tcp-64-silent-connections": {ends: either, run: func(a *attack) error {
		for range 63 {
			more := &attack{target: a.target, until: a.until}
			if err := more.dial(); err != nil {
				return err
			}
			defer more.conn.Close()
		}
		return a.wait()
	}},
	"noise-64-idle-connections": {ends: endured, reaches: layerYamux, run: func(a *attack) error {
		for range 63 {
			more := &attack{target: a.target, until: a.until}
			if err := more.dial(); err != nil {
				return err
			}
			defer more.conn.Close()
			if _, err := more.yamux(); err != nil {
				break // the node has enough of us
			}
		}
		return overYamux((*session).idle)(a)
	}},
	"tcp-byte-a-second": {ends: endured, written: 1, run: func(a *attack) error {
		bytes := proposal("/noise")
		return a.slowly(time.Second, func(i int) error { return a.raw(bytes[i%len(bytes) : i%len(bytes)+1]) })
	}},
	"tcp-garbage": {ends: thrownOut, why: "multistream", written: 4096,
		run: func(a *attack) error { return a.again(func(int) error { return a.raw(noise(4096)) }) }},
	"multistream-huge-length": {ends: thrownOut, why: "multistream", written: 1024, run: func(a *attack) error {
		return a.raw(append(binary.AppendUvarint(nil, 1<<40), noise(1024)...))
	}},
	"multistream-no-newline": {ends: thrownOut, why: "multistream",
		run: func(a *attack) error { return a.raw(append([]byte{20}, noise(20)...)) }},
	"multistream-unknown-forever": {ends: thrownOut, why: "proposals", run: func(a *attack) error {
		if err := a.raw(message("/multistream/1.0.0")); err != nil {
			return err
		}
		drain(a.conn)
		return a.again(func(int) error { return a.raw(message("/no/such/protocol")) })
	}},
	"multistream-half-a-proposal": {ends: endured, run: func(a *attack) error { return a.raw(proposal("/noise")[:22]) }},
	"noise-truncated-handshake": {ends: endured,
		run: func(a *attack) error { return a.raw(append(proposal("/noise"), 0, 32, 1, 2, 3)) }},
	"noise-garbage-handshake": {ends: thrownOut, why: "Noise", written: 60_000, run: func(a *attack) error {
		return a.raw(append(proposal("/noise"), append([]byte{0xff, 0xff}, noise(0xffff)...)...))
	}},
	"noise-tampered": {ends: thrownOut, why: "Noise.*authenticate", reaches: layerNoise,
		run: sealed(func(a *attack, _ func([]byte) error) error { return a.raw(append([]byte{0x01, 0x00}, noise(256)...)) })},
	"noise-oversized": {ends: thrownOut, why: "Noise.*authenticate", reaches: layerNoise, written: 60_000,
		run: sealed(func(a *attack, _ func([]byte) error) error {
			return a.again(func(int) error { return a.raw(append([]byte{0xff, 0xff}, noise(0xffff)...)) })
		})},
	"noise-garbage-inside": {ends: thrownOut, why: "multistream", reaches: layerNoise, written: 1000,
		run: sealed(func(a *attack, send func([]byte) error) error {
			return a.again(func(int) error { return send(append([]byte{20}, noise(999)...)) })
		})},
	"noise-empty-messages": {ends: thrownOut, why: "multistream", reaches: layerNoise,
		run: sealed(func(a *attack, send func([]byte) error) error {
			return a.again(func(int) error { return send([]byte{0}) })
		})},
}
