package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/log"
	"github.com/libp2p/go-libp2p/core/host"
	mocknet "github.com/libp2p/go-libp2p/p2p/net/mock"

	"github.com/ethereum-optimism/optimism/op-node/metrics"
	"github.com/ethereum-optimism/optimism/op-node/p2p"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/eth"

	"opp2p.example/interop/internal/blocks"
)

func payloadByNumber() (object, error) {
	var items []object
	for _, fork := range blocks.ForkNames {
		for _, transactions := range []int{0, 9} {
			item, err := exchangeCase(fork, transactions)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", fork, err)
			}
			items = append(items, item)
		}
	}
	return object{
		"about": "payload_by_number: a request is the number in 8 bytes (little-endian) and the end of the stream; the answer is " +
			"a result byte and, after 0, a version in 4 bytes (little-endian) and the payload in the framing format of snappy.",
		"source": source(opSource...) + ": op-node's server over an in-memory network",
		"kind":   "generated",
		"cases":  items,
	}, nil
}

// oneBlock is a chain of which the server has one block, and which fails at the number before it.
type oneBlock struct{ envelope *eth.ExecutionPayloadEnvelope }

func (b oneBlock) PayloadByNumber(_ context.Context, number uint64) (*eth.ExecutionPayloadEnvelope, error) {
	switch have := uint64(b.envelope.ExecutionPayload.BlockNumber); number {
	case have:
		return b.envelope, nil
	case have - 1:
		return nil, errors.New("the disk is on fire")
	}
	return nil, ethereum.NotFound
}

func exchangeCase(fork string, transactions int) (object, error) {
	cfg := blocks.Config(chainID, fork, genesisTime, 2)
	cfg.Genesis.L2.Number = 70_000 // so that there are numbers before the chain
	builder, err := blocks.NewBuilder(cfg, "request "+fork)
	if err != nil {
		return nil, err
	}
	var envelope *eth.ExecutionPayloadEnvelope
	for range 2 {
		if envelope, err = builder.Next(transactions, 120); err != nil {
			return nil, err
		}
	}
	number := uint64(envelope.ExecutionPayload.BlockNumber)
	request := binary.LittleEndian.AppendUint64(nil, number)
	response, err := askServer(cfg, envelope, request)
	if err != nil {
		return nil, err
	}
	exchanges := []object{}
	for _, e := range []struct {
		name, why string
		request   []byte
	}{
		{"unavailable", "the block is not there", binary.LittleEndian.AppendUint64(nil, number+1)},
		{"far_future", "a block whose time is yet to come", binary.LittleEndian.AppendUint64(nil, math.MaxUint64)},
		{"backend_failure", "the block cannot be read", binary.LittleEndian.AppendUint64(nil, number-1)},
		{"short_request", "three bytes", request[:3]},
		{"empty_request", "no bytes", nil},
	} {
		answer, err := askServer(cfg, envelope, e.request)
		if err != nil {
			return nil, err
		}
		exchanges = append(exchanges, object{"name": e.name, "why": e.why, "request": hexText(e.request), "response": hexText(answer)})
	}
	version := versionOf(fork)
	hash := envelope.ExecutionPayload.BlockHash
	return object{
		"name":                 fmt.Sprintf("%s-%d-transactions", fork, transactions),
		"kind":                 "generated",
		"chain_id":             chainID,
		"protocol_id":          string(p2p.PayloadByNumberProtocolID(cfg.L2ChainID)),
		"block_time_rule":      object{"block_time": cfg.BlockTime, "genesis_l2_number": cfg.Genesis.L2.Number, "genesis_l2_time": cfg.Genesis.L2Time},
		"block_number":         number,
		"block_hash":           hexText(hash[:]),
		"payload_version":      version,
		"request":              hexText(request),
		"response":             hexText(response),
		"response_result":      int(response[0]),
		"response_version":     int(binary.LittleEndian.Uint32(response[1:])),
		"response_payload_ssz": hexText(body(envelope)),
		"error_exchanges":      exchanges,
	}, nil
}

// askServer sends one request to a new server and reads its answer to the end.
func askServer(cfg *rollup.Config, envelope *eth.ExecutionPayloadEnvelope, request []byte) ([]byte, error) {
	network, err := mocknet.FullMeshConnected(2)
	if err != nil {
		return nil, err
	}
	defer network.Close()
	server, client := network.Hosts()[0], network.Hosts()[1]
	logger := log.NewLogger(log.DiscardHandler())
	handler := p2p.NewReqRespServer(cfg, oneBlock{envelope}, metrics.NoopMetrics)
	id := p2p.PayloadByNumberProtocolID(cfg.L2ChainID)
	server.SetStreamHandler(id, p2p.MakeStreamHandler(context.Background(), logger, handler.HandleSyncRequest))
	return ask(client, server, cfg, request)
}

func ask(client, server host.Host, cfg *rollup.Config, request []byte) ([]byte, error) {
	stream, err := client.NewStream(context.Background(), server.ID(), p2p.PayloadByNumberProtocolID(cfg.L2ChainID))
	if err != nil {
		return nil, err
	}
	defer stream.Reset()
	if _, err := stream.Write(request); err != nil {
		return nil, err
	}
	if err := stream.CloseWrite(); err != nil {
		return nil, err
	}
	return io.ReadAll(stream)
}
