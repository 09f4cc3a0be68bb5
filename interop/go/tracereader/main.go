// Command tracereader reads a trace of delimited protobuf events as go-libp2p-pubsub's tracers write it, to its last event, and prints each
// event as its JSONTracer does: tracereader FILE. Records of opp2p's own, which tell of events that are missing, have the type 1000; their
// counts are printed too.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/protowire"
)

const lossType = 1000 // and the number of its field

type counts struct {
	NoRoom    uint64 `json:"noRoom"`
	Unwritten uint64 `json:"unwritten"`
}

type loss struct {
	Type      int32  `json:"type"`
	Timestamp int64  `json:"timestamp"`
	Lost      counts `json:"lost"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "tracereader:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return errors.New("usage: tracereader FILE")
	}
	file, err := os.Open(os.Args[1])
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewReader(file)
	out := bufio.NewWriter(os.Stdout)
	lines := json.NewEncoder(out)
	options := protodelim.UnmarshalOptions{MaxSize: 64 << 20}
	for read := 0; ; read++ {
		event := &pb.TraceEvent{}
		err := options.UnmarshalFrom(in, event)
		if errors.Is(err, io.EOF) {
			return out.Flush()
		}
		if err != nil {
			return fmt.Errorf("after %d events: %w", read, err)
		}
		unknown := event.ProtoReflect().GetUnknown()
		if event.GetType() == lossType {
			told, err := readLoss(event, unknown)
			if err != nil {
				return fmt.Errorf("after %d events: %w", read, err)
			}
			if err := lines.Encode(told); err != nil {
				return err
			}
			continue
		}
		if len(unknown) != 0 || event.Type == nil {
			return fmt.Errorf("event %d has unknown fields or no type", read)
		}
		if err := lines.Encode(event); err != nil {
			return err
		}
	}
}

func readLoss(event *pb.TraceEvent, unknown []byte) (*loss, error) {
	told := &loss{Type: int32(event.GetType()), Timestamp: event.GetTimestamp()}
	number, kind, size := protowire.ConsumeTag(unknown)
	if number != lossType || kind != protowire.BytesType {
		return nil, errors.New("a record of missing events has no counts")
	}
	inner, taken := protowire.ConsumeBytes(unknown[size:])
	if taken < 0 || size+taken != len(unknown) {
		return nil, errors.New("a record of missing events has other contents")
	}
	for len(inner) > 0 {
		number, kind, size := protowire.ConsumeTag(inner)
		if size < 0 || kind != protowire.VarintType {
			return nil, errors.New("a count of missing events is no number")
		}
		value, taken := protowire.ConsumeVarint(inner[size:])
		if taken < 0 {
			return nil, protowire.ParseError(taken)
		}
		switch number {
		case 1:
			told.Lost.NoRoom = value
		case 2:
			told.Lost.Unwritten = value
		default:
			return nil, fmt.Errorf("a count of missing events has the number %d", number)
		}
		inner = inner[size+taken:]
	}
	return told, nil
}
