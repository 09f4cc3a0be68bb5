// Command golibp2p is a go-libp2p peer for interop tests. `listen` serves a few small protocols; `dial` runs one test
// against a listener and says with its exit code whether all of it held; `gossip` is a GossipSub peer, and `rude` a peer
// that writes the gossip RPCs it is told to; the other commands are the loads of bench/compare.
// interop/README.md describes them.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	var err error
	switch os.Args[1] {
	case "listen":
		err = runListen(os.Args[2:])
	case "dial":
		err = runDial(os.Args[2:])
	case "gossip":
		err = runGossip(os.Args[2:])
	case "rude":
		err = runRude(os.Args[2:])
	default:
		load := loads[os.Args[1]]
		if load == nil {
			usage()
		}
		err = load(parseWords(os.Args[2:]))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "golibp2p:", err)
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: golibp2p listen [flags] | golibp2p dial ADDR --test NAME [flags] | golibp2p gossip [flags] | golibp2p rude ADDR --topic T [flags] | golibp2p perf|echo|dials|idle ADDR [name=value…]")
	os.Exit(2)
}

// hostFlags are the flags that both subcommands share.
func hostFlags(set *flag.FlagSet) *hostOptions {
	options := &hostOptions{}
	set.StringVar(&options.security, "security", "noise", "noise, tls or plaintext")
	set.StringVar(&options.muxer, "mux", "yamux", "yamux or mplex")
	set.StringVar(&options.keyType, "key", "ed25519", "identity: ed25519, secp256k1, ecdsa or rsa")
	return options
}
