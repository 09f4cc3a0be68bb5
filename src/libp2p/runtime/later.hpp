// A cancellable call from the runtime's queue. For functions that have their result at once but may not call back
// inside the call that asked. Owner: the holder of the operation. Thread: the network thread. Bounds: one queued call
// each. Re-entrancy: the call may destroy the operation.
#pragma once

#include <utility>

#include "libp2p/runtime/runtime.hpp"

namespace libp2p::runtime {

class LaterCall final : public Operation {
 public:
  LaterCall(Runtime& runtime, std::function<void()> call)
      : call_(std::make_shared<std::function<void()>>(std::move(call))) {
    runtime.post([kept = call_] {
      if (const auto now = std::exchange(*kept, nullptr)) now();
    });
  }
  ~LaterCall() override { *call_ = nullptr; }
  LaterCall(const LaterCall&) = delete;
  LaterCall& operator=(const LaterCall&) = delete;

 private:
  std::shared_ptr<std::function<void()>> call_;
};

}  // namespace libp2p::runtime
