// How one object tells others what happens to it: the one idiom for listening. The object owns an EventSource<Event>,
// where Event is a struct or a std::variant of structs, and emits. Who wants to know calls subscribe() and keeps the
// Subscription; dropping that unsubscribes. A listener hears of what happens after it subscribed, in order, each event
// once.
//
// Owner: whoever emits; a Subscription may outlive it and does nothing then. Thread: that of its owner; no locks.
// Bounds: the subscriptions that its owner's users hold. Re-entrancy: a listener may end its own subscription or others
// (which hear nothing more, of this event either), subscribe more (which hear of the next event), emit, and destroy the
// source (then nobody hears more). A listener that unsubscribes itself is destroyed when the event has been told.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "libp2p/base/assert.hpp"

namespace libp2p {

namespace detail {

class ListenerTable {
 public:
  virtual ~ListenerTable() = default;
  virtual void remove(std::uint64_t id) = 0;
};

}  // namespace detail

// A place among the listeners of an EventSource. Move-only; dropping it unsubscribes.
class [[nodiscard]] Subscription {
 public:
  Subscription() = default;
  Subscription(std::weak_ptr<detail::ListenerTable> table, std::uint64_t id) : table_(std::move(table)), id_(id) {}
  ~Subscription() { reset(); }
  Subscription(Subscription&& other) noexcept : table_(std::exchange(other.table_, {})), id_(other.id_) {}
  Subscription& operator=(Subscription&& other) noexcept {
    if (this == &other) return *this;
    reset();
    table_ = std::exchange(other.table_, {});
    id_ = other.id_;
    return *this;
  }

  // Unsubscribes; nothing when that has been done, or when the source is gone.
  void reset() {
    if (const auto table = std::exchange(table_, {}).lock()) table->remove(id_);
  }

 private:
  std::weak_ptr<detail::ListenerTable> table_;
  std::uint64_t id_ = 0;
};

template <class Event>
class EventSource {
 public:
  using Listener = std::function<void(const Event&)>;
  // A moment among the subscriptions: an event that is told later than it happened goes to those who were there then.
  using Mark = std::uint64_t;

  EventSource() = default;
  ~EventSource() { close(); }
  EventSource(const EventSource&) = delete;
  EventSource& operator=(const EventSource&) = delete;

  // Throws std::invalid_argument for an empty listener.
  Subscription subscribe(Listener listener) {
    if (!listener) throw std::invalid_argument("an event listener is an empty function");
    table_->entries.push_back(std::make_unique<Entry>(++table_->last_id, std::move(listener)));
    return Subscription(table_, table_->last_id);
  }
  bool has_listeners() const { return !table_->entries.empty(); }
  Mark mark() const { return table_->last_id; }

  void emit(const Event& event) { emit(event, mark()); }
  void emit(const Event& event, Mark happened) {
    if (!has_listeners()) return;
    const Telling telling(table_);
    // By index, and each entry in a place of its own: listeners that come meanwhile are behind the mark.
    for (std::size_t i = 0; i < telling.table->entries.size(); ++i) {
      OPP2P_ASSERT(telling.table->telling > 0, "no entry is freed while an event is told");
      Entry& entry = *telling.table->entries[i];
      if (entry.id > happened) break;
      if (!entry.over) entry.listener(event);
    }
  }

  // Ends all subscriptions.
  void close() {
    const auto table = table_;
    for (const auto& entry : table->entries) entry->over = true;
    table->has_over = true;
    table->sweep();
  }

  // Outside of emit().
  void check() const {
    std::uint64_t before = 0;
    for (const auto& entry : table_->entries) {
      OPP2P_CHECK(entry != nullptr && entry->id > before && entry->id <= table_->last_id,
                  "listeners stand in the order in which they subscribed, each once", before, table_->last_id);
      OPP2P_CHECK(!entry->over || table_->telling > 0, "who has unsubscribed is gone once the event is told",
                  entry->id);
      before = entry->id;
    }
    OPP2P_CHECK(!table_->has_over || table_->telling > 0, "what is over is swept once the event is told");
  }

 private:
  struct Entry {
    Entry(std::uint64_t i, Listener l) : id(i), listener(std::move(l)) {}
    const std::uint64_t id;
    const Listener listener;
    bool over = false;
  };
  struct Table final : detail::ListenerTable {
    void remove(std::uint64_t id) override {
      for (const auto& entry : entries) {
        if (entry->id == id) has_over = entry->over = true;
      }
      sweep();
    }
    // What a listener holds may call back when it is destroyed: the table is in order by then.
    void sweep() {
      if (!has_over || telling > 0) return;
      has_over = false;
      std::vector<std::unique_ptr<Entry>> over;
      for (auto& entry : entries) {
        if (entry->over) over.push_back(std::move(entry));
      }
      std::erase(entries, nullptr);
    }
    std::vector<std::unique_ptr<Entry>> entries;  // by id
    std::uint64_t last_id = 0;
    unsigned telling = 0;  // events that are being told, one inside another
    bool has_over = false;
  };
  // Keeps the table while an event is told, and clears up when the outermost has been.
  struct Telling {
    explicit Telling(std::shared_ptr<Table> t) : table(std::move(t)) { ++table->telling; }
    ~Telling() {
      OPP2P_ASSERT(table->telling > 0, "each event that is told ends once");
      --table->telling;
      table->sweep();
    }
    Telling(const Telling&) = delete;
    Telling& operator=(const Telling&) = delete;
    const std::shared_ptr<Table> table;
  };

  const std::shared_ptr<Table> table_ = std::make_shared<Table>();
};

// For std::visit: a listener made of lambdas, one for each kind of event that it wants and one with `const auto&` for
// the others.
template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace libp2p
