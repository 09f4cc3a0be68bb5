// The GossipSub router: a message from one peer to the mesh, and a heartbeat.
#include "libp2p/protocols/gossipsub/router.hpp"

#include <benchmark/benchmark.h>

#include "libp2p/crypto/hash.hpp"

namespace {

using namespace libp2p;
using namespace libp2p::gossipsub;

const std::string kTopic = "/optimism/10/3/blocks";

PeerId peer_id(std::uint32_t n) {
  Bytes multihash = {0x00, 0x04, 0, 0, 0, 0};
  store_be32(multihash.data() + 2, n);
  return PeerId::from_bytes(multihash).value();
}

Named name(std::string_view, ByteView data) { return *MessageId::from(ByteView(crypto::sha256(data)).first(20)); }

struct Network {
  explicit Network(std::uint32_t peers) : rng(1), router({{}, name, {}}, rng, scores, now) {
    (void)router.subscribe(kTopic, now);
    Rpc subscription;
    subscription.subscriptions.push_back({true, kTopic, {}, {}});
    for (std::uint32_t n = 0; n < peers; ++n) {
      router.add_peer(peer_id(n), ProtocolVersion::v1_2, n % 2 == 0 ? Direction::inbound : Direction::outbound, now);
      router.on_rpc(peer_id(n), subscription, now);
    }
    for (int i = 0; i < 4; ++i) beat();
    drain(peers);
  }
  void beat() {
    now = now + (*router.next_deadline() - now.mono);
    router.on_timeout(now);
  }
  void drain(std::uint32_t peers) {
    while (router.poll_action()) {
    }
    for (std::uint32_t n = 0; n < peers; ++n)
      while (router.next_frame(peer_id(n))) {
      }
  }
  SeededRng rng;
  NeutralScores scores;
  Now now{};
  Router router;
};

void router_message(benchmark::State& state) {
  constexpr std::uint32_t kPeers = 20;
  Network network(kPeers);
  std::uint64_t number = 0;
  for (auto _ : state) {
    Bytes data(static_cast<std::size_t>(state.range(0)));
    store_le64(data.data(), ++number);
    Rpc rpc;
    Message message;
    message.topic = kTopic;
    message.data = data;
    rpc.publish.push_back(message);
    (void)network.router.on_frame(peer_id(0), encode_frame(rpc), network.now);
    while (auto action = network.router.poll_action()) {
      if (const auto* validate = std::get_if<Validate>(&*action))
        network.router.on_validation(validate->request, ValidationResult::accept, network.now);
    }
    network.drain(kPeers);
    if (number % 64 == 0) network.beat();
  }
  if (network.router.counters().forwarded < number * 4) state.SkipWithError("not forwarded");
}
BENCHMARK(router_message)->Arg(1 << 10)->Arg(100'000);

void router_heartbeat(benchmark::State& state) {
  const auto peers = static_cast<std::uint32_t>(state.range(0));
  Network network(peers);
  for (auto _ : state) {
    network.beat();
    state.PauseTiming();
    network.drain(peers);
    state.ResumeTiming();
  }
}
BENCHMARK(router_heartbeat)->Arg(100)->Arg(1000);

}  // namespace
