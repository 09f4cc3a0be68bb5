#include "opstack/rules/examination.hpp"

#include <utility>

#include "libp2p/base/assert.hpp"
#include "opstack/encoding/snappy_block.hpp"

namespace opstack::rules {

Examination::Examination(ByteView message, std::shared_ptr<const BlockRulesConfig> config,
                         std::shared_ptr<const Expectation> expectation, const SignerState& signers, UnixTime wall)
    : message_(message),
      config_(std::move(config)),
      expectation_(std::move(expectation)),
      signers_(signers),
      wall_(wall) {}

Examination::Needs Examination::needs() const {
  Needs out;
  if (!unpacked_) {
    out.contents = true;
    return out;
  }
  if (!unpacked_->passed()) return out;
  out.signature = !signer_;
  if (!block_) out.block = signer_ ? signer_counts() : expectation_->holds_for(contents_size());
  return out;
}

std::size_t Examination::contents_size() const {
  if (unpacked_) return unpacked_->contents ? unpacked_->contents->size() : 0;
  const auto declared = encoding::snappy_decoded_length(message_);
  return declared ? *declared : 0;
}

SignaturePart Examination::signature_part() const {
  OPP2P_ASSERT(unpacked_ && unpacked_->passed(), "the message is unpacked before its signature is checked");
  return {config_->chain_id, unpacked_->contents};
}

BlockPart Examination::block_part() const {
  OPP2P_ASSERT(unpacked_ && unpacked_->passed(), "the message is unpacked before its block is checked");
  return {config_, unpacked_->contents, wall_};
}

void Examination::take(Unpacked unpacked) {
  OPP2P_ASSERT(unpacked.passed() == (unpacked.contents != nullptr), "a message has contents unless it is refused");
  OPP2P_ASSERT(!signer_ && !block_, "the message is unpacked before it is examined");
  unpacked_ = std::move(unpacked);
}

void Examination::take(RecoveredSigner signer) {
  OPP2P_ASSERT(signer.passed() == signer.signer.has_value(), "a signature is somebody's or has a fault");
  signer_ = std::move(signer);
}

void Examination::take(CheckedBlock block) {
  OPP2P_ASSERT(!block.passed() || (block.envelope && block.actual_block_hash == block.envelope->payload.block_hash),
               "a block that passes was decoded, and its hash is that of its fields");
  block_ = std::move(block);
}

void Examination::take(SignatureAndBlock both) {
  take(std::move(both.signature));
  take(std::move(both.block));
}

void Examination::run() {
  for (Needs now = needs(); now.any(); now = needs()) {
    if (now.contents) {
      take(unpack_part().run());
    } else if (now.signature && now.block) {
      take(run_together(signature_part(), block_part()));
    } else if (now.signature) {
      take(signature_part().run());
    } else {
      take(block_part().run());
    }
  }
}

}  // namespace opstack::rules
