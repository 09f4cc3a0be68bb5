package main

import (
	"encoding/binary"
	"strconv"

	"github.com/multiformats/go-multibase"
	"github.com/multiformats/go-multihash"
	"github.com/multiformats/go-varint"
)

func decimal(value uint64) string { return strconv.FormatUint(value, 10) }

func uvarints() (object, error) {
	var encode, decode []object
	for _, value := range []uint64{0, 1, 99, 127, 128, 255, 300, 16383, 16384, 65537, 1 << 21, 1<<28 - 1, 1 << 35, 1<<42 + 7,
		1 << 49, 1<<56 - 1, 1 << 56, 1<<63 - 1} {
		encode = append(encode, object{"value": decimal(value), "bytes": hexText(varint.ToUvarint(value))})
	}
	for _, encoded := range [][]byte{{}, {0x00}, {0x7f}, {0x80, 0x01}, {0x80, 0x00}, {0x81, 0x80, 0x00}, {0xac, 0x02, 0xac},
		{0xff, 0xff}, {0x80, 0x80, 0x80, 0x80, 0x01}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
		{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00},
		{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02}} {
		value, consumed, err := varint.FromUvarint(encoded)
		item := judged(object{"bytes": hexText(encoded), "protobuf_varint": nil}, err)
		if err == nil {
			item["value"] = decimal(value)
			item["consumed"] = consumed
		}
		if value, consumed := binary.Uvarint(encoded); consumed > 0 {
			item["protobuf_varint"] = object{"value": decimal(value), "consumed": consumed}
		}
		decode = append(decode, item)
	}
	return object{
		"about": "Unsigned varints of multiformats: at most 63 bits, in the least number of bytes. 'protobuf_varint' is what a " +
			"64-bit protobuf reader makes of the same bytes (null: an error).",
		"source": source("github.com/multiformats/go-varint") + " and encoding/binary of Go",
		"kind":   "generated",
		"encode": encode,
		"decode": decode,
	}, nil
}

var bases = []struct {
	name string
	base multibase.Encoding
}{
	{"base16", multibase.Base16}, {"base32", multibase.Base32}, {"base32upper", multibase.Base32Upper},
	{"base36", multibase.Base36}, {"base58btc", multibase.Base58BTC}, {"base64", multibase.Base64},
	{"base64pad", multibase.Base64pad}, {"base64url", multibase.Base64url},
}

func multibaseMultihash() (object, error) {
	var encode, decode, hashes, hashDecode []object
	for _, data := range [][]byte{{}, {0}, {0, 0, 7}, []byte("opp2p"), {0xff}, bytesOf("multibase", 21), bytesOf("multibase", 64)} {
		item := object{"data": hexText(data)}
		for _, b := range bases {
			text, err := multibase.Encode(b.base, data)
			if err != nil {
				return nil, err
			}
			item[b.name] = text
		}
		encode = append(encode, item)
	}
	for _, text := range []string{"", "z", "zI", "z2NEpo7TZRRrLZSi2U", "f0", "f0a1", "fxy", "k0", "kA_", "bmfrgg", "bmfrg1", "B", "mYWJj",
		"mYWJ", "m*", "uYWJj", "u+/", "MYWI=", "MYWI", "~abc", "bmfrgg==="} {
		base, data, err := multibase.Decode(text)
		item := judged(object{"text": text}, err)
		if err == nil {
			item["base"] = multibase.EncodingToStr[base]
			item["data"] = hexText(data)
		}
		decode = append(decode, item)
	}
	for _, data := range [][]byte{{}, {1}, []byte("opp2p"), bytesOf("multihash", 36), bytesOf("multihash", 100)} {
		for _, code := range []uint64{multihash.IDENTITY, multihash.SHA2_256, multihash.SHA2_512} {
			sum, err := multihash.Sum(data, code, -1)
			if err != nil {
				return nil, err
			}
			hashes = append(hashes, object{"name": multihash.Codes[code], "code": code, "data": hexText(data),
				"multihash": hexText(sum), "base58btc": sum.B58String()})
		}
	}
	digest := bytesOf("digest", 32)
	for _, c := range []struct {
		why     string
		encoded []byte
	}{
		{"a whole SHA-256", join([]byte{0x12, 32}, digest)},
		{"nothing", nil},
		{"one byte", []byte{0x00}},
		{"the last byte is missing", join([]byte{0x12, 32}, digest[:31])},
		{"a byte too many", join([]byte{0x12, 32}, digest, []byte{9})},
		{"identity of three bytes", []byte{0x00, 3, 1, 2, 3}},
		{"identity, one byte missing", []byte{0x00, 3, 1, 2}},
		{"the length has an extra byte", join([]byte{0x12, 0xa0, 0x00}, digest)},
		{"the code never ends", []byte{0xff, 0xff}},
	} {
		decoded, err := multihash.Decode(c.encoded)
		item := judged(object{"bytes": hexText(c.encoded), "why": c.why}, err)
		if err == nil {
			item["code"], item["length"] = decoded.Code, decoded.Length
		}
		hashDecode = append(hashDecode, item)
	}
	return object{
		"about":            "Texts in the bases of multibase and multihashes, as peer ids, CIDs and multiaddrs use them, with verdicts.",
		"source":           source("github.com/multiformats/go-multibase", "github.com/multiformats/go-multihash"),
		"kind":             "generated",
		"multibase_encode": encode,
		"multibase_decode": decode,
		"multihash":        hashes,
		"multihash_decode": hashDecode,
	}, nil
}
