#include "node/block_watch.hpp"

#include <algorithm>

namespace opp2p::node {
namespace {

using opstack::gossip::Reason;

constexpr std::string_view kSignerOption = "--p2p.unsafe.block.signer";

LikelyCause cause_around(const Surroundings& around) {
  if (around.peers == 0 && around.static_peers == 0)
    return {"no peer is connected, and none is configured", "--p2p.static"};
  if (around.peers == 0)
    return {"no peer is connected; the lines 'error dialing static peer' say why not", "--p2p.static"};
  if (around.topic_peers == 0 && around.other_chain > 0)
    return {"the connected peers serve another chain; the rollup configuration or the static peers are of the wrong "
            "one",
            "--rollup.config, --p2p.static"};
  if (around.topic_peers == 0)
    return {"no connected peer takes part in the block topics of this chain; they may be of another chain",
            "--rollup.config, --p2p.static"};
  return {"the peers of this chain send no blocks; the sequencer may have stopped", ""};
}

}  // namespace

void BlockWatch::on_refused(const opstack::gossip::Outcome& outcome, libp2p::MonoTime now) {
  ++refused_;
  ++by_reason_[static_cast<std::size_t>(outcome.reason)];
  if (outcome.reason == Reason::invalid_signature || outcome.reason == Reason::no_signer_configured) {
    // A signature that is nobody's counts as another signer.
    if (!outcome.signer || (signer_ && *signer_ != *outcome.signer)) several_signers_ = true;
    if (!signer_) signer_ = outcome.signer;
  }
  if (!accepted_ && !noticed_ && refused_ >= kEnough) due_ = std::min(due_, std::max(now, last_ + kSoonest));
}

std::optional<libp2p::Nanos> BlockWatch::on_accepted(libp2p::MonoTime now) {
  std::optional<libp2p::Nanos> waited;
  if (noticed_) waited = now - last_;
  accepted_ = true;
  noticed_ = false;
  last_ = std::max(last_, now);
  due_ = last_ + patience_;
  if (refused_ > 0) {
    refused_ = 0;
    by_reason_ = {};
    signer_.reset();
    several_signers_ = false;
  }
  return waited;
}

std::optional<Stall> BlockWatch::on_timeout(libp2p::MonoTime now, const Surroundings& around) {
  if (now < due_) return std::nullopt;
  due_ = now + kAgain;
  noticed_ = true;
  Stall out;
  out.since_start = !accepted_;
  out.waited = now - last_;
  out.refused = refused_;
  out.reason = most_frequent();
  if (!several_signers_) out.signed_by = signer_;
  out.cause = out.reason ? cause_of_refusals(*out.reason) : cause_around(around);
  return out;
}

std::optional<Reason> BlockWatch::most_frequent() const {
  if (refused_ == 0) return std::nullopt;
  return static_cast<Reason>(std::max_element(by_reason_.begin(), by_reason_.end()) - by_reason_.begin());
}

LikelyCause BlockWatch::cause_of_refusals(Reason reason) const {
  switch (reason) {
    case Reason::no_signer_configured:
      return {"it is not configured whose blocks count; give the address of the chain's unsafe block signer",
              kSignerOption};
    case Reason::invalid_signature:
      if (several_signers_)
        return {"the signatures are not one signer's: the chain id of the rollup configuration may be wrong, or peers "
                "forge blocks",
                "--rollup.config"};
      return {"the blocks are signed by another address than the configured one; when the chain's unsafe block signer "
              "is the address in signed_by, configure that",
              kSignerOption};
    case Reason::too_old:
      return {"the blocks are too old when they arrive: the clock of this machine may be ahead; check it", ""};
    case Reason::too_new:
      return {"the blocks come from the future: the clock of this machine may be behind; check it", ""};
    case Reason::invalid_snappy_length:
    case Reason::decoded_length_too_large:
    case Reason::undersized:
    case Reason::invalid_snappy:
      return {"the peers send messages that are no blocks", "--p2p.static"};
    case Reason::too_many_blocks_at_height:
      return {"the sequencer signs many blocks at one height", ""};
    case Reason::extra_rule:
      return {"the blocks break a rule of this node", ""};
    case Reason::internal_error:
    case Reason::valid:
    case Reason::already_seen:
      return {"this node could not check the blocks; it may be overloaded", ""};
    default:
      return {"the blocks do not fit the fork of their topic: the rollup configuration may be of another chain, or "
              "lack a hard fork that this version may not know either",
              "--rollup.config"};
  }
}

}  // namespace opp2p::node
