#include "libp2p/connection/stream_table.hpp"

#include "libp2p/base/assert.hpp"

namespace libp2p {

class StreamTable::Port final : public ConnectionPort {
 public:
  Port(StreamTable& table, ConnectionId id) : table_(&table), id_(id) {}
  void cut() { table_ = nullptr; }

  ConnectionId id() const override { return id_; }

  std::size_t send(StreamId stream, ByteView bytes) override {
    if (table_ == nullptr) return 0;
    const std::size_t n = table_->carrier_.send(stream, bytes);
    flush();
    return n;
  }
  bool queue(StreamId stream, SharedBytes bytes) override {
    return table_ != nullptr && table_->carrier_.send(stream, std::move(bytes));
  }
  void flush() override {
    if (table_ != nullptr) table_->carrier_.flush_for_user();
  }
  std::size_t send_queue_bytes(StreamId stream) const override {
    return table_ == nullptr ? 0 : table_->carrier_.send_queue_bytes(stream);
  }
  void credit(StreamId stream, std::size_t n) override {
    if (table_ == nullptr) return;
    table_->carrier_.consume(stream, n);
    flush();
  }
  void on_unread(std::ptrdiff_t change) override {
    if (table_ != nullptr) table_->on_unread(change);
  }
  void close_write(StreamId stream) override {
    if (table_ == nullptr) return;
    table_->carrier_.close_write(stream);
    flush();
  }
  void reset(StreamId stream) override {
    if (table_ == nullptr) return;
    table_->streams_.erase(stream);
    table_->carrier_.reset(stream);
    flush();
  }
  void linger(StreamId stream) override {
    if (table_ != nullptr) table_->linger(stream);
  }

 private:
  StreamTable* table_;
  const ConnectionId id_;
};

StreamTable::StreamTable(runtime::Runtime& runtime, Connection& connection, ConnectionOwner& owner,
                         StreamCarrier& carrier, const LifeToken& life)
    : runtime_(runtime),
      connection_(connection),
      owner_(owner),
      carrier_(carrier),
      life_(life),
      port_(std::make_shared<Port>(*this, connection.id())) {}

StreamTable::~StreamTable() {
  cut();
  for (const auto& stream : to_tell_) stream->wake_later();
  for (const auto& stream : telling_) {
    if (stream) stream->wake_later();
  }
}

void StreamTable::cut() {
  port_->cut();
  owner_.give_memory(std::exchange(unread_taken_, 0));
}

// ---- streams by id ----

std::shared_ptr<StreamState> StreamTable::find(StreamId id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second;
}

std::shared_ptr<StreamState> StreamTable::add(StreamId id, Direction direction) {
  auto stream = std::make_shared<StreamState>(runtime_, port_, id, connection_.peer(), direction);
  const bool fresh = streams_.emplace(id, stream).second;
  OPP2P_ASSERT(fresh, "the carrier never uses a stream's id twice", id);
  return stream;
}

std::shared_ptr<StreamState> StreamTable::add_outbound(StreamId id, std::string protocol) {
  auto stream = add(id, Direction::outbound);
  stream->protocol = std::move(protocol);
  return stream;
}

// ---- events ----

void StreamTable::queue(std::shared_ptr<StreamState> stream) {
  if (!std::exchange(stream->queued, true)) to_tell_.push_back(std::move(stream));
}

void StreamTable::on_stream_opened(StreamId id, const std::string& protocol, bool inbound) {
  if (inbound) {
    auto stream = add(id, Direction::inbound);
    stream->on_opened(protocol);
    return owner_.on_inbound_stream(connection_, std::move(stream));
  }
  auto stream = find(id);
  if (!stream) return;
  stream->on_opened(protocol);
  queue(std::move(stream));
}

void StreamTable::on_stream_data(StreamId id, ByteView data) {
  auto stream = find(id);  // held: its handler may drop it
  if (!stream) return carrier_.consume(id, data.size());
  stream->on_data(data);
  queue(std::move(stream));
}

void StreamTable::on_stream_end(StreamId id) {
  auto stream = find(id);
  if (!stream) return;
  stream->on_end();
  queue(std::move(stream));
}

void StreamTable::on_stream_reset(StreamId id, const Error& error) {
  auto node = streams_.extract(id);
  if (!node) return;
  node.mapped()->on_dead(error);
  queue(std::move(node.mapped()));
}

void StreamTable::on_stream_writable(StreamId id) {
  auto stream = find(id);
  if (!stream) return;
  stream->on_room();
  queue(std::move(stream));
}

bool StreamTable::deliver() {
  if (delivering_) return true;
  const LifeWatch alive = life_.watch();
  delivering_ = true;
  while (!to_tell_.empty()) {
    telling_.swap(to_tell_);
    for (std::size_t i = 0; i < telling_.size(); ++i) {
      const auto stream = std::move(telling_[i]);
      stream->queued = false;
      stream->deliver();
      if (!alive) return false;
    }
    telling_.clear();
  }
  delivering_ = false;
  return true;
}

// ---- streams that linger ----

void StreamTable::linger(StreamId id) {
  // Streams that have ended meanwhile leave the queue when it has grown to twice those that are left.
  if (lingering_.size() >= 64 + 2 * streams_.size()) {
    std::erase_if(lingering_, [this](const auto& entry) { return !streams_.contains(entry.second); });
  }
  lingering_.emplace_back(runtime_.now().mono + kLinger, id);
  carrier_.on_deadline_moved();
}

std::optional<MonoTime> StreamTable::next_deadline() const {
  if (lingering_.empty()) return std::nullopt;
  return lingering_.front().first;
}

void StreamTable::on_timeout(MonoTime now) {
  while (!lingering_.empty() && lingering_.front().first <= now) {
    const StreamId id = lingering_.front().second;
    lingering_.pop_front();
    if (streams_.erase(id) > 0) carrier_.reset(id);
  }
}

// ---- unread bytes ----

void StreamTable::on_unread(std::ptrdiff_t change) {
  OPP2P_ASSERT(change >= 0 || static_cast<std::size_t>(-change) <= unread_, "no more is read than was unread", change,
               unread_);
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

void StreamTable::check() const {
  std::size_t unread = 0;
  for (const auto& [id, stream] : streams_) {
    OPP2P_CHECK(stream->id == id, "a stream stands under its id", id, stream->id);
    OPP2P_CHECK(!stream->dead || stream->unread() == 0, "a dead stream holds no bytes", id, stream->unread());
    unread += stream->unread();
  }
  // A stream that has ended in order has left the table, and its user may still read what came.
  OPP2P_CHECK(unread <= unread_, "the unread bytes of the streams are counted", unread, unread_);
  OPP2P_CHECK(unread_taken_ == 0 || (unread_taken_ >= unread_ && unread_taken_ - unread_ < kMemoryUnit),
              "room is taken in units, for what is unread", unread_taken_, unread_);
  for (const auto& stream : to_tell_) OPP2P_CHECK(stream->queued, "a stream is queued once", stream->id);
  for (std::size_t i = 1; i < lingering_.size(); ++i) {
    OPP2P_CHECK(lingering_[i - 1].first <= lingering_[i].first, "streams linger in order of time", i);
  }
}

bool StreamTable::reset_largest_unread(Nanos stalled) {
  const MonoTime now = runtime_.now().mono;
  std::shared_ptr<StreamState> largest;
  for (const auto& [id, stream] : streams_) {
    if (stream->unread() == 0 || now - stream->last_read < stalled) continue;
    const bool larger =
        !largest || stream->unread() > largest->unread() || (stream->unread() == largest->unread() && id < largest->id);
    if (larger) largest = stream;
  }
  if (!largest) return false;
  streams_.erase(largest->id);
  carrier_.reset(largest->id);
  largest->on_dead(fail(Errc::exhausted,
                        "the host's room for unread bytes is full (Limits::memory), and this stream of " +
                            largest->protocol + " held most of it: " + std::to_string(largest->unread()) + " bytes"));
  queue(std::move(largest));
  carrier_.schedule_delivery();
  return true;
}

}  // namespace libp2p
