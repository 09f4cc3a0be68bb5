// The inside of SocketConnection, shared by its two sources: the port that its streams use, and the mark for "the engine is at work".
// Thread: the network thread. Bounds: none.
#pragma once

#include "libp2p/connection/socket_connection.hpp"

namespace libp2p {

// Marks the engine as entered, so that calls which come from its events only queue.
class Entered {
 public:
  explicit Entered(bool& flag) : flag_(flag), before_(flag) { flag_ = true; }
  ~Entered() { flag_ = before_; }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;

 private:
  bool& flag_;
  bool before_;
};

class SocketConnection::Port final : public ConnectionPort {
 public:
  explicit Port(SocketConnection& target) : target_(&target), id_(target.id()) {}
  void cut() { target_ = nullptr; }

  ConnectionId id() const override { return id_; }

  std::size_t send(StreamId stream, ByteView bytes) override {
    if (target_ == nullptr) return 0;
    const std::size_t n = target_->engine_->send(stream, bytes);
    target_->flush_for_user();
    return n;
  }
  bool queue(StreamId stream, SharedBytes bytes) override {
    return target_ != nullptr && target_->engine_->send(stream, std::move(bytes));
  }
  void flush() override {
    if (target_ != nullptr) target_->flush_for_user();
  }
  std::size_t send_queue_bytes(StreamId stream) const override {
    return target_ == nullptr ? 0 : target_->engine_->send_queue_bytes(stream);
  }
  void credit(StreamId stream, std::size_t n) override {
    if (target_ == nullptr) return;
    target_->engine_->consume(stream, n);
    target_->flush_for_user();
  }
  void on_unread(std::ptrdiff_t change) override {
    if (target_ != nullptr) target_->on_unread(change);
  }
  void close_write(StreamId stream) override {
    if (target_ == nullptr) return;
    target_->engine_->close_write(stream);
    target_->flush_for_user();
  }
  void reset(StreamId stream) override {
    if (target_ == nullptr) return;
    target_->streams_.erase(stream);
    target_->engine_->reset(stream);
    target_->flush_for_user();
  }
  void linger(StreamId stream) override {
    if (target_ == nullptr) return;
    auto& lingering = target_->lingering_;
    // Streams that have ended meanwhile leave the queue when it has grown to twice those that are left.
    if (lingering.size() >= 64 + 2 * target_->streams_.size()) {
      std::erase_if(lingering, [this](const auto& entry) { return !target_->streams_.contains(entry.second); });
    }
    lingering.emplace_back(target_->runtime_.now().mono + kLinger, stream);
    if (!target_->in_engine_) target_->arm_timer();
  }

 private:
  SocketConnection* target_;
  ConnectionId id_;
};

}  // namespace libp2p
