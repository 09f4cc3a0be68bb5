// What has been found out about one gossiped message so far, and which parts (block_parts.hpp) are still needed for a
// verdict. BlockRules::begin() makes it and BlockRules::conclude() takes it. In between its holder runs the parts that
// needs() names, where and in which order it likes, and gives their results to take(); run() does all of that on the
// calling thread. A result that was not asked for does no harm.
//
// Owner: who examines the message. Thread: one at a time; the parts it hands out are values and may run on others.
// Bounds: it holds one message's contents and its decoded block. The message that begin() was given outlives it.
// Re-entrancy: it calls nobody but the extra rule. Source: op-node surface, 5.5.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "opstack/rules/block_parts.hpp"
#include "opstack/rules/signer_state.hpp"

namespace opstack::rules {

// Whether the signature of the next message is expected to count, so that its block may be examined before that is
// known: the last one did. Written by the conclusion, read wherever a message is examined.
class Expectation {
 public:
  // Above this size the decoding of a block could cost much in vain.
  static constexpr std::size_t kMostOnTrust = 4 << 20;

  bool holds_for(std::size_t contents_size) const {
    return contents_size <= kMostOnTrust && last_counted_.load(std::memory_order_relaxed);
  }
  void on_signature(bool counts) { last_counted_.store(counts, std::memory_order_relaxed); }

 private:
  std::atomic<bool> last_counted_{false};
};

class Examination {
 public:
  // Parts to run before conclude(). The block is asked for together with the signature where the signature is expected
  // to count, and else only once it does: a stranger's block is not decoded. Nothing is needed of a message that was
  // refused before its signature.
  struct Needs {
    bool contents = false;
    bool signature = false;
    bool block = false;
    bool any() const { return contents || signature || block; }
    friend bool operator==(const Needs&, const Needs&) = default;
  };
  Needs needs() const;

  UnpackPart unpack_part() const { return {message_}; }
  // Of a message that has been unpacked.
  SignaturePart signature_part() const;
  BlockPart block_part() const;
  // Decompressed; until then what the message declares.
  std::size_t contents_size() const;

  void take(Unpacked unpacked);
  void take(RecoveredSigner signer);
  void take(CheckedBlock block);
  void take(SignatureAndBlock both);

  // Runs every part that is needed, here.
  void run();

 private:
  friend class BlockRules;
  Examination(ByteView message, std::shared_ptr<const BlockRulesConfig> config,
              std::shared_ptr<const Expectation> expectation, const SignerState& signers, UnixTime wall);
  bool signer_counts() const { return signer_->signer && signers_.allows(*signer_->signer, wall_); }

  ByteView message_;
  std::shared_ptr<const BlockRulesConfig> config_;
  std::shared_ptr<const Expectation> expectation_;
  SignerState signers_;  // as they were when it began, or at the last conclusion
  UnixTime wall_{};
  std::optional<Unpacked> unpacked_;
  std::optional<RecoveredSigner> signer_;
  std::optional<CheckedBlock> block_;
};

}  // namespace opstack::rules
