// Two sessions joined by pipes that break the bytes anywhere, driven by a script and held to the model at each step. At
// the end all that was written must have come, and with every stream closed nothing may be left at either end.
#include <algorithm>
#include <vector>

#include "libp2p/protocols/mplex/session_model_test.hpp"

namespace {

using namespace libp2p;
using namespace libp2p::mplex;
using namespace libp2p::mplex::model;

constexpr std::size_t kMaxSteps = 1000;
constexpr std::size_t kMaxBytes = 1 << 20;  // written over all streams

Limits small_limits() {
  Limits limits;
  limits.max_inbound_streams = 5;
  limits.max_outbound_streams = 8;
  limits.max_stream_unread = 150'000;
  limits.max_receive_memory = 64 << 20;  // never reached
  limits.max_send_queue = 100'000;
  limits.send_low_water = 20'000;
  return limits;
}

class Run {
 public:
  explicit Run(ByteView bytes)
      : script_(bytes), model_{.limits = small_limits(), .streams = {}}, ends_{{0, model_}, {1, model_}} {}

  void play() {
    for (std::size_t steps = 0; !script_.done() && steps < kMaxSteps; ++steps) {
      step();
      for (const End& end : ends_) end.session.check();
    }
    finish();
    model_.aborted = true;
    for (End& end : ends_) {
      require(end.session.counters().refused_streams == 0 || model_.going_away[end.self] ||
              model_.most_live[end.self] >= model_.limits.max_inbound_streams);
      end.session.abort(Error(Errc::closed, "end"));
      end.session.check();
      require(end.session.stream_count() == 0 && end.session.unconsumed_bytes() == 0 && !end.session.wants_output());
    }
    require(live<Stream>() == 0);
  }

 private:
  void step() {
    const std::uint8_t what = script_.next();
    End& end = ends_[what % 2];
    const std::size_t self = end.self;
    switch (what / 2 % 12) {
      case 0: return open(end);
      case 1: return with_stream(end, [&](StreamId id, ModelStream& s) { write(end, id, s, script_.next16()); });
      case 2: return with_stream(end, [&](StreamId id, ModelStream& s) { push(end, id, s); });
      case 3:
        return with_stream(end, [&](StreamId id, ModelStream& s) {
          if (script_.next() > 60) return;
          s.stopped[self] = true;
          end.session.stop_reading(id);
        });
      case 4: return with_stream(end, [&](StreamId id, ModelStream& s) { close(end, id, s); });
      case 5:
        return with_stream(end, [&](StreamId id, ModelStream& s) {
          s.reset[self] = true;
          s.alive[self] = false;
          end.session.reset(id);
        });
      case 6:
        return with_stream(end, [&](StreamId id, ModelStream& s) { consume(end, id, s, script_.next() * 4096U); });
      case 7: return poll(end, kMaxHeader + 1 + script_.next());
      case 8: return poll(end, kMaxHeader + 1U + script_.next16());
      case 9: return deliver(end, 1U + script_.next());
      case 10: return deliver(end, std::size_t{script_.next16()} * 8);
      default:
        if (script_.next() >= 4) return;
        end.session.go_away();
        model_.going_away[self] = true;
    }
  }

  template <class Act>
  void with_stream(End& end, Act&& act) {
    std::vector<StreamId> ids;
    for (const auto& [key, s] : model_.streams) {
      if (s.alive[end.self]) ids.push_back(s.id[end.self]);
    }
    if (ids.empty()) return;
    const StreamId id = ids[script_.below(ids.size())];
    act(id, model_.at(end.self, id));
    require(end.session.has(id) == model_.at(end.self, id).alive[end.self]);
  }

  void open(End& end) {
    const bool may =
        !model_.going_away[end.self] && model_.live(end.self, end.self) < model_.limits.max_outbound_streams;
    const auto id = end.session.open();
    require(id.has_value() == may);
    if (!may) return;
    ModelStream fresh;
    fresh.opener = end.self;
    fresh.wire_id = opened_[end.self]++;
    fresh.id[end.self] = *id;
    fresh.alive[end.self] = true;
    require(model_.streams.emplace(std::make_pair(end.self, fresh.wire_id), fresh).second);
  }

  void close(End& end, StreamId id, ModelStream& s) {
    end.session.close_write(id);
    s.half[end.self].ended = true;
  }

  void write(End& end, StreamId id, ModelStream& s, std::size_t size) {
    if (written_ + size > kMaxBytes) return;
    Half& half = s.half[end.self];
    Bytes data = to_bytes(pattern(s, end.self, half.written, size));
    const std::size_t bound = model_.limits.max_send_queue;
    const std::size_t room = half.ended ? 0 : bound - std::min(bound, half.written - half.wired);
    if (size % 3 == 0) {  // by reference: whole or not at all, and the last one may overshoot
      const bool taken = end.session.send(id, share(std::move(data)), 0);
      require(taken == (room > 0));
      size = taken ? size : 0;
      s.short_write[end.self] = s.short_write[end.self] || (!taken && !half.ended);
    } else {
      const std::size_t taken = end.session.send(id, data);
      require(taken == std::min(room, size));
      s.short_write[end.self] = s.short_write[end.self] || (taken < size && !half.ended);
      size = taken;
    }
    half.written += size;
    written_ += size;
    require(end.session.send_queue_bytes(id) == half.written - half.wired);
  }

  // More than goes through without a reader.
  void push(End& end, StreamId id, ModelStream& s) {
    for (int round = 0; round < 5 && s.alive[end.self]; ++round) {
      write(end, id, s, kPatternSize);
      poll(end, 1 << 18);
      deliver(ends_[1 - end.self], end.pipe.size());
    }
  }

  void consume(End& end, StreamId id, ModelStream& s, std::size_t most) {
    Half& received = s.half[1 - end.self];
    const std::size_t n = std::min(most, received.read - received.consumed);
    received.consumed += n;
    end.session.consume(id, n);
  }

  void poll(End& end, std::size_t room) {
    Bytes out(room);
    out.resize(end.session.poll_output(out));
    require(out.empty() ? !end.session.wants_output() : true);
    model_.on_wire(end.self, out);
    append(end.pipe, out);
  }

  // Some of what the other end has sent.
  void deliver(End& end, std::size_t most) {
    Bytes& pipe = ends_[1 - end.self].pipe;
    const Bytes bytes(pipe.begin(), pipe.begin() + static_cast<std::ptrdiff_t>(std::min(most, pipe.size())));
    pipe.erase(pipe.begin(), pipe.begin() + static_cast<std::ptrdiff_t>(bytes.size()));
    require(end.session.on_bytes(bytes).has_value());
  }

  // Everything that is under way arrives and is read.
  void settle() {
    for (bool moved = true; moved;) {
      moved = false;
      for (End& end : ends_) {
        for (auto& [key, s] : model_.streams) {
          if (s.alive[end.self]) consume(end, s.id[end.self], s, kMaxBytes);
        }
        poll(end, 1 << 20);
        moved = moved || !end.pipe.empty();
        deliver(ends_[1 - end.self], end.pipe.size());
      }
    }
  }

  void finish() {
    settle();
    for (auto& [key, s] : model_.streams) {
      for (std::size_t end : {0, 1}) {
        if (!s.alive[end] || s.stopped[end]) continue;
        require(s.half[1 - end].end_read == s.half[1 - end].close_wired &&
                s.half[1 - end].read == s.half[1 - end].wired);
      }
    }
    for (End& end : ends_) {
      for (auto& [key, s] : model_.streams) {
        if (s.alive[end.self]) close(end, s.id[end.self], s);
      }
    }
    settle();
    for (const End& end : ends_) {
      require(end.session.stream_count() == 0 && end.session.unconsumed_bytes() == 0 && !end.session.wants_output());
    }
  }

  fuzzing::Script script_;
  Model model_;
  End ends_[2];
  std::uint64_t opened_[2] = {0, 0};
  std::size_t written_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Run(ByteView(data, size)).play();
  return 0;
}
