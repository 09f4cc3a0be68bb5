package main

import (
	"cmp"
	"slices"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multibase"
)

var keyKinds = []string{"ed25519", "secp256k1", "ecdsa", "rsa"}

const keyMessage = "opp2p signs this"

func peerIDs() (object, error) {
	var cases, texts, signatures []object
	for _, kind := range keyKinds {
		for _, label := range []string{"a", "b"} {
			item, err := keyCase(kind, label)
			if err != nil {
				return nil, err
			}
			cases = append(cases, item)
		}
		key, err := identity(kind, "a")
		if err != nil {
			return nil, err
		}
		more, err := peerIDTexts(kind, key)
		if err != nil {
			return nil, err
		}
		texts = append(texts, more...)
		if more, err = signatureCases(kind, key); err != nil {
			return nil, err
		}
		signatures = append(signatures, more...)
	}
	for name, text := range map[string]string{"empty": "", "garbage": "no peer id", "only_prefix": "Qm"} {
		texts = append(texts, peerIDText(name, text))
	}
	sortByName(texts)
	decoding, err := publicKeyDecoding()
	if err != nil {
		return nil, err
	}
	return object{
		"about": "Identity keys: private and public key protobufs, peer ids in each text form, a signature over 'message' " +
			"(ECDSA ones are made with RFC 6979 here, other signers give others). The other lists give verdicts of the reference.",
		"source":              source("github.com/libp2p/go-libp2p"),
		"kind":                "generated",
		"cases":               cases,
		"peer_id_text":        texts,
		"public_key_decoding": decoding,
		"signatures":          signatures,
	}, nil
}

func keyCase(kind, label string) (object, error) {
	key, err := identity(kind, label)
	if err != nil {
		return nil, err
	}
	private, err := crypto.MarshalPrivateKey(key)
	if err != nil {
		return nil, err
	}
	public, err := crypto.MarshalPublicKey(key.GetPublic())
	if err != nil {
		return nil, err
	}
	raw, err := key.GetPublic().Raw()
	if err != nil {
		return nil, err
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		return nil, err
	}
	signature, err := sign(key, []byte(keyMessage))
	if err != nil {
		return nil, err
	}
	base36, err := peer.ToCid(id).StringOfBase(multibase.Base36)
	if err != nil {
		return nil, err
	}
	return object{
		"type":                 kind,
		"source":               source("github.com/libp2p/go-libp2p"),
		"private_key_protobuf": hexText(private),
		"public_key_protobuf":  hexText(public),
		"raw_public_key":       hexText(raw),
		"peer_id_multihash":    hexText([]byte(id)),
		"peer_id_base58":       id.String(),
		"peer_id_cid_base32":   peer.ToCid(id).String(),
		"peer_id_cid_base36":   base36,
		"message":              hexText([]byte(keyMessage)),
		"signature":            hexText(signature),
	}, nil
}

func peerIDTexts(kind string, key crypto.PrivKey) ([]object, error) {
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		return nil, err
	}
	base58 := id.String()
	out := []object{
		peerIDText(kind+"/base58", base58),
		peerIDText(kind+"/base58_two_short", base58[:len(base58)-2]),
		peerIDText(kind+"/trailing_newline", base58+"\n"),
	}
	for _, base := range []struct {
		name string
		base multibase.Encoding
	}{{"base32", multibase.Base32}, {"base36", multibase.Base36}, {"base58btc", multibase.Base58BTC}, {"base64url", multibase.Base64url}} {
		text, err := peer.ToCid(id).StringOfBase(base.base)
		if err != nil {
			return nil, err
		}
		out = append(out, peerIDText(kind+"/cid_"+base.name, text))
	}
	return out, nil
}

func peerIDText(name, text string) object {
	id, err := peer.Decode(text)
	item := judged(object{"name": name, "text": text}, err)
	if err != nil {
		return item
	}
	_, inlined := id.ExtractPublicKey()
	item["base58"] = id.String()
	item["multihash"] = hexText([]byte(id))
	item["public_key_inlined"] = inlined == nil
	return item
}

func publicKeyDecoding() ([]object, error) {
	var out []object
	encodings := map[string][]byte{
		"empty":           {},
		"no_data":         {0x08, 0x01},
		"no_type":         join([]byte{0x12, 0x20}, bytesOf("point", 32)),
		"type_9":          join([]byte{0x08, 0x09, 0x12, 0x04}, bytesOf("point", 4)),
		"length_past_end": {0x08, 0x01, 0x12, 0x20, 0x00},
	}
	for _, kind := range keyKinds {
		key, err := identity(kind, "b")
		if err != nil {
			return nil, err
		}
		public, err := crypto.MarshalPublicKey(key.GetPublic())
		if err != nil {
			return nil, err
		}
		encodings[kind] = public
		encodings[kind+"_one_short"] = public[:len(public)-1]
	}
	ed := encodings["ed25519"]
	encodings["ed25519_of_31_bytes"] = join([]byte{0x08, 0x01, 0x12, 31}, ed[4:35])
	secp := append([]byte{}, encodings["secp256k1"]...)
	secp[4] = 0x05
	encodings["secp256k1_of_unknown_form"] = secp
	for name, encoding := range encodings {
		key, err := crypto.UnmarshalPublicKey(encoding)
		item := judged(object{"name": name, "bytes": hexText(encoding)}, err)
		if err == nil {
			id, err := peer.IDFromPublicKey(key)
			if err != nil {
				return nil, err
			}
			item["peer_id_base58"] = id.String()
			item["type"] = keyKind(key)
		}
		out = append(out, item)
	}
	sortByName(out)
	return out, nil
}

func keyKind(key crypto.PubKey) string {
	return map[int]string{crypto.Ed25519: "ed25519", crypto.Secp256k1: "secp256k1", crypto.ECDSA: "ecdsa",
		crypto.RSA: "rsa"}[int(key.Type())]
}

func signatureCases(kind string, key crypto.PrivKey) ([]object, error) {
	other, err := identity(kind, "b")
	if err != nil {
		return nil, err
	}
	message := []byte(keyMessage)
	good, err := sign(key, message)
	if err != nil {
		return nil, err
	}
	empty, err := sign(key, nil)
	if err != nil {
		return nil, err
	}
	var out []object
	for _, c := range []struct {
		name               string
		by                 crypto.PubKey
		message, signature []byte
	}{
		{"good", key.GetPublic(), message, good},
		{"good_of_empty_message", key.GetPublic(), nil, empty},
		{"of_another_key", other.GetPublic(), message, good},
		{"of_another_message", key.GetPublic(), append(message, '!'), good},
		{"bit_flipped", key.GetPublic(), message, flipped(good, len(good)/2)},
		{"cut", key.GetPublic(), message, good[:len(good)-1]},
		{"missing", key.GetPublic(), message, nil},
	} {
		public, err := crypto.MarshalPublicKey(c.by)
		if err != nil {
			return nil, err
		}
		out = append(out, object{
			"name":                kind + "/" + c.name,
			"public_key_protobuf": hexText(public),
			"message":             hexText(c.message),
			"signature":           hexText(c.signature),
			"valid":               verifies(c.by, c.message, c.signature),
		})
	}
	return out, nil
}

func verifies(key crypto.PubKey, message, signature []byte) bool {
	ok, err := key.Verify(message, signature)
	return err == nil && ok
}

func sortByName(items []object) {
	slices.SortFunc(items, func(a, b object) int { return cmp.Compare(a["name"].(string), b["name"].(string)) })
}
