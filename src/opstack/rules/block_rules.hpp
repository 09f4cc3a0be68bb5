// Decides about the gossiped blocks of one topic: accept, reject or ignore, in the order of op-node's checks. begin()
// opens the examination of a message, conclude() gives the verdict; the work in between is in parts that may run
// anywhere (examination.hpp). Verdicts are those of judge() called in the order of the conclude() calls, whatever the
// order in which the parts ran.
//
// A pure engine, one instance for each topic. Owner: the subscriber of the topic. Thread: one, the network thread;
// examinations may outlive the rules. Bounds: 1000 heights with six hashes each are remembered; a message is at most
// 10 MiB decompressed. Re-entrancy: nothing is called but the extra rule. Source: op-node surface, 5.5.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/base/lru_map.hpp"
#include "opstack/payload/block.hpp"
#include "opstack/rules/examination.hpp"

namespace opstack::rules {

using libp2p::Bytes;
using libp2p::Now;

struct Outcome {
  Verdict verdict = Verdict::reject;
  Reason reason = Reason::internal_error;
  Evidence evidence;
  std::optional<Address> signer;  // whose signature it is, when it is anybody's
  bool by_previous_signer = false;
  std::optional<Hash> actual_block_hash;  // computed from the fields, where the checks came that far
  SharedBytes header;                     // the RLP that it is the hash of
  payload::SharedEnvelope envelope;       // what was decoded, also of a message that is rejected later
  SharedBytes contents;                   // decompressed: 65 bytes of signature, then the body

  // "payload is too old (timestamp 1744218401, now 1744218462, 60 s are allowed)"
  std::string text() const { return sentence(reason, evidence); }
  // The part in parentheses; may be empty.
  std::string detail() const { return evidence_text(reason, evidence); }
};

// Lines 11 to 16 and the extra rule: whether the payload has what its version has, and nothing else. The SSZ of a
// version cannot even say most of what is refused here; an envelope that came as JSON can.
Outcome check_block_fields(const BlockRulesConfig& config, const payload::Envelope& envelope);
// The same by the rules of the fork at the block's timestamp, for a block that did not come by gossip.
Outcome check_block_fields(const chain::RollupConfig& rollup, const payload::Envelope& envelope);

class BlockRules {
 public:
  explicit BlockRules(BlockRulesConfig config);
  BlockRules(BlockRules&&) = default;
  BlockRules& operator=(BlockRules&&) = delete;

  // Opens the examination of a message by the clock `wall`, with the signers as they are now. It costs next to nothing:
  // only the message's length is read. `contents` may be what read_message() gave for the same bytes, or null. The
  // bytes of the message outlive the examination.
  Examination begin(ByteView message, const SharedBytes& contents, const SignerState& signers, UnixTime wall) const;

  // The verdict on a message whose contents and signature have been examined, in the order in which messages are to be
  // judged. Ends the grace of the previous signer in `signers` where the block is the current one's. Nothing when the
  // signers have changed since begin() such that the block is needed now: `examination` says so, run that part and
  // conclude again. An examination that has a verdict is used up.
  std::optional<Outcome> conclude(Examination& examination, SignerState& signers);

  // All of it, for those who have one thread.
  Outcome judge(ByteView message, SignerState& signers, UnixTime wall, const SharedBytes& contents = nullptr);

  const BlockRulesConfig& config() const { return *config_; }

  // Every invariant, by assertion.
  void check() const;

 private:
  bool check_seen(Outcome& out);

  std::shared_ptr<const BlockRulesConfig> config_;
  std::shared_ptr<Expectation> expectation_ = std::make_shared<Expectation>();
  libp2p::LruMap<std::uint64_t, std::vector<Hash>> seen_;
};

// The block of an outcome that has one, with its body: a slice of the contents.
payload::Block block_of(Version version, const Outcome& outcome);

}  // namespace opstack::rules
