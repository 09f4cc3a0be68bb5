// Records of two peers that are whole, and the same with a byte changed.
#include "libp2p/host/archived_peer.hpp"
#include "testing/corpus.hpp"

namespace libp2p::fuzzing {
namespace {

PeerId peer_with(std::uint8_t byte) {
  Bytes id{0x12, 0x20};
  append(id, Bytes(32, byte));
  return PeerId::from_bytes(id).value();
}

Bytes records_of(std::uint8_t peer) {
  constexpr Now kNow{MonoTime(Seconds(100'000)), from_unix_seconds(1'760'000'000)};
  PeerFacts facts;
  for (const char* text : {"/ip4/10.0.0.1/tcp/9222", "/ip6/fd00::1/tcp/9222", "/dns4/a.example/tcp/1"})
    facts.addresses.push_back(
        {Multiaddr::from_text(text).value(), kNow.mono + Seconds(600), facts.addresses.empty(), Seconds(3600)});
  facts.protocols = {"/ipfs/id/1.0.0", "/meshsub/1.1.0"};
  facts.agent = "optimism";
  facts.latency = Millis(30);
  facts.proven = peer == 1;
  const PeerParts parts = encode_parts(peer_with(peer), facts, kNow);
  Bytes out;
  for (std::size_t i = 0; i < kPeerParts; ++i) {
    if (!parts[i]) continue;
    out.insert(out.end(), {peer, static_cast<std::uint8_t>(i)});
    std::uint8_t size[2];
    store_be16(size, static_cast<std::uint16_t>(parts[i]->size()));
    append(out, size);
    append(out, *parts[i]);
  }
  return out;
}

}  // namespace

void make_corpus(Corpus& corpus) {
  Bytes both = records_of(0);
  append(both, records_of(1));
  corpus.save("two-peers", both);
  SeededRng rng(1);
  for (int i = 0; i < 6; ++i) {
    Bytes changed = both;
    changed[rng.below(changed.size())] ^= static_cast<std::uint8_t>(1U << rng.below(8));
    corpus.save("changed-" + std::to_string(i), changed);
  }
  const std::string key = "not-a-peer";
  Bytes bare{0, static_cast<std::uint8_t>(kPeerParts), 0, static_cast<std::uint8_t>(key.size())};
  append(bare, as_bytes(key));
  corpus.save("bad-key", bare);
}

}  // namespace libp2p::fuzzing
