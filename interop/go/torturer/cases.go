package main

import (
	"maps"
	"time"

	"github.com/libp2p/go-libp2p/core/protocol"
)

const (
	gossip   protocol.ID = "/meshsub/1.1.0"
	identify protocol.ID = "/ipfs/id/1.0.0"
	push     protocol.ID = "/ipfs/id/push/1.0.0"
	ping     protocol.ID = "/ipfs/ping/1.0.0"
	blocks   protocol.ID = "/opstack/req/payload_by_number/901/0"
	topic                = "/optimism/901/3/blocks" // of the chain under attack
)

// torment is a case: what it does, and what it must find.
type torment struct {
	run     func(*attack) error
	reaches layer  // or it has not attacked what it means to
	ends    string // what a good node does with it within a second
	why     string // a pattern of what the node's log must say when it throws it out
	written int64  // at least so many bytes
	hears   string // what the node must have said, a field of heard: it shows that the router took what came

	identities int           // that play it at once; 0: one
	patience   time.Duration // of an identity that was refused, before it comes again
	blocksMs   int           // that blocks may take meanwhile, where the attack is on how many bytes come and not on who waits
	memory     int           // MiB that the node may take meanwhile, where its bounds allow more than for the other cases
}

const (
	thrownOut = "thrown out"
	endured   = "endured"
	either    = "endured, or thrown out for somebody who needs the place" // depends on who else is there
)

var cases = func() map[string]torment {
	out := map[string]torment{}
	for _, some := range []map[string]torment{transportCases, yamuxCases, streamCases, identifyCases, gossipCases, publishedFaults, blockCases,
		roomCases, memoryCases} {
		maps.Copy(out, some)
	}
	return out
}()

// deaf is a case that begins with a secured connection that speaks Yamux. Nothing is read, so that what the node answers piles up.
func deaf(run func(*session) error) func(*attack) error {
	return func(a *attack) error {
		s, err := a.yamux()
		if err != nil {
			return err
		}
		return run(s)
	}
}

// overYamux is such a case in which what the node sends is read.
func overYamux(run func(*session) error) func(*attack) error {
	return deaf(func(s *session) error {
		s.start()
		return run(s)
	})
}

// onStream also opens a stream of a protocol.
func onStream(id protocol.ID, run func(*stream) error) func(*attack) error {
	return overYamux(func(s *session) error {
		stream, err := s.open(id)
		if err != nil {
			return err
		}
		return run(stream)
	})
}

// onStreams does the same, and again on a new stream when the node has reset one.
func onStreams(id protocol.ID, run func(*stream) error) func(*attack) error {
	return overYamux(func(s *session) error {
		return s.again(func(int) error {
			stream, err := s.open(id)
			if err == nil {
				err = run(stream)
			}
			if err == errReset {
				return nil
			}
			return err
		})
	})
}

func isShared(name string) bool {
	_, room := roomCases[name]
	_, memory := memoryCases[name]
	return room || memory
}
