#include "libp2p/services/gossipsub/pubsub_reader.hpp"

#include "libp2p/services/gossipsub/pubsub_queue.hpp"

namespace libp2p {

using runtime::Task;

namespace {

struct Awaiting {
  explicit Awaiting(bool& f) : flag(f) { flag = true; }
  ~Awaiting() { flag = false; }
  Awaiting(const Awaiting&) = delete;
  Awaiting& operator=(const Awaiting&) = delete;
  bool& flag;
};

Task<Result<PubSubMessage>> take_next(std::shared_ptr<detail::PubSubQueue> queue) {
  if (!queue) co_return fail(Errc::closed, "the reader has been moved to another place");
  while (queue->messages.empty()) {
    if (queue->closed) co_return *queue->closed;
    if (queue->awaited) {
      co_return fail(Errc::invalid_argument,
                     "another task awaits the next message of " + queue->topic + " from this reader; subscribe again");
    }
    const Awaiting awaiting(queue->awaited);
    const Result<void> woken = co_await queue->ready.wait();
    if (!woken) co_return woken.error();
  }
  co_return queue->pop();
}

}  // namespace

PubSubReader::PubSubReader(std::shared_ptr<detail::PubSubQueue> queue) : queue_(std::move(queue)) {}

PubSubReader::~PubSubReader() {
  if (queue_) queue_->close("the reader of the topic " + queue_->topic + " is gone");
}

PubSubReader::PubSubReader(PubSubReader&& other) noexcept = default;

PubSubReader& PubSubReader::operator=(PubSubReader&& other) noexcept {
  if (this == &other) return *this;
  if (queue_) queue_->close("the reader of the topic " + queue_->topic + " is gone");
  queue_ = std::move(other.queue_);
  return *this;
}

Task<Result<PubSubMessage>> PubSubReader::next() { return take_next(queue_); }

std::optional<PubSubMessage> PubSubReader::poll() {
  if (!queue_ || queue_->messages.empty()) return std::nullopt;
  return queue_->pop();
}

std::size_t PubSubReader::waiting() const { return queue_ ? queue_->messages.size() : 0; }
std::uint64_t PubSubReader::dropped() const { return queue_ ? queue_->dropped : 0; }

}  // namespace libp2p
