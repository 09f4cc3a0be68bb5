package main

import (
	"github.com/multiformats/go-multiaddr"
)

// The texts cover every protocol that libp2p uses, and ways to get each wrong.
var multiaddrTexts = []string{
	"/ip4/203.0.113.5/tcp/9222",
	"/ip4/0.0.0.0/udp/65535",
	"/ip6/2001:db8:0:0:1:0:0:1/tcp/0",
	"/ip6/::ffff:203.0.113.5/tcp/80",
	"/ip6zone/eth0/ip6/fe80::1/tcp/4001",
	"/ip4/203.0.113.5/udp/4001/quic-v1",
	"/ip4/203.0.113.5/udp/4001/quic-v1/webtransport",
	"/ip4/203.0.113.5/udp/4001/quic-v1/webtransport/certhash/uEiAkH5a4DPGKUuOBjYw0CgwjvcJCJMD2K_1aluKR_tpevQ",
	"/ip4/203.0.113.5/udp/4001/webrtc-direct",
	"/ip4/203.0.113.5/tcp/443/ws",
	"/ip4/203.0.113.5/tcp/443/wss",
	"/dns4/node.example/tcp/443/tls/ws",
	"/dns4/node.example/tcp/443/tls/sni/other.example/ws",
	"/dns/node.example/tcp/443/tls/http/http-path/a%2Fb",
	"/dns6/node.example/tcp/1",
	"/dnsaddr/bootstrap.example",
	"/unix/tmp%2Fsocket",
	"/unix/tmp/deeper/socket",
	"/memory/77",
	"/p2p/12D3KooWQWKnh7upHygE12MNA1QdttSHM6aCBTG57K77BAM6zptc",
	"/ip4/203.0.113.5/tcp/1/p2p/12D3KooWQWKnh7upHygE12MNA1QdttSHM6aCBTG57K77BAM6zptc/p2p-circuit",
	"/ip4/203.0.113.5/tcp/1/p2p/bafzaajaiaejcahwr5d5ofrfbis4l5d6uwr57hu5tjodrypfm6yaq6dsc2r2pzyt6",
	"/ip4/203.0.113.5/tcp/9222/",
	"", "/", "//", "ip4/203.0.113.5", "/ip4", "/ip4/", "/ip4/203.0.113.256", "/ip4/203.0.113", "/ip4/2001:db8::1",
	"/ip6/203.0.113.5", "/ip6/2001:db8::g", "/ip6/2001:db8:::1", "/tcp/65536", "/tcp/-1", "/tcp/", "/tcp/abc", "/udp/1e3",
	"/unknown/1", "/ip4/203.0.113.5/nothing", "/p2p/", "/p2p/Qm", "/p2p/12D3KooW0", "/memory/", "/memory/-5",
	"/certhash/", "/certhash/notbase", "/dns4/", "/ip6zone//ip6/fe80::1", "/quic-v1/1",
}

var multiaddrBytes = [][]byte{
	{4, 203, 0, 113, 5, 6, 0x24, 0x06},
	{4, 203, 0, 113},                     // address cut
	{4, 203, 0, 113, 5, 6, 0x24},         // port cut
	{4, 203, 0, 113, 5, 6},               // no port
	{4, 203, 0, 113, 5, 0x91, 0x02},      // udp without a port
	{0xff, 0xff, 0x7f},                   // no such protocol
	{0x84, 0x00, 203, 0, 113, 5},         // code not minimal
	{0x36, 3, 'a', '.', 'b'},             // dns4
	{0x36, 4, 'a', '.', 'b'},             // length past the end
	{0x36, 0},                            // empty name
	{0x36, 3, 'a', '/', 'b'},             // a slash in the name
	{0xa5, 0x03, 2, 0x12, 0x20},          // p2p with a multihash that is cut
	{0xa5, 0x03, 0},                      // p2p without a peer
	{0xcd, 0x03},                         // quic-v1 alone
	{0x90, 0x03, 5, '/', 't', 'm', 'p'},  // unix, cut
	{0x89, 0x06, 0, 0, 0, 0, 0, 0, 1, 1}, // memory
	{},
}

func multiaddrs() (object, error) {
	var texts, binaries []object
	for _, text := range multiaddrTexts {
		texts = append(texts, multiaddrText(text))
	}
	for _, encoded := range multiaddrBytes {
		addr, err := multiaddr.NewMultiaddrBytes(encoded)
		item := judged(object{"bytes": hexText(encoded)}, err)
		if err == nil {
			item["text"] = addr.String()
		}
		binaries = append(binaries, item)
	}
	return object{
		"about":  "Multiaddrs from text and from bytes; 'canonical_text' is what the bytes print as.",
		"source": source("github.com/multiformats/go-multiaddr"),
		"kind":   "generated",
		"text":   texts,
		"binary": binaries,
	}, nil
}

func multiaddrText(text string) object {
	addr, err := multiaddr.NewMultiaddr(text)
	item := judged(object{"text": text}, err)
	if err != nil {
		return item
	}
	components := []object{}
	multiaddr.ForEach(addr, func(c multiaddr.Component) bool {
		components = append(components, object{"code": c.Protocol().Code, "name": c.Protocol().Name,
			"value": c.Value(), "value_bytes": hexText(c.RawValue())})
		return true
	})
	item["bytes"] = hexText(addr.Bytes())
	item["canonical_text"] = addr.String()
	item["components"] = components
	return item
}
