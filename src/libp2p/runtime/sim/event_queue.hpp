// The simulator's queue: events ordered by (time, sequence), any of which can be taken back. Delivering one folds its
// time, sequence, node and kind into the trace hash. Thread: one. Bounds: none of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/bytes.hpp"
#include "libp2p/base/time.hpp"

namespace libp2p::runtime {

enum class SimEventKind : std::uint8_t { task, timer, deliver, credit, wake, dial, accept, resolve, work, scenario };

constexpr std::string_view to_string(SimEventKind kind) {
  switch (kind) {
    case SimEventKind::task: return "task";
    case SimEventKind::timer: return "timer";
    case SimEventKind::deliver: return "deliver";
    case SimEventKind::credit: return "credit";
    case SimEventKind::wake: return "wake";
    case SimEventKind::dial: return "dial";
    case SimEventKind::accept: return "accept";
    case SimEventKind::resolve: return "resolve";
    case SimEventKind::work: return "work";
    case SimEventKind::scenario: return "scenario";
  }
  return "unknown";
}

class EventQueue {
 public:
  using Key = std::pair<MonoTime, std::uint64_t>;

  Key add(MonoTime at, std::size_t node, SimEventKind kind, std::function<void()> run) {
    const Key key{at < now_ ? now_ : at, next_++};
    if (closed_) return key;
    events_.emplace(key, Entry{node, kind, std::move(run)});
    return key;
  }
  void remove(const Key& key) { events_.erase(key); }

  // Drops everything, also what the dropped would add.
  void close() {
    closed_ = true;
    while (!events_.empty()) events_.extract(events_.begin());
  }

  // Delivers the next event unless it lies after `limit`; then, or with no event, answers false.
  bool deliver_one(MonoTime limit) {
    if (events_.empty() || events_.begin()->first.first > limit) return false;
    auto node = events_.extract(events_.begin());
    OPP2P_ASSERT(node.key().first >= now_, "time never goes back", node.key().first, now_);
    now_ = node.key().first;
    ++delivered_;
    node_ = node.mapped().node;
    kind_ = node.mapped().kind;
    fold(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
    fold(node.key().second << 16 ^ node.mapped().node << 8 ^ static_cast<std::uint64_t>(node.mapped().kind));
    node.mapped().run();
    return true;
  }

  std::size_t size() const { return events_.size(); }
  MonoTime now() const { return now_; }
  void set_now(MonoTime now) {
    OPP2P_ASSERT(now >= now_, "time never goes back", now, now_);
    now_ = now;
  }
  std::uint64_t delivered() const { return delivered_; }
  // Of the event that was delivered last.
  std::size_t node() const { return node_; }
  SimEventKind kind() const { return kind_; }
  std::uint64_t hash() const { return hash_; }

  void fold(std::uint64_t value) {
    hash_ = (hash_ ^ value) * 0x9e3779b97f4a7c15;
    hash_ ^= hash_ >> 32;
  }
  void fold(ByteView bytes) {
    fold(bytes.size());
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) fold(load_le64(bytes.data()));
    std::uint64_t rest = 0;
    for (const std::uint8_t byte : bytes) rest = rest << 8 | byte;
    fold(rest);
  }

 private:
  struct Entry {
    std::size_t node;
    SimEventKind kind;
    std::function<void()> run;
  };
  // The clock begins away from zero, so that code which takes zero for "never" is found.
  MonoTime now_{Seconds(1000)};
  std::uint64_t next_ = 0;
  bool closed_ = false;
  std::uint64_t delivered_ = 0;
  std::size_t node_ = 0;
  SimEventKind kind_ = SimEventKind::scenario;
  std::uint64_t hash_ = 0x6f70703270;
  std::map<Key, Entry> events_;
};

}  // namespace libp2p::runtime
