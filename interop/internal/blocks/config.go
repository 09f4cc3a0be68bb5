package blocks

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// ForkNames are the forks that Config knows, in order.
var ForkNames = []string{"bedrock", "canyon", "ecotone", "isthmus", "jovian"}

// Config is a chain on which every fork up to `fork` is active from its genesis on, and none after it.
func Config(chainID int64, fork string, genesisTime, blockTime uint64) *rollup.Config {
	zero := uint64(0)
	cfg := &rollup.Config{
		Genesis: rollup.Genesis{
			L1:     eth.BlockID{Hash: common.HexToHash("0x11"), Number: 1},
			L2:     eth.BlockID{Hash: common.HexToHash("0x22"), Number: 0},
			L2Time: genesisTime,
			SystemConfig: eth.SystemConfig{
				BatcherAddr: common.HexToAddress("0x33"),
				Scalar:      eth.Bytes32{31: 1},
				GasLimit:    gasLimit,
			},
		},
		BlockTime:              blockTime,
		MaxSequencerDrift:      600,
		SeqWindowSize:          3600,
		ChannelTimeoutBedrock:  300,
		L1ChainID:              big.NewInt(1),
		L2ChainID:              big.NewInt(chainID),
		RegolithTime:           &zero,
		BatchInboxAddress:      common.HexToAddress("0x44"),
		DepositContractAddress: common.HexToAddress("0x55"),
		L1SystemConfigAddress:  common.HexToAddress("0x66"),
	}
	level := 0
	for i, name := range ForkNames {
		if name == fork {
			level = i
		}
	}
	if level >= 1 {
		cfg.CanyonTime, cfg.DeltaTime = &zero, &zero
	}
	if level >= 2 {
		cfg.EcotoneTime = &zero
	}
	if level >= 3 {
		cfg.FjordTime, cfg.GraniteTime, cfg.HoloceneTime, cfg.IsthmusTime = &zero, &zero, &zero, &zero
	}
	if level >= 4 {
		cfg.JovianTime = &zero
	}
	return cfg
}
