#include "sim/mischief.hpp"

#include "opstack/rules/block_message.hpp"
#include "opstack/rules/signing.hpp"
#include "opstack/rules/topics.hpp"

namespace opp2p::sim {
namespace payload = opstack::payload;
namespace {

constexpr std::uint64_t kStaleAge = 3600;  // seconds

// The layout that a block of `version` must not come in.
payload::Version other_layout(payload::Version version) {
  return version == payload::Version::v1 ? payload::Version::v2
                                         : static_cast<payload::Version>(static_cast<int>(version) - 1);
}

// What the other layout needs to be encodable.
void fit(Envelope& envelope, payload::Version version) {
  if (version >= payload::Version::v2 && !envelope.payload.withdrawals) envelope.payload.withdrawals.emplace();
}

}  // namespace

std::string_view to_string(Mischief kind) {
  switch (kind) {
    case Mischief::bad_signature: return "bad signature";
    case Mischief::wrong_hash: return "wrong block hash";
    case Mischief::stale: return "stale timestamp";
    case Mischief::wrong_version: return "wrong version";
    case Mischief::garbage: return "garbage";
  }
  return "unknown";
}

MischiefMaker::MischiefMaker(opstack::testing::ChainOptions options, const libp2p::crypto::secp256k1::Secret& signer,
                             libp2p::Rng& rng)
    : chain_(options, rng), signer_(signer), stranger_(libp2p::crypto::secp256k1::generate(rng)), rng_(rng) {}

BadMessage MischiefMaker::make(Mischief kind, std::uint64_t now) {
  const auto version = opstack::testing::version_of(chain_.options().fork);
  BadMessage out;
  out.topic = opstack::rules::blocks_topic(chain_.options().chain_id, version);
  if (kind == Mischief::garbage) {
    // A plausible length in front, then nothing that snappy could have written.
    out.data = {0x80, 0x08};
    for (int i = 0; i < 64; ++i) out.data.push_back(static_cast<std::uint8_t>(0xf8 | rng_.below(8)));
    return out;
  }
  auto envelope = chain_.next();
  envelope.payload.timestamp = kind == Mischief::stale ? now - kStaleAge : now;
  envelope.payload.block_hash = payload::compute_block_hash(envelope);
  if (kind == Mischief::wrong_hash) envelope.payload.block_hash[31] ^= 1;
  const auto layout = kind == Mischief::wrong_version ? other_layout(version) : version;
  fit(envelope, layout);
  const auto body = payload::encode_envelope(layout, envelope);
  const auto& key = kind == Mischief::bad_signature ? stranger_ : signer_;
  out.data = opstack::rules::compress_message(opstack::rules::sign_body(key, chain_.options().chain_id, body), body);
  return out;
}

}  // namespace opp2p::sim
