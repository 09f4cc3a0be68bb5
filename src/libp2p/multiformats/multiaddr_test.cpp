#include "libp2p/multiformats/multiaddr.hpp"

#include <gtest/gtest.h>

#include "libp2p/base/rng.hpp"
#include "libp2p/multiformats/multibase.hpp"
#include "libp2p/multiformats/multihash.hpp"

namespace libp2p::multiformats {
namespace {

PeerId id_of(std::string_view name) { return PeerId::from_bytes(multihash_of(0x12, as_bytes(name)).value()).value(); }

std::string canonical(std::string_view text) {
  const auto address = Multiaddr::from_text(text);
  return address ? address->text() : address.error().message();
}

// A text for every protocol of the table, each its own canonical form.
std::vector<std::string> one_of_each() {
  const auto id = id_of("peer").to_base58();
  return {
      "/ip4/192.0.2.1",
      "/tcp/443",
      "/dccp/1",
      "/ip6/2001:db8::1",
      "/ip6zone/eth0/ip6/fe80::1",
      "/ip4/10.0.0.0/ipcidr/8",
      "/dns/example.org",
      "/dns4/example.org",
      "/dns6/example.org",
      "/dnsaddr/bootstrap.example.org",
      "/sctp/65535",
      "/udp/0",
      "/p2p-webrtc-direct",
      "/webrtc-direct",
      "/webrtc",
      "/p2p-circuit",
      "/udt",
      "/utp",
      "/unix/run/p2p.sock",
      "/p2p/" + id,
      "/https",
      "/onion/abcdefghijklmnop:80",
      "/onion3/abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstuvwx:1234",
      "/garlic32/abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrsa",
      "/tls/sni/example.org",
      "/noise",
      "/quic",
      "/udp/1/quic-v1/webtransport/certhash/" + encode_multibase(Base::base64_url, id_of("cert").bytes()),
      "/ws",
      "/wss",
      "/http/http-path/a%2Fb+c%25",
      "/memory/18446744073709551615",
      "/plaintextv2",
      "/garlic64/" + std::string(515, 'A') + "~",
  };
}

TEST(Multiaddr, knows_every_protocol_of_the_table_in_text_and_binary) {
  for (const auto& text : one_of_each()) {
    const auto address = Multiaddr::from_text(text);
    ASSERT_TRUE(address) << text << ": " << address.error().message();
    EXPECT_EQ(address->text(), text);
    EXPECT_EQ(Multiaddr::from_bytes(address->bytes()).value(), *address);
    EXPECT_NE(to_string(address->components().back().protocol), "unknown");
  }
}

TEST(Multiaddr, refuses_every_cut_of_its_bytes) {
  for (const auto& text : one_of_each()) {
    const auto whole = Multiaddr::from_text(text).value();
    for (std::size_t n = 0; n < whole.bytes().size(); ++n) {
      const auto cut = Multiaddr::from_bytes(whole.bytes().first(n));
      // Cut between two components it is a shorter address, anywhere else it is none.
      ASSERT_TRUE(!cut || (whole.starts_with(*cut) && cut->bytes().size() == n)) << text << " " << n;
    }
  }
}

TEST(Multiaddr, reads_what_the_reference_reads_though_it_is_not_canonical) {
  EXPECT_EQ(canonical("/ip4/1.2.3.4/tcp/0080//"), "/ip4/1.2.3.4/tcp/80");
  EXPECT_EQ(canonical("/ip4/::ffff:1.2.3.4"), "/ip4/1.2.3.4");
  EXPECT_EQ(canonical("/ip6/1.2.3.4"), "/ip6/::ffff:1.2.3.4");
  EXPECT_EQ(canonical("/ip6/2001:DB8:0::1"), "/ip6/2001:db8::1");
  EXPECT_EQ(canonical("/ipfs/" + id_of("x").to_base58()), "/p2p/" + id_of("x").to_base58());
  EXPECT_EQ(canonical("/p2p/" + id_of("x").to_cid()), "/p2p/" + id_of("x").to_base58());
  EXPECT_EQ(canonical("/http-path/a b+c/tls"), "/http-path/a+b+c/tls");
  EXPECT_EQ(canonical("/unix//a//b"), "/unix//a//b");
  EXPECT_EQ(canonical("/onion/ABCDEFGHIJKLMNOP:80"), "/onion/abcdefghijklmnop:80");
}

TEST(Multiaddr, refuses_malformed_texts) {
  for (const auto* text : {"",
                           "/",
                           "//",
                           "ip4/1.2.3.4",
                           "/ip4",
                           "/ip4/",
                           "/ip4//tcp/1",
                           "/ip4/1.2.3",
                           "/ip4/01.2.3.4",
                           "/ip6/1.2.3",
                           "/ip6/fe80::1%eth0",
                           "/tcp/",
                           "/tcp/-1",
                           "/tcp/+1",
                           "/tcp/65536",
                           "/tcp/1e3",
                           "/tcp/99999999999999999999",
                           "/ipcidr/256",
                           "/memory/18446744073709551616",
                           "/nosuch",
                           "/dns//tcp/1",
                           "/dns",
                           "/unix",
                           "/unix/",
                           "/p2p/",
                           "/p2p/Qm",
                           "/p2p/xyz",
                           "/tls/x",
                           "/http-path/%",
                           "/http-path/%2",
                           "/http-path/%zz",
                           "/http-path/%0x",
                           "/http-path",
                           "/certhash/u",
                           "/certhash/xyz",
                           "/certhash/",
                           "/onion/abcdefghijklmnop",
                           "/onion/abcdefghijklmnop:0",
                           "/onion/abcdefghijklmnop:80:1",
                           "/onion/abcdefghijklmn:80",
                           "/garlic32/ABCDEFGHIJKLMNOPQRSTUVWXYZ234567ABCDEFGHIJKLMNOPQRSA",
                           "/garlic64/AAAA",
                           "/ip6zone//ip6/::",
                           "/TCP/1"})
    EXPECT_FALSE(Multiaddr::from_text(text)) << text;
  EXPECT_EQ(Multiaddr::from_text("/nosuch/1").error(), Errc::unsupported);
  EXPECT_EQ(Multiaddr::from_text("/ip4/1.2.3.4/tcp/x").error().offset(), 17U);
}

TEST(Multiaddr, refuses_malformed_bytes) {
  for (const auto* hex : {"",
                          "04",
                          "047f0000",
                          "06",
                          "0600",
                          "8400",
                          "ff",
                          "00",
                          "0104",
                          "3500",
                          "3502612f",
                          "a50300",
                          "a503021b00",
                          "a503031e0100",
                          "9003012f",
                          "90030161",
                          "9003022f2f",
                          "d20300",
                          "d203021220",
                          "bc03000000000000000000000000",
                          "e10300",
                          "9003022f6106ffff",
                          "35ffffffffffffffff7f"})
    EXPECT_FALSE(Multiaddr::from_bytes(from_hex(hex).value())) << hex;
  const auto error = Multiaddr::from_bytes(from_hex("047f00000106").value()).error();
  EXPECT_EQ(error, Errc::truncated);
  EXPECT_EQ(error.offset(), 6U);
}

TEST(Multiaddr, is_bounded) {
  const std::string host(kMaxMultiaddrSize - 5, 'a');
  EXPECT_TRUE(Multiaddr::from_text("/dns/" + host));
  EXPECT_EQ(Multiaddr::from_text("/dns/" + host + "a").error(), Errc::too_large);
  EXPECT_EQ(Multiaddr::from_bytes(Bytes(kMaxMultiaddrSize + 1)).error(), Errc::too_large);
  // Few bytes may have a long text: /p2p-webrtc-direct takes two.
  Bytes many;
  for (int i = 0; i < 2000; ++i) append(many, Bytes{0x94, 0x02});
  EXPECT_EQ(Multiaddr::from_bytes(many).error(), Errc::too_large);
}

TEST(Multiaddr, answers_for_its_parts) {
  const auto id = id_of("a");
  const auto address = Multiaddr::from_text("/ip4/192.0.2.1/tcp/9222/ws/p2p/" + id.to_base58()).value();
  EXPECT_EQ(address.value_of(Protocol::ip4), "192.0.2.1");
  EXPECT_EQ(address.value_of(Protocol::tcp), "9222");
  EXPECT_EQ(address.value_of(Protocol::ws), "");
  EXPECT_EQ(address.value_of(Protocol::udp), std::nullopt);
  EXPECT_TRUE(address.has(Protocol::ws));
  EXPECT_FALSE(address.has(Protocol::wss));
  EXPECT_EQ(address.peer_id(), id);
  EXPECT_EQ(address.components().size(), 4U);
  EXPECT_TRUE(Multiaddr().empty());
  EXPECT_FALSE(Multiaddr().has(Protocol::ws));
  EXPECT_TRUE(Multiaddr().components().empty());
  EXPECT_EQ(Multiaddr().peer_id(), std::nullopt);
}

TEST(Multiaddr, takes_and_gives_back_a_peer_id_at_its_end) {
  const auto a = id_of("a");
  const auto b = id_of("b");
  const auto plain = Multiaddr::from_text("/ip4/192.0.2.1/tcp/1").value();
  const auto named = plain.with_peer_id(a);
  EXPECT_EQ(named.text(), plain.text() + "/p2p/" + a.to_base58());
  EXPECT_EQ(named.with_peer_id(b), named);
  EXPECT_EQ(named.without_peer_id(), plain);
  EXPECT_EQ(plain.without_peer_id(), plain);
  EXPECT_EQ(plain.with_peer_id(PeerId()), plain);
  const auto relayed = Multiaddr::from_text(named.text() + "/p2p-circuit").value();
  EXPECT_EQ(relayed.without_peer_id(), relayed) << "the relay's id is part of the way";
  EXPECT_EQ(relayed.with_peer_id(b).peer_id(), b);
  EXPECT_TRUE(Multiaddr::from_text("/p2p/" + a.to_base58()).value().without_peer_id().empty());
  const auto path = Multiaddr::from_text("/unix/run/x").value();
  EXPECT_EQ(path.with_peer_id(a), path) << "nothing follows a path";
}

TEST(Multiaddr, has_no_peer_id_when_the_multihash_is_too_long_for_one) {
  Bytes binary{0xa5, 0x03, 0x66};
  append(binary, encode_multihash(0, Bytes(100)));
  const auto address = Multiaddr::from_bytes(binary);
  ASSERT_TRUE(address) << "the reference takes it";
  EXPECT_EQ(address->peer_id(), std::nullopt);
}

TEST(Multiaddr, starts_with_whole_components_only) {
  const auto address = Multiaddr::from_text("/ip4/192.0.2.1/tcp/80").value();
  EXPECT_TRUE(address.starts_with(Multiaddr()));
  EXPECT_TRUE(address.starts_with(Multiaddr::from_text("/ip4/192.0.2.1").value()));
  EXPECT_TRUE(address.starts_with(address));
  EXPECT_FALSE(address.starts_with(Multiaddr::from_text("/ip4/192.0.2.2").value()));
  EXPECT_FALSE(address.starts_with(address.with_peer_id(id_of("a"))));
}

TEST(Multiaddr, reads_back_every_text_that_it_prints) {
  SeededRng rng(1);
  const auto parts = one_of_each();
  std::size_t good = 0;
  for (int i = 0; i < 20000; ++i) {
    Bytes noise;
    for (std::uint64_t n = 1 + rng.below(3); n > 0; --n)
      append(noise, Multiaddr::from_text(parts[rng.below(parts.size() - 1)]).value().bytes());
    for (std::uint64_t n = rng.below(3); n > 0; --n)
      noise[rng.below(noise.size())] = static_cast<std::uint8_t>(rng.next_u64());
    const auto address = Multiaddr::from_bytes(noise);
    if (!address) continue;
    ++good;
    ASSERT_TRUE(equal(address->bytes(), noise));
    const auto back = Multiaddr::from_text(address->text());
    ASSERT_TRUE(back) << address->text() << ": " << back.error().message();
    ASSERT_EQ(*back, *address) << address->text();
  }
  EXPECT_GT(good, 1000U);
}

}  // namespace
}  // namespace libp2p::multiformats
