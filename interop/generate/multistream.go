package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/multiformats/go-multistream"
)

// script is a connection that plays recorded input and records the output.
type script struct {
	in  *bytes.Reader
	out bytes.Buffer
}

func (s *script) Read(to []byte) (int, error)    { return s.in.Read(to) }
func (s *script) Write(data []byte) (int, error) { return s.out.Write(data) }
func (s *script) Close() error                   { return nil }
func playing(input []byte) *script               { return &script{in: bytes.NewReader(input)} }
func multistreamMessage(text string) []byte      { return lengthPrefixed([]byte(text + "\n")) }
func lengthPrefixed(message []byte) []byte {
	return append(binary.AppendUvarint(nil, uint64(len(message))), message...)
}

func multistreamTranscripts() (object, error) {
	hello := multistreamMessage("/multistream/1.0.0")
	var cases []object
	for _, c := range []struct {
		name, about string
		supports    []string
		wants       []string // what a dialer of the reference asks for; nil: only bytes
		input       []byte   // without wants
	}{
		{"agreed_at_once", "the first protocol is agreed", []string{"/yamux/1.0.0"}, []string{"/yamux/1.0.0", "/mplex/6.7.0"}, nil},
		{"second_choice", "the first is refused, the second agreed", []string{"/tls/1.0.0", "/plaintext/2.0.0"},
			[]string{"/noise", "/tls/1.0.0"}, nil},
		{"third_choice", "two are refused", []string{"/meshsub/1.0.0"}, []string{"/meshsub/1.2.0", "/meshsub/1.1.0", "/meshsub/1.0.0"}, nil},
		{"nothing_in_common", "all are refused", []string{"/a"}, []string{"/b", "/c"}, nil},
		{"payload_by_number", "a protocol of the OP Stack", []string{"/opstack/req/payload_by_number/901/0", "/ipfs/id/1.0.0"},
			[]string{"/opstack/req/payload_by_number/901/0"}, nil},
		{"data_at_once", "the first data comes with the request", []string{"/echo/1.0.0"}, nil,
			join(hello, multistreamMessage("/echo/1.0.0"), []byte("first data"))},
		{"longer_name", "a name that only begins with a supported one", []string{"/echo/1.0.0"}, nil,
			join(hello, multistreamMessage("/echo/1.0.0/more"))},
		{"bad/no_line_feed", "a message without its line feed", []string{"/echo/1.0.0"}, nil,
			join(hello, lengthPrefixed([]byte("/echo/1.0.0")))},
		{"bad/other_version", "another version of multistream", []string{"/echo/1.0.0"}, nil, multistreamMessage("/multistream/0.9.9")},
		{"bad/huge_length", "a length beyond any limit", []string{"/echo/1.0.0"}, nil, join(hello, binary.AppendUvarint(nil, 1<<30))},
		{"bad/cut", "the end of input in a message", []string{"/echo/1.0.0"}, nil, join(hello, multistreamMessage("/echo/1.0.0")[:5])},
	} {
		item, err := multistreamCase(c.supports, c.wants, c.input)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		item["name"], item["about"] = c.name, c.about
		cases = append(cases, item)
	}
	return object{
		"about": "multistream-select 1.0. 'dialer_bytes', then the end of input, make a listener that supports " +
			"'listener_supports' write 'listener_bytes' and select 'listener_selected'.",
		"source": source("github.com/multiformats/go-multistream"),
		"kind":   "generated",
		"cases":  cases,
	}, nil
}

func multistreamCase(supports, wants []string, input []byte) (object, error) {
	if wants != nil {
		var err error
		if input, err = dialerBytes(supports, wants); err != nil {
			return nil, err
		}
	}
	answer, selected := listen(supports, input)
	item := object{
		"listener_supports": supports,
		"dialer_bytes":      hexText(input),
		"listener_bytes":    hexText(answer),
		"listener_selected": selected,
		"writes":            []object{{"from": "dialer", "bytes": hexText(input)}, {"from": "listener", "bytes": hexText(answer)}},
	}
	if wants == nil {
		item["dialer_error"] = "raw input"
		return item, nil
	}
	chosen, err := multistream.SelectOneOf(wants, playing(answer))
	if err != nil {
		item["dialer_error"] = err.Error()
	} else {
		item["dialer_selected"] = chosen
	}
	return item, nil
}

func listen(supports []string, input []byte) (answer []byte, selected string) {
	muxer := multistream.NewMultistreamMuxer[string]()
	for _, protocol := range supports {
		muxer.AddHandler(protocol, func(string, io.ReadWriteCloser) error { return nil })
	}
	connection := playing(input)
	protocol, _, err := muxer.Negotiate(connection)
	if err != nil {
		return connection.out.Bytes(), "error: " + err.Error()
	}
	return connection.out.Bytes(), protocol
}

// dialerBytes is what a dialer of the reference writes to such a listener, which it is handed piece by piece: each
// round the dialer runs against what the listener has answered to the bytes of the round before.
func dialerBytes(supports, wants []string) ([]byte, error) {
	var input []byte
	for range len(wants) + 1 {
		answer, _ := listen(supports, input)
		connection := playing(answer)
		multistream.SelectOneOf(wants, connection) // fails where the answer ends
		if bytes.Equal(connection.out.Bytes(), input) {
			return input, nil
		}
		input = append([]byte{}, connection.out.Bytes()...)
	}
	return nil, fmt.Errorf("the dialer does not come to an end")
}
