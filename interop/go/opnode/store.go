package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/ethereum/go-ethereum"

	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// blockStore holds the blocks that this node serves, by number; the first block at a number stays. It takes the place
// of the execution engine that op-node's server reads.
type blockStore struct {
	mu     sync.Mutex
	blocks map[uint64]*eth.ExecutionPayloadEnvelope
}

func newBlockStore() *blockStore {
	return &blockStore{blocks: map[uint64]*eth.ExecutionPayloadEnvelope{}}
}

func (s *blockStore) add(envelope *eth.ExecutionPayloadEnvelope) {
	s.mu.Lock()
	defer s.mu.Unlock()
	number := uint64(envelope.ExecutionPayload.BlockNumber)
	if s.blocks[number] == nil {
		s.blocks[number] = envelope
	}
}

func (s *blockStore) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.blocks)
}

// PayloadByNumber is what op-node's payload_by_number server asks.
func (s *blockStore) PayloadByNumber(_ context.Context, number uint64) (*eth.ExecutionPayloadEnvelope, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if envelope := s.blocks[number]; envelope != nil {
		return envelope, nil
	}
	return nil, fmt.Errorf("block %d: %w", number, ethereum.NotFound)
}

// loadFolder adds every *.json file of a folder: an envelope as admin_postUnsafePayload takes it.
func (s *blockStore) loadFolder(folder string) error {
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return fmt.Errorf("no *.json in %s", folder)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		envelope, err := parseEnvelope(text)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		s.add(envelope)
	}
	return nil
}

func parseEnvelope(text []byte) (*eth.ExecutionPayloadEnvelope, error) {
	envelope := &eth.ExecutionPayloadEnvelope{}
	if err := json.Unmarshal(text, envelope); err != nil {
		return nil, err
	}
	if envelope.ExecutionPayload == nil {
		return nil, fmt.Errorf("no executionPayload")
	}
	return envelope, nil
}
