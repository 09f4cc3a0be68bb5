// The score function with 200 peers in the mesh of two scored topics, three at each address: what the router asks at
// each RPC and heartbeat, what it tells at each message, and what a page shows each second.
#include "libp2p/protocols/gossipsub/peer_scorer.hpp"

#include <benchmark/benchmark.h>

#include "scored_params.hpp"

namespace {

using namespace libp2p;
using namespace libp2p::gossipsub;

constexpr std::uint32_t kPeers = 200;
const std::string kTopics[] = {"/optimism/10/2/blocks", "/optimism/10/3/blocks"};

// As secp256k1 ids are: 39 bytes, the same at their beginning.
PeerId peer_id(std::uint32_t n) {
  Bytes multihash(39, 0x5a);
  const std::uint8_t begin[] = {0x00, 37, 0x08, 0x02, 0x12, 33, 0x02};
  std::copy(std::begin(begin), std::end(begin), multihash.begin());
  store_be32(multihash.data() + 7, n * 2654435761U);
  return PeerId::from_bytes(multihash).value();
}

struct ScoredPeers {
  ScoredPeers() {
    for (std::uint32_t n = 0; n < kPeers; ++n) {
      ids.push_back(peer_id(n));
      scorer.on_peer_added(ids[n], now);
      const PeerAddress address[] = {
          {Multiaddr::from_text("/ip4/198.51.100." + std::to_string(n / 3) + "/tcp/1").value()}};
      scorer.on_addresses(ids[n], address, now);
      for (const auto& topic : kTopics) scorer.on_graft(ids[n], topic, now);
    }
    now = now + Seconds(60);
    scorer.decay(now);
  }
  MessageId next_message() {
    Bytes id(20);
    store_be32(id.data(), ++messages);
    return MessageId::from(id).value();
  }

  Now now{MonoTime(Seconds(1)), UnixTime(Seconds(1))};
  PeerScorer scorer{bench::scored_params(kTopics), 1, now};
  std::vector<PeerId> ids;
  std::uint32_t messages = 0;
};

void scorer_score(benchmark::State& state) {
  ScoredPeers peers;
  std::size_t at = 0;
  for (auto _ : state) benchmark::DoNotOptimize(peers.scorer.score(peers.ids[at++ % kPeers]));
}
BENCHMARK(scorer_score);

// Each score after it was changed.
void scorer_score_anew(benchmark::State& state) {
  ScoredPeers peers;
  std::size_t at = 0;
  for (auto _ : state) {
    const PeerId& peer = peers.ids[at++ % kPeers];
    peers.scorer.set_application_score(peer, 1);
    benchmark::DoNotOptimize(peers.scorer.score(peer));
  }
}
BENCHMARK(scorer_score_anew);

void scorer_decay_of_200_peers(benchmark::State& state) {
  ScoredPeers peers;
  for (auto _ : state) peers.scorer.decay(peers.now);
}
BENCHMARK(scorer_decay_of_200_peers)->Unit(benchmark::kMicrosecond);

// A message from its first copy to its eighth.
void scorer_message_and_7_copies(benchmark::State& state) {
  ScoredPeers peers;
  for (auto _ : state) {
    const MessageId id = peers.next_message();
    peers.scorer.on_validation_begun(peers.ids[0], kTopics[1], id, peers.now);
    for (std::size_t n = 1; n < 4; ++n) peers.scorer.on_duplicate(peers.ids[n], kTopics[1], id, peers.now);
    peers.scorer.on_delivered(peers.ids[0], kTopics[1], id, peers.now);
    for (std::size_t n = 4; n < 8; ++n) peers.scorer.on_duplicate(peers.ids[n], kTopics[1], id, peers.now);
    peers.now = peers.now + Millis(100);
  }
}
BENCHMARK(scorer_message_and_7_copies);

// Into an object that was filled before, and into a new one.
void scorer_snapshot_of_200_peers(benchmark::State& state) {
  ScoredPeers peers;
  ScoreSnapshot kept;
  for (auto _ : state) {
    ScoreSnapshot fresh;
    peers.scorer.snapshot(state.range(0) != 0 ? kept : fresh);
    benchmark::DoNotOptimize(fresh.peers.data());
  }
}
BENCHMARK(scorer_snapshot_of_200_peers)->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

}  // namespace
