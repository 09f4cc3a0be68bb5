#include "opstack/rules/block_rules.hpp"

#include <algorithm>
#include <exception>
#include <set>
#include <utility>

#include "libp2p/base/assert.hpp"

namespace opstack::rules {
namespace {

constexpr std::size_t kRememberedHeights = 1000;
// With this many hashes at a height everything there is refused: six different blocks pass.
constexpr std::size_t kMaxBlocksAtHeight = 5;

void refuse(Outcome& out, Reason reason, Evidence evidence = {}) {
  out.verdict = Verdict::reject;
  out.reason = reason;
  out.evidence = std::move(evidence);
}
void refuse(Outcome& out, Finding& finding) { refuse(out, finding.reason, std::move(finding.evidence)); }

void ignore(Outcome& out, Reason reason) {
  out.verdict = Verdict::ignore;
  out.reason = reason;
}

void accept(Outcome& out) {
  out.verdict = Verdict::accept;
  out.reason = Reason::valid;
}

}  // namespace

Outcome check_block_fields(const BlockRulesConfig& config, const payload::Envelope& envelope) {
  Outcome out;
  Finding found = check_fields(config, envelope);
  if (found.passed())
    accept(out);
  else
    refuse(out, found);
  return out;
}

Outcome check_block_fields(const chain::RollupConfig& rollup, const payload::Envelope& envelope) {
  BlockRulesConfig config;
  config.version = rollup.payload_version(envelope.payload.timestamp);
  config.jovian_time = rollup.activation_time(chain::Fork::jovian);
  return check_block_fields(config, envelope);
}

payload::Block block_of(Version version, const Outcome& outcome) {
  OPP2P_ASSERT(outcome.envelope && outcome.contents, "only a block that was decoded has a body");
  payload::Block out(version, outcome.envelope,
                     payload::SharedSlice(outcome.contents).subslice(std::tuple_size_v<Signature>));
  out.header = outcome.header;
  return out;
}

BlockRules::BlockRules(BlockRulesConfig config)
    : config_(std::make_shared<const BlockRulesConfig>(std::move(config))), seen_(kRememberedHeights) {}

Examination BlockRules::begin(ByteView message, const SharedBytes& contents, const SignerState& signers,
                              UnixTime wall) const {
  Examination out(message, config_, expectation_, signers, wall);
  if (auto unpacked = out.unpack_part().run_without_decompressing(contents)) out.take(*std::move(unpacked));
  return out;
}

std::optional<Outcome> BlockRules::conclude(Examination& examination, SignerState& signers) {
  OPP2P_ASSERT(!examination.needs().contents && !examination.needs().signature,
               "a verdict needs the contents and the signature");
  Unpacked& unpacked = *examination.unpacked_;
  Outcome out;
  if (!unpacked.passed()) {
    refuse(out, unpacked);
    return out;
  }
  RecoveredSigner& signature = *examination.signer_;
  out.contents = unpacked.contents;
  out.signer = signature.signer;
  if (signature.reason == Reason::internal_error) {
    // Whoever the signers are, this message cannot be judged.
    refuse(out, signature);
    return out;
  }
  const bool counts = out.signer && signers.allows(*out.signer, examination.wall_);
  expectation_->on_signature(counts);
  if (!signers.configured()) {
    ignore(out, Reason::no_signer_configured);
    return out;
  }
  if (!counts) {
    if (out.signer) signature.evidence = SignerEvidence{*out.signer, *signers.current};
    refuse(out, Reason::invalid_signature, std::move(signature.evidence));
    return out;
  }
  if (!examination.block_) {
    examination.signers_ = signers;
    OPP2P_ASSERT(examination.needs().block, "the signature counts now, so the block is needed");
    return std::nullopt;
  }
  CheckedBlock& block = *examination.block_;
  out.by_previous_signer = !signers.is_current(*out.signer);
  if (!out.by_previous_signer) signers.confirm_current();
  out.envelope = std::move(block.envelope);
  out.actual_block_hash = block.actual_block_hash;
  out.header = std::move(block.header);
  if (!block.passed())
    refuse(out, block);
  else if (check_seen(out))
    accept(out);
  return out;
}

// Lines 17 to 19. False, and the outcome says why, for a block that is not new.
bool BlockRules::check_seen(Outcome& out) {
  const auto& p = out.envelope->payload;
  try {
    auto* hashes = seen_.get(p.block_number);
    if (hashes == nullptr) {
      seen_.put(p.block_number, {p.block_hash});
      return true;
    }
    if (hashes->size() > kMaxBlocksAtHeight) {
      refuse(out, Reason::too_many_blocks_at_height, p.block_number);
      return false;
    }
    if (std::find(hashes->begin(), hashes->end(), p.block_hash) != hashes->end()) {
      ignore(out, Reason::already_seen);
      return false;
    }
    hashes->push_back(p.block_hash);
    return true;
  } catch (const std::exception& thrown) {
    refuse(out, Reason::internal_error, thrown.what());
    return false;
  }
}

Outcome BlockRules::judge(ByteView message, SignerState& signers, UnixTime wall, const SharedBytes& contents) {
  Examination examination = begin(message, contents, signers, wall);
  examination.run();
  auto outcome = conclude(examination, signers);
  OPP2P_ASSERT(outcome.has_value(), "the signers are those of the examination, so it came far enough");
  return *std::move(outcome);
}

void BlockRules::check() const {
  OPP2P_CHECK(seen_.size() <= kRememberedHeights, "at most 1000 heights are remembered", seen_.size());
  for (const auto& [height, hashes] : seen_) {
    OPP2P_CHECK(!hashes.empty() && hashes.size() <= kMaxBlocksAtHeight + 1, "a height has one to six hashes", height,
                hashes.size());
    OPP2P_CHECK(std::set<Hash>(hashes.begin(), hashes.end()).size() == hashes.size(),
                "each hash is remembered once at its height", height);
  }
}

}  // namespace opstack::rules
