// Command generate-vectors writes the project's own test vectors: what the published Go modules make of inputs that
// follow from fixed seeds. Every run writes the same files. interop/README.md says how to run it.
package main

import (
	"flag"
	"fmt"
	"os"
)

type family struct {
	name string // path below the output folder, without .json
	make func() (object, error)
}

var families = []family{
	{"libp2p/peer-ids", peerIDs},
	{"libp2p/signed-peer-records", signedPeerRecords},
	{"libp2p/multiaddr", multiaddrs},
	{"libp2p/uvarint", uvarints},
	{"libp2p/multibase-multihash", multibaseMultihash},
	{"libp2p/noise-libp2p", noiseHandshakes},
	{"libp2p/plaintext", plaintextExchanges},
	{"libp2p/yamux", yamuxSessions},
	{"libp2p/multistream", multistreamTranscripts},
	{"libp2p/protobuf", protobufMessages},
	{"opstack/gossip/single-v1", func() (object, error) { return singleMessages(1) }},
	{"opstack/gossip/single-v2", func() (object, error) { return singleMessages(2) }},
	{"opstack/gossip/single-v3", func() (object, error) { return singleMessages(3) }},
	{"opstack/gossip/single-v4", func() (object, error) { return singleMessages(4) }},
	{"opstack/gossip/sequences", messageSequences},
	{"opstack/gossip/message-id", messageIDs},
	{"opstack/ssz/payloads", sszPayloads},
	{"opstack/ssz/structure", sszStructure},
	{"opstack/reqresp/payload_by_number", payloadByNumber},
	{"opstack/signing", signing},
	{"opstack/peerstore", peerstoreRecords},
	{"opstack/op-node-flags", opNodeFlags},
	{"opstack/op-node-metrics", opNodeMetrics},
	{"snappy/block", snappyBlocks},
	{"snappy/framing", snappyFrames},
}

func main() {
	out := flag.String("out", "tests/vectors/data", "folder to write to")
	flag.Parse()
	for _, f := range families {
		content, err := f.make()
		if err == nil {
			err = writeFamily(*out, f.name, content)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "generate-vectors: %s: %v\n", f.name, err)
			os.Exit(1)
		}
	}
}
