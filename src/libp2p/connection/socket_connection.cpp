#include "libp2p/connection/socket_connection.hpp"

#include <algorithm>

#include "libp2p/connection/socket_connection_inside.hpp"

namespace libp2p {

SocketConnection::SocketConnection(runtime::Runtime& runtime, IoBuffers& buffers, ConnectionOwner& owner, ConnectionId id,
                       Direction direction, RawEnd end, ConnectionConfig config)
    : runtime_(runtime),
      buffers_(buffers),
      owner_(owner),
      facts_{id, direction, std::move(end.local), std::move(end.remote), runtime.now().mono, false},
      socket_(std::move(end.socket)),
      port_(std::make_shared<Port>(*this)),
      alive_(std::make_shared<bool>(true)) {
  const Now now = runtime_.now();
  const Role role = facts_.direction == Direction::outbound ? Role::dialer : Role::listener;
  ConnectionEvents& events = *this;
  engine_ = std::make_unique<ConnectionEngine>(role, std::move(config), events, now, runtime_.rng());
  timer_ = runtime_.make_timer([this] { on_timer(); });
}

SocketConnection::~SocketConnection() {
  *alive_ = false;
  give_back_out();
  if (!dead_) {
    dead_ = true;
    const Entered entered(in_engine_);
    engine_->abort(fail(Errc::reset, "the connection was dropped"));
  }
  port_->cut();
  owner_.give_memory(std::exchange(unread_taken_, 0));
  for (const auto& stream : to_tell_) stream->wake_later();
  for (const auto& stream : telling_) {
    if (stream) stream->wake_later();
  }
}

void SocketConnection::start() {
  arm_read();
  pump();
}

Result<std::shared_ptr<StreamState>> SocketConnection::open_stream(std::vector<std::string> protocols) {
  if (!usable()) return fail(Errc::closed, "the connection is closing");
  const std::string only = protocols.size() == 1 ? protocols.front() : std::string();
  OPP2P_TRY(const StreamId id, engine_->open_stream(std::move(protocols), runtime_.now()));
  auto stream = std::make_shared<StreamState>(runtime_, port_, id, peer(), Direction::outbound);
  stream->protocol = only;
  streams_.emplace(id, stream);
  flush_for_user();
  return stream;
}

void SocketConnection::close(Error why, MonoTime deadline, CloseCode code) {
  if (dead_ || closing_) return;
  closing_ = std::move(why);
  close_deadline_ = deadline;
  engine_->go_away(code);
  schedule_pump();
}

// ---- the driver ----

void SocketConnection::arm_read() {
  if (dead_ || handshake_at_ || std::exchange(reading_, true)) return;
  socket_->when_readable([this] {
    reading_ = false;
    on_readable();
  });
}

void SocketConnection::on_readable() {
  const auto alive = alive_;
  if (said_good_bye_) return read_drain();
  if (handshake_waits()) return arm_timer();
  const MonoTime started = runtime_.now().mono;
  Bytes in = buffers_.take_in();
  std::copy(rest_in_.begin(), rest_in_.end(), in.begin());
  std::size_t have = rest_in_.size();
  Bytes().swap(rest_in_);
  std::size_t got = 0;
  bool more = true;
  while (more && !failure_ && got < kTurnBytes) {
    const Now now = runtime_.now();
    if (now.mono - started > kTurnTime) break;
    more = read_some(in, have, now, got);
    fit_portion(runtime_.now().mono - now.mono);
    if (!deliver()) break;
    const bool unfinished = flush(true);
    if (!*alive) break;
    if (unfinished) schedule_pump();
  }
  if (*alive && !failure_) rest_in_.assign(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(have));
  if (!*alive) return;  // the buffer goes with the host's
  buffers_.give_in(std::move(in));
  settle();
}

bool SocketConnection::handshake_waits() {
  if (std::exchange(handshake_asked_, true)) return false;
  const Nanos delay = owner_.handshake_delay(*this);
  if (delay <= Nanos(0)) return false;
  handshake_at_ = runtime_.now().mono + delay;
  return true;
}

// What is read at once is digested at once. Bytes that cost much, a flood of tiny frames, are taken in smaller portions, so that the
// turn ends near its time and others get theirs.
void SocketConnection::fit_portion(Nanos took) {
  if (took > kTurnTime) {
    portion_ = std::max(portion_ / 2, kSmallestPortion);
  } else if (took < kTurnTime / 4) {
    portion_ = std::min(portion_ * 2, IoBuffers::kIn);
  }
}

// One read and its digestion. False when the socket has nothing more.
bool SocketConnection::read_some(Bytes& in, std::size_t& have, Now now, std::size_t& got) {
  const MutableBytes space = MutableBytes(in).subspan(have, std::min(portion_, in.size() - have));
  const auto n = socket_->read(space);
  if (!n) {
    if (n.error() != Errc::would_block) failure_ = n.error();
    return false;
  }
  if (*n == 0) {
    failure_ = fail(Errc::reset, "the peer closed the connection");
    return false;
  }
  bytes_in_ += *n;
  got += *n;
  have += *n;
  const Entered entered(in_engine_);
  auto taken = engine_->on_bytes(MutableBytes(in).first(have), now);
  if (!taken) {
    if (!failure_) failure_ = std::move(taken).error();
    return false;
  }
  std::memmove(in.data(), in.data() + *taken, have - *taken);
  have -= *taken;
  return *n == space.size();
}

// After our good-bye: what still comes is thrown away until the far end closes too.
void SocketConnection::read_drain() {
  Bytes in = buffers_.take_in();
  const auto n = socket_->read(in);  // once: a peer that goes on sending does not hold the thread
  buffers_.give_in(std::move(in));
  if ((n && *n > 0) || (!n && n.error() == Errc::would_block)) return arm_read();
  finish(*closing_);
}

void SocketConnection::on_timer() {
  armed_.reset();
  const Now now = runtime_.now();
  if (closing_ && now.mono >= close_deadline_) return finish(*closing_);
  if (handshake_at_ && *handshake_at_ <= now.mono) handshake_at_.reset();
  if (write_deadline_ && *write_deadline_ <= now.mono && !failure_) {
    failure_ = fail(Errc::timed_out, "the peer did not read " + std::to_string(out_end_ - out_begin_) + " bytes within " +
                                         std::to_string(kWriteTimeout / Seconds(1)) + " s");
  }
  while (!lingering_.empty() && lingering_.front().first <= now.mono) {
    const StreamId id = lingering_.front().second;
    lingering_.pop_front();
    if (streams_.erase(id) > 0) engine_->reset(id);
  }
  const auto deadline = engine_->next_deadline();
  if (!said_good_bye_ && deadline && *deadline <= now.mono) {
    const Entered entered(in_engine_);
    auto done = engine_->on_timeout(now);
    if (!done && !failure_) failure_ = std::move(done).error();
  }
  pump();
}

void SocketConnection::schedule_pump() {
  if (std::exchange(pump_posted_, true)) return;
  runtime_.post([this, alive = alive_] {
    if (!*alive) return;
    pump_posted_ = false;
    pump();
  });
}

void SocketConnection::pump() {
  if (dead_) return;
  if (!deliver()) return;
  const auto alive = alive_;
  const bool unfinished = flush(true);
  if (!*alive) return;
  if (unfinished) schedule_pump();
  settle();
}

void SocketConnection::flush_for_user() {
  // Inside the engine, or while the driver is at work, whoever is at work sends it.
  if (in_engine_ || flushing_ || telling_now_ || dead_ || said_good_bye_) return;
  if (flush(false)) schedule_pump();
  if (failure_ || !to_tell_.empty()) {
    schedule_pump();
  } else {
    arm_timer();
  }
}

// The unsent rest of the last pull. True when nothing of it is left.
bool SocketConnection::send_rest() {
  while (out_begin_ < out_end_) {
    const auto n = socket_->write(ByteView(out_).subspan(out_begin_, out_end_ - out_begin_));
    if (!n) {
      if (n.error() == Errc::would_block) {
        if (!write_deadline_) write_deadline_ = runtime_.now().mono + kWriteTimeout;
        if (!std::exchange(writing_, true)) {
          socket_->when_writable([this] {
            writing_ = false;
            pump();
          });
        }
      } else if (!failure_) {
        failure_ = n.error();
      }
      return false;
    }
    bytes_out_ += *n;
    out_begin_ += *n;
  }
  out_begin_ = out_end_ = 0;
  write_deadline_.reset();
  return true;
}

bool SocketConnection::flush(bool tell_streams) {
  if (flushing_ || dead_ || said_good_bye_) return false;
  const auto alive = alive_;
  flushing_ = true;
  bool unfinished = false;
  std::size_t sent = 0;
  const MonoTime started = runtime_.now().mono;
  while (!failure_) {
    const std::size_t rest = out_end_ - out_begin_;
    if (!send_rest()) break;
    sent += rest;
    if (!engine_->wants_transmit()) break;
    const Now now = runtime_.now();
    if (sent >= kTurnBytes || now.mono - started > kTurnTime) {
      unfinished = true;
      break;
    }
    if (out_.empty()) out_ = buffers_.take_out();
    {
      const Entered entered(in_engine_);
      out_end_ = engine_->poll_transmit(out_, now);
    }
    // Writers that have room now fill the queue again before the next pull.
    const bool told = tell_streams && !to_tell_.empty();
    if (told && !deliver()) return false;
    if (out_end_ == 0 && !told) break;
  }
  if (!*alive) return false;
  flushing_ = false;
  if (out_begin_ == out_end_) give_back_out();
  return unfinished;
}

void SocketConnection::give_back_out() {
  if (out_.empty()) return;
  buffers_.give_out(std::move(out_));
  out_ = Bytes();
  out_begin_ = out_end_ = 0;
}

bool SocketConnection::deliver() {
  if (telling_now_) return true;
  const auto alive = alive_;
  telling_now_ = true;
  while (!to_tell_.empty()) {
    telling_.swap(to_tell_);
    for (std::size_t i = 0; i < telling_.size(); ++i) {
      const auto stream = std::move(telling_[i]);
      stream->queued = false;
      stream->deliver();
      if (!*alive) return false;
    }
    telling_.clear();
  }
  telling_now_ = false;
  return true;
}

void SocketConnection::settle() {
  if (dead_) return;
  if (failure_) {
    const Error why = closing_ && *failure_ == Errc::reset ? *closing_ : *failure_;
    return finish(why);
  }
  if (closing_ && !said_good_bye_) {
    if (!engine_->ready()) return finish(*closing_);
    if (!engine_->wants_transmit() && out_begin_ == out_end_) {
      said_good_bye_ = true;
      socket_->shutdown_write();
      close_deadline_ = std::min(close_deadline_, runtime_.now().mono + kDrain);
    }
  }
  arm_read();
  arm_timer();
}

void SocketConnection::arm_timer() {
  if (dead_) return;
  std::optional<MonoTime> deadline = said_good_bye_ ? std::nullopt : engine_->next_deadline();
  const auto sooner = [&deadline](MonoTime t) { deadline = deadline ? std::min(*deadline, t) : t; };
  if (!lingering_.empty()) sooner(lingering_.front().first);
  if (handshake_at_) sooner(*handshake_at_);
  if (write_deadline_) sooner(*write_deadline_);
  if (closing_ && close_deadline_ != MonoTime::max()) sooner(close_deadline_);
  if (deadline == armed_) return;
  armed_ = deadline;
  if (deadline) {
    timer_->arm(*deadline);
  } else {
    timer_->disarm();
  }
}

void SocketConnection::finish(const Error& why) {
  if (dead_) return;
  const auto alive = alive_;
  const Error reason = why;
  // Last words, as far as the socket takes them at once: the go-away that tells the peer why.
  if (!said_good_bye_ && out_begin_ == out_end_ && engine_->wants_transmit()) {
    Bytes last(4096);
    const Entered entered(in_engine_);
    const std::size_t n = engine_->poll_transmit(last, runtime_.now());
    if (n > 0) (void)socket_->write(ByteView(last).first(n));
  }
  dead_ = true;
  {
    const Entered entered(in_engine_);
    engine_->abort(reason);
  }
  port_->cut();
  owner_.give_memory(std::exchange(unread_taken_, 0));
  timer_->disarm();
  socket_.reset();
  give_back_out();
  Bytes().swap(rest_in_);
  owner_.on_closed(*this, reason);
  if (const auto outcome = std::exchange(outcome_, nullptr)) outcome(reason);
  if (*alive) deliver();
}

}  // namespace libp2p
