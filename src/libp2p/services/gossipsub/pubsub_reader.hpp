// The messages of a PubSubTopic (pubsub.hpp), and the queue from which a coroutine reads them.
//
// Owner: the application. Thread: the network thread. Bounds: PubSubQueueLimits for each reader. Re-entrancy: none; who
// awaits a message is resumed from the runtime's queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "libp2p/base/result.hpp"
#include "libp2p/base/shared_slice.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/protocols/gossipsub/message_id.hpp"
#include "libp2p/runtime/task.hpp"

namespace libp2p {

namespace detail {
struct PubSubQueue;
}  // namespace detail

// A message of a topic, to be judged or accepted.
struct PubSubMessage {
  PubSubMessage() = default;
  PubSubMessage(std::string t, const gossipsub::MessageId& i, SharedSlice d, PeerId author, PeerId forwarder)
      : topic(std::move(t)), id(i), data(std::move(d)), from(std::move(author)), received_from(std::move(forwarder)) {}

  std::string topic;
  gossipsub::MessageId id;
  SharedSlice data;
  PeerId from;           // who published it; its signature has been verified. Empty when it is not signed
  PeerId received_from;  // the peer that sent it to us; our own id for an own message
};

// What waits for a reader. When a message does not fit, the oldest ones are dropped; the newest is always kept.
struct PubSubQueueLimits {
  std::size_t messages = 32;     // as go-libp2p-pubsub
  std::size_t bytes = 8U << 20;  // of memory (own bound)
};

// Reads the accepted messages of a topic, one after the other, from a bounded queue. Move-only. Several readers of a
// topic get every message each.
class PubSubReader {
 public:
  explicit PubSubReader(std::shared_ptr<detail::PubSubQueue> queue);
  ~PubSubReader();
  PubSubReader(PubSubReader&& other) noexcept;
  PubSubReader& operator=(PubSubReader&& other) noexcept;

  // The oldest message that waits, or the next that comes. When the topic has been left, what waits is still given, and
  // then the answer is Errc::closed. It is Errc::closed too when the reader is destroyed meanwhile, Errc::cancelled
  // when the task's scope is cancelled, and Errc::invalid_argument while another task awaits the next message.
  runtime::Task<Result<PubSubMessage>> next();
  // The oldest message that waits; nothing when there is none.
  std::optional<PubSubMessage> poll();
  std::size_t waiting() const;
  // Messages that were dropped because this reader was slow.
  std::uint64_t dropped() const;

 private:
  std::shared_ptr<detail::PubSubQueue> queue_;
};

}  // namespace libp2p
