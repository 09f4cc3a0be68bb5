package main

import (
	stdcrypto "crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	_ "embed"
	"encoding/pem"
	"errors"
	"fmt"

	stded25519 "crypto/ed25519"

	"github.com/libp2p/go-libp2p/core/crypto"
)

//go:embed rsa_keys.pem
var rsaKeys []byte

// identity makes the key of a kind and label. RSA keys cannot be made from a seed, so there are two in a file.
func identity(kind, label string) (crypto.PrivKey, error) {
	seed := bytesOf("key "+kind+" "+label, 32)
	switch kind {
	case "ed25519":
		return crypto.UnmarshalEd25519PrivateKey(stded25519.NewKeyFromSeed(seed))
	case "secp256k1":
		return crypto.UnmarshalSecp256k1PrivateKey(seed)
	case "ecdsa":
		key, err := ecdsaKey(seed)
		if err != nil {
			return nil, err
		}
		der, err := x509.MarshalECPrivateKey(key)
		if err != nil {
			return nil, err
		}
		return crypto.UnmarshalECDSAPrivateKey(der)
	case "rsa":
		return rsaKey(label)
	}
	return nil, fmt.Errorf("no key type %q", kind)
}

func ecdsaKey(seed []byte) (*ecdsa.PrivateKey, error) {
	return ecdsa.ParseRawPrivateKey(elliptic.P256(), seed)
}

// rsaKey picks one of the two keys of the file: the second for the label "b", the first for any other.
func rsaKey(label string) (crypto.PrivKey, error) {
	first, rest := pem.Decode(rsaKeys)
	second, _ := pem.Decode(rest)
	if first == nil || second == nil {
		return nil, errors.New("rsa_keys.pem has no two keys")
	}
	if label == "b" {
		first = second
	}
	return crypto.UnmarshalRsaPrivateKey(first.Bytes)
}

// sign is deterministic for every kind: go-libp2p's own ECDSA signatures are not.
func sign(key crypto.PrivKey, message []byte) ([]byte, error) {
	if _, ok := key.(*crypto.ECDSAPrivateKey); !ok {
		return key.Sign(message)
	}
	raw, err := key.Raw()
	if err != nil {
		return nil, err
	}
	std, err := x509.ParseECPrivateKey(raw)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(message)
	return std.Sign(nil, digest[:], stdcrypto.SHA256)
}
