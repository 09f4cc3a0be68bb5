// Says which thread examines a block message, and in how many pieces. The rules say which parts a message needs
// (opstack/rules/examination.hpp); the pipeline has them run:
//   - nothing is needed: the message was refused by its length, and goes on at once;
//   - a small message: on the network thread, when the queue allows it; small and large are sizes of the contents;
//   - a large block that comes alone: signature and block on two workers side by side, because the hash of the body
//     takes as long as decoding and the tries of the block's hash;
//   - any other: on one worker, where the body is hashed beside the tries.
//
// Owner: BlockGossip; its four subscribers share it. Thread: the network thread; parts run there or on the pool.
// Bounds: those of the ValidationQueue. Re-entrancy: `done` may run inside examine(); it may call the pipeline, and it
// may destroy it.
#pragma once

#include <functional>
#include <memory>

#include "libp2p/base/assert.hpp"
#include "opstack/gossip/validation_queue.hpp"
#include "opstack/rules/examination.hpp"

namespace opstack::gossip {

class ValidationPipeline {
 public:
  using Done = std::function<void(rules::Examination)>;

  ValidationPipeline(libp2p::runtime::Runtime& runtime, ValidationQueueLimits limits) : queue_(runtime, limits) {
    OPP2P_ASSERT(limits.small < kLarge, "no message is small and large", limits.small);
  }

  // Runs the parts that `examination` needs and gives it to `done`, ready for a conclusion, on the network thread:
  // inside this call or later. `bytes` is the size of the message as gossiped; its bytes live as long as `done` does.
  // False when there is no room: `done` does not run then, nor when the pipeline is gone before the parts have run.
  [[nodiscard]] bool examine(rules::Examination examination, std::size_t bytes, Done done);

  const ValidationQueue& queue() const { return queue_; }

 private:
  static constexpr std::size_t kLarge = 64 * 1024;  // bytes of contents
  struct Run;
  void examine_side_by_side(const std::shared_ptr<Run>& run, MessageSize size);

  ValidationQueue queue_;
};

}  // namespace opstack::gossip
