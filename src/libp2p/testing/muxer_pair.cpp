#include "libp2p/testing/muxer_pair.hpp"

#include <algorithm>
#include <utility>

namespace libp2p {
namespace {

constexpr int kMostMuxerSteps = 200'000;

}  // namespace

// ---- one end ----

MuxerEnd::MuxerEnd(std::string name, Findings& findings, const StreamLimits& limits)
    : name_(std::move(name)), findings_(findings), limits_(limits) {}

void MuxerEnd::start(const MuxerKind& kind, Role role, Now now) { muxer_ = kind.make(role, limits_, *this, now); }

std::optional<StreamId> MuxerEnd::open(Now now) {
  const auto id = muxer_->open(now);
  if (!id) return std::nullopt;
  findings_.expect(*id > last_id_, name_ + " to get an id above " + std::to_string(last_id_), std::to_string(*id));
  findings_.expect(muxer_->has(*id), name_ + " to have the stream that it has opened");
  last_id_ = std::max(last_id_, *id);
  streams[*id];
  return *id;
}

void MuxerEnd::write(StreamId id, ByteView bytes, bool finish) {
  Seen& seen = streams.at(id);
  append(seen.to_write, bytes);
  seen.finish = seen.finish || finish;
  if (!seen.cut_short) push(id, seen);
}

void MuxerEnd::push(StreamId id, Seen& seen) {
  if (!seen.to_write.empty()) {
    const std::size_t taken = muxer_->send(id, seen.to_write);
    findings_.expect(taken <= seen.to_write.size(), name_ + "'s send to take no more than it is given");
    const std::size_t queued = muxer_->send_queue_bytes(id);
    findings_.expect(queued <= limits_.max_send_queue,
                     name_ + "'s queue at most " + std::to_string(limits_.max_send_queue), std::to_string(queued));
    seen.cut_short = taken < seen.to_write.size();
    seen.to_write.erase(seen.to_write.begin(), seen.to_write.begin() + static_cast<std::ptrdiff_t>(taken));
  }
  if (seen.to_write.empty() && seen.finish) close_write(id);
}

bool MuxerEnd::send_shared(StreamId id, SharedBytes bytes, std::size_t offset) {
  const bool taken = muxer_->send(id, std::move(bytes), offset);
  if (!taken) streams.at(id).cut_short = true;
  return taken;
}

void MuxerEnd::close_write(StreamId id) {
  Seen& seen = streams.at(id);
  seen.finish = false;
  seen.we_ended = true;
  muxer_->close_write(id);
}

void MuxerEnd::reset(StreamId id) {
  Seen& seen = streams.at(id);
  seen.we_reset = true;
  unread_ -= std::exchange(seen.unread, 0);
  muxer_->reset(id);
  findings_.expect(!muxer_->has(id), name_ + " to have no stream that it has reset");
}

void MuxerEnd::stop_reading(StreamId id) {
  Seen& seen = streams.at(id);
  seen.stopped_reading = true;
  unread_ -= std::exchange(seen.unread, 0);
  muxer_->stop_reading(id);
}

void MuxerEnd::consume(StreamId id, std::size_t n) {
  Seen& seen = streams.at(id);
  const std::size_t part = std::min(n, seen.unread);
  seen.unread -= part;
  unread_ -= part;
  muxer_->consume(id, part);
}

void MuxerEnd::consume_all() {
  std::vector<StreamId> full;
  for (const auto& [id, seen] : streams)
    if (seen.unread > 0) full.push_back(id);
  for (const StreamId id : full) consume(id, streams.at(id).unread);
}

MuxerEnd::Seen* MuxerEnd::told(StreamId id, std::string_view event) {
  const std::string what = std::string(event) + " of stream " + std::to_string(id) + " at the " + name_;
  findings_.expect(inside, what + " to come inside on_bytes, on_timeout, poll_output or abort");
  const auto found = streams.find(id);
  if (found == streams.end()) {
    findings_.expect(false, "no " + what, "an event about a stream that is not there");
    return nullptr;
  }
  if (!findings_.expect(!found->second.over(), "no " + what, "an event after the stream's end")) return nullptr;
  return &found->second;
}

void MuxerEnd::over(StreamId id) {
  Seen& seen = streams.at(id);
  unread_ -= std::exchange(seen.unread, 0);
  findings_.expect(!muxer_->has(id), name_ + " to have no stream whose end it has told");
  if (forget) streams.erase(id);
}

void MuxerEnd::on_inbound_stream(StreamId id) {
  findings_.expect(inside, name_ + "'s on_inbound_stream to come inside on_bytes");
  findings_.expect(id > last_id_, name_ + " to get an id above " + std::to_string(last_id_), std::to_string(id));
  last_id_ = std::max(last_id_, id);
  streams[id].inbound = true;
  inbound.push_back(id);
  if (acknowledge_at_once) muxer_->acknowledge(id);
  if (inbound_hook) inbound_hook(id);
}

void MuxerEnd::on_data(StreamId id, ByteView data) {
  Seen* seen = told(id, "on_data");
  if (seen == nullptr) return;
  findings_.expect(!data.empty(), name_ + "'s on_data never empty");
  findings_.expect(!seen->they_ended, "no data after the end at the " + name_);
  findings_.expect(!seen->stopped_reading, "no data after stop_reading at the " + name_);
  append(seen->data, data);
  seen->unread += data.size();
  unread_ += data.size();
  received_ += data.size();
  findings_.expect(unread_ <= limits_.max_receive_memory,
                   name_ + " to hold at most " + std::to_string(limits_.max_receive_memory) + " unread bytes",
                   std::to_string(unread_));
  if (data_hook) data_hook(id, data);
  if (echo && !seen->we_ended && !seen->over()) write(id, data);
  if ((reads ? reads(id) : read_at_once) && !seen->over()) consume(id, data.size());
}

void MuxerEnd::on_end(StreamId id) {
  Seen* seen = told(id, "on_end");
  if (seen == nullptr) return;
  findings_.expect(!seen->they_ended, "one on_end at the " + name_, "a second");
  seen->they_ended = true;
  if (end_hook) end_hook(id);
  if (echo && !seen->we_ended && !seen->over()) write(id, {}, true);
}

void MuxerEnd::on_reset(StreamId id, const Error& error) {
  Seen* seen = told(id, "on_reset");
  if (seen == nullptr) return;
  ++seen->resets;
  seen->error = error;
  if (reset_hook) reset_hook(id);
  over(id);
}

void MuxerEnd::on_writable(StreamId id) {
  Seen* seen = told(id, "on_writable");
  if (seen == nullptr) return;
  ++seen->writable;
  findings_.expect(seen->cut_short, "no on_writable at the " + name_ + " without a send that was cut short");
  const std::size_t queued = muxer_->send_queue_bytes(id);
  findings_.expect(queued <= limits_.send_low_water,
                   "on_writable at the " + name_ + " at a queue of at most " + std::to_string(limits_.send_low_water),
                   std::to_string(queued));
  seen->cut_short = false;
  if (writable_hook) writable_hook(id);
  if (!seen->over()) push(id, *seen);
}

void MuxerEnd::on_closed(StreamId id) {
  Seen* seen = told(id, "on_closed");
  if (seen == nullptr) return;
  ++seen->closed;
  findings_.expect(seen->we_ended, "on_closed at the " + name_ + " only after its own end");
  findings_.expect(seen->they_ended || seen->stopped_reading,
                   "on_closed at the " + name_ + " only after the peer's end");
  if (closed_hook) closed_hook(id);
  over(id);
}

// ---- both ----

MuxerPair::MuxerPair(const MuxerKind& kind, Findings& to, std::uint64_t seed, const StreamLimits& given)
    : findings(to), limits(given), dialer("dialer", to, given), listener("listener", to, given), rng_(seed) {
  dialer.start(kind, Role::dialer, now);
  listener.start(kind, Role::listener, now);
}

void MuxerPair::transmit(MuxerEnd& from, MuxerEnd& to) {
  buffer_.resize(std::max(room, kLeastMuxerRoom));
  const bool wants = from.muxer().wants_output();
  from.inside = true;
  const std::size_t n = from.muxer().poll_output(buffer_, now);
  from.inside = false;
  findings.expect(n <= buffer_.size(), "output within the room that is given");
  findings.expect(!wants || n > 0, "output where wants_output promises some");
  findings.expect(wants || n == 0, "no output where wants_output denies it", std::to_string(n) + " bytes");
  append(to.wire, ByteView(buffer_).first(std::min(n, buffer_.size())));
}

void MuxerPair::deliver(MuxerEnd& to) {
  const std::size_t waiting = to.wire.size() - to.wire_begin;
  if (waiting == 0 || to.failure) return;
  std::size_t part = most_cut > 0 ? std::min(waiting, 1 + static_cast<std::size_t>(rng_.below(most_cut))) : waiting;
  // Half of the time all of it, otherwise a part that ends anywhere.
  if (most_cut == 0 && rng_.below(2) == 0) part = 1 + static_cast<std::size_t>(rng_.below(waiting));
  to.inside = true;
  const auto alive = to.muxer().on_bytes(ByteView(to.wire).subspan(to.wire_begin, part), now);
  to.inside = false;
  if (!alive) to.failure = alive.error();
  to.wire_begin += part;
  if (to.wire_begin == to.wire.size()) {
    to.wire.clear();
    to.wire_begin = 0;
  }
}

void MuxerPair::keep_deadline(MuxerEnd& end) {
  const auto deadline = end.muxer().next_deadline();
  if (!deadline || *deadline > now.mono || end.failure) return;
  end.inside = true;
  const auto alive = end.muxer().on_timeout(now);
  end.inside = false;
  if (!alive) end.failure = alive.error();
  const auto next = end.muxer().next_deadline();
  findings.expect(!next || *next > now.mono, "a deadline in the future once the last one was kept");
}

void MuxerPair::step() {
  now = now + Micros(20);
  keep_deadline(dialer);
  keep_deadline(listener);
  transmit(dialer, listener);
  transmit(listener, dialer);
  deliver(listener);
  deliver(dialer);
}

bool MuxerPair::at_rest() const {
  const auto rests = [](const MuxerEnd& end) {
    return (end.wire.empty() || end.failure) && !const_cast<MuxerEnd&>(end).muxer().wants_output();
  };
  return rests(dialer) && rests(listener);
}

void MuxerPair::run() {
  for (int i = 0; i < kMostMuxerSteps; ++i) {
    if (at_rest()) return;
    step();
  }
  findings.expect(false, "the two ends to come to rest");
}

bool MuxerPair::run_until(const std::function<bool()>& done) {
  for (int i = 0; i < kMostMuxerSteps && !done(); ++i) {
    if (at_rest()) return done();
    step();
  }
  return done();
}

void MuxerPair::pass(Nanos duration, bool moving) {
  const MonoTime end = now.mono + duration;
  while (now.mono < end) {
    MonoTime next = end;
    for (MuxerEnd* one : {&dialer, &listener}) {
      const auto deadline = one->failure ? std::nullopt : one->muxer().next_deadline();
      if (deadline) next = std::clamp(*deadline, now.mono, next);
    }
    now = now + std::max<Nanos>(next - now.mono, Nanos(1));
    keep_deadline(dialer);
    keep_deadline(listener);
    if (moving) run();
  }
}

}  // namespace libp2p
