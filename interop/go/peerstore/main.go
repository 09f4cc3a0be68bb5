// Command opnode-peerstore opens a peerstore folder with op-node's own packages, as op-node does when it starts, fills it
// and reads it back. interop/README.md has the commands and the JSON lines.
package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/log"
	ds "github.com/ipfs/go-datastore"
	"github.com/ipfs/go-datastore/query"
	leveldb "github.com/ipfs/go-ds-leveldb"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/host/peerstore/pstoreds"
	"github.com/syndtr/goleveldb/leveldb/util"

	"github.com/ethereum-optimism/optimism/op-node/p2p/gating"
	"github.com/ethereum-optimism/optimism/op-node/p2p/store"
	"github.com/ethereum-optimism/optimism/op-service/clock"

	"opp2p.example/interop/internal/jsonlines"
)

// books is what op-node makes of a peerstore folder (Config.Host of its p2p package).
type books struct {
	store *leveldb.Datastore
	peers store.ExtendedPeerstore
	gater gating.BlockingConnectionGater
}

func openBooks(ctx context.Context, path string, retention time.Duration, logger log.Logger) (*books, error) {
	db, err := leveldb.NewDatastore(path, nil)
	if err != nil {
		return nil, err
	}
	base, err := pstoreds.NewPeerstore(ctx, db, pstoreds.DefaultOpts())
	if err != nil {
		return nil, err
	}
	extended, err := store.NewExtendedPeerstore(ctx, logger, clock.SystemClock, base, db, retention)
	if err != nil {
		return nil, err
	}
	gater, err := gating.NewBlockingConnectionGater(db)
	if err != nil {
		return nil, err
	}
	return &books{store: db, peers: extended, gater: gater}, nil
}

// addKey stores the node's own key, as op-node does at each start.
func (b *books) addKey(text string) (peer.ID, error) {
	raw, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil {
		return "", err
	}
	key, err := crypto.UnmarshalSecp256k1PrivateKey(raw)
	if err != nil {
		return "", err
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		return "", err
	}
	if err := b.peers.AddPrivKey(id, key); err != nil {
		return "", err
	}
	return id, b.peers.AddPubKey(id, key.GetPublic())
}

// dump is every record as it is on disk.
func (b *books) dump(ctx context.Context) (map[string]string, error) {
	results, err := b.store.Query(ctx, query.Query{})
	if err != nil {
		return nil, err
	}
	entries, err := results.Rest()
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, entry := range entries {
		out[entry.Key] = hex.EncodeToString(entry.Value)
	}
	return out, nil
}

type command struct {
	Fill     int
	Seed     int64
	Key      string
	Ban      string
	Until    int64
	Put      map[string]string
	Dump     bool
	Compact  bool
	Describe bool
	Quit     bool
}

func (b *books) run(ctx context.Context, c command) (map[string]any, error) {
	switch {
	case c.Fill > 0:
		ids, err := b.fill(c.Fill, c.Seed)
		return map[string]any{"event": "filled", "peers": ids}, err
	case c.Key != "":
		id, err := b.addKey(c.Key)
		return map[string]any{"event": "key", "peer": id.String()}, err
	case c.Ban != "":
		id, err := peer.Decode(c.Ban)
		if err != nil {
			return nil, err
		}
		return map[string]any{"event": "banned"}, b.peers.SetPeerBanExpiration(id, time.Unix(c.Until, 0))
	case c.Put != nil:
		for key, value := range c.Put {
			raw, err := hex.DecodeString(value)
			if err != nil {
				return nil, err
			}
			if err := b.store.Put(ctx, ds.RawKey(key), raw); err != nil {
				return nil, err
			}
		}
		return map[string]any{"event": "put"}, nil
	case c.Compact:
		return map[string]any{"event": "compacted"}, b.store.DB.CompactRange(util.Range{})
	case c.Dump:
		records, err := b.dump(ctx)
		return map[string]any{"event": "dump", "records": records}, err
	case c.Describe:
		return b.describe(ctx)
	}
	return nil, fmt.Errorf("unknown command")
}

func main() {
	retention := flag.Duration("retention", 20*time.Minute, "how long scores are kept")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: opnode-peerstore [--retention 20m] FOLDER")
		os.Exit(2)
	}
	out := jsonlines.Stdout()
	ctx := context.Background()
	logger := log.NewLogger(log.NewTerminalHandlerWithLevel(os.Stderr, slog.LevelWarn, false))
	b, err := openBooks(ctx, flag.Arg(0), *retention, logger)
	if err != nil {
		out.Emit(map[string]any{"event": "refused", "error": err.Error()})
		os.Exit(1)
	}
	out.Emit(map[string]any{"event": "ready"})
	err = jsonlines.Commands(os.Stdin, func(line []byte) bool {
		var c command
		if err := json.Unmarshal(line, &c); err != nil {
			out.Emit(map[string]any{"event": "failed", "error": err.Error()})
			return true
		}
		if c.Quit {
			return false
		}
		answer, err := b.run(ctx, c)
		if err != nil {
			answer = map[string]any{"event": "failed", "error": err.Error()}
		}
		out.Emit(answer)
		return true
	})
	_ = b.peers.Close()
	if closing := b.store.Close(); err == nil {
		err = closing
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "opnode-peerstore:", err)
		os.Exit(1)
	}
}
