package main

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"

	"github.com/golang/snappy"
)

// wholeContents is up to how many bytes contents are given themselves, not only their length and checksum.
const wholeContents = 5000

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type namedBytes struct {
	name string
	data []byte
}

func snappyContents() []namedBytes {
	phrase := []byte("a block, and a block, and another block; ")
	return []namedBytes{
		{"nothing", nil},
		{"a_byte", []byte{7}},
		{"a_phrase", phrase},
		{"a_phrase_ten_times", bytes.Repeat(phrase, 10)},
		{"zeros", make([]byte, 1500)},
		{"noise_59", bytesOf("noise", 59)},
		{"noise_62", bytesOf("noise", 62)},
		{"noise_257", bytesOf("noise", 257)},
		{"noise_5000", bytesOf("noise", 5000)},
		{"far_copy", join(bytesOf("far", 90), make([]byte, 2500), bytesOf("far", 90))},
		{"two_chunks", append(bytes.Repeat(phrase, 1700), bytesOf("noise", 40)...)},
	}
}

func withContents(item object, data []byte) object {
	item["length"] = len(data)
	item["crc32c"] = crc32.Checksum(data, castagnoli)
	if len(data) <= wholeContents {
		item["data"] = hexText(data)
	}
	return item
}

func snappyBlocks() (object, error) {
	var encoded, elements []object
	for _, c := range snappyContents() {
		encoded = append(encoded, withContents(object{"name": c.name, "compressed": hexText(snappy.Encode(nil, c.data))}, c.data))
	}
	text := []byte("opp2p!")
	literal := join([]byte{byte(len(text)-1) << 2}, text)
	for _, c := range []struct {
		name, why  string
		compressed []byte
	}{
		{"literal", "six bytes", join([]byte{6}, literal)},
		{"literal_long_form", "a length in four bytes where one is enough", join([]byte{6, 63 << 2, 5, 0, 0, 0}, text)},
		{"padded_length", "the announced length in two bytes", join([]byte{0x86, 0x00}, literal)},
		{"copy_short", "a copy with one offset byte", join([]byte{10}, literal, []byte{0x01, 6})},
		{"copy_run", "a copy that overlaps itself", join([]byte{17}, literal, []byte{0x1d, 1})},
		{"copy_middle", "a copy with two offset bytes", join([]byte{9}, literal, []byte{2<<2 | 2, 6, 0})},
		{"copy_long", "a copy with four offset bytes", join([]byte{9}, literal, []byte{2<<2 | 3, 3, 0, 0, 0})},
		{"nothing", "an announced length of zero", []byte{0}},
		{"no_bytes", "no length", nil},
		{"length_alone", "an announced length and nothing else", []byte{6}},
		{"length_endless", "a length that never ends", []byte{0x80, 0x80, 0x80}},
		{"length_33_bits", "a length beyond 32 bits", []byte{0x80, 0x80, 0x80, 0x80, 0x7f, 0}},
		{"less_than_announced", "a byte too few", join([]byte{7}, literal)},
		{"more_than_announced", "a byte too many", join([]byte{5}, literal)},
		{"after_the_end", "an element after the announced length", join([]byte{6}, literal, []byte{0, 'x'})},
		{"offset_zero", "a copy from offset 0", join([]byte{10}, literal, []byte{0x01, 0})},
		{"offset_far", "a copy from before the beginning", join([]byte{10}, literal, []byte{0x01, 7})},
		{"offset_32_bits", "a copy from four gigabytes back", join([]byte{9}, literal, []byte{2<<2 | 3, 0xff, 0xff, 0xff, 0xff})},
		{"copy_cut", "a copy without its offset", join([]byte{10}, literal, []byte{0x01})},
		{"literal_cut", "a literal beyond the end", join([]byte{20, 19 << 2}, text)},
	} {
		data, err := snappy.Decode(nil, c.compressed)
		item := judged(object{"name": c.name, "why": c.why, "compressed": hexText(c.compressed)}, err)
		if err == nil {
			item["data"] = hexText(data)
		}
		elements = append(elements, item)
	}
	return object{
		"about": "The block format of snappy: contents and what the reference makes of them, and single elements with a verdict. " +
			"Large contents are given by length and CRC-32C.",
		"source":   source("github.com/golang/snappy"),
		"kind":     "generated",
		"encoded":  encoded,
		"elements": elements,
	}, nil
}

const streamIdentifier = "\xff\x06\x00\x00sNaPpY"

func chunk(kind byte, contents []byte) []byte {
	size := len(contents)
	return join([]byte{kind, byte(size), byte(size >> 8), byte(size >> 16)}, contents)
}

func maskedChecksum(data []byte) uint32 {
	sum := crc32.Checksum(data, castagnoli)
	return (sum>>15 | sum<<17) + 0xa282ead8
}

func dataChunk(kind byte, data, stored []byte) []byte {
	return chunk(kind, join(binary.LittleEndian.AppendUint32(nil, maskedChecksum(data)), stored))
}

func snappyFrames() (object, error) {
	var streams, sums []object
	add := func(name, why string, stream []byte) {
		data, err := io.ReadAll(snappy.NewReader(bytes.NewReader(stream)))
		item := judged(object{"name": name, "why": why, "stream": hexText(stream)}, err)
		if err == nil {
			withContents(item, data)
		}
		streams = append(streams, item)
	}
	for _, c := range snappyContents() {
		var stream bytes.Buffer
		writer := snappy.NewBufferedWriter(&stream)
		if _, err := writer.Write(c.data); err != nil {
			return nil, err
		}
		if err := writer.Close(); err != nil {
			return nil, err
		}
		add("encoder/"+c.name, "as the reference writes it", stream.Bytes())
	}
	for _, s := range oddStreams() {
		add(s.name, s.why, s.stream)
	}
	for _, data := range [][]byte{nil, {0}, []byte("opp2p"), make([]byte, 40), bytesOf("sum", 63), bytesOf("sum", 1000)} {
		sums = append(sums, object{"data": hexText(data), "crc32c": sum32(crc32.Checksum(data, castagnoli)), "masked": sum32(maskedChecksum(data))})
	}
	return object{
		"about": "Streams in the framing format of snappy with a verdict; 'crc32c' are checksums, plain and masked as the format " +
			"stores them.",
		"source":  source("github.com/golang/snappy"),
		"kind":    "generated",
		"streams": streams,
		"crc32c":  sums,
	}, nil
}

func sum32(sum uint32) string { return hexText(binary.BigEndian.AppendUint32(nil, sum)) }

type oddStream struct {
	name, why string
	stream    []byte
}

func oddStreams() []oddStream {
	head := []byte(streamIdentifier)
	data := []byte("opp2p frames, opp2p frames")
	packed := dataChunk(0, data, snappy.Encode(nil, data))
	plain := dataChunk(1, data, data)
	large := make([]byte, 65537)
	return []oddStream{
		{"no_data", "the identifier alone", head},
		{"two_kinds", "a compressed and a plain chunk", join(head, packed, plain)},
		{"identifier_again", "a second identifier", join(head, packed, head, plain)},
		{"padding", "padding and a chunk that may be skipped", join(head, chunk(0xfe, make([]byte, 5)), chunk(0x99, data), packed)},
		{"largest_chunk", "65536 bytes of zero, compressed", join(head, dataChunk(0, large[1:], snappy.Encode(nil, large[1:])))},
		{"too_large_a_chunk", "65537 bytes of zero, compressed", join(head, dataChunk(0, large, snappy.Encode(nil, large)))},
		{"reserved_chunk", "a chunk that may not be skipped", join(head, chunk(0x40, data), packed)},
		{"no_identifier", "data at once", packed},
		{"wrong_identifier", "another text in the identifier", join([]byte("\xff\x06\x00\x00sNaPpy"), packed)},
		{"wrong_checksum", "a checksum that differs in a bit", join(head, flipped(packed, 4))},
		{"plain_checksum", "a checksum that is not masked", join(head, chunk(1, join(binary.LittleEndian.AppendUint32(nil,
			crc32.Checksum(data, castagnoli)), data)))},
		{"changed_data", "a byte of the data differs", join(head, flipped(plain, -2))},
		{"short_chunk", "a chunk that has no room for a checksum", join(head, chunk(1, []byte{1, 2}))},
		{"no_block", "a chunk whose contents are no snappy block", join(head, dataChunk(0, data, []byte{0xff, 0xff}))},
		{"header_cut", "the end in a chunk's header", join(head, packed[:2])},
		{"chunk_cut", "the end in a chunk", join(head, packed[:len(packed)-1])},
		{"byte_more", "a byte after the last chunk", join(head, packed, []byte{0})},
	}
}
