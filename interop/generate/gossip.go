package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/log"
	"github.com/golang/snappy"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pubsubpb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/ethereum-optimism/optimism/op-node/p2p"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/clock"
	opsigner "github.com/ethereum-optimism/optimism/op-service/signer"
)

// signers is the runtime config of a validator: the expected signer and the one before it.
type signers struct{ current, previous common.Address }

func (s signers) P2PSequencerAddress() common.Address         { return s.current }
func (s signers) PreviousP2PSequencerAddress() common.Address { return s.previous }
func (s signers) ConfirmCurrentSigner()                       {}

// messageCase is one message and the surroundings in which it is judged.
type messageCase struct {
	name, why string
	data      []byte
	version   int // of the topic; 0: the family's
	now       uint64
	threshold uint64
	signers   signers
	jovian    bool
}

const defaultThreshold = 60

func topicName(version int) string {
	return fmt.Sprintf("/optimism/%d/%d/blocks", chainID, version-1)
}

type validator func(data []byte) string

// newValidator is op-node's own, for a topic and at a time.
func newValidator(version int, cfg *rollup.Config, s signers, now, threshold uint64) validator {
	setup := &p2p.Config{GossipTimestampThreshold: time.Duration(threshold) * time.Second}
	logger := log.NewLogger(log.DiscardHandler())
	validate := p2p.BuildBlocksValidator(logger, cfg, s, blockVersion(version), setup,
		clock.NewDeterministicClock(time.Unix(int64(now), 0)))
	topic := topicName(version)
	return func(data []byte) string {
		verdict := validate(context.Background(), peer.ID("sender"),
			&pubsub.Message{Message: &pubsubpb.Message{Data: data, Topic: &topic}})
		return map[pubsub.ValidationResult]string{pubsub.ValidationAccept: "accept", pubsub.ValidationReject: "reject",
			pubsub.ValidationIgnore: "ignore"}[verdict]
	}
}

func messageID(topic string, data []byte) string {
	id := p2p.BuildMsgIdFn(nil)(&pubsubpb.Message{Data: data, Topic: &topic})
	return hexText([]byte(id))
}

func singleMessages(version int) (object, error) {
	cases, err := messageCases(version)
	if err != nil {
		return nil, err
	}
	var items []object
	for _, c := range cases {
		items = append(items, judgedMessage(version, c))
	}
	return object{
		"about": "Each case is one gossip message for a new validator of its topic with the clock at 'now'; 'expect' is the " +
			"verdict of the reference.",
		"source":                source(opSource...),
		"kind":                  "generated",
		"base":                  "a block of internal/blocks with a deposit and two transfers; its contents follow from the case's seed",
		"sequencer_private_key": hexText(bytesOf("block signer sequencer", 32)),
		"cases":                 items,
	}, nil
}

func judgedMessage(version int, c messageCase) object {
	if c.version == 0 {
		c.version = version
	}
	cfg := chainConfig(c.version)
	item := object{
		"name":              fmt.Sprintf("v%d/%s", version, c.name),
		"why":               c.why,
		"chain_id":          chainID,
		"topic":             topicName(c.version),
		"topic_version":     c.version,
		"now":               c.now,
		"threshold_seconds": c.threshold,
		"sequencer":         addressText(c.signers.current),
		"message":           hexText(c.data),
		"message_id":        messageID(topicName(c.version), c.data),
	}
	if c.signers.previous != (common.Address{}) {
		item["previous_sequencer"] = addressText(c.signers.previous)
	}
	if c.jovian {
		item["jovian_active"] = true
		zero := uint64(0)
		cfg.JovianTime = &zero
	}
	item["expect"] = newValidator(c.version, cfg, c.signers, c.now, c.threshold)(c.data)
	contents, err := snappy.Decode(nil, c.data)
	if err != nil {
		return item
	}
	item["decompressed_length"] = len(contents)
	if len(contents) <= 65 {
		return item
	}
	signature, encoded := contents[:65], contents[65:]
	hash := signingHash(chainID, encoded)
	payloadHash := opsigner.PayloadHash(encoded)
	item["signature"] = hexText(signature)
	item["payload_hash"] = hexText(payloadHash[:])
	item["signing_hash"] = hexText(hash[:])
	item["recovered_address"] = recovered(chainID, encoded, signature)
	return item
}

func messageSequences() (object, error) {
	var items []object
	for version := 1; version <= 4; version++ {
		for _, s := range []struct {
			name, why string
			variants  []int // -1: the first block with a broken signature
		}{
			{"again", "a block that comes again is ignored", []int{0, 1, 0, 1, 1}},
			{"too_many", "six blocks at a height pass, then all are rejected, known ones too", []int{0, 1, 2, 3, 4, 5, 6, 2, 6}},
			{"bad_first", "a rejected message leaves no trace", []int{-1, 0, -1, 0}},
		} {
			item, err := messageSequence(version, s.variants)
			if err != nil {
				return nil, err
			}
			item["name"] = fmt.Sprintf("v%d/%s", version, s.name)
			item["why"] = s.why
			items = append(items, item)
		}
	}
	return object{
		"about":  "Messages that one validator judges in order; it remembers the blocks it has seen at each height.",
		"source": source(opSource...),
		"kind":   "generated",
		"cases":  items,
	}, nil
}

func messageSequence(version int, variants []int) (object, error) {
	key := signerKey("sequencer")
	const now = genesisTime + 3
	validate := newValidator(version, chainConfig(version), signers{current: addressOf(key)}, now, defaultThreshold)
	var steps []object
	for _, variant := range variants {
		envelope, err := newBlock(version, fmt.Sprintf("sequence %d", max(variant, 0)), 0, 0)
		if err != nil {
			return nil, err
		}
		encoded := body(envelope)
		data := message(key, encoded)
		if variant < 0 {
			data = snappy.Encode(nil, join(flipped(signBody(key, chainID, encoded), 9), encoded))
		}
		steps = append(steps, object{"variant": variant, "message": hexText(data), "expect": validate(data)})
	}
	return object{"chain_id": chainID, "topic": topicName(version), "topic_version": version, "now": now,
		"threshold_seconds": defaultThreshold, "sequencer": addressText(addressOf(key)), "steps": steps}, nil
}

func messageIDs() (object, error) {
	contents := bytesOf("message contents", 90)
	overLimit := []byte{0x81, 0x80, 0x80, 0x05, 0x00} // announces 10 MiB and a byte
	var items []object
	for _, topic := range []string{topicName(1), topicName(2), topicName(3), topicName(4), "another topic", ""} {
		for _, c := range []struct {
			name string
			data []byte
		}{
			{"compressed", snappy.Encode(nil, contents)},
			{"compressed_as_literals", join([]byte{90, 44 << 2}, contents[:45], []byte{44 << 2}, contents[45:])},
			{"compressed_nothing", snappy.Encode(nil, nil)},
			{"compressed_run", snappy.Encode(nil, make([]byte, 3000))},
			{"not_compressed", contents},
			{"no_data", nil},
			{"cut", snappy.Encode(nil, contents)[:50]},
			{"over_limit", overLimit},
		} {
			items = append(items, object{"name": c.name, "topic": topic, "data": hexText(c.data),
				"message_id": messageID(topic, c.data)})
		}
	}
	return object{
		"about": "Ids of gossip messages: the first 20 bytes of a SHA-256 over a domain, the topic with its length, and the " +
			"decompressed contents (or, with another domain, the data as it is).",
		"source": source(opSource...),
		"kind":   "generated",
		"cases":  items,
	}, nil
}
