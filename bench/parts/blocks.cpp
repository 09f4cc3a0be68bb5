// The cost of a block: tries, SSZ, snappy, message id, rules. The sizes are those of the transactions, which have about
// 200 bytes each.
#include <benchmark/benchmark.h>

#include <optional>

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

// A message of a signer whose last signature counted, as all but the first on a chain.
struct Judged {
  explicit Judged(std::size_t size) : sample(size) {
    opstack::rules::BlockRulesConfig config;
    config.chain_id = sample.made.chain.options().chain_id;
    config.version = kVersion;
    rules.emplace(config);
    wall = from_unix_seconds(static_cast<std::int64_t>(sample.envelope.payload.timestamp));
    signers.rotate(crypto::secp256k1::address_of(sample.made.signer), wall);
    (void)rules->judge(message(), signers, wall);
  }
  ByteView message() const { return *sample.message.data; }
  opstack::rules::Examination begin(const SharedBytes& contents = nullptr) const {
    return rules->begin(message(), contents, signers, wall);
  }
  // The parts of the message, once it is unpacked.
  opstack::rules::Examination unpacked() const {
    auto out = begin();
    out.take(out.unpack_part().run());
    return out;
  }
  Sample sample;
  std::optional<opstack::rules::BlockRules> rules;
  opstack::rules::SignerState signers;
  UnixTime wall;
};

// The whole validator on one thread, as op-node's benchmark has it: decompression, signature, decoding, hash, fields.
void block_rules(benchmark::State& state) {
  Judged judged(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    auto examination = judged.begin();
    examination.run();
    // The rules have seen the block: that is found out last.
    const auto outcome = judged.rules->conclude(examination, judged.signers);
    if (outcome->reason != opstack::rules::Reason::already_seen) state.SkipWithError("not seen");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(judged.sample.body.size()));
}
BENCHMARK(block_rules)->Apply(sizes);

// The two parts that two workers run side by side: the longer one is how long the validation takes.
void signature_part(benchmark::State& state) {
  const Judged judged(static_cast<std::size_t>(state.range(0)));
  const auto part = judged.unpacked().signature_part();
  for (auto _ : state)
    if (!part.run().passed()) state.SkipWithError("nobody's signature");
}
BENCHMARK(signature_part)->Apply(sizes);

void block_part(benchmark::State& state) {
  const Judged judged(static_cast<std::size_t>(state.range(0)));
  const auto part = judged.unpacked().block_part();
  for (auto _ : state)
    if (!part.run().passed()) state.SkipWithError("refused");
}
BENCHMARK(block_part)->Apply(sizes);

}  // namespace
