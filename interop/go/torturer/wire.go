package main

import (
	"encoding/binary"

	"github.com/libp2p/go-libp2p/core/protocol"
)

// Yamux as the specification has it: 12 bytes of header, big endian.
const (
	typeData = iota
	typeWindow
	typePing
	typeGoAway
)

const (
	flagSYN = 1 << iota
	flagACK
	flagFIN
	flagRST
)

const (
	headerSize    = 12
	initialWindow = 256 << 10
)

func frame(version, kind byte, flags uint16, stream, length uint32, payload []byte) []byte {
	out := []byte{version, kind}
	out = binary.BigEndian.AppendUint16(out, flags)
	out = binary.BigEndian.AppendUint32(out, stream)
	out = binary.BigEndian.AppendUint32(out, length)
	return append(out, payload...)
}

func data(stream uint32, flags uint16, payload []byte) []byte {
	return frame(0, typeData, flags, stream, uint32(len(payload)), payload)
}

// proposal is the header of multistream-select and one protocol.
func proposal(id protocol.ID) []byte {
	return append(message("/multistream/1.0.0"), message(string(id))...)
}

func message(text string) []byte {
	return append(binary.AppendUvarint(nil, uint64(len(text)+1)), text+"\n"...)
}

// Protobuf, by hand: a field with a length.
func field(number uint64, bytes []byte) []byte {
	out := binary.AppendUvarint(nil, number<<3|2)
	out = binary.AppendUvarint(out, uint64(len(bytes)))
	return append(out, bytes...)
}

// fields gives each field that has a length to `each`, until one is none: a number, other kinds or the end.
func fields(bytes []byte, each func(number uint64, contents []byte)) {
	for len(bytes) > 0 {
		key, n := binary.Uvarint(bytes)
		size, m := binary.Uvarint(bytes[max(n, 0):])
		if n <= 0 || m <= 0 {
			return
		}
		if key&7 == 0 { // a varint, whose value was read as a size
			bytes = bytes[n+m:]
			continue
		}
		if key&7 != 2 || size > uint64(len(bytes)-n-m) {
			return
		}
		each(key>>3, bytes[n+m:n+m+int(size)])
		bytes = bytes[n+m+int(size):]
	}
}

func lengthPrefixed(bytes []byte) []byte {
	return append(binary.AppendUvarint(nil, uint64(len(bytes))), bytes...)
}

func repeat(piece []byte, times int) []byte {
	out := make([]byte, 0, len(piece)*times)
	for range times {
		out = append(out, piece...)
	}
	return out
}
