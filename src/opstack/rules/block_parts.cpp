#include "opstack/rules/block_parts.hpp"

#include <algorithm>
#include <exception>
#include <span>
#include <vector>

#include "libp2p/base/assert.hpp"
#include "libp2p/crypto/keccak_many.hpp"
#include "opstack/encoding/ordered_trie.hpp"
#include "opstack/encoding/snappy_block.hpp"

namespace opstack::rules {
namespace {

// Always false, so that a check can end with it.
bool refuse(Finding& out, Reason reason, Evidence evidence = {}) {
  out.reason = reason;
  out.evidence = std::move(evidence);
  return false;
}

payload::SharedSlice body_of(const SharedBytes& contents) {
  OPP2P_ASSERT(contents != nullptr && contents->size() >= kMinGossipSize && contents->size() <= kMaxGossipSize,
               "the contents of a message have been unpacked");
  return payload::SharedSlice(contents).subslice(kSignatureSize);
}

// Line 11; lines 12 to 14.
bool check_withdrawals(const BlockRulesConfig& config, const payload::ExecutionPayload& p, Finding& out) {
  if (!has_withdrawals(config.version)) return !p.withdrawals || refuse(out, Reason::unexpected_withdrawals);
  if (!p.withdrawals) return refuse(out, Reason::missing_withdrawals);
  return p.withdrawals->empty() || refuse(out, Reason::non_empty_withdrawals, std::uint64_t{p.withdrawals->size()});
}
bool check_blob_gas(const BlockRulesConfig& config, const payload::ExecutionPayload& p, Finding& out) {
  if (!has_blob_gas(config.version)) {
    if (p.blob_gas_used) return refuse(out, Reason::unexpected_blob_gas_used);
    return !p.excess_blob_gas || refuse(out, Reason::unexpected_excess_blob_gas);
  }
  const bool jovian = config.jovian_time && p.timestamp >= *config.jovian_time;
  if (!p.blob_gas_used) return refuse(out, Reason::missing_blob_gas_used);
  if (*p.blob_gas_used != 0 && !jovian) return refuse(out, Reason::non_zero_blob_gas_used, *p.blob_gas_used);
  if (!p.excess_blob_gas) return refuse(out, Reason::missing_excess_blob_gas);
  return *p.excess_blob_gas == 0 || refuse(out, Reason::non_zero_excess_blob_gas, *p.excess_blob_gas);
}

// May throw what the extra rule throws.
bool check_all_fields(const BlockRulesConfig& config, const payload::Envelope& envelope, Finding& out) {
  const auto& p = envelope.payload;
  if (!check_withdrawals(config, p, out) || !check_blob_gas(config, p, out)) return false;
  if (has_parent_beacon_block_root(config.version) && !envelope.parent_beacon_block_root)
    return refuse(out, Reason::missing_parent_beacon_block_root);
  if (has_withdrawals_root(config.version) && !p.withdrawals_root) return refuse(out, Reason::missing_withdrawals_root);
  if (config.extra_rule)
    if (auto why = config.extra_rule(envelope)) return refuse(out, Reason::extra_rule, *std::move(why));
  return true;
}

// Lines 8 and 9. Whole seconds, and never below zero: a clock before 1970 must not turn the comparisons around.
bool check_time(const BlockRulesConfig& config, std::uint64_t timestamp, UnixTime wall, Finding& out) {
  const std::int64_t now = std::max<std::int64_t>(0, unix_seconds(wall));
  const std::int64_t oldest = std::max<std::int64_t>(0, now - config.max_age.count());
  const auto evidence = [&](std::int64_t allowed) {
    return TimeEvidence{timestamp, static_cast<std::uint64_t>(now), allowed};
  };
  if (timestamp < static_cast<std::uint64_t>(oldest))
    return refuse(out, Reason::too_old, evidence(config.max_age.count()));
  return timestamp <= static_cast<std::uint64_t>(now + kMaxFutureSeconds) ||
         refuse(out, Reason::too_new, evidence(kMaxFutureSeconds));
}

// Lines 7 to 16 and the extra rule. `make_header` makes header and hash from the fields.
template <class MakeHeader>
CheckedBlock check_block(const BlockPart& part, MakeHeader make_header) {
  CheckedBlock out;
  try {
    auto decoded = payload::decode_envelope(part.config->version, body_of(part.contents));
    if (!decoded) {
      const bool envelope = has_parent_beacon_block_root(part.config->version);
      refuse(out, envelope ? Reason::invalid_envelope : Reason::invalid_payload, decoded.error().message());
      return out;
    }
    out.envelope = std::make_shared<const payload::Envelope>(std::move(*decoded));
    const auto& p = out.envelope->payload;
    if (!check_time(*part.config, p.timestamp, part.wall, out)) return out;
    payload::HashedHeader header = make_header(*out.envelope);
    out.actual_block_hash = header.hash;
    out.header = libp2p::share(std::move(header.rlp));
    if (*out.actual_block_hash != p.block_hash) {
      refuse(out, Reason::bad_block_hash, HashEvidence{p.block_hash, *out.actual_block_hash});
      return out;
    }
    if (check_all_fields(*part.config, *out.envelope, out)) out.reason = Reason::valid;
  } catch (const std::exception& thrown) {
    refuse(out, Reason::internal_error, thrown.what());
  }
  return out;
}

// payload::make_header() with something else to hash beside its two steps. This is the only place that knows
// both of the block's hash and of another beside it.
payload::HashedHeader make_header_beside(const payload::Envelope& envelope, libp2p::crypto::KeccakBeside& beside) {
  const Hash root = opstack::encoding::ordered_trie_root(envelope.payload.transactions.views(), &beside);
  payload::HashedHeader out;
  out.rlp = payload::encode_header(envelope, root);
  out.hash = libp2p::crypto::keccak256({{}, out.rlp}, &beside);
  return out;
}

}  // namespace

std::optional<Unpacked> UnpackPart::run_without_decompressing(const SharedBytes& contents) const {
  Unpacked out;
  const auto length = opstack::encoding::snappy_decoded_length(message);
  if (!length) {
    refuse(out, Reason::invalid_snappy_length, length.error().message());
  } else if (*length > kMaxGossipSize) {
    refuse(out, Reason::decoded_length_too_large, std::uint64_t{*length});
  } else if (*length < kMinGossipSize) {
    refuse(out, Reason::undersized, std::uint64_t{*length});
  } else if (contents != nullptr) {
    OPP2P_ASSERT(contents->size() == *length, "the contents given are those of the message", contents->size(), *length);
    out.reason = Reason::valid;
    out.contents = contents;
  } else {
    return std::nullopt;
  }
  return out;
}

Unpacked UnpackPart::run() const {
  Unpacked out;
  try {
    if (auto refused = run_without_decompressing(nullptr)) return *std::move(refused);
    auto contents = opstack::encoding::snappy_decompress(message, kMaxGossipSize);
    if (!contents) {
      refuse(out, Reason::invalid_snappy, contents.error().message());
      return out;
    }
    out.contents = libp2p::share(std::move(*contents));
    out.reason = Reason::valid;
  } catch (const std::exception& thrown) {
    // As with the reference, whatever goes wrong inside is the message's fault.
    refuse(out, Reason::internal_error, thrown.what());
  }
  return out;
}

RecoveredSigner SignaturePart::run() const { return run_with(payload_hash(body_of(contents))); }

RecoveredSigner SignaturePart::run_with(const Hash& payload_hash) const {
  RecoveredSigner out;
  try {
    const Hash signed_hash = signing_hash(chain_id, payload_hash);
    const auto signer =
        libp2p::crypto::secp256k1::recover_address(signed_hash, ByteView(*contents).first(kSignatureSize));
    if (!signer) {
      refuse(out, Reason::invalid_signature, signer.error().message());
      return out;
    }
    out.signer = *signer;
    out.reason = Reason::valid;
  } catch (const std::exception& thrown) {
    refuse(out, Reason::internal_error, thrown.what());
  }
  return out;
}

CheckedBlock BlockPart::run() const {
  return check_block(*this, [](const payload::Envelope& envelope) { return payload::make_header(envelope); });
}

SignatureAndBlock run_together(const SignaturePart& signature, const BlockPart& block) {
  OPP2P_ASSERT(signature.contents == block.contents, "both parts are of one message");
  libp2p::crypto::KeccakBeside body(body_of(block.contents));
  auto checked =
      check_block(block, [&body](const payload::Envelope& envelope) { return make_header_beside(envelope, body); });
  return {signature.run_with(body.finish()), std::move(checked)};
}

Finding check_fields(const BlockRulesConfig& config, const payload::Envelope& envelope) {
  Finding out;
  try {
    if (check_all_fields(config, envelope, out)) out.reason = Reason::valid;
  } catch (const std::exception& thrown) {
    refuse(out, Reason::internal_error, thrown.what());
  }
  return out;
}

}  // namespace opstack::rules
