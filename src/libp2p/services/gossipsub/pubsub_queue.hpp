// The messages that wait for a PubSubReader. The topic holds it weakly, the reader and the task that awaits hold it.
//
// Owner: see above. Thread: the network thread. Bounds: its limits; the oldest messages are dropped and counted.
// Re-entrancy: none; a task that awaits is resumed from the runtime's queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "libp2p/base/assert.hpp"
#include "libp2p/runtime/task.hpp"
#include "libp2p/services/gossipsub/pubsub_reader.hpp"

namespace libp2p::detail {

struct PubSubQueue {
  PubSubQueue(runtime::Runtime& runtime, std::string t, PubSubQueueLimits l)
      : topic(std::move(t)), limits(l), ready(runtime) {}

  void push(const PubSubMessage& message) {
    if (closed) return;
    messages.push_back(message);
    bytes += message.data.memory_bytes();
    while (messages.size() > 1 && (messages.size() > limits.messages || bytes > limits.bytes)) {
      pop();
      ++dropped;
    }
    wake();
  }
  PubSubMessage pop() {
    OPP2P_ASSERT(!messages.empty(), "who takes a message has seen one");
    PubSubMessage message = std::move(messages.front());
    messages.pop_front();
    bytes -= message.data.memory_bytes();
    return message;
  }
  // `why` is for whoever still wants a message. What waits can be taken.
  void close(std::string why) {
    if (!closed) closed = Error(Errc::closed, std::move(why));
    wake();
  }
  void wake() {
    if (awaited) ready.signal();
  }

  const std::string topic;
  const PubSubQueueLimits limits;
  std::deque<PubSubMessage> messages;
  std::size_t bytes = 0;
  std::uint64_t dropped = 0;
  runtime::Event ready;
  bool awaited = false;
  std::optional<Error> closed;
};

}  // namespace libp2p::detail
