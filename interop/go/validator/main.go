// Command validator times op-node's own block validator: validator ROLLUP_CONFIG SIGNER MESSAGE SECONDS judges the gossip message in the
// file MESSAGE again and again on one thread, and prints one line of JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/log"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/ethereum-optimism/optimism/op-node/p2p"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/clock"
	"github.com/ethereum-optimism/optimism/op-service/eth"

	"opp2p.example/interop/internal/jsonlines"
)

type signer common.Address

func (s signer) P2PSequencerAddress() common.Address         { return common.Address(s) }
func (s signer) PreviousP2PSequencerAddress() common.Address { return common.Address{} }
func (s signer) ConfirmCurrentSigner()                       {}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "validator:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 5 {
		return fmt.Errorf("usage: validator ROLLUP_CONFIG SIGNER MESSAGE SECONDS")
	}
	runtime.GOMAXPROCS(1)
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	var cfg rollup.Config
	if err := json.Unmarshal(text, &cfg); err != nil {
		return err
	}
	data, err := os.ReadFile(os.Args[3])
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseFloat(os.Args[4], 64)
	if err != nil {
		return err
	}
	quiet := log.NewLogger(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError}))
	conf := &p2p.Config{GossipTimestampThreshold: 24 * time.Hour}
	validate := p2p.BuildBlocksValidator(quiet, &cfg, signer(common.HexToAddress(os.Args[2])), eth.BlockV4, conf, clock.SystemClock)
	judge := func() pubsub.ValidationResult {
		return validate(context.Background(), peer.ID("x"), &pubsub.Message{Message: &pb.Message{Data: data}})
	}
	if first := judge(); first != pubsub.ValidationAccept {
		return fmt.Errorf("the message is not accepted: %v", first)
	}
	count, start := 0, time.Now()
	for time.Since(start).Seconds() < seconds {
		judge() // known from now on, which op-node finds out last
		count++
	}
	jsonlines.Stdout().Emit(map[string]any{"us": time.Since(start).Seconds() * 1e6 / float64(count), "count": count})
	return nil
}
