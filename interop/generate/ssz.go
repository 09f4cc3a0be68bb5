package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/trie"
	"github.com/holiman/uint256"

	"github.com/ethereum-optimism/optimism/op-service/eth"
	opsigner "github.com/ethereum-optimism/optimism/op-service/signer"

	"opp2p.example/interop/internal/blocks"
)

// Where the fields lie in the fixed part of a payload.
const (
	extraOffsetAt       = 436
	transactionsAt      = 504
	withdrawalsAt       = 508
	beaconRootSize      = 32
	withdrawalsListSize = 44
)

var fixedPart = map[int]int{1: 508, 2: 512, 3: 528, 4: 560}

func sszPayloads() (object, error) {
	var items []object
	for _, fork := range blocks.ForkNames {
		cfg := blocks.Config(chainID, fork, genesisTime, 2)
		for _, size := range []struct{ transactions, padding int }{{0, 0}, {4, 0}, {25, 60}} {
			label := fmt.Sprintf("%s-%d-transactions", fork, size.transactions)
			envelope, err := newBlockOf(cfg, label, size.transactions, size.padding)
			if err != nil {
				return nil, err
			}
			items = append(items, payloadCase(label, versionOf(fork), envelope))
		}
	}
	return object{
		"about": "SSZ of execution payloads (v1, v2) and of envelopes (v3, v4: the parent beacon block root, then the payload), " +
			"with the JSON of the Engine API and the hashes over them.",
		"source": source(opSource[0]),
		"kind":   "generated",
		"cases":  items,
	}, nil
}

func versionOf(fork string) int {
	for version, name := range forkOfVersion {
		if name == fork {
			return version
		}
	}
	return 4 // Jovian has the layout of Isthmus
}

func payloadCase(name string, version int, envelope *eth.ExecutionPayloadEnvelope) object {
	encoded := body(envelope)
	hash, matches := envelope.CheckBlockHash()
	payloadHash := opsigner.PayloadHash(encoded)
	signing := signingHash(chainID, encoded)
	root := types.DeriveSha(rawTransactions(envelope.ExecutionPayload.Transactions), trie.NewStackTrie(nil))
	return object{
		"name":                   name,
		"source":                 source(opSource[0]),
		"kind":                   "generated",
		"version":                version,
		"chain_id":               chainID,
		"ssz_type":               sszType(version),
		"ssz":                    hexText(encoded),
		"ssz_length":             len(encoded),
		"decoded":                envelope,
		"block_hash_from_fields": hexText(hash[:]),
		"block_hash_matches":     matches,
		"transactions_root":      hexText(root[:]),
		"payload_hash":           hexText(payloadHash[:]),
		"signing_hash":           hexText(signing[:]),
	}
}

func sszStructure() (object, error) {
	var items []object
	for version := 1; version <= 4; version++ {
		base, err := newBlock(version, "structure", 2, 0)
		if err != nil {
			return nil, err
		}
		for _, c := range append(oddBodies(version, base), brokenBodies(version, body(base))...) {
			items = append(items, structureCase(version, c))
		}
	}
	return object{
		"about": "SSZ that is well-formed, if odd, and SSZ that is not: 'ok' decodes to 'decoded', 'error' is refused. Block " +
			"hashes are no part of decoding.",
		"source": source(opSource[0]),
		"kind":   "generated",
		"cases":  items,
	}, nil
}

func structureCase(version int, c bodyCase) object {
	item := object{"name": fmt.Sprintf("v%d/%s", version, c.name), "why": c.why, "version": version,
		"ssz_type": sszType(version), "ssz": hexText(c.encoded)}
	envelope, err := decodeBody(version, c.encoded)
	if err != nil {
		item["expect"] = "error"
		item["reference_error"] = err.Error()
		return item
	}
	_, matches := envelope.CheckBlockHash()
	item["expect"] = "ok"
	item["decoded"] = envelope
	item["block_hash_matches"] = matches
	return item
}

// bodyCase is an encoding; the ones that tell much are also gossiped.
type bodyCase struct {
	name, why  string
	encoded    []byte
	inMessages bool
}

func oddBodies(version int, base *eth.ExecutionPayloadEnvelope) []bodyCase {
	odd := func(name, why string, change func(*eth.ExecutionPayload)) bodyCase {
		return bodyCase{name: name, why: why,
			encoded: body(changed(base, true, func(e *eth.ExecutionPayloadEnvelope) { change(e.ExecutionPayload) }))}
	}
	cases := []bodyCase{
		{name: "good", why: "as it is", encoded: body(base)},
		odd("no_lists", "no extra data and no transactions", func(p *eth.ExecutionPayload) { p.ExtraData, p.Transactions = nil, []eth.Data{} }),
		odd("empty_transactions", "two transactions of no bytes", func(p *eth.ExecutionPayload) { p.Transactions = []eth.Data{{}, {}} }),
		odd("extra_32", "the most extra data", func(p *eth.ExecutionPayload) { p.ExtraData = bytesOf("extra", 32) }),
		odd("extra_33", "a byte too much of extra data", func(p *eth.ExecutionPayload) { p.ExtraData = bytesOf("extra", 33) }),
		odd("largest_numbers", "every number at its largest", func(p *eth.ExecutionPayload) {
			p.BlockNumber, p.GasLimit, p.GasUsed, p.Timestamp = math.MaxInt64, math.MaxUint64, math.MaxUint64, math.MaxUint64
			p.BaseFeePerGas = eth.Uint256Quantity(*new(uint256.Int).SetAllOne())
		}),
		odd("byte_order", "numbers whose bytes all differ", func(p *eth.ExecutionPayload) {
			p.BlockNumber, p.GasLimit = 0x0102030405060708, 0x1112131415161718
			p.GasUsed, p.Timestamp = 0x2122232425262728, 0x3132333435363738
			p.BaseFeePerGas = eth.Uint256Quantity(*new(uint256.Int).SetBytes(bytesOf("base fee", 32)))
		}),
	}
	if version >= 2 {
		for _, count := range []int{1, 16, 17} {
			cases = append(cases, odd(fmt.Sprintf("withdrawals_%d", count), "of at most 16", func(p *eth.ExecutionPayload) {
				p.Withdrawals = withdrawals(count)
			}))
		}
	}
	if version == 4 {
		cases = append(cases, odd("withdrawals_root_zero", "a root of zero", func(p *eth.ExecutionPayload) { p.WithdrawalsRoot = &common.Hash{} }))
	}
	return cases
}

// brokenBodies are cuts of a good encoding and wrong offsets in it.
func brokenBodies(version int, good []byte) []bodyCase {
	start := 0
	if version >= 3 {
		start = beaconRootSize
	}
	fixed := start + fixedPart[version]
	read := func(at int) uint32 { return binary.LittleEndian.Uint32(good[at:]) }
	with := func(at int, value uint32) []byte {
		out := append([]byte{}, good...)
		binary.LittleEndian.PutUint32(out[at:], value)
		return out
	}
	end := uint32(len(good) - start)
	transactions := start + int(read(start+transactionsAt))
	cases := []bodyCase{
		{"nothing", "no bytes", nil, false},
		{"half_a_root", "16 bytes", good[:16], false},
		{"fixed_part_cut", "a byte of the fixed part is missing", good[:fixed-1], true},
		{"fixed_part_alone", "nothing after the fixed part", good[:fixed], true},
		{"cut", "the last byte is missing", good[:len(good)-1], true},
		{"byte_more", "a byte after the end", append(append([]byte{}, good...), 0), true},
		{"extra_offset_small", "extra data inside the fixed part", with(start+extraOffsetAt, uint32(fixedPart[version]-1)), true},
		{"extra_offset_large", "a gap before the extra data", with(start+extraOffsetAt, uint32(fixedPart[version]+1)), false},
		{"transactions_offset_zero", "transactions before the extra data", with(start+transactionsAt, 0), true},
		{"transactions_offset_end", "transactions at the very end", with(start+transactionsAt, end), false},
		{"transactions_offset_past_end", "transactions beyond the end", with(start+transactionsAt, end+1), true},
		{"transactions_offset_max", "the largest offset", with(start+transactionsAt, math.MaxUint32), true},
		{"first_offset_zero", "no transactions, but bytes for them", with(transactions, 0), true},
		{"first_offset_odd", "a first offset that is no multiple of four", with(transactions, read(transactions)+2), false},
		{"first_offset_one", "one transaction that takes the bytes of all", with(transactions, 4), false},
		{"first_offset_past_end", "a first offset beyond the end", with(transactions, end), false},
		{"second_offset_small", "the second transaction begins before the first", with(transactions+4, read(transactions)-1), true},
		{"second_offset_max", "the second transaction begins beyond the end", with(transactions+4, math.MaxUint32), true},
		{"third_offset_small", "the third transaction begins before the second", with(transactions+8, read(transactions+4)-1), false},
	}
	if version >= 2 {
		list := read(start + withdrawalsAt)
		cases = append(cases,
			bodyCase{"withdrawals_offset_zero", "withdrawals before the transactions", with(start+withdrawalsAt, 0), true},
			bodyCase{"withdrawals_offset_past_end", "withdrawals beyond the end", with(start+withdrawalsAt, list+1), true},
			bodyCase{"withdrawals_of_43_bytes", "a withdrawal that lacks a byte",
				append(append([]byte{}, good...), make([]byte, withdrawalsListSize-1)...), false})
	}
	return cases
}

type rawTransactions []eth.Data

func (r rawTransactions) Len() int { return len(r) }
func (r rawTransactions) EncodeIndex(i int, to *bytes.Buffer) {
	to.Write(r[i])
}
