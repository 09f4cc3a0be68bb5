package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/golang/snappy"

	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/eth"
	opsigner "github.com/ethereum-optimism/optimism/op-service/signer"

	"opp2p.example/interop/internal/blocks"
)

const (
	chainID     = 424242
	genesisTime = 1_750_000_000
)

var forkOfVersion = map[int]string{1: "bedrock", 2: "canyon", 3: "ecotone", 4: "isthmus"}

var opSource = []string{"github.com/ethereum-optimism/optimism", "github.com/golang/snappy"}

func chainConfig(version int) *rollup.Config {
	return blocks.Config(chainID, forkOfVersion[version], genesisTime, 2)
}

// newBlock is the first block of the chain of a version, whose contents follow from the label.
func newBlock(version int, label string, transactions, padding int) (*eth.ExecutionPayloadEnvelope, error) {
	return newBlockOf(chainConfig(version), label, transactions, padding)
}

func newBlockOf(cfg *rollup.Config, label string, transactions, padding int) (*eth.ExecutionPayloadEnvelope, error) {
	builder, err := blocks.NewBuilder(cfg, label)
	if err != nil {
		return nil, err
	}
	return builder.Next(transactions, padding)
}

// changed is a copy of an envelope after a change, with its block hash right again unless the change is to keep it.
func changed(envelope *eth.ExecutionPayloadEnvelope, keepHash bool, change func(*eth.ExecutionPayloadEnvelope)) *eth.ExecutionPayloadEnvelope {
	payload := *envelope.ExecutionPayload
	payload.Transactions = append([]eth.Data{}, payload.Transactions...)
	out := &eth.ExecutionPayloadEnvelope{ExecutionPayload: &payload, ParentBeaconBlockRoot: envelope.ParentBeaconBlockRoot}
	change(out)
	if !keepHash {
		payload.BlockHash, _ = out.CheckBlockHash()
	}
	return out
}

// body is what is signed and gossiped: op-node takes the envelope form when there is a beacon root.
func body(envelope *eth.ExecutionPayloadEnvelope) []byte {
	var out bytes.Buffer
	var err error
	if envelope.ParentBeaconBlockRoot != nil {
		_, err = envelope.MarshalSSZ(&out)
	} else {
		_, err = envelope.ExecutionPayload.MarshalSSZ(&out)
	}
	if err != nil {
		panic(fmt.Sprintf("unencodable payload: %v", err))
	}
	return out.Bytes()
}

func blockVersion(version int) eth.BlockVersion { return eth.BlockVersion(version - 1) }

// decodeBody reads a body as op-node's validator of the version does.
func decodeBody(version int, encoded []byte) (*eth.ExecutionPayloadEnvelope, error) {
	v := blockVersion(version)
	if v.HasParentBeaconBlockRoot() {
		envelope := &eth.ExecutionPayloadEnvelope{}
		return envelope, envelope.UnmarshalSSZ(v, uint32(len(encoded)), bytes.NewReader(encoded))
	}
	payload := &eth.ExecutionPayload{}
	return &eth.ExecutionPayloadEnvelope{ExecutionPayload: payload},
		payload.UnmarshalSSZ(v, uint32(len(encoded)), bytes.NewReader(encoded))
}

func sszType(version int) string {
	if blockVersion(version).HasParentBeaconBlockRoot() {
		return "ExecutionPayloadEnvelope"
	}
	return "ExecutionPayload"
}

func signerKey(label string) *ecdsa.PrivateKey {
	key, err := crypto.ToECDSA(bytesOf("block signer "+label, 32))
	if err != nil {
		panic(err)
	}
	return key
}

func addressOf(key *ecdsa.PrivateKey) common.Address { return crypto.PubkeyToAddress(key.PublicKey) }

func addressText(address common.Address) string { return hexText(address[:]) }

func signingHash(id uint64, encoded []byte) common.Hash {
	message := opsigner.BlockSigningMessage{ChainID: eth.ChainIDFromUInt64(id), PayloadHash: opsigner.PayloadHash(encoded)}
	return message.ToSigningHash()
}

func signBody(key *ecdsa.PrivateKey, id uint64, encoded []byte) []byte {
	signature, err := opsigner.NewLocalSigner(key).SignBlockV1(context.Background(), eth.ChainIDFromUInt64(id), opsigner.PayloadHash(encoded))
	if err != nil {
		panic(err)
	}
	return signature[:]
}

// message is a gossip message as the sequencer makes it.
func message(key *ecdsa.PrivateKey, encoded []byte) []byte {
	return snappy.Encode(nil, join(signBody(key, chainID, encoded), encoded))
}

// recovered is the address that a signature gives, or nil.
func recovered(id uint64, encoded, signature []byte) any {
	hash := signingHash(id, encoded)
	public, err := crypto.SigToPub(hash[:], signature)
	if err != nil {
		return nil
	}
	return addressText(crypto.PubkeyToAddress(*public))
}

// highS is the other signature of the same key over the same hash.
func highS(signature []byte) []byte {
	order := crypto.S256().Params().N
	s := new(big.Int).Sub(order, new(big.Int).SetBytes(signature[32:64]))
	out := append([]byte{}, signature...)
	s.FillBytes(out[32:64])
	out[64] ^= 1
	return out
}

func withdrawals(count int) *types.Withdrawals {
	list := types.Withdrawals{}
	for i := range count {
		list = append(list, &types.Withdrawal{Index: uint64(i), Validator: uint64(100 + i),
			Address: common.BytesToAddress(bytesOf("withdrawal", 20)), Amount: uint64(i) << 33})
	}
	return &list
}
