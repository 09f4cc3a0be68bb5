package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/security/insecure"
)

// scriptConn is a script with the rest of what a connection has, which the reference does not use.
type scriptConn struct {
	net.Conn
	*script
}

func (c scriptConn) Read(to []byte) (int, error)    { return c.script.Read(to) }
func (c scriptConn) Write(data []byte) (int, error) { return c.script.Write(data) }
func (c scriptConn) Close() error                   { return nil }

func plaintextExchanges() (object, error) {
	local, err := identity("ed25519", "a")
	if err != nil {
		return nil, err
	}
	localID, err := peer.IDFromPrivateKey(local)
	if err != nil {
		return nil, err
	}
	reference := insecure.NewWithIdentity(insecure.ID, localID, local)
	// What the reference sends, whatever comes, and what it makes of the input.
	play := func(t *insecure.Transport, input []byte, expected peer.ID) (sec.SecureConn, *script, error) {
		end := playing(input)
		conn, err := t.SecureInbound(context.Background(), scriptConn{nil, end}, expected)
		return conn, end, err
	}

	var exchanges, inputs []object
	framed := map[string][]byte{}
	ids := map[string]peer.ID{}
	keys := map[string][]byte{}
	for _, kind := range []string{"ed25519", "secp256k1", "ecdsa", "rsa"} {
		key, err := identity(kind, "b")
		if err != nil {
			return nil, err
		}
		id, err := peer.IDFromPrivateKey(key)
		if err != nil {
			return nil, err
		}
		public, err := crypto.MarshalPublicKey(key.GetPublic())
		if err != nil {
			return nil, err
		}
		_, end, _ := play(insecure.NewWithIdentity(insecure.ID, id, key), nil, "")
		framed[kind], ids[kind], keys[kind] = end.out.Bytes(), id, public
		exchanges = append(exchanges, object{"key": kind, "public_key": hexText(public), "peer_id": id.String(),
			"framed": hexText(framed[kind])})
	}

	field := func(number byte, value []byte) []byte { return join([]byte{number<<3 | 2}, lengthPrefixed(value)) }
	id, key := []byte(ids["ed25519"]), keys["ed25519"]
	other := []byte(ids["secp256k1"])
	for _, c := range []struct {
		name     string
		input    []byte
		expected peer.ID
	}{
		{"good/ed25519", framed["ed25519"], ""},
		{"good/secp256k1", framed["secp256k1"], ids["secp256k1"]},
		{"good/ecdsa", framed["ecdsa"], ids["ecdsa"]},
		{"good/rsa", framed["rsa"], ids["rsa"]},
		{"good/data behind it", join(framed["ed25519"], []byte("data at once")), ids["ed25519"]},
		{"good/fields in the other order", lengthPrefixed(join(field(2, key), field(1, id))), ""},
		{"good/unknown fields", lengthPrefixed(join(field(3, id), []byte{0x78, 1}, field(1, id), field(2, key))), ""},
		{"good/the last id counts", lengthPrefixed(join(field(1, other), field(1, id), field(2, key))), ""},
		{"good/two halves of a key", lengthPrefixed(join(field(1, id), field(2, key[:2]), field(2, key[2:]))), ""},
		{"bad/another peer than expected", framed["ed25519"], ids["rsa"]},
		{"bad/the id of another key", lengthPrefixed(join(field(1, other), field(2, key))), ""},
		{"bad/the first id would be right", lengthPrefixed(join(field(1, id), field(1, other), field(2, key))), ""},
		{"bad/no fields", lengthPrefixed(nil), ""},
		{"bad/no id", lengthPrefixed(field(2, key)), ""},
		{"bad/no key", lengthPrefixed(field(1, id)), ""},
		{"bad/an empty id", lengthPrefixed(join(field(1, nil), field(2, key))), ""},
		{"bad/an empty key", lengthPrefixed(join(field(1, id), field(2, nil))), ""},
		{"bad/a key without its type", lengthPrefixed(join(field(1, id), field(2, key[2:]))), ""},
		{"bad/a key that is cut", lengthPrefixed(join(field(1, id), field(2, key[:20]))), ""},
		{"bad/a key cut where no field ends", lengthPrefixed(join(field(1, id), field(2, key[:20]), field(2, key[20:]))), ""},
		{"bad/a key of no known type", lengthPrefixed(join(field(1, id), field(2, join([]byte{8, 9}, key[2:])))), ""},
		{"bad/an id of another hash", lengthPrefixed(join(field(1, join([]byte{0x13, 32}, bytesOf("hash", 32))), field(2, key))), ""},
		{"bad/a number for an id", lengthPrefixed(join([]byte{8, 1}, field(2, key))), ""},
		{"bad/no protobuf", lengthPrefixed([]byte{0x0a, 5, 1}), ""},
		{"bad/a length of another form", join([]byte{framed["ed25519"][0] | 0x80, 0}, framed["ed25519"][1:]), ""},
		{"bad/a length beyond any limit", join(binary.AppendUvarint(nil, 1<<20), make([]byte, 100)), ""},
	} {
		conn, end, err := play(reference, c.input, c.expected)
		item := judged(object{"name": c.name, "bytes": hexText(c.input)}, err)
		if c.expected != "" {
			item["expected_peer"] = c.expected.String()
		}
		if err == nil {
			item["peer_id"], item["taken"] = conn.RemotePeer().String(), len(c.input)-end.in.Len()
		}
		if want := c.name[:4] == "good"; want != (err == nil) {
			return nil, fmt.Errorf("%s: the reference says %v", c.name, err)
		}
		inputs = append(inputs, item)
	}
	return object{
		"about": "plaintext 2.0. 'exchanges': what a peer with this key sends, its length in front. 'inputs': whether a peer takes " +
			"'bytes' as the message of 'expected_peer' (of anybody where that is missing), whom it then takes the sender for, and how " +
			"many of the bytes belong to the handshake.",
		"source":    source("github.com/libp2p/go-libp2p"),
		"kind":      "generated",
		"exchanges": exchanges,
		"inputs":    inputs,
	}, nil
}
