package main

import (
	"crypto/rand"
	"fmt"

	"github.com/libp2p/go-libp2p"
	mplex "github.com/libp2p/go-libp2p-mplex"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/insecure"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

const agentVersion = "opp2p-interop-golibp2p"

type hostOptions struct {
	security string
	muxer    string
	keyType  string
	listen   string // empty: no listener
}

var keyTypes = map[string]int{
	"ed25519":   crypto.Ed25519,
	"secp256k1": crypto.Secp256k1,
	"ecdsa":     crypto.ECDSA,
	"rsa":       crypto.RSA,
}

// newHost makes a TCP host with one security transport and one muxer. Resource limits are off: the tests open more
// streams between two peers than the defaults allow.
func newHost(o *hostOptions) (host.Host, error) {
	keyType, ok := keyTypes[o.keyType]
	if !ok {
		return nil, fmt.Errorf("unknown key type %q", o.keyType)
	}
	key, _, err := crypto.GenerateKeyPairWithReader(keyType, 2048, rand.Reader)
	if err != nil {
		return nil, err
	}
	options := []libp2p.Option{
		libp2p.Identity(key),
		libp2p.UserAgent(agentVersion),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.DisableRelay(),
	}
	switch o.security {
	case "noise":
		options = append(options, libp2p.Security(noise.ID, noise.New))
	case "tls":
		options = append(options, libp2p.Security(libp2ptls.ID, libp2ptls.New))
	case "plaintext":
		options = append(options, libp2p.Security(insecure.ID, insecure.NewWithIdentity))
	default:
		return nil, fmt.Errorf("unknown security transport %q", o.security)
	}
	switch o.muxer {
	case "yamux":
		options = append(options, libp2p.Muxer(yamux.ID, yamux.DefaultTransport))
	case "mplex":
		options = append(options, libp2p.Muxer(mplex.ID, mplex.DefaultTransport))
	default:
		return nil, fmt.Errorf("unknown muxer %q", o.muxer)
	}
	if o.listen == "" {
		options = append(options, libp2p.NoListenAddrs)
	} else {
		options = append(options, libp2p.ListenAddrStrings(o.listen))
	}
	return libp2p.New(options...)
}
