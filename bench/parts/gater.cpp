// What an operator's rules cost each connection that comes in: a look-up among no, a thousand and 65,536 subnets of
// mixed sizes, with as many single addresses, for an address that no rule is about.
#include <benchmark/benchmark.h>

#include "libp2p/base/rng.hpp"
#include "libp2p/host/blocking_gater.hpp"

namespace {

using namespace libp2p;

void fill(BlockingGater& gater, std::size_t rules) {
  SeededRng rng(1);
  while (gater.blocked_subnets().size() < rules) {
    for (std::size_t n = rules - gater.blocked_subnets().size(); n > 0; --n) {
      // 128.0.0.0/1 has none of the addresses that are asked about.
      const auto draw = static_cast<std::uint32_t>(rng.next_u64()) | 0x80000000U;
      const std::string ip = std::to_string(draw >> 24) + "." + std::to_string(draw >> 16 & 255) + "." +
                             std::to_string(draw >> 8 & 255) + "." + std::to_string(draw & 255);
      (void)gater.block_subnet(ip + "/" + std::to_string(12 + rng.next_u64() % 17)).value();
    }
  }
  for (std::size_t n = 0; n < rules; ++n) {
    const std::string ip = "192.0." + std::to_string(n / 256 % 256) + "." + std::to_string(n % 256);
    (void)gater.block_ip(ip).value();
  }
}

void gater_accept(benchmark::State& state) {
  BlockingGater gater(1 << 17);
  fill(gater, static_cast<std::size_t>(state.range(0)));
  std::vector<Multiaddr> remotes;
  for (int n = 0; n < 256; ++n)
    remotes.push_back(Multiaddr::from_text("/ip4/10.1.2." + std::to_string(n) + "/tcp/9222").value());
  std::size_t at = 0;
  for (auto _ : state) benchmark::DoNotOptimize(gater.intercept_accept(remotes[at++ % remotes.size()]));
}
BENCHMARK(gater_accept)->Arg(0)->Arg(1000)->Arg(65536);

void gater_secured(benchmark::State& state) {
  BlockingGater gater;
  SeededRng rng(2);
  std::vector<PeerId> peers;
  for (int n = 0; n < 65536; ++n) {
    Bytes multihash(39);
    rng.fill(multihash);
    const std::uint8_t head[] = {0x00, 37, 0x08, 0x02, 0x12, 33, 0x02};
    std::copy(std::begin(head), std::end(head), multihash.begin());
    peers.push_back(PeerId::from_bytes(multihash).value());
    (void)gater.block_peer(peers.back()).value();
  }
  const Multiaddr remote = Multiaddr::from_text("/ip4/10.1.2.3/tcp/9222").value();
  std::size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(gater.intercept_secured(Direction::inbound, PeerId(), remote));
    benchmark::DoNotOptimize(gater.is_blocked(peers[at++ % peers.size()]));
  }
}
BENCHMARK(gater_secured);

}  // namespace
