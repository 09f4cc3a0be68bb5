// What a connection's engine reports, and how it reaches the streams.
#include "libp2p/connection/socket_connection_inside.hpp"

namespace libp2p {

StreamState* SocketConnection::find(StreamId id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

void SocketConnection::queue(const std::shared_ptr<StreamState>& stream) {
  if (std::exchange(stream->queued, true)) return;
  to_tell_.push_back(stream);
}

void SocketConnection::on_ready() {
  auto allowed = owner_.on_ready(*this);
  if (!allowed) {
    if (!failure_) failure_ = std::move(allowed).error();
  } else if (const auto outcome = std::exchange(outcome_, nullptr)) {
    outcome(id());
  }
}

void SocketConnection::on_stream_opened(StreamId id, const std::string& protocol, bool inbound) {
  if (inbound) {
    auto stream = std::make_shared<StreamState>(runtime_, port_, id, peer(), Direction::inbound);
    stream->on_opened(protocol);
    streams_.emplace(id, stream);
    owner_.on_inbound_stream(*this, std::move(stream));
    return;
  }
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  found->second->on_opened(protocol);
  queue(found->second);
}

void SocketConnection::on_stream_data(StreamId id, ByteView data) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) {
    engine_->consume(id, data.size());
    return;
  }
  const auto stream = found->second;  // its handler may drop it
  stream->on_data(data);
  queue(stream);
}

void SocketConnection::on_stream_end(StreamId id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  found->second->on_end();
  queue(found->second);
}

void SocketConnection::on_stream_reset(StreamId id, const Error& error) {
  auto node = streams_.extract(id);
  if (!node) return;
  node.mapped()->on_dead(error);
  queue(node.mapped());
}

void SocketConnection::on_stream_writable(StreamId id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  found->second->on_room();
  queue(found->second);
}

void SocketConnection::on_unread(std::ptrdiff_t change) {
  unread_ = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(unread_) + change);
  const auto needed = [this] { return (unread_ + kMemoryUnit - 1) / kMemoryUnit * kMemoryUnit; };
  if (needed() > unread_taken_) {
    const std::size_t more = needed() - unread_taken_;
    owner_.take_memory(more);
    unread_taken_ += more;
  }
  // Also when taking has reset a stream of this connection.
  if (needed() < unread_taken_) owner_.give_memory(unread_taken_ - needed());
  unread_taken_ = needed();
}

bool SocketConnection::reset_largest_unread(Nanos stalled) {
  const MonoTime now = runtime_.now().mono;
  std::shared_ptr<StreamState> largest;
  for (const auto& [id, stream] : streams_) {
    if (stream->unread() == 0 || now - stream->last_read < stalled) continue;
    const bool larger = !largest || stream->unread() > largest->unread() ||
                        (stream->unread() == largest->unread() && id < largest->id);
    if (larger) largest = stream;
  }
  if (!largest) return false;
  streams_.erase(largest->id);
  engine_->reset(largest->id);
  largest->on_dead(fail(Errc::exhausted, "the host's room for unread bytes is full (Limits::memory), and this stream of " +
                                             largest->protocol + " held most of it: " +
                                             std::to_string(largest->unread()) + " bytes"));
  queue(largest);
  schedule_pump();
  return true;
}

void SocketConnection::on_stream_closed(StreamId id) { streams_.erase(id); }

}  // namespace libp2p
