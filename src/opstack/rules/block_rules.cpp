#include "opstack/rules/block_rules.hpp"

#include <algorithm>
#include <exception>

#include "opstack/encoding/snappy_block.hpp"

namespace opstack::rules {
namespace {

constexpr std::size_t kSignatureSize = 65;
constexpr std::int64_t kMaxFutureSeconds = 5;
constexpr std::size_t kRememberedHeights = 1000;
// With this many hashes at a height everything there is refused: six different blocks pass.
constexpr std::size_t kMaxBlocksAtHeight = 5;

struct ReasonText {
  std::string_view label;
  std::string_view text;
};

constexpr std::array<ReasonText, kReasonCount> kReasons = {{
    {"valid", "valid block"},
    {"invalid_snappy_length", "invalid snappy compression length data"},
    {"decoded_length_too_large", "possible snappy zip bomb, decoded length is too large"},
    {"undersized", "rejecting undersized gossip payload"},
    {"invalid_snappy", "invalid snappy compression"},
    {"no_signer_configured", "no configured p2p sequencer address, ignoring gossiped block"},
    {"invalid_signature", "invalid block signature"},
    {"invalid_payload", "invalid execution payload"},
    {"invalid_envelope", "invalid envelope payload"},
    {"too_old", "payload is too old"},
    {"too_new", "payload is too new"},
    {"bad_block_hash", "payload has bad block hash"},
    {"unexpected_withdrawals", "payload has withdrawals, which its topic does not have"},
    {"missing_withdrawals", "payload has no withdrawals, which its topic requires"},
    {"non_empty_withdrawals", "payload has withdrawals in its list, which must be empty"},
    {"unexpected_blob_gas_used", "payload has blob gas used, which its topic does not have"},
    {"unexpected_excess_blob_gas", "payload has excess blob gas, which its topic does not have"},
    {"missing_blob_gas_used", "payload has no blob gas used, which its topic requires"},
    {"non_zero_blob_gas_used", "payload has blob gas used before Jovian"},
    {"missing_excess_blob_gas", "payload has no excess blob gas, which its topic requires"},
    {"non_zero_excess_blob_gas", "payload has excess blob gas, which must be zero"},
    {"missing_parent_beacon_block_root", "payload has no parent beacon block root, which its topic requires"},
    {"missing_withdrawals_root", "payload has no withdrawals root, which its topic requires"},
    {"extra_rule", "payload breaks a rule of this node"},
    {"too_many_blocks_at_height", "seen too many different blocks at same height"},
    {"already_seen", "validated already seen message again"},
    {"internal_error", "the check of this message failed"},
}};

// Always false, so that a check can end with it.
bool refuse(Outcome& out, Reason reason, std::string detail = {}) {
  out.verdict = Verdict::reject;
  out.reason = reason;
  out.detail = std::move(detail);
  return false;
}

void accept(Outcome& out) {
  out.verdict = Verdict::accept;
  out.reason = Reason::valid;
}

bool check_fields(const BlockRulesConfig& config, const payload::Envelope& envelope, Outcome& out) {
  const auto& p = envelope.payload;
  if (!has_withdrawals(config.version)) {
    if (p.withdrawals) return refuse(out, Reason::unexpected_withdrawals);
  } else {
    if (!p.withdrawals) return refuse(out, Reason::missing_withdrawals);
    if (!p.withdrawals->empty())
      return refuse(out, Reason::non_empty_withdrawals, std::to_string(p.withdrawals->size()) + " withdrawals");
  }
  if (!has_blob_gas(config.version)) {
    if (p.blob_gas_used) return refuse(out, Reason::unexpected_blob_gas_used);
    if (p.excess_blob_gas) return refuse(out, Reason::unexpected_excess_blob_gas);
  } else {
    const bool jovian = config.jovian_time && p.timestamp >= *config.jovian_time;
    if (!p.blob_gas_used) return refuse(out, Reason::missing_blob_gas_used);
    if (*p.blob_gas_used != 0 && !jovian)
      return refuse(out, Reason::non_zero_blob_gas_used, "blob_gas_used " + std::to_string(*p.blob_gas_used));
    if (!p.excess_blob_gas) return refuse(out, Reason::missing_excess_blob_gas);
    if (*p.excess_blob_gas != 0)
      return refuse(out, Reason::non_zero_excess_blob_gas, "excess_blob_gas " + std::to_string(*p.excess_blob_gas));
  }
  if (has_parent_beacon_block_root(config.version) && !envelope.parent_beacon_block_root)
    return refuse(out, Reason::missing_parent_beacon_block_root);
  if (has_withdrawals_root(config.version) && !p.withdrawals_root) return refuse(out, Reason::missing_withdrawals_root);
  if (config.extra_rule)
    if (auto why = config.extra_rule(envelope)) return refuse(out, Reason::extra_rule, *std::move(why));
  return true;
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::accept: return "accept";
    case Verdict::ignore: return "ignore";
    case Verdict::reject: break;
  }
  return "reject";
}

std::string_view to_string(Reason reason) { return kReasons[static_cast<std::size_t>(reason)].text; }
std::string_view reason_label(Reason reason) { return kReasons[static_cast<std::size_t>(reason)].label; }

std::string Outcome::text() const {
  std::string out(to_string(reason));
  if (!detail.empty()) out += " (" + detail + ")";
  return out;
}

void SignerState::rotate(std::optional<Address> next, UnixTime now) {
  if (next && *next == Address{}) next.reset();
  if (configured() ? next == current : !next) return;
  if (configured()) {
    previous = current;
    previous_until = now + kSignerGracePeriod;
  }
  current = next;
}

Outcome check_block_fields(const BlockRulesConfig& config, const payload::Envelope& envelope) {
  Outcome out;
  try {
    if (check_fields(config, envelope, out)) accept(out);
  } catch (const std::exception& thrown) {
    refuse(out, Reason::internal_error, thrown.what());
  }
  return out;
}

Outcome check_block_fields(const chain::RollupConfig& rollup, const payload::Envelope& envelope) {
  BlockRulesConfig config;
  config.version = rollup.payload_version(envelope.payload.timestamp);
  config.jovian_time = rollup.activation_time(chain::Fork::jovian);
  return check_block_fields(config, envelope);
}

BlockRules::BlockRules(BlockRulesConfig config) : config_(std::move(config)), seen_(kRememberedHeights) {}

bool BlockRules::unpack(ByteView raw, const SharedBytes& decompressed, Outcome& out) const {
  const auto length = opstack::encoding::snappy_decoded_length(raw);
  if (!length) return refuse(out, Reason::invalid_snappy_length, length.error().message());
  if (*length > kMaxGossipSize)
    return refuse(out, Reason::decoded_length_too_large, "decoded_length " + std::to_string(*length));
  if (*length < kMinGossipSize)
    return refuse(out, Reason::undersized, std::to_string(*length) + " bytes, at least 66 are expected");
  if (decompressed != nullptr) {
    out.contents = decompressed;
    return true;
  }
  auto contents = opstack::encoding::snappy_decompress(raw, kMaxGossipSize);
  if (!contents) return refuse(out, Reason::invalid_snappy, contents.error().message());
  out.contents = libp2p::share(std::move(*contents));
  return true;
}

DecodedBlock BlockRules::decode(ByteView contents, bool with_hash, libp2p::crypto::KeccakBeside* beside) const {
  DecodedBlock out;
  try {
    auto decoded = payload::decode_envelope(config_.version, contents.subspan(kSignatureSize));
    if (!decoded) {
      const bool envelope = has_parent_beacon_block_root(config_.version);
      out.reason = envelope ? Reason::invalid_envelope : Reason::invalid_payload;
      out.detail = decoded.error().message();
      return out;
    }
    auto block = std::make_shared<const payload::Envelope>(std::move(*decoded));
    if (with_hash) out.block_hash = payload::compute_block_hash(*block, beside);
    out.envelope = std::move(block);
  } catch (const std::exception& thrown) {
    out.detail = thrown.what();
  }
  return out;
}

void BlockRules::check_block(Examined& examined, const DecodedBlock& decoded) const {
  Outcome& out = examined.outcome;
  if (!decoded.envelope) {
    refuse(out, decoded.reason, decoded.detail);
    return;
  }
  out.envelope = decoded.envelope;
  const auto& p = out.envelope->payload;

  // Whole seconds, and never below zero: a clock before 1970 must not turn the comparisons around.
  const std::int64_t now = std::max<std::int64_t>(0, unix_seconds(examined.wall));
  const auto oldest = static_cast<std::uint64_t>(std::max<std::int64_t>(0, now - config_.max_age.count()));
  const std::string times = "timestamp " + std::to_string(p.timestamp) + ", now " + std::to_string(now);
  if (p.timestamp < oldest) {
    refuse(out, Reason::too_old, times + ", " + std::to_string(config_.max_age.count()) + " s are allowed");
    return;
  }
  if (p.timestamp > static_cast<std::uint64_t>(now + kMaxFutureSeconds)) {
    refuse(out, Reason::too_new, times + ", 5 s are allowed");
    return;
  }
  out.actual_block_hash = decoded.block_hash ? *decoded.block_hash : payload::compute_block_hash(*out.envelope);
  if (*out.actual_block_hash != p.block_hash) {
    refuse(out, Reason::bad_block_hash,
           "bad_hash " + libp2p::to_hex0x(p.block_hash) + ", actual " + libp2p::to_hex0x(*out.actual_block_hash));
    return;
  }
  if (check_fields(config_, *out.envelope, out)) accept(out);
}

Examined BlockRules::examine(ByteView raw, const SharedBytes& decompressed, const SignerState& signers,
                             UnixTime wall) const {
  Examined examined = unpacked(raw, decompressed, wall);
  if (examined.before_signature) return examined;
  const ByteView contents(*examined.outcome.contents);
  if (!expects_to_count(contents.size())) {
    check_signature(examined, payload_hash(contents.subspan(kSignatureSize)), signers);
    if (examined.signer_counts) complete(examined, decode(contents, false));
    return examined;
  }
  libp2p::crypto::KeccakBeside body(contents.subspan(kSignatureSize));
  const DecodedBlock decoded = decode(contents, true, &body);
  check_signature(examined, body.finish(), signers);
  if (examined.signer_counts) complete(examined, decoded);
  return examined;
}

Examined BlockRules::examine_signature(ByteView raw, const SharedBytes& decompressed, const SignerState& signers,
                                       UnixTime wall) const {
  Examined examined = unpacked(raw, decompressed, wall);
  if (examined.before_signature) return examined;
  const ByteView contents(*examined.outcome.contents);
  check_signature(examined, payload_hash(contents.subspan(kSignatureSize)), signers);
  return examined;
}

Examined BlockRules::unpacked(ByteView raw, const SharedBytes& decompressed, UnixTime wall) const {
  Examined examined;
  examined.wall = wall;
  try {
    examined.before_signature = !unpack(raw, decompressed, examined.outcome);
  } catch (const std::exception& thrown) {
    // As with the reference, whatever goes wrong inside is the message's fault. Signers that change change nothing
    // here.
    refuse(examined.outcome, Reason::internal_error, thrown.what());
    examined.before_signature = true;
  }
  return examined;
}

void BlockRules::check_signature(Examined& examined, const Hash& payload_hash, const SignerState& signers) const {
  Outcome& out = examined.outcome;
  try {
    const Hash signed_hash = signing_hash(config_.chain_id, payload_hash);
    auto signer =
        libp2p::crypto::secp256k1::recover_address(signed_hash, ByteView(*out.contents).first(kSignatureSize));
    if (signer)
      out.signer = *signer;
    else
      out.detail = signer.error().message();
    examined.signer_counts = out.signer && signers.allows(*out.signer, examined.wall);
  } catch (const std::exception& thrown) {
    refuse(out, Reason::internal_error, thrown.what());
    examined.before_signature = true;
  }
}

void BlockRules::complete(Examined& examined, const DecodedBlock& decoded) const {
  try {
    check_block(examined, decoded);
  } catch (const std::exception& thrown) {
    refuse(examined.outcome, Reason::internal_error, thrown.what());
  }
}

void BlockRules::check_seen(Outcome& out) {
  const auto& p = out.envelope->payload;
  auto* hashes = seen_.get(p.block_number);
  if (hashes == nullptr) {
    seen_.put(p.block_number, {});
    hashes = seen_.get(p.block_number);
  }
  if (hashes->size() > kMaxBlocksAtHeight) {
    refuse(out, Reason::too_many_blocks_at_height, "height " + std::to_string(p.block_number));
    return;
  }
  if (std::find(hashes->begin(), hashes->end(), p.block_hash) != hashes->end()) {
    out.verdict = Verdict::ignore;
    out.reason = Reason::already_seen;
    return;
  }
  hashes->push_back(p.block_hash);
}

std::optional<Outcome> BlockRules::conclude(Examined examined, SignerState& signers) {
  Outcome& out = examined.outcome;
  if (examined.before_signature) return std::move(out);
  hopeful_.store(examined.signer_counts, std::memory_order_relaxed);
  if (!signers.configured()) {
    out.verdict = Verdict::ignore;
    out.reason = Reason::no_signer_configured;
    out.detail.clear();
    return std::move(out);
  }
  if (!out.signer || !signers.allows(*out.signer, examined.wall)) {
    refuse(out, Reason::invalid_signature,
           out.signer
               ? "signed by " + libp2p::to_hex0x(*out.signer) + ", expected " + libp2p::to_hex0x(*signers.current)
               : out.detail);
    return std::move(out);
  }
  if (!examined.signer_counts) return std::nullopt;
  out.by_previous_signer = !signers.is_current(*out.signer);
  if (!out.by_previous_signer) signers.confirm_current();
  if (out.verdict != Verdict::accept) return std::move(out);
  try {
    check_seen(out);
  } catch (const std::exception& thrown) {
    refuse(out, Reason::internal_error, thrown.what());
  }
  return std::move(out);
}

Outcome BlockRules::check(ByteView raw, SignerState& signers, UnixTime wall, const SharedBytes& decompressed) {
  // With the signers that the examination saw the conclusion never asks for another.
  return *conclude(examine(raw, decompressed, signers, wall), signers);
}

}  // namespace opstack::rules
