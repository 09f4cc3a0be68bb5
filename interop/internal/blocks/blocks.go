// Package blocks makes L2 blocks of an OP Stack chain: payloads with a deposit, validly signed transactions, the fields of
// the fork that is active at their time, and the right block hash. Everything follows from the seed, so that two runs
// make the same chain.
package blocks

import (
	"crypto/ecdsa"
	"encoding/binary"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"

	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

const (
	gasLimit     = 60_000_000
	transferGas  = 21_000
	depositGas   = 1_000_000
	baseFee      = 1_000_000
	firstNonce   = 0
	denominator  = 250
	elasticity   = 6
	minBaseFee   = 100_000
	daFootprint  = 400 * 120 // Jovian: the header's blobGasUsed carries it
	sequencerFee = "0x4200000000000000000000000000000000000011"
	l1Depositor  = "0xDeaDDEaDDeAdDeAdDEAdDEaddeAddEAdDEAd0001"
	l1Block      = "0x4200000000000000000000000000000000000015"
)

// Builder makes the chain block by block, from the genesis of the config on.
type Builder struct {
	cfg    *rollup.Config
	seed   string
	sender *ecdsa.PrivateKey
	nonce  uint64
	parent common.Hash
	number uint64
}

// NewBuilder starts at the genesis block: the first block is its child.
func NewBuilder(cfg *rollup.Config, seed string) (*Builder, error) {
	sender, err := crypto.ToECDSA(digest(seed, "sender", 0))
	if err != nil {
		return nil, err
	}
	return &Builder{cfg: cfg, seed: seed, sender: sender, nonce: firstNonce,
		parent: cfg.Genesis.L2.Hash, number: cfg.Genesis.L2.Number}, nil
}

// Number is the number of the last block that was made.
func (b *Builder) Number() uint64 { return b.number }

// Next makes the child of the last block, with `transactions` transfers after the deposit. padding is how many bytes of
// data each transfer carries.
func (b *Builder) Next(transactions, padding int) (*eth.ExecutionPayloadEnvelope, error) {
	number := b.number + 1
	encoded, err := b.transactions(number, transactions, padding)
	if err != nil {
		return nil, err
	}
	envelope := b.envelope(number, encoded)
	hash, _ := envelope.CheckBlockHash()
	envelope.ExecutionPayload.BlockHash = hash
	b.nonce += uint64(transactions)
	b.parent = hash
	b.number = number
	return envelope, nil
}

func (b *Builder) envelope(number uint64, transactions []eth.Data) *eth.ExecutionPayloadEnvelope {
	time := b.cfg.TimestampForBlock(number)
	payload := &eth.ExecutionPayload{
		ParentHash:    b.parent,
		FeeRecipient:  common.HexToAddress(sequencerFee),
		StateRoot:     eth.Bytes32(b.hash("state", number)),
		ReceiptsRoot:  eth.Bytes32(b.hash("receipts", number)),
		PrevRandao:    eth.Bytes32(b.hash("randao", number)),
		BlockNumber:   eth.Uint64Quantity(number),
		GasLimit:      gasLimit,
		GasUsed:       eth.Uint64Quantity(depositGas + transferGas*(len(transactions)-1)),
		Timestamp:     eth.Uint64Quantity(time),
		ExtraData:     extraData(b.cfg, time),
		BaseFeePerGas: eth.Uint256Quantity(*uint256.NewInt(baseFee + number)),
		Transactions:  transactions,
	}
	for i := range 4 { // a bloom with a few bits
		bloom := b.hash("bloom", number*4+uint64(i))
		payload.LogsBloom[bloom[0]] |= 1 << (bloom[1] % 8)
	}
	envelope := &eth.ExecutionPayloadEnvelope{ExecutionPayload: payload}
	if b.cfg.IsCanyon(time) {
		payload.Withdrawals = &types.Withdrawals{}
	}
	if b.cfg.IsEcotone(time) {
		blobGas, excess := eth.Uint64Quantity(0), eth.Uint64Quantity(0)
		if b.cfg.IsJovian(time) {
			blobGas = daFootprint
		}
		payload.BlobGasUsed, payload.ExcessBlobGas = &blobGas, &excess
		beacon := b.hash("beacon", number)
		envelope.ParentBeaconBlockRoot = &beacon
	}
	if b.cfg.IsIsthmus(time) {
		root := b.hash("withdrawals", number)
		payload.WithdrawalsRoot = &root
	}
	return envelope
}

func extraData(cfg *rollup.Config, time uint64) eth.BytesMax32 {
	switch {
	case cfg.IsJovian(time):
		return binary.BigEndian.AppendUint64(eip1559Params(1), minBaseFee)
	case cfg.IsHolocene(time):
		return eip1559Params(0)
	default:
		return eth.BytesMax32{}
	}
}

func eip1559Params(version byte) []byte {
	data := binary.BigEndian.AppendUint32([]byte{version}, denominator)
	return binary.BigEndian.AppendUint32(data, elasticity)
}

func (b *Builder) transactions(number uint64, count, padding int) ([]eth.Data, error) {
	deposit, err := b.deposit(number).MarshalBinary()
	if err != nil {
		return nil, err
	}
	encoded := []eth.Data{deposit}
	for i := range count {
		signed, err := b.transfer(number, i, padding)
		if err != nil {
			return nil, err
		}
		data, err := signed.MarshalBinary()
		if err != nil {
			return nil, err
		}
		encoded = append(encoded, data)
	}
	return encoded, nil
}

func (b *Builder) deposit(number uint64) *types.Transaction {
	to := common.HexToAddress(l1Block)
	call := append([]byte{0x44, 0x0a, 0x5e, 0x20}, make([]byte, 160)...) // setL1BlockValuesEcotone()
	source := b.hash("source", number)
	copy(call[4+100:], source[:])
	return types.NewTx(&types.DepositTx{
		SourceHash: source,
		From:       common.HexToAddress(l1Depositor),
		To:         &to,
		Value:      new(big.Int),
		Gas:        depositGas,
		Data:       call,
	})
}

func (b *Builder) transfer(number uint64, index, padding int) (*types.Transaction, error) {
	to := common.BytesToAddress(digest(b.seed, "to", number<<20|uint64(index)))
	data := make([]byte, padding)
	for at := 0; at < padding; at += 32 {
		copy(data[at:], digest(b.seed, "data", number<<20|uint64(index)<<12|uint64(at/32)))
	}
	return types.SignNewTx(b.sender, types.LatestSignerForChainID(b.cfg.L2ChainID), &types.DynamicFeeTx{
		ChainID:   b.cfg.L2ChainID,
		Nonce:     b.nonce + uint64(index),
		GasTipCap: big.NewInt(1000),
		GasFeeCap: big.NewInt(2 * baseFee),
		Gas:       uint64(transferGas + 40*padding),
		To:        &to,
		Value:     big.NewInt(int64(index) + 1),
		Data:      data,
	})
}

func (b *Builder) hash(what string, number uint64) common.Hash {
	return common.BytesToHash(digest(b.seed, what, number))
}

func digest(seed, what string, number uint64) []byte {
	return crypto.Keccak256([]byte(seed), []byte{0}, []byte(what), binary.BigEndian.AppendUint64(nil, number))
}
