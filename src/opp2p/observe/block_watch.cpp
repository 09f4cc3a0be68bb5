#include "opp2p/observe/block_watch.hpp"

#include <algorithm>
#include <numeric>

#include "libp2p/base/assert.hpp"

namespace opp2p {
namespace {

using opstack::rules::Reason;

constexpr std::string_view kSignerOption = "--p2p.unsafe.block.signer";

LikelyCause cause_around(const Surroundings& around) {
  if (around.peers == 0 && around.static_peers == 0)
    return {"no peer is connected, and none is configured", "--p2p.static"};
  if (around.peers == 0)
    return {"no peer is connected; lines 'error dialing static peer' or 'error reconnecting to static peer' say why",
            "--p2p.static"};
  if (around.static_peers > 0 && around.static_present == 0)
    return {
        "none of the static peers is connected; the lines 'error dialing static peer' or 'error reconnecting' say why",
        "--p2p.static"};
  if (around.topic_peers == 0 && around.other_chain > 0)
    return {
        "the connected peers serve another chain; the rollup configuration or the static peers are of the wrong "
        "one",
        "--rollup.config, --p2p.static"};
  if (around.topic_peers == 0)
    return {"no connected peer takes part in the block topics of this chain; they may be of another chain",
            "--rollup.config, --p2p.static"};
  return {"the peers of this chain send no blocks; the sequencer may have stopped", ""};
}

}  // namespace

void BlockWatch::Refusals::add(const opstack::rules::Outcome& outcome) {
  OPP2P_ASSERT(static_cast<std::size_t>(outcome.reason) < by_reason.size(), "each reason has a counter",
               static_cast<std::size_t>(outcome.reason));
  ++count;
  ++by_reason[static_cast<std::size_t>(outcome.reason)];
  if (outcome.reason != Reason::invalid_signature && outcome.reason != Reason::no_signer_configured) return;
  // A signature that is nobody's counts as another signer.
  if (!outcome.signer || (signer && *signer != *outcome.signer)) several_signers = true;
  if (!signer) signer = outcome.signer;
}

void BlockWatch::on_refused(const opstack::rules::Outcome& outcome, libp2p::MonoTime now, bool of_static) {
  auto& refusals = of_static ? of_static_ : of_others_;
  refusals.add(outcome);
  if (!accepted_ && !noticed_ && refusals.count >= kEnough) due_ = std::min(due_, std::max(now, last_ + kSoonest));
}

void BlockWatch::forget_refusals() {
  if (of_static_.count > 0) of_static_ = {};
  if (of_others_.count > 0) of_others_ = {};
}

std::optional<libp2p::Nanos> BlockWatch::on_accepted(libp2p::MonoTime now) {
  std::optional<libp2p::Nanos> waited;
  if (noticed_) waited = now - last_;
  accepted_ = true;
  noticed_ = false;
  last_ = std::max(last_, now);
  due_ = last_ + patience_;
  forget_refusals();
  return waited;
}

std::optional<Stall> BlockWatch::on_timeout(libp2p::MonoTime now, const Surroundings& around) {
  if (now < due_) return std::nullopt;
  due_ = now + kAgain;
  noticed_ = true;
  Stall out;
  out.since_start = !accepted_;
  out.waited = now - last_;
  out.refused = of_static_.count + of_others_.count;
  OPP2P_ASSERT(last_ <= now, "a notice comes after the last accepted block", out.waited.count());
  const auto& telling = of_static_.count > 0 ? of_static_ : of_others_;
  const bool only_strangers = around.static_peers > 0 && around.static_present == 0 && of_static_.count == 0;
  if (telling.count == 0 || around.peers == 0 || only_strangers) {
    out.cause = cause_around(around);
  } else {
    out.reason = telling.most_frequent();
    if (!telling.several_signers) out.signed_by = telling.signer;
    out.cause = telling.cause(accepted_);
  }
  forget_refusals();
  return out;
}

void BlockWatch::check() const {
  of_static_.check();
  of_others_.check();
  OPP2P_CHECK(due_ >= last_, "the next notice comes after the last accepted block");
}

void BlockWatch::Refusals::check() const {
  const auto counted = std::accumulate(by_reason.begin(), by_reason.end(), std::uint64_t{0});
  OPP2P_CHECK(counted == count, "each refused block has a reason", counted, count);
  OPP2P_CHECK(count > 0 || (!signer && !several_signers), "signers are those of refused blocks");
}

Reason BlockWatch::Refusals::most_frequent() const {
  return static_cast<Reason>(std::max_element(by_reason.begin(), by_reason.end()) - by_reason.begin());
}

LikelyCause BlockWatch::Refusals::cause(bool accepted_before) const {
  switch (most_frequent()) {
    case Reason::no_signer_configured:
      return {"it is not configured whose blocks count; give the address of the chain's unsafe block signer",
              kSignerOption};
    case Reason::invalid_signature:
      if (accepted_before)
        return {
            "none comes of the configured signer, whose blocks were accepted before: the sequencer may have stopped, "
            "and peers forge blocks, or the chain has a new signer",
            kSignerOption};
      if (several_signers)
        return {
            "the signatures are not one signer's: the chain id of the rollup configuration may be wrong, or peers "
            "forge blocks",
            "--rollup.config"};
      return {
          "the blocks are signed by another address than the configured one; when the chain's unsafe block signer "
          "is the address in signed_by, configure that",
          kSignerOption};
    case Reason::too_old:
      return {"the blocks are too old when they arrive: the clock of this machine may be ahead; check it", ""};
    case Reason::too_new:
      return {"the blocks come from the future: the clock of this machine may be behind; check it", ""};
    case Reason::invalid_snappy_length:
    case Reason::decoded_length_too_large:
    case Reason::undersized:
    case Reason::invalid_snappy: return {"the peers send messages that are no blocks", "--p2p.static"};
    case Reason::too_many_blocks_at_height: return {"the sequencer signs many blocks at one height", ""};
    case Reason::extra_rule: return {"the blocks break a rule of this node", ""};
    case Reason::internal_error:
    case Reason::validation_queue_full:
    case Reason::valid:
    case Reason::already_seen: return {"this node could not check the blocks; it may be overloaded", ""};
    default:
      return {
          "the blocks do not fit the fork of their topic: the rollup configuration may be of another chain, or "
          "lack a hard fork that this version may not know either",
          "--rollup.config"};
  }
}

}  // namespace opp2p
