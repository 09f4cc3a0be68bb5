package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/log"
	"github.com/golang/snappy"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/ethereum-optimism/optimism/op-node/p2p"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/clock"
	"github.com/ethereum-optimism/optimism/op-service/eth"
	opsigner "github.com/ethereum-optimism/optimism/op-service/signer"
)

var (
	chainConfig = &rollup.Config{L2ChainID: big.NewInt(10)}
	quiet       = log.NewLogger(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError + 1}))
	idOf        = p2p.BuildMsgIdFn(chainConfig)
	versions    = []eth.BlockVersion{eth.BlockV1, eth.BlockV2, eth.BlockV3, eth.BlockV4}
)

// payloadSSZ: one byte chooses the version, the rest is the body of a gossiped block, read as BuildBlocksValidator reads it.
func payloadSSZ(input []byte, read *digest) (verdict, error) {
	if len(input) == 0 {
		return refuse, errors.New("no version")
	}
	version, body := versions[input[0]%4], input[1:]
	var envelope eth.ExecutionPayloadEnvelope
	if version.HasParentBeaconBlockRoot() {
		if err := envelope.UnmarshalSSZ(version, uint32(len(body)), bytes.NewReader(body)); err != nil {
			return refuse, err
		}
	} else {
		envelope.ExecutionPayload = new(eth.ExecutionPayload)
		if err := envelope.ExecutionPayload.UnmarshalSSZ(version, uint32(len(body)), bytes.NewReader(body)); err != nil {
			return refuse, err
		}
	}
	digestEnvelope(&envelope, read)
	return accept, nil
}

func digestEnvelope(envelope *eth.ExecutionPayloadEnvelope, read *digest) {
	hash := func(h *common.Hash) {
		read.flag(h != nil)
		if h != nil {
			read.raw(h[:])
		}
	}
	hash(envelope.ParentBeaconBlockRoot)
	p := envelope.ExecutionPayload
	read.raw(p.ParentHash[:])
	read.raw(p.FeeRecipient[:])
	read.raw(p.StateRoot[:])
	read.raw(p.ReceiptsRoot[:])
	read.raw(p.LogsBloom[:])
	read.raw(p.PrevRandao[:])
	for _, v := range []eth.Uint64Quantity{p.BlockNumber, p.GasLimit, p.GasUsed, p.Timestamp} {
		read.number(uint64(v))
	}
	read.bytes(p.ExtraData)
	for i := 3; i >= 0; i-- { // big-endian
		var word [8]byte
		binary.BigEndian.PutUint64(word[:], p.BaseFeePerGas[i])
		read.raw(word[:])
	}
	read.raw(p.BlockHash[:])
	read.number(uint64(len(p.Transactions)))
	for _, tx := range p.Transactions {
		read.bytes(tx)
	}
	read.flag(p.Withdrawals != nil)
	if p.Withdrawals != nil {
		read.number(uint64(len(*p.Withdrawals)))
		for _, w := range *p.Withdrawals {
			read.number(w.Index)
			read.number(w.Validator)
			read.raw(w.Address[:])
			read.number(w.Amount)
		}
	}
	for _, v := range []*eth.Uint64Quantity{p.BlobGasUsed, p.ExcessBlobGas} {
		read.flag(v != nil)
		if v != nil {
			read.number(uint64(*v))
		}
	}
	hash(p.WithdrawalsRoot)
}

// blockSignature: 65 bytes of signature, then the body that is signed; what is read is the signer.
func blockSignature(input []byte, read *digest) (verdict, error) {
	if len(input) < 65 {
		return refuse, errors.New("no room for a signature")
	}
	message := opsigner.BlockSigningMessage{
		Domain:      opsigner.SigningDomainBlocksV1,
		ChainID:     eth.ChainIDFromBig(chainConfig.L2ChainID),
		PayloadHash: opsigner.PayloadHash(input[65:]),
	}
	hash := message.ToSigningHash()
	key, err := crypto.SigToPub(hash[:], input[:65])
	if err != nil {
		return refuse, err
	}
	read.raw(crypto.PubkeyToAddress(*key).Bytes())
	return accept, nil
}

// messageID: a byte is the topic's length, then the topic and the data. Accepted is what is read as snappy.
func messageID(input []byte, read *digest) (verdict, error) {
	if len(input) == 0 || len(input) < 1+int(input[0]) {
		return refuse, errors.New("no topic")
	}
	topic := string(input[1 : 1+int(input[0])])
	data := input[1+len(topic):]
	read.raw([]byte(idOf(&pb.Message{Topic: &topic, Data: data})))
	if n, err := snappy.DecodedLen(data); err != nil || n > 10<<20 {
		return refuse, errors.Join(err, errors.New("or too large"))
	}
	if _, err := snappy.Decode(nil, data); err != nil {
		return refuse, err // the id is of the bytes as they are, and has to be the same too
	}
	return accept, nil
}

type allowed common.Address

func (a allowed) P2PSequencerAddress() common.Address         { return common.Address(a) }
func (a allowed) PreviousP2PSequencerAddress() common.Address { return common.Address{} }
func (a allowed) ConfirmCurrentSigner()                       {}

// gossipBlock: version (1), time (8), signer (20), then the data of a message, judged by op-node's validator with an empty memory.
func gossipBlock(input []byte, _ *digest) (verdict, error) {
	if len(input) < 29 {
		return refuse, errors.New("too short")
	}
	version := versions[input[0]%4]
	now, rest := number64(input[1:])
	signer := common.BytesToAddress(rest[:20])
	conf := &p2p.Config{GossipTimestampThreshold: time.Minute}
	at := clock.NewDeterministicClock(time.Unix(int64(now), 0))
	validate := p2p.BuildBlocksValidator(quiet, chainConfig, allowed(signer), version, conf, at)
	// op-node's guardGossipValidator rejects what panics.
	result := pubsub.ValidationReject
	func() {
		defer func() { _ = recover() }()
		result = validate(context.Background(), peer.ID("x"), &pubsub.Message{Message: &pb.Message{Data: rest[20:]}})
	}()
	switch result {
	case pubsub.ValidationAccept:
		return accept, nil
	case pubsub.ValidationIgnore:
		return ignore, nil
	}
	return refuse, errors.New("rejected")
}
