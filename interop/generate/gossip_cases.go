package main

import (
	"bytes"

	"github.com/ethereum/go-ethereum/common"
	"github.com/golang/snappy"

	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// caseMaker collects the messages of one version around one good block.
type caseMaker struct {
	version int
	base    *eth.ExecutionPayloadEnvelope
	now     uint64
	usual   signers
	cases   []messageCase
}

// add appends a message in the usual surroundings, which adjust may change.
func (m *caseMaker) add(name, why string, data []byte, adjust ...func(*messageCase)) {
	c := messageCase{name: name, why: why, data: data, now: m.now, threshold: defaultThreshold, signers: m.usual}
	for _, f := range adjust {
		f(&c)
	}
	m.cases = append(m.cases, c)
}

// block appends a well-signed message of the base block after a change.
func (m *caseMaker) block(name, why string, keepHash bool, change func(*eth.ExecutionPayloadEnvelope), adjust ...func(*messageCase)) {
	m.add(name, why, message(signerKey("sequencer"), body(changed(m.base, keepHash, change))), adjust...)
}

func messageCases(version int) ([]messageCase, error) {
	base, err := newBlock(version, "single message", 2, 30)
	if err != nil {
		return nil, err
	}
	m := &caseMaker{version: version, base: base, now: genesisTime + 4,
		usual: signers{current: addressOf(signerKey("sequencer"))}}
	m.surroundings()
	m.signatures()
	m.compression()
	m.contents()
	m.fields()
	m.structure()
	return m.cases, nil
}

func (m *caseMaker) surroundings() {
	good := message(signerKey("sequencer"), body(m.base))
	timestamp := uint64(m.base.ExecutionPayload.Timestamp)
	at := func(now, threshold uint64) func(*messageCase) {
		return func(c *messageCase) { c.now, c.threshold = now, threshold }
	}
	m.add("good", "a block as the sequencer makes it", good)
	m.add("oldest", "as old as is allowed", good, at(timestamp+60, 60))
	m.add("too_old", "a second too old", good, at(timestamp+61, 60))
	m.add("old_but_allowed", "a longer threshold", good, at(timestamp+600, 600))
	m.add("newest", "five seconds ahead of the clock", good, at(timestamp-5, 60))
	m.add("too_new", "six seconds ahead of the clock", good, at(timestamp-6, 60))
	m.add("no_signer", "no signer is configured", good, func(c *messageCase) { c.signers = signers{} })
	m.add("another_signer", "another signer is configured", good,
		func(c *messageCase) { c.signers = signers{current: addressOf(signerKey("other"))} })
	m.add("previous_signer", "the signer was rotated a moment ago", good, func(c *messageCase) {
		c.signers = signers{current: addressOf(signerKey("other")), previous: addressOf(signerKey("sequencer"))}
	})
	for other := 1; other <= 4; other++ {
		if other != m.version {
			m.add("topic_of_v"+string(rune('0'+other)), "on the topic of another version", good,
				func(c *messageCase) { c.version = other })
		}
	}
}

func (m *caseMaker) signatures() {
	encoded := body(m.base)
	signature := signBody(signerKey("sequencer"), chainID, encoded)
	signed := func(name, why string, signature []byte) {
		m.add("signature/"+name, why, snappy.Encode(nil, join(signature, encoded)))
	}
	recoveryID := func(id byte) []byte { return append(append([]byte{}, signature[:64]...), id) }
	signed("other_key", "signed by somebody else", signBody(signerKey("other"), chainID, encoded))
	signed("other_chain", "signed for another chain", signBody(signerKey("sequencer"), chainID+1, encoded))
	signed("r_changed", "a bit of r differs", flipped(signature, 3))
	signed("s_changed", "a bit of s differs", flipped(signature, 60))
	signed("zero", "no signature at all", make([]byte, 65))
	signed("other_parity", "the recovery id of another key", flipped(signature, 64))
	signed("ethereum_id", "a recovery id of 27 or 28", recoveryID(signature[64]+27))
	signed("id_4", "a recovery id that does not exist", recoveryID(4))
	signed("high_s", "the other form of the same signature", highS(signature))
}

func (m *caseMaker) compression() {
	contents := join(signBody(signerKey("sequencer"), chainID, body(m.base)), body(m.base))
	packed := snappy.Encode(nil, contents)
	var stream bytes.Buffer
	writer := snappy.NewBufferedWriter(&stream)
	writer.Write(contents)
	writer.Close()
	m.add("snappy/no_data", "an empty message", nil)
	m.add("snappy/nothing", "compressed nothing", snappy.Encode(nil, nil))
	m.add("snappy/only_signature", "65 bytes", snappy.Encode(nil, contents[:65]))
	m.add("snappy/one_byte_body", "a signed body of one byte", message(signerKey("sequencer"), []byte{1}))
	m.add("snappy/cut", "the last byte is missing", packed[:len(packed)-1])
	m.add("snappy/byte_more", "a byte after the end", join(packed, []byte{0}))
	m.add("snappy/not_compressed", "the contents themselves", contents)
	m.add("snappy/stream", "the framing format", stream.Bytes())
	m.add("snappy/huge", "a length of 10 MiB and a byte", []byte{0x81, 0x80, 0x80, 0x05, 0x00, 0x00})
	m.add("snappy/endless_length", "a length that never ends", []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	m.add("snappy/copy_of_nothing", "begins with a copy", []byte{0x46, 0x01, 0x01, 0x00})
}

func (m *caseMaker) contents() {
	m.block("hash/wrong", "the block hash differs in a bit", true, func(e *eth.ExecutionPayloadEnvelope) { e.ExecutionPayload.BlockHash[31] ^= 1 })
	m.block("hash/state_root", "the state root is not that of the hash", true, func(e *eth.ExecutionPayloadEnvelope) { e.ExecutionPayload.StateRoot[0] ^= 1 })
	m.block("hash/gas_limit", "the gas limit is not that of the hash", true, func(e *eth.ExecutionPayloadEnvelope) { e.ExecutionPayload.GasLimit++ })
	m.block("hash/transaction", "a transaction is not that of the hash", true, func(e *eth.ExecutionPayloadEnvelope) {
		e.ExecutionPayload.Transactions[1] = flipped(e.ExecutionPayload.Transactions[1], -1)
	})
	m.block("hash/order", "two transactions are swapped", true, func(e *eth.ExecutionPayloadEnvelope) {
		t := e.ExecutionPayload.Transactions
		t[1], t[2] = t[2], t[1]
	})
	m.block("no_transactions", "an empty block", false, func(e *eth.ExecutionPayloadEnvelope) { e.ExecutionPayload.Transactions = []eth.Data{} })
	m.block("odd_transactions", "bytes that are no transactions, and an empty one", false,
		func(e *eth.ExecutionPayloadEnvelope) { e.ExecutionPayload.Transactions = []eth.Data{{0xff}, {}} })
	m.block("extra_data_32", "the most extra data", false, func(e *eth.ExecutionPayloadEnvelope) { e.ExecutionPayload.ExtraData = bytesOf("extra", 32) })
}

// fields are the rules on what each version must and must not have.
func (m *caseMaker) fields() {
	if m.version >= 2 {
		m.block("withdrawals/one", "a withdrawal", false, func(e *eth.ExecutionPayloadEnvelope) { e.ExecutionPayload.Withdrawals = withdrawals(1) })
	}
	if m.version >= 3 {
		one := eth.Uint64Quantity(1)
		m.block("blob_gas_used", "blob gas before Jovian", false, func(e *eth.ExecutionPayloadEnvelope) { e.ExecutionPayload.BlobGasUsed = &one })
		m.block("blob_gas_used_in_jovian", "the same with Jovian", false,
			func(e *eth.ExecutionPayloadEnvelope) { e.ExecutionPayload.BlobGasUsed = &one }, func(c *messageCase) { c.jovian = true })
		m.block("excess_blob_gas", "excess blob gas", false, func(e *eth.ExecutionPayloadEnvelope) { e.ExecutionPayload.ExcessBlobGas = &one },
			func(c *messageCase) { c.jovian = true })
		m.block("beacon_root", "another parent beacon block root than that of the hash", true, func(e *eth.ExecutionPayloadEnvelope) {
			e.ParentBeaconBlockRoot = &common.Hash{1}
		})
	}
	if m.version >= 4 {
		m.block("withdrawals_root", "another withdrawals root than that of the hash", true, func(e *eth.ExecutionPayloadEnvelope) {
			e.ExecutionPayload.WithdrawalsRoot = &common.Hash{1}
		})
		m.block("withdrawals_root_zero", "a withdrawals root of zero", false, func(e *eth.ExecutionPayloadEnvelope) {
			e.ExecutionPayload.WithdrawalsRoot = &common.Hash{}
		})
	}
}

func (m *caseMaker) structure() {
	for _, c := range brokenBodies(m.version, body(m.base)) {
		if c.inMessages {
			m.add("ssz/"+c.name, c.why, message(signerKey("sequencer"), c.encoded))
		}
	}
}
