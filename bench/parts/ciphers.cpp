// Noise messages, Keccak in each width, signatures.
#include <benchmark/benchmark.h>

#include "libp2p/base/rng.hpp"
#include "libp2p/crypto/keccak_many.hpp"
#include "libp2p/crypto/secp256k1.hpp"
#include "libp2p/protocols/noise/transport.hpp"

namespace {

using namespace libp2p;

constexpr std::size_t kNoiseHead = 2;
constexpr std::size_t kNoiseTail = 16;

noise::TransportKeys keys() {
  noise::TransportKeys out;
  out.send.fill(1);
  out.receive.fill(1);  // so that one end opens what it has sealed
  return out;
}

void noise_seal(benchmark::State& state) {
  const auto plain = static_cast<std::size_t>(state.range(0));
  noise::Transport transport(keys());
  Bytes message(kNoiseHead + plain + kNoiseTail);
  for (auto _ : state) benchmark::DoNotOptimize(transport.seal_in_place(message, plain));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(noise_seal)->Arg(256)->Arg(16 << 10)->Arg(65519);

void noise_seal_and_open(benchmark::State& state) {
  const auto plain = static_cast<std::size_t>(state.range(0));
  noise::Transport sender(keys());
  noise::Transport receiver(keys());
  Bytes message(kNoiseHead + plain + kNoiseTail);
  for (auto _ : state) {
    (void)sender.seal_in_place(message, plain);
    const auto opened = receiver.open_front(message);
    if (!opened || opened->plain.size() != plain) state.SkipWithError("not opened");
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(noise_seal_and_open)->Arg(256)->Arg(16 << 10)->Arg(65519);

void keccak_one(benchmark::State& state) {
  const Bytes data(static_cast<std::size_t>(state.range(0)), 7);
  for (auto _ : state) benchmark::DoNotOptimize(crypto::keccak256(data));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(keccak_one)->Arg(136)->Arg(100'000)->Arg(1'000'000);

// Messages of 200 bytes, as the leaves of a block's trie are.
void keccak_many(benchmark::State& state) {
  const auto width = static_cast<libp2p::crypto::KeccakWidth>(state.range(0));
  if (width > libp2p::crypto::keccak_width()) return state.SkipWithError("this processor has no such width");
  constexpr std::size_t kCount = 1000;
  const Bytes data(200, 7);
  const std::vector<libp2p::crypto::KeccakMessage> messages(kCount, {{}, data});
  std::vector<crypto::Hash256> out(kCount);
  for (auto _ : state) libp2p::crypto::keccak256_many(width, messages, out);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kCount));
}
BENCHMARK(keccak_many)->ArgName("width")->DenseRange(0, 2);

void recover(benchmark::State& state) {
  SeededRng rng(1);
  const auto secret = crypto::secp256k1::generate(rng);
  crypto::Hash256 digest{};
  digest.fill(3);
  const auto signature = crypto::secp256k1::sign(secret, digest);
  for (auto _ : state) benchmark::DoNotOptimize(crypto::secp256k1::recover_address(digest, signature));
}
BENCHMARK(recover);

}  // namespace
