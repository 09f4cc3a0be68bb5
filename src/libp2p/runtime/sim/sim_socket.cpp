#include <algorithm>

#include "libp2p/runtime/sim/sim_state.hpp"

namespace libp2p::runtime {

namespace {

// A slow reader reads in this many turns.
constexpr std::uint64_t kTurnsPerSecond = 10;

}  // namespace

struct SimSocket::Wakes {
  SimSocket* socket = nullptr;
  std::function<void()> on_readable;
  std::function<void()> on_writable;
  bool read_queued = false;
  bool write_queued = false;
};

SimSocket::SimSocket(SimWorld::State& world, NodeIndex node, std::shared_ptr<SimPipe> out, std::shared_ptr<SimPipe> in,
                     Endpoint local, Endpoint remote)
    : world_(world),
      node_(node),
      out_(std::move(out)),
      in_(std::move(in)),
      local_(std::move(local)),
      remote_(std::move(remote)),
      wakes_(std::make_shared<Wakes>()) {
  wakes_->socket = this;
  out_->writer = this;
  in_->reader = this;
}

SimSocket::~SimSocket() {
  wakes_->socket = nullptr;
  wakes_->on_readable = nullptr;
  wakes_->on_writable = nullptr;
  out_->writer = nullptr;
  in_->reader = nullptr;
  in_->arrived.clear();
  in_->held.clear();
  in_->unread = 0;
  if (torn_) return;
  world_.send_end(out_);
  world_.refuse(in_);
}

void SimSocket::shutdown_write() {
  if (!torn_) world_.send_end(out_);
}

bool SimSocket::readable() const { return torn_ || in_->unread > 0 || in_->end_arrived; }
bool SimSocket::writable() const { return torn_ || out_->refused || out_->outstanding < out_->quality.buffer_bytes; }

Result<std::size_t> SimSocket::read(MutableBytes into) {
  if (torn_) return fail(Errc::reset, "read from " + remote_.to_string() + " failed: connection reset by peer");
  if (in_->unread == 0) {
    if (in_->end_arrived) return std::size_t{0};
    return fail(Errc::would_block, "");
  }
  const std::uint64_t rate = world_.nodes[node_]->read_rate;
  if (rate > 0 && world_.now() < may_read_at_) return fail(Errc::would_block, "");
  const std::size_t most = rate > 0 ? std::min<std::size_t>(into.size(), rate / kTurnsPerSecond + 1) : into.size();
  std::size_t got = 0;
  while (got < most && !in_->arrived.empty()) {
    const Bytes& front = in_->arrived.front();
    const std::size_t n = std::min(most - got, front.size() - in_->front_offset);
    std::memcpy(into.data() + got, front.data() + in_->front_offset, n);
    got += n;
    in_->front_offset += n;
    if (in_->front_offset < front.size()) break;
    in_->arrived.pop_front();
    in_->front_offset = 0;
  }
  OPP2P_ASSERT(in_->unread >= got, "what has arrived is counted", in_->unread, got);
  in_->unread -= got;
  if (rate > 0) may_read_at_ = world_.now() + Nanos(static_cast<std::int64_t>(got * 1'000'000'000 / rate));
  world_.give_credit(in_, got);
  return got;
}

Result<std::size_t> SimSocket::write(ByteView from) {
  if (torn_ || out_->refused || out_->end_sent) {
    return fail(Errc::reset, "write to " + remote_.to_string() + " failed: connection reset by peer");
  }
  if (out_->outstanding >= out_->quality.buffer_bytes) return fail(Errc::would_block, "");
  const std::size_t n = std::min(from.size(), out_->quality.buffer_bytes - out_->outstanding);
  if (n == 0) return fail(Errc::would_block, "");
  out_->outstanding += n;
  world_.send(out_, to_bytes(from.first(n)));
  return n;
}

void SimSocket::when_readable(std::function<void()> wake) {
  wakes_->on_readable = std::move(wake);
  if (readable()) wake_reader();
}

void SimSocket::when_writable(std::function<void()> wake) {
  wakes_->on_writable = std::move(wake);
  if (writable()) wake_writer();
}

void SimSocket::wake_reader() {
  if (!wakes_->on_readable || wakes_->read_queued) return;
  wakes_->read_queued = true;
  world_.queue.add(torn_ ? world_.now() : may_read_at_, node_, SimEventKind::wake, [wakes = wakes_] {
    wakes->read_queued = false;
    if (const auto call = std::exchange(wakes->on_readable, nullptr)) call();
  });
}

void SimSocket::wake_writer() {
  if (!wakes_->on_writable || wakes_->write_queued) return;
  wakes_->write_queued = true;
  world_.queue.add(world_.now(), node_, SimEventKind::wake, [wakes = wakes_] {
    wakes->write_queued = false;
    if (const auto call = std::exchange(wakes->on_writable, nullptr)) call();
  });
}

void SimSocket::tear_down() {
  torn_ = true;
  wake_reader();
  wake_writer();
}

SimListener::SimListener(SimRuntime& runtime, Endpoint local, std::function<void(std::unique_ptr<Socket>)> on_accept)
    : runtime_(runtime),
      local_(std::move(local)),
      on_accept_(std::make_shared<const std::function<void(std::unique_ptr<Socket>)>>(std::move(on_accept))) {
  runtime_.listeners.emplace(local_, this);
}

SimListener::~SimListener() { runtime_.listeners.erase(local_); }

void SimListener::accept(std::unique_ptr<Socket> socket) const {
  const auto call = on_accept_;
  (*call)(std::move(socket));
}

}  // namespace libp2p::runtime
