#include "libp2p/connection/socket_connection.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace libp2p {

static_assert(IoBuffers::kIn >= ConnectionEngine::kInput, "a security may ask for that much input at once");

namespace {

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

}  // namespace

SocketConnection::SocketConnection(runtime::Runtime& runtime, IoBuffers& buffers, ConnectionOwner& owner,
                                   ConnectionId id, Direction direction, RawEnd end, ConnectionConfig config)
    : runtime_(runtime),
      buffers_(buffers),
      owner_(owner),
      facts_{id, direction, std::move(end.local), std::move(end.remote), runtime.now().mono, end.limited},
      socket_(std::move(end.socket)),
      table_(runtime, *this, owner, *this, life_) {
  const Now now = runtime_.now();
  const Role role = facts_.direction == Direction::outbound ? Role::dialer : Role::listener;
  ConnectionEvents& events = *this;
  engine_ = std::make_unique<ConnectionEngine>(role, std::move(config), events, now, runtime_.rng());
  timer_ = runtime_.make_timer([this] { on_timer(); });
}

SocketConnection::~SocketConnection() {
  life_.end();
  give_back_out();
  if (std::exchange(phase_, Phase::ended) == Phase::ended) return;
  const Entered entered(in_engine_);
  engine_->abort(fail(Errc::reset, "the connection was dropped"));
}

void SocketConnection::start() {
  arm_read();
  pump();
}

// ---- its life ----

void SocketConnection::close(Error why, MonoTime deadline, CloseCode code) {
  if (phase_ == Phase::running) {
    phase_ = Phase::closing;
    why_ = std::move(why);
  } else if (phase_ == Phase::failed) {
    phase_ = Phase::closing_failed;
    if (why_ == Errc::reset) why_ = std::move(why);
  } else {
    return;
  }
  close_deadline_ = deadline;
  engine_->go_away(code);
  schedule_pump();
}

void SocketConnection::on_failure(Error error) {
  if (phase_ == Phase::running) {
    phase_ = Phase::failed;
    why_ = std::move(error);
  } else if (phase_ == Phase::closing) {
    phase_ = Phase::closing_failed;
    if (error != Errc::reset) why_ = std::move(error);
  }
}

void SocketConnection::settle() {
  if (phase_ == Phase::ended) return;
  // One that has failed outside its inputs: its security could not begin, or a message could not be sealed.
  if (engine_->failed()) on_failure(engine_->failure());
  if (failing()) return finish();
  if (phase_ == Phase::closing) {
    if (!engine_->ready()) return finish();
    if (!engine_->wants_transmit() && out_begin_ == out_end_) say_good_bye();
  }
  arm_read();
  arm_timer();
}

void SocketConnection::say_good_bye() {
  phase_ = Phase::good_bye;
  socket_->shutdown_write();
  close_deadline_ = std::min(close_deadline_, runtime_.now().mono + kDrain);
}

void SocketConnection::finish() {
  if (phase_ == Phase::ended) return;
  const LifeWatch alive = life_.watch();
  // Last words, as far as the socket takes them at once: the go-away that tells the peer why.
  if (phase_ != Phase::good_bye && out_begin_ == out_end_ && engine_->wants_transmit()) {
    Bytes last(4096);
    const Entered entered(in_engine_);
    const std::size_t n = engine_->poll_transmit(last, runtime_.now());
    if (n > 0) (void)socket_->write(ByteView(last).first(n));
  }
  phase_ = Phase::ended;
  {
    const Entered entered(in_engine_);
    engine_->abort(why_);
  }
  table_.cut();
  timer_->disarm();
  socket_.reset();
  give_back_out();
  Bytes().swap(rest_in_);
  owner_.on_closed(*this, why_);
  if (!alive) return;
  if (const auto outcome = std::exchange(outcome_, nullptr)) outcome(why_);
  if (alive) table_.deliver();
}

void SocketConnection::check() const {
  OPP2P_CHECK(!in_engine_, "nobody is at work between two calls");
  OPP2P_CHECK(out_begin_ <= out_end_ && out_end_ <= out_.size(), "what is to be sent lies in the buffer", out_begin_,
              out_end_, out_.size());
  OPP2P_CHECK(out_.empty() || out_begin_ < out_end_, "a connection at rest owns no buffer", out_begin_);
  OPP2P_CHECK(!write_deadline_ || out_begin_ < out_end_, "a write that has a deadline is not over");
  OPP2P_CHECK(rest_in_.size() <= IoBuffers::kIn, "input that waits fits into the buffer", rest_in_.size());
  OPP2P_CHECK((close_deadline_ == MonoTime::max()) || phase_ != Phase::running, "only a close sets its deadline");
  OPP2P_CHECK((socket_ == nullptr) == (phase_ == Phase::ended), "a connection has its socket until it has ended",
              phase_);
  engine_->check();
  table_.check();
}

// ---- the driver ----

void SocketConnection::arm_read() {
  if (phase_ == Phase::ended || handshake_at_ || std::exchange(reading_, true)) return;
  socket_->when_readable([this] {
    reading_ = false;
    on_readable();
  });
}

void SocketConnection::on_readable() {
  const LifeWatch alive = life_.watch();
  if (phase_ == Phase::good_bye) return read_drain();
  if (handshake_waits()) return arm_timer();
  const MonoTime started = runtime_.now().mono;
  Bytes in = buffers_.take_in();
  std::copy(rest_in_.begin(), rest_in_.end(), in.begin());
  std::size_t have = rest_in_.size();
  Bytes().swap(rest_in_);
  std::size_t got = 0;
  bool more = true;
  while (more && !failing() && got < kTurnBytes) {
    const Now now = runtime_.now();
    if (now.mono - started > kTurnTime) break;
    more = read_some(in, have, now, got);
    fit_portion(runtime_.now().mono - now.mono);
    if (!table_.deliver()) break;
    const bool unfinished = flush(true);
    if (!alive) break;
    if (unfinished) schedule_pump();
  }
  if (alive && !failing()) rest_in_.assign(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(have));
  if (!alive) return;  // the buffer goes with the host's
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

// What is read at once is digested at once. Bytes that cost much, a flood of tiny frames, are taken in smaller
// portions, so that the turn ends near its time and others get theirs.
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
    if (n.error() != Errc::would_block) on_failure(n.error());
    return false;
  }
  if (*n == 0) {
    on_failure(fail(Errc::reset, "the peer closed the connection"));
    return false;
  }
  bytes_in_ += *n;
  got += *n;
  have += *n;
  const Entered entered(in_engine_);
  auto taken = engine_->on_bytes(MutableBytes(in).first(have), now);
  if (!taken) {
    on_failure(std::move(taken).error());
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
  finish();
}

void SocketConnection::on_timer() {
  armed_.reset();
  const Now now = runtime_.now();
  if (now.mono >= close_deadline_) return finish();
  if (handshake_at_ && *handshake_at_ <= now.mono) handshake_at_.reset();
  if (write_deadline_ && *write_deadline_ <= now.mono) {
    on_failure(fail(Errc::timed_out, "the peer did not read " + std::to_string(out_end_ - out_begin_) +
                                         " bytes within " + std::to_string(kWriteTimeout / Seconds(1)) + " s"));
  }
  table_.on_timeout(now.mono);
  const auto deadline = engine_->next_deadline();
  if (phase_ != Phase::good_bye && deadline && *deadline <= now.mono) {
    const Entered entered(in_engine_);
    if (auto done = engine_->on_timeout(now); !done) on_failure(std::move(done).error());
  }
  pump();
}

void SocketConnection::schedule_pump() {
  if (std::exchange(pump_posted_, true)) return;
  runtime_.post(life_.guard([this] {
    pump_posted_ = false;
    pump();
  }));
}

void SocketConnection::pump() {
  if (phase_ == Phase::ended) return;
  if (!table_.deliver()) return;
  const LifeWatch alive = life_.watch();
  const bool unfinished = flush(true);
  if (!alive) return;
  if (unfinished) schedule_pump();
  settle();
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
      } else {
        on_failure(n.error());
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
  if (phase_ == Phase::good_bye || phase_ == Phase::ended) return false;
  const LifeWatch alive = life_.watch();
  bool unfinished = false;
  std::size_t sent = 0;
  const MonoTime started = runtime_.now().mono;
  while (!failing()) {
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
    const bool told = tell_streams && table_.wants_delivery();
    if (told && !table_.deliver()) return false;
    if (out_end_ == 0 && !told) break;
  }
  if (!alive) return false;
  if (out_begin_ == out_end_) give_back_out();
  return unfinished;
}

void SocketConnection::give_back_out() {
  if (out_.empty()) return;
  buffers_.give_out(std::move(out_));
  out_ = Bytes();
  out_begin_ = out_end_ = 0;
}

void SocketConnection::arm_timer() {
  if (phase_ == Phase::ended) return;
  std::optional<MonoTime> deadline = phase_ == Phase::good_bye ? std::nullopt : engine_->next_deadline();
  const auto sooner = [&deadline](MonoTime t) { deadline = deadline ? std::min(*deadline, t) : t; };
  if (const auto lingering = table_.next_deadline()) sooner(*lingering);
  if (handshake_at_) sooner(*handshake_at_);
  if (write_deadline_) sooner(*write_deadline_);
  if (close_deadline_ != MonoTime::max()) sooner(close_deadline_);
  if (deadline == armed_) return;
  armed_ = deadline;
  if (deadline) {
    timer_->arm(*deadline);
  } else {
    timer_->disarm();
  }
}

}  // namespace libp2p
