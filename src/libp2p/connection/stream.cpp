#include "libp2p/connection/stream.hpp"

#include <algorithm>

#include "libp2p/connection/stream_state.hpp"

namespace libp2p {
namespace {

using runtime::Parking;
using runtime::Task;
using runtime::Wake;

// Points a stream at the place where its user waits, with an optional deadline, for as long as the frame lives.
class Waiting {
 public:
  Waiting(StreamState& state, Parking*& slot, Parking& parking) : state_(state), slot_(slot), parking_(parking) {
    slot_ = &parking_;
  }
  ~Waiting() {
    if (slot_ == &parking_) slot_ = nullptr;
    if (&slot_ == &state_.reader) state_.direct = {};
    // A deadline that was set while it waited has armed the timer, too.
    auto& timer = &slot_ == &state_.writer ? state_.write_timer : state_.read_timer;
    if (timer) timer->disarm();
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  // The timer exists when a deadline was set; one that is set later moves it.
  void until(const std::optional<MonoTime>& deadline, std::unique_ptr<runtime::Timer>& timer) {
    if (!deadline) return;
    timer->arm(*deadline);
  }

 private:
  StreamState& state_;
  Parking*& slot_;
  Parking& parking_;
};

void set_deadline(StreamState& state, Parking*& slot, std::unique_ptr<runtime::Timer>& timer, MonoTime deadline) {
  if (!timer) {
    Parking** waiting = &slot;
    timer = state.runtime.make_timer([waiting] {
      if (*waiting != nullptr) (*waiting)->wake_now(Wake::timed_out);
    });
  }
  if (slot != nullptr) timer->arm(deadline);
}

Error no_stream() { return fail(Errc::closed, "this handle holds no stream"); }

std::optional<Error> read_error(const StreamState& state) {
  if (state.dead) return state.dead;
  if (state.unread() == 0 && !state.ended && state.read_deadline && *state.read_deadline <= state.runtime.now().mono) {
    return fail(Errc::timed_out, "reading from " + state.protocol + " timed out");
  }
  return std::nullopt;
}

Task<Result<std::size_t>> read_from(std::shared_ptr<StreamState> state, MutableBytes into) {
  if (!state) co_return no_stream();
  if (into.empty()) co_return fail(Errc::invalid_argument, "a read needs room for at least one byte");
  if (auto error = read_error(*state)) co_return std::move(*error);
  if (state->unread() > 0) co_return state->take(into);
  if (state->ended) co_return std::size_t{0};
  Parking parking;
  {
    Waiting waiting(*state, state->reader, parking);
    waiting.until(state->read_deadline, state->read_timer);
    state->direct = into;
    state->direct_filled = 0;
    co_await parking.park();
  }
  const std::size_t filled = std::exchange(state->direct_filled, 0);
  if (filled > 0) co_return filled;
  if (state->dead) co_return *state->dead;
  if (state->unread() > 0) co_return state->take(into);
  if (state->ended) co_return std::size_t{0};
  co_return parking.result("reading from " + state->protocol).error();
}

// Why nothing can be written at all, if so.
std::optional<Error> refuses_writes(const StreamState& state) {
  if (state.dead) return *state.dead;
  if (state.write_closed) return fail(Errc::closed, "the stream's writing side was closed by us");
  return std::nullopt;
}

// Until there is room in the send queue again.
Task<Result<void>> room_to_write(std::shared_ptr<StreamState> state) {
  if (state->dead) co_return *state->dead;
  if (state->write_deadline && *state->write_deadline <= state->runtime.now().mono) {
    co_return fail(Errc::timed_out, "writing to " + state->protocol + " timed out");
  }
  Parking parking;
  {
    Waiting waiting(*state, state->writer, parking);
    waiting.until(state->write_deadline, state->write_timer);
    co_await parking.park();
  }
  if (parking.outcome() != Wake::ok) co_return parking.result("writing to " + state->protocol);
  co_return Result<void>{};
}

Task<Result<void>> write_to(std::shared_ptr<StreamState> state, ByteView bytes) {
  if (!state) co_return no_stream();
  for (;;) {
    if (auto refused = refuses_writes(*state)) co_return *std::move(refused);
    bytes = bytes.subspan(state->port->send(state->id, bytes));
    if (bytes.empty()) co_return Result<void>{};
    auto waiting = room_to_write(state);
    auto room = co_await waiting;
    if (!room) co_return room;
  }
}

Task<Result<void>> write_shared_to(std::shared_ptr<StreamState> state, SharedBytes bytes, bool more) {
  if (!state) co_return no_stream();
  for (;;) {
    if (auto refused = refuses_writes(*state)) co_return *std::move(refused);
    const bool taken = state->port->queue(state->id, bytes);
    if (!taken || !more) state->port->flush();
    if (taken) co_return Result<void>{};
    auto waiting = room_to_write(state);
    auto room = co_await waiting;
    if (!room) co_return room;
  }
}

Task<Result<void>> read_exactly_from(std::shared_ptr<StreamState> state, MutableBytes into) {
  while (!into.empty()) {
    auto reading = read_from(state, into);
    const auto n = co_await reading;
    if (!n) co_return n.error();
    if (*n == 0)
      co_return fail(Errc::truncated, "the stream ended " + std::to_string(into.size()) + " bytes too early");
    into = into.subspan(*n);
  }
  co_return Result<void>{};
}

Task<Result<Bytes>> read_message_from(std::shared_ptr<StreamState> state, std::size_t max) {
  std::uint64_t length = 0;
  for (unsigned shift = 0;; shift += 7) {
    std::uint8_t byte = 0;
    MutableBytes one(&byte, 1);
    auto reading = read_from(state, one);
    const auto n = co_await reading;
    if (!n) co_return n.error();
    if (*n == 0) {
      if (shift == 0) co_return fail(Errc::closed, "the stream ended where a message could begin");
      co_return fail(Errc::truncated, "the stream ended inside a message's length");
    }
    if (shift == 63 || (byte == 0 && shift > 0)) {
      co_return fail(Errc::malformed, "a message's length is no minimal varint of at most nine bytes");
    }
    length |= std::uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) break;
  }
  if (length > max) {
    co_return fail(Errc::too_large, "a message of " + std::to_string(length) + " bytes is announced, at most " +
                                        std::to_string(max) + " are allowed");
  }
  // Grown with what arrives, so that announcing a large message costs its sender as much as it costs us.
  Bytes message;
  constexpr std::size_t kStep = 64 * 1024;
  while (message.size() < length) {
    const std::size_t have = message.size();
    message.resize(std::min<std::size_t>(static_cast<std::size_t>(length), have + std::max(kStep, have)));
    MutableBytes part = MutableBytes(message).subspan(have);
    auto reading = read_exactly_from(state, part);
    const auto done = co_await reading;
    if (!done) co_return done.error();
  }
  co_return message;
}

Task<Result<Bytes>> read_all_from(std::shared_ptr<StreamState> state, std::size_t max) {
  Bytes out;
  constexpr std::size_t kStep = 16 * 1024;
  for (;;) {
    const std::size_t have = out.size();
    // One byte more than allowed, to tell "exactly max" from "more".
    const std::size_t room = std::min(std::max(kStep, have), max - have + 1);
    out.resize(have + room);
    MutableBytes part = MutableBytes(out).subspan(have);
    auto reading = read_from(state, part);
    const auto n = co_await reading;
    if (!n) co_return n.error();
    out.resize(have + *n);
    if (*n == 0) co_return out;
    if (out.size() > max) co_return fail(Errc::too_large, "more than " + std::to_string(max) + " bytes came");
  }
}

}  // namespace

Task<Result<void>> wait_until_opened(std::shared_ptr<StreamState> state) {
  if (!state->opened && !state->dead) {
    Parking parking;
    Waiting waiting(*state, state->opener, parking);
    co_await parking.park();
    if (parking.outcome() != Wake::ok) co_return parking.result("opening a stream");
  }
  if (state->dead) co_return *state->dead;
  co_return Result<void>{};
}

// ---- the handle ----

Stream::Stream(std::shared_ptr<StreamState> state) : state_(std::move(state)) {}

Stream::Stream(Stream&&) noexcept = default;

Stream& Stream::operator=(Stream&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Stream::~Stream() {
  if (!state_) return;
  state_->handler = nullptr;
  state_->released = true;
  if (state_->dead) return;
  if (state_->write_closed) {
    const std::size_t unread = state_->unread();
    state_->drop_buffer();
    if (unread > 0) state_->port->credit(state_->id, unread);
    if (!state_->ended) state_->port->linger(state_->id);
    return;
  }
  reset();
}

const PeerId& Stream::peer() const { return state_->peer; }
const std::string& Stream::protocol() const { return state_->protocol; }
Direction Stream::direction() const { return state_->direction; }

Task<Result<std::size_t>> Stream::read_some(MutableBytes into) { return read_from(state_, into); }
Task<Result<void>> Stream::read_exactly(MutableBytes into) { return read_exactly_from(state_, into); }
Task<Result<Bytes>> Stream::read_length_prefixed(std::size_t max) { return read_message_from(state_, max); }
Task<Result<Bytes>> Stream::read_to_end(std::size_t max) { return read_all_from(state_, max); }
Task<Result<void>> Stream::write(ByteView bytes) { return write_to(state_, bytes); }
Task<Result<void>> Stream::write(SharedBytes bytes, bool more) {
  return write_shared_to(state_, std::move(bytes), more);
}

void Stream::set_read_deadline(MonoTime deadline) {
  if (!state_) return;
  state_->read_deadline = deadline;
  set_deadline(*state_, state_->reader, state_->read_timer, deadline);
}

void Stream::set_write_deadline(MonoTime deadline) {
  if (!state_) return;
  state_->write_deadline = deadline;
  set_deadline(*state_, state_->writer, state_->write_timer, deadline);
}

void Stream::set_handler(StreamHandler* handler) {
  if (!state_) return;
  const auto state = state_;  // the handler may drop this handle
  state->handler = handler;
  if (handler == nullptr || state->dead) {
    if (handler != nullptr && !std::exchange(state->reset_told, true)) handler->on_reset(*state->dead);
    return;
  }
  if (state->unread() > 0) {
    const Bytes held = std::exchange(state->buffer, {});
    const std::size_t from = std::exchange(state->taken, 0);
    state->port->on_unread(-static_cast<std::ptrdiff_t>(held.size() - from));
    handler->on_data(ByteView(held).subspan(from));
    state->port->credit(state->id, held.size() - from);
  }
  if (state->handler != nullptr && state->ended && !std::exchange(state->end_told, true)) state->handler->on_end();
}

bool Stream::try_send(SharedBytes bytes, bool more) {
  if (!alive() || state_->write_closed) return false;
  const bool taken = state_->port->queue(state_->id, std::move(bytes));
  if (!more) flush();
  return taken;
}

void Stream::flush() {
  if (alive()) state_->port->flush();
}

std::size_t Stream::send_queue_bytes() const { return state_ ? state_->port->send_queue_bytes(state_->id) : 0; }

void Stream::close_write() {
  if (!alive() || std::exchange(state_->write_closed, true)) return;
  state_->port->close_write(state_->id);
}

void Stream::reset() {
  if (!state_ || state_->dead) return;
  const bool over = state_->ended && state_->write_closed;
  state_->on_dead(fail(Errc::reset, "the stream was reset by us"));
  state_->reset_told = true;
  state_->wake_later();
  if (!over) state_->port->reset(state_->id);
}

void Stream::signal_when_dead(runtime::Event* event) {
  if (!state_) return;
  state_->death = event;
  if (event != nullptr && state_->dead) std::exchange(state_->death, nullptr)->signal();
}

bool Stream::alive() const { return state_ && !state_->dead; }

}  // namespace libp2p
