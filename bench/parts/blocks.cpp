// What a block costs: tries, SSZ, snappy, its name, its rules. Sizes are those of the transactions, of about 200 bytes
// each.
#include <benchmark/benchmark.h>

#include "lib/made_chain.hpp"
#include "opstack/encoding/ordered_trie.hpp"
#include "opstack/encoding/snappy_block.hpp"
#include "opstack/encoding/snappy_frame.hpp"
#include "opstack/payload/payload.hpp"
#include "opstack/rules/block_message.hpp"
#include "opstack/rules/block_rules.hpp"
#include "opstack/rules/message_id.hpp"
#include "opstack/rules/topics.hpp"

namespace {

using namespace libp2p;
namespace payload = opstack::payload;

constexpr std::uint64_t kGenesis = 1'760'000'000;
constexpr auto kVersion = payload::Version::v4;

struct Sample {
  explicit Sample(std::size_t size) : made(kGenesis, size), envelope(made.chain.next()) {
    message =
        opstack::rules::make_block_message(made.chain.options().chain_id, kVersion, envelope, made.signer).value();
    body = payload::encode_envelope(kVersion, envelope);
    for (const auto& transaction : envelope.payload.transactions) views.emplace_back(transaction);
  }
  MadeChain made;
  payload::Envelope envelope;
  opstack::rules::BlockMessage message;
  Bytes body;
  std::vector<ByteView> views;
};

void sizes(benchmark::internal::Benchmark* benchmark) {
  for (const int size : {700, 100'000, 1'000'000, 5'000'000}) benchmark->Arg(size);
}

template <class Work>
void measure(benchmark::State& state, Work work) {
  const Sample sample(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) work(sample, state);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(sample.body.size()));
}

void transactions_trie(benchmark::State& state) {
  measure(state, [](const Sample& sample, auto&) {
    benchmark::DoNotOptimize(opstack::encoding::ordered_trie_root(sample.views));
  });
}
BENCHMARK(transactions_trie)->Apply(sizes);

void block_hash(benchmark::State& state) {
  measure(state,
          [](const Sample& sample, auto&) { benchmark::DoNotOptimize(payload::compute_block_hash(sample.envelope)); });
}
BENCHMARK(block_hash)->Apply(sizes);

void ssz_encode(benchmark::State& state) {
  measure(state, [](const Sample& sample, auto&) {
    benchmark::DoNotOptimize(payload::encode_envelope(kVersion, sample.envelope));
  });
}
BENCHMARK(ssz_encode)->Apply(sizes);

void ssz_decode(benchmark::State& state) {
  measure(state, [](const Sample& sample, benchmark::State& s) {
    const auto decoded = payload::decode_envelope(kVersion, sample.body);
    if (!decoded) s.SkipWithError("not decoded");
  });
}
BENCHMARK(ssz_decode)->Apply(sizes);

void snappy_compress(benchmark::State& state) {
  measure(state, [](const Sample& sample, auto&) {
    Bytes out;
    benchmark::DoNotOptimize(opstack::encoding::append_snappy_compressed(out, sample.body));
  });
}
BENCHMARK(snappy_compress)->Apply(sizes);

void snappy_decompress(benchmark::State& state) {
  measure(state, [](const Sample& sample, benchmark::State& s) {
    if (!opstack::encoding::snappy_decompress(*sample.message.data, opstack::rules::kMaxGossipSize))
      s.SkipWithError("not decompressed");
  });
}
BENCHMARK(snappy_decompress)->Apply(sizes);

void snappy_frames(benchmark::State& state) {
  measure(state, [](const Sample& sample, auto&) {
    Bytes out;
    opstack::encoding::append_snappy_frames(out, sample.body);
    benchmark::DoNotOptimize(out.data());
  });
}
BENCHMARK(snappy_frames)->Apply(sizes);

void message_id(benchmark::State& state) {
  measure(state, [](const Sample& sample, auto&) {
    benchmark::DoNotOptimize(opstack::rules::message_id(sample.message.topic, *sample.message.data));
  });
}
BENCHMARK(message_id)->Apply(sizes);

// The whole validator on one thread, as op-node's benchmark has it: decompression, signature, decoding, hash, fields.
void block_rules(benchmark::State& state) {
  const Sample sample(static_cast<std::size_t>(state.range(0)));
  opstack::rules::BlockRulesConfig config;
  config.chain_id = sample.made.chain.options().chain_id;
  config.version = kVersion;
  opstack::rules::BlockRules rules(config);
  opstack::rules::SignerState signers;
  const auto wall = from_unix_seconds(static_cast<std::int64_t>(sample.envelope.payload.timestamp));
  signers.rotate(crypto::secp256k1::address_of(sample.made.signer), wall);
  const ByteView message(*sample.message.data);
  (void)rules.judge(message, signers, wall);  // one that counts, as all before it on a chain
  for (auto _ : state) {
    auto examination = rules.begin(message, nullptr, signers, wall);
    examination.run();
    // The rules have seen the block: that is found out last.
    const auto outcome = rules.conclude(examination, signers);
    if (outcome->reason != opstack::rules::Reason::already_seen) state.SkipWithError("not seen");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(sample.body.size()));
}
BENCHMARK(block_rules)->Apply(sizes);

}  // namespace
