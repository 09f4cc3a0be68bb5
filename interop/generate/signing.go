package main

import (
	"fmt"

	"github.com/ethereum/go-ethereum/crypto"

	opsigner "github.com/ethereum-optimism/optimism/op-service/signer"
)

func signing() (object, error) {
	var items []object
	for k := range 3 {
		key := signerKey(fmt.Sprintf("signing %d", k))
		for _, id := range []uint64{1, 901, 1<<32 + 5, 1<<63 + 1} {
			for _, size := range []int{0, 1, 600} {
				payload := bytesOf(fmt.Sprintf("signed payload %d", k), size)
				hash := opsigner.PayloadHash(payload)
				signing := signingHash(id, payload)
				items = append(items, object{
					"private_key":  hexText(crypto.FromECDSA(key)),
					"public_key":   hexText(crypto.FromECDSAPub(&key.PublicKey)),
					"address":      addressText(addressOf(key)),
					"chain_id":     decimal(id),
					"payload":      hexText(payload),
					"payload_hash": hexText(hash[:]),
					"signing_hash": hexText(signing[:]),
					"signature":    hexText(signBody(key, id, payload)),
				})
			}
		}
	}
	return object{
		"about": "Signatures of the sequencer over blocks: signing_hash = keccak256(32 zero bytes, the chain id in 32 bytes, " +
			"keccak256(payload)); r, s and a recovery id of 0 or 1.",
		"source": source(opSource[0]),
		"kind":   "generated",
		"cases":  items,
	}, nil
}
