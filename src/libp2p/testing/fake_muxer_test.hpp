// A muxer for tests, with a wire format of its own and a selectable defect. With Defect::none it passes the muxer
// suite; with any other defect a case of the suite must report it. For muxer_suite_test.cpp. Thread: one. Bounds: those
// of StreamLimits.
//
// A frame has a type (1 byte), a stream number (4), a length (2) and a payload. The stream number is twice the opener's
// count; the listener adds one.
#pragma once

#include <algorithm>
#include <deque>
#include <map>

#include "libp2p/seams/stream_mux.hpp"

namespace libp2p {

enum class Defect {
  none,
  loses_a_byte,
  gives_no_credit_back,
  starves_streams,
  keeps_ended_streams,
  drops_queue_at_end,
  end_closes_both_ways,
  tells_no_reset,
  tells_reset_to_its_caller,
  takes_too_much,
  never_writable,
  writable_too_early,
  no_inbound_bound,
  no_outbound_bound,
  no_memory_bound,
  aborts_in_silence,
  forgets_queue_when_going,
  survives_garbage,
  takes_for_gone_streams,
  delivers_after_stop,
  needs_more_room,
  answers_no_ping,
  never_times_out,
  keeps_shared,
  ignores_offset,
};

class FakeMuxer final : public Muxer {
 public:
  FakeMuxer(Defect defect, Role role, const StreamLimits& limits, MuxerEvents& events, Now now)
      : defect_(defect), role_(role), limits_(limits), events_(events), next_ping_(now.mono + Seconds(30)) {}

  Result<StreamId> open(Now) override {
    if (failed_ || going_) return Error(Errc::closed, "the connection ends");
    const auto ours = count(false);
    if (ours >= limits_.max_outbound_streams && defect_ != Defect::no_outbound_bound)
      return Error(Errc::exhausted, "too many");
    Stream& stream = insert(next_wire_++ * 2 + (role_ == Role::listener ? 1 : 0), false);
    control(kOpen, stream.wire);
    return stream.id;
  }
  void acknowledge(StreamId) override {}
  bool has(StreamId id) const override { return streams_.contains(id); }
  std::size_t stream_count() const override { return streams_.size(); }
  std::size_t send(StreamId id, ByteView data) override {
    Stream* stream = find(id);
    if (stream == nullptr) return defect_ == Defect::takes_for_gone_streams ? data.size() : 0;
    std::size_t n = std::min(data.size(), limits_.max_send_queue - std::min(limits_.max_send_queue, stream->queued));
    if (defect_ == Defect::takes_too_much) n = data.size();
    if (n > 0) queue(*stream, share(to_bytes(data.first(n))), 0);
    if (n < data.size()) stream->wants_writable = true;
    return n;
  }
  bool send(StreamId id, SharedBytes data, std::size_t offset) override {
    Stream* stream = find(id);
    if (stream == nullptr) return false;
    if (stream->queued >= limits_.max_send_queue) {
      stream->wants_writable = true;
      return false;
    }
    if (defect_ == Defect::keeps_shared) kept_.push_back(data);
    queue(*stream, std::move(data), defect_ == Defect::ignores_offset && offset > 0 ? offset - 1 : offset);
    return true;
  }
  std::size_t send_queue_bytes(StreamId id) const override {
    const auto found = streams_.find(id);
    return found == streams_.end() ? 0 : found->second.queued;
  }
  void close_write(StreamId id) override {
    Stream* stream = find(id);
    if (stream == nullptr) return;
    stream->we_ended = true;
    if (defect_ == Defect::drops_queue_at_end) {
      stream->chunks.clear();
      stream->queued = 0;
    }
    if (defect_ == Defect::end_closes_both_ways) stream->stopped = true;
    make_ready(id);
  }
  void stop_reading(StreamId id) override {
    Stream* stream = find(id);
    if (stream == nullptr) return;
    unconsumed_ -= std::exchange(stream->unconsumed, 0);
    stream->stopped = true;
  }
  void reset(StreamId id, std::uint64_t) override {
    Stream* stream = find(id);
    if (stream == nullptr) return;
    if (defect_ != Defect::tells_no_reset) control(kReset, stream->wire);
    erase(*stream);
    if (defect_ == Defect::tells_reset_to_its_caller) events_.on_reset(id, Error(Errc::reset));
  }
  void consume(StreamId id, std::size_t n) override {
    Stream* stream = find(id);
    if (stream == nullptr || n == 0) return;
    stream->unconsumed -= n;
    unconsumed_ -= n;
    if (defect_ != Defect::gives_no_credit_back) give_credit(*stream, n);
  }
  void go_away(CloseCode) override {
    going_ = true;
    if (defect_ != Defect::forgets_queue_when_going) return;
    for (auto& [id, stream] : streams_) {
      stream.chunks.clear();
      stream.queued = 0;
    }
  }
  void abort(const Error& reason) override {
    if (defect_ == Defect::aborts_in_silence) {
      streams_.clear();
      by_wire_.clear();
    }
    control_.clear();
    end_all(reason);
  }
  bool wants_output() const override {
    if (!control_.empty()) return true;
    if (failed_) return false;
    return next_ready().has_value() || (going_ && !said_bye_);
  }
  std::optional<Nanos> round_trip() const override { return std::nullopt; }
  bool failed() const override { return failed_; }

  Result<void> on_bytes(ByteView in, Now now) override {
    if (failed_) return Error(Errc::closed, "the connection has ended");
    pinged_ = false;
    next_ping_ = now.mono + Seconds(30);
    append(partial_, in);
    std::size_t at = 0;
    while (partial_.size() - at >= kHeader) {
      const std::size_t size = load_be16(&partial_[at + 5]);
      if (partial_.size() - at < kHeader + size) break;
      if (auto alive =
              on_frame(partial_[at], load_be32(&partial_[at + 1]), ByteView(partial_).subspan(at + kHeader, size));
          !alive)
        return alive;
      at += kHeader + size;
    }
    partial_.erase(partial_.begin(), partial_.begin() + static_cast<std::ptrdiff_t>(at));
    return {};
  }
  std::optional<MonoTime> next_deadline() const override {
    return failed_ ? std::nullopt : std::optional<MonoTime>(next_ping_);
  }
  Result<void> on_timeout(Now now) override {
    if (failed_ || now.mono < next_ping_) return {};
    if (pinged_ && defect_ != Defect::never_times_out) return fail(Error(Errc::timed_out, "the peer is silent"));
    control(kPing, 0);
    pinged_ = true;
    next_ping_ = now.mono + Seconds(10);
    return {};
  }
  std::size_t poll_output(MutableBytes out, Now) override {
    const std::size_t room = out.size();
    if (defect_ == Defect::needs_more_room && room < 64) return 0;
    if (going_ && !said_bye_ && !failed_ && control_.empty() && !next_ready()) {
      said_bye_ = true;
      control(kBye, 0);
    }
    while (!control_.empty() && control_.front().size() <= out.size()) {
      out = write(out, control_.front());
      control_.pop_front();
    }
    while (control_.empty() && out.size() > kHeader) {
      const auto id = failed_ ? std::nullopt : next_ready();
      if (!id) break;
      out = write_frame(out, streams_.at(*id));
    }
    return room - out.size();
  }

 private:
  static constexpr std::size_t kHeader = 7, kMostPayload = 8192, kWindow = 256 * 1024;
  static constexpr std::uint8_t kOpen = 0, kData = 1, kEnd = 2, kReset = 3, kCredit = 4, kBye = 5, kPing = 6, kPong = 7;

  struct Chunk {
    SharedBytes bytes;
    std::size_t offset = 0;
  };
  struct Stream {
    StreamId id = 0;
    std::uint32_t wire = 0;
    bool inbound = false, we_ended = false, end_sent = false, they_ended = false, stopped = false,
         wants_writable = false;
    std::deque<Chunk> chunks;
    std::size_t queued = 0, credit = kWindow, unconsumed = 0;
    bool sendable() const { return queued > 0 ? credit > 0 : we_ended && !end_sent; }
  };

  Stream* find(StreamId id) {
    const auto found = streams_.find(id);
    return found == streams_.end() ? nullptr : &found->second;
  }
  std::size_t count(bool inbound) const { return inbound ? inbound_ : streams_.size() - inbound_; }
  Stream& insert(std::uint32_t wire, bool inbound) {
    Stream& stream = streams_[++last_id_];
    stream.id = last_id_;
    stream.wire = wire;
    stream.inbound = inbound;
    inbound_ += inbound ? 1 : 0;
    by_wire_[wire] = stream.id;
    return stream;
  }
  void erase(Stream& stream) {
    unconsumed_ -= stream.unconsumed;
    inbound_ -= stream.inbound ? 1 : 0;
    by_wire_.erase(stream.wire);
    streams_.erase(stream.id);
  }
  void queue(Stream& stream, SharedBytes bytes, std::size_t offset) {
    stream.queued += bytes->size() - offset;
    stream.chunks.push_back({std::move(bytes), offset});
    make_ready(stream.id);
  }
  void make_ready(StreamId id) {
    if (std::find(ready_.begin(), ready_.end(), id) == ready_.end()) ready_.push_back(id);
  }
  std::optional<StreamId> next_ready() const {
    std::optional<StreamId> best;
    for (const StreamId id : ready_) {
      const auto found = streams_.find(id);
      if (found == streams_.end() || !found->second.sendable()) continue;
      if (defect_ != Defect::starves_streams) return id;
      best = std::min(best.value_or(id), id);
    }
    return best;
  }
  void control(std::uint8_t type, std::uint32_t wire, ByteView payload = {}) {
    Bytes frame(kHeader);
    frame[0] = type;
    store_be32(&frame[1], wire);
    store_be16(&frame[5], static_cast<std::uint16_t>(payload.size()));
    append(frame, payload);
    control_.push_back(std::move(frame));
  }
  void give_credit(Stream& stream, std::size_t n) {
    ByteArray<4> credit;
    store_be32(credit.data(), static_cast<std::uint32_t>(n));
    control(kCredit, stream.wire, credit);
  }
  static MutableBytes write(MutableBytes out, ByteView bytes) {
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return out.subspan(bytes.size());
  }
  MutableBytes write_frame(MutableBytes out, Stream& stream) {
    const StreamId id = stream.id;
    ready_.erase(std::remove_if(ready_.begin(), ready_.end(),
                                [&](StreamId one) { return one == id || !streams_.contains(one); }),
                 ready_.end());
    if (stream.queued == 0) {
      control(kEnd, stream.wire);
      stream.end_sent = true;
      out = write(out, control_.back());
      control_.pop_back();
      finish(id);
      return out;
    }
    Chunk& chunk = stream.chunks.front();
    const std::size_t n =
        std::min({chunk.bytes->size() - chunk.offset, stream.credit, kMostPayload, out.size() - kHeader});
    const ByteView payload = ByteView(*chunk.bytes).subspan(chunk.offset, n);
    const std::size_t sent = defect_ == Defect::loses_a_byte && ++frames_ % 100 == 0 ? n - 1 : n;
    control(kData, stream.wire, payload.first(sent));
    out = write(out, control_.back());
    control_.pop_back();
    stream.credit -= n;
    stream.queued -= n;
    chunk.offset += n;
    if (chunk.offset == chunk.bytes->size()) stream.chunks.pop_front();
    if (stream.queued > 0 || stream.we_ended) ready_.push_back(id);
    const std::size_t low = defect_ == Defect::writable_too_early ? limits_.max_send_queue : limits_.send_low_water;
    if (stream.wants_writable && stream.queued <= low && defect_ != Defect::never_writable) {
      stream.wants_writable = false;
      events_.on_writable(id);
    }
    return out;
  }
  void finish(StreamId id) {
    Stream* stream = find(id);
    if (stream == nullptr || !stream->end_sent || (!stream->they_ended && !stream->stopped)) return;
    if (defect_ != Defect::keeps_ended_streams) erase(*stream);
    events_.on_closed(id);
  }
  Error fail(Error error) {
    control_.clear();
    control(kBye, 0);
    end_all(error);
    return error;
  }
  void end_all(const Error& reason) {
    failed_ = true;
    std::vector<StreamId> ids;
    for (const auto& [id, stream] : streams_) ids.push_back(id);
    for (const StreamId id : ids) {
      Stream* stream = find(id);
      if (stream == nullptr) continue;
      erase(*stream);
      events_.on_reset(id, reason);
    }
  }

  Result<void> on_frame(std::uint8_t type, std::uint32_t wire, ByteView payload) {
    if (type == kPing) {
      if (defect_ != Defect::answers_no_ping) control(kPong, 0);
      return {};
    }
    if (type == kPong) return {};
    if (type == kBye) {
      Error error(Errc::closed, "the peer has gone away");
      control_.clear();
      end_all(error);
      return error;
    }
    if (type > kPong ||
        (type == kOpen && (wire % 2 == (role_ == Role::listener ? 1U : 0U) || by_wire_.contains(wire)))) {
      if (defect_ != Defect::survives_garbage) return fail(Error(Errc::malformed, "no such frame"));
      failed_ = true;
      return Error(Errc::malformed, "no such frame");
    }
    if (type == kOpen) {
      on_open(wire);
      return {};
    }
    const auto found = by_wire_.find(wire);
    if (found != by_wire_.end()) on_stream_frame(type, streams_.at(found->second), payload);
    return {};
  }
  void on_open(std::uint32_t wire) {
    if (going_ || (count(true) >= limits_.max_inbound_streams && defect_ != Defect::no_inbound_bound))
      return control(kReset, wire);
    events_.on_inbound_stream(insert(wire, true).id);
  }
  void on_stream_frame(std::uint8_t type, Stream& stream, ByteView payload) {
    const StreamId id = stream.id;
    if (type == kReset) {
      erase(stream);
      events_.on_reset(id, Error(Errc::reset, "the peer reset the stream"));
    } else if (type == kCredit && payload.size() == 4) {
      stream.credit += load_be32(payload.data());
      if (stream.sendable()) make_ready(id);
    } else if (type == kEnd && !stream.they_ended) {
      stream.they_ended = true;
      events_.on_end(id);
      finish(id);
    } else if (type == kData && !payload.empty()) {
      on_data(stream, payload);
    }
  }
  void on_data(Stream& stream, ByteView payload) {
    const StreamId id = stream.id;
    if (stream.stopped && defect_ != Defect::delivers_after_stop) return give_credit(stream, payload.size());
    if (unconsumed_ + payload.size() > limits_.max_receive_memory && defect_ != Defect::no_memory_bound) {
      reset(id, 0);
      return events_.on_reset(id, Error(Errc::exhausted, "no memory"));
    }
    stream.unconsumed += payload.size();
    unconsumed_ += payload.size();
    events_.on_data(id, payload);
  }

  const Defect defect_;
  const Role role_;
  const StreamLimits limits_;
  MuxerEvents& events_;
  std::map<StreamId, Stream> streams_;
  std::map<std::uint32_t, StreamId> by_wire_;
  std::deque<StreamId> ready_;
  std::deque<Bytes> control_;
  std::vector<SharedBytes> kept_;
  Bytes partial_;
  StreamId last_id_ = 0;
  std::uint32_t next_wire_ = 1;
  std::size_t inbound_ = 0, unconsumed_ = 0, frames_ = 0;
  bool going_ = false, said_bye_ = false, failed_ = false, pinged_ = false;
  MonoTime next_ping_;
};

inline MuxerKind fake_muxer(Defect defect) {
  return {"/fake/1.0.0", [defect](Role role, const StreamLimits& limits, MuxerEvents& events, Now now) {
            return std::make_unique<FakeMuxer>(defect, role, limits, events, now);
          }};
}

}  // namespace libp2p
