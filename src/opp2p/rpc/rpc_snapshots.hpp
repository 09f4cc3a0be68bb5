// Answers the RPC's questions about the state of the node. A question is two functions: one takes plain values on the
// network thread, the other makes an answer of them on the RPC's thread. Requests with the same key share one snapshot.
// It is begun after the last of them came, so an answer never shows less than what the client was told before. A long
// list is taken in turns.
//
// A method that reads the node is one handler: reads_value() or reads_list() below with its two functions.
//
// Owner: the daemon. Thread: ask() and the answers on the RPC's (`post`); stop() and the destructor on the network
// thread. Bounds: one turn at a time for each key is queued on the network thread, at most kMostAtOnce of them, and
// further keys wait in the order in which they came, each with its requests, whose number and memory JsonRpc bounds; a
// turn lasts kTurn and one item at most; all turns together take a tenth of the network thread's time (kPause); a list
// has at most RpcBudget::answer_bytes.
#pragma once

#include <atomic>
#include <concepts>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/base/life_token.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "opp2p/rpc/json_rpc.hpp"

namespace opp2p {

// The text of a list while it is written: within the budget of an answer and the memory of the RPC.
class SnapshotText {
 public:
  // `instead`: what a client whose list is too large can ask for.
  SnapshotText(SharedAccount memory, std::size_t most, std::string instead)
      : text_(std::move(memory)), most_(most), instead_(std::move(instead)) {}
  // False, and an error is there, when it does not fit.
  bool append(std::string_view piece);
  const std::optional<RpcError>& error() const { return error_; }
  RpcText take() { return std::move(text_); }

 private:
  RpcText text_;
  std::size_t most_;
  std::string instead_;
  std::optional<RpcError> error_;
};

// One snapshot that is being taken. The two threads use it in turn, never at once.
class SnapshotRound {
 public:
  virtual ~SnapshotRound() = default;
  // On the network thread: takes items until there are no more (true) or the time is up (false).
  virtual bool take(const std::function<bool()>& time_is_up) = 0;
  // On the RPC's thread, after each turn of take(). The answer after the last; an error may come earlier. Nothing:
  // another turn follows.
  virtual std::optional<RpcReply> write(bool whole) = 0;
};

class RpcSnapshots {
 public:
  static constexpr libp2p::Nanos kTurn = libp2p::Micros(300);
  static constexpr int kPause = 9;  // times as long as a turn took, until the next one
  static constexpr std::size_t kMostAtOnce = 16;

  // `runtime` outlives it.
  RpcSnapshots(libp2p::runtime::Runtime& runtime, JsonRpc::Post post, SharedAccount memory, std::size_t answer_bytes);
  ~RpcSnapshots();
  RpcSnapshots(const RpcSnapshots&) = delete;
  RpcSnapshots& operator=(const RpcSnapshots&) = delete;

  using MakeRound = std::function<std::unique_ptr<SnapshotRound>()>;
  // `key` stands for all that the answer depends on but the state of the node: the method and its parameters.
  void ask(const std::string& key, MakeRound make, RpcDone done);
  // The node is not asked any more, and who waits is not answered.
  void stop();

  SnapshotText make_text(std::string instead) const { return {memory_, answer_bytes_, std::move(instead)}; }

  // Work done on the network thread since the start, for tests and measurement.
  std::uint64_t taken() const { return taken_; }  // snapshots
  std::uint64_t turns() const { return turns_; }

 private:
  // Of the RPC's thread.
  struct Row {
    MakeRound make;
    std::vector<RpcDone> waiting;
    std::vector<RpcDone> served;  // by the round that is under way
    bool busy = false;
    bool queued = false;  // among due_
  };
  using Rows = std::map<std::string, Row, std::less<>>;
  struct Turn {
    std::string key;
    std::unique_ptr<SnapshotRound> round;
    bool begun = false;
    bool whole = false;
  };
  using SharedTurn = std::shared_ptr<Turn>;

  // --- on the network thread ---
  void enqueue(SharedTurn turn);
  void run_turn();
  void take(Turn& turn);

  // --- on the RPC's thread ---
  void post_turn(SharedTurn turn);
  void begin_due();
  void on_turn(const SharedTurn& turn);
  void answer(const std::string& key, const RpcReply& reply);

  libp2p::runtime::Runtime& runtime_;
  JsonRpc::Post post_;
  SharedAccount memory_;
  std::size_t answer_bytes_;
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::uint64_t> turns_{0};

  Rows rows_;                    // of keys that somebody waits for
  std::deque<std::string> due_;  // keys whose round has not begun
  std::size_t under_way_ = 0;    // rounds

  std::deque<SharedTurn> turns_due_;
  libp2p::MonoTime not_before_{};
  bool stopped_ = false;
  std::unique_ptr<libp2p::runtime::Timer> timer_;
  libp2p::LifeToken life_;  // for tasks on the network thread
};

// --- questions of one value ---

template <class Take, class Render>
class ValueRound final : public SnapshotRound {
 public:
  ValueRound(Take take, Render render) : take_(std::move(take)), render_(std::move(render)) {}
  bool take(const std::function<bool()>&) override {
    value_.emplace(take_());
    return true;
  }
  std::optional<RpcReply> write(bool) override { return RpcReply(render_(*value_)); }

 private:
  Take take_;
  Render render_;
  std::optional<std::invoke_result_t<Take&>> value_;
};

// `take` runs on the network thread, `render` makes JSON or an error of its value on the RPC's.
template <class Take, class Render>
void ask_value(RpcSnapshots& snapshots, const std::string& key, Take take, Render render, RpcDone done) {
  snapshots.ask(
      key, [take, render] { return std::make_unique<ValueRound<Take, Render>>(take, render); }, std::move(done));
}

// The handler of a method without parameters.
template <class Take, class Render>
RpcHandler reads_value(RpcSnapshots& snapshots, std::string key, Take take, Render render) {
  return [&snapshots, key = std::move(key), take, render](const json::array&, RpcDone done) {
    ask_value(snapshots, key, take, render, std::move(done));
  };
}

// --- questions of a list, whose items are taken one by one ---

// On the network thread: list() once, then item(list, i) for each i below size(list). On the RPC's: begin(list) once,
// text(item) for each, which commas separate, and end(list).
template <class L>
concept SnapshotList = requires(const L& about, const typename L::List& list, const typename L::Item& item) {
  { about.list() } -> std::same_as<typename L::List>;
  { about.size(list) } -> std::same_as<std::size_t>;
  { about.item(list, std::size_t{}) } -> std::same_as<typename L::Item>;
  { about.begin(list) } -> std::convertible_to<std::string>;
  { about.text(item) } -> std::convertible_to<std::string>;
  { about.end(list) } -> std::convertible_to<std::string>;
};

template <SnapshotList L>
class ListRound final : public SnapshotRound {
 public:
  ListRound(L about, SnapshotText text) : about_(std::move(about)), text_(std::move(text)) {}

  bool take(const std::function<bool()>& time_is_up) override {
    if (!list_) list_.emplace(about_.list());
    items_.clear();
    for (const auto size = about_.size(*list_); taken_ < size;) {
      items_.push_back(about_.item(*list_, taken_++));
      if (time_is_up()) return taken_ == size;
    }
    return true;
  }

  std::optional<RpcReply> write(bool whole) override {
    bool fits = begun_ || text_.append(about_.begin(*list_));
    begun_ = true;
    for (const auto& item : items_) {
      if (!fits) break;
      fits = (written_++ == 0 || text_.append(",")) && text_.append(about_.text(item));
    }
    if (fits && whole) fits = text_.append(about_.end(*list_));
    if (!fits) return RpcReply(*text_.error());
    if (whole) return RpcReply(text_.take());
    return std::nullopt;
  }

 private:
  L about_;
  SnapshotText text_;
  std::optional<typename L::List> list_;
  std::vector<typename L::Item> items_;  // of one turn
  std::size_t taken_ = 0;
  std::size_t written_ = 0;
  bool begun_ = false;
};

// `instead`: what a client whose list is too large can do; begins after "more than N bytes; ".
template <SnapshotList L>
void ask_list(RpcSnapshots& snapshots, const std::string& key, L about, const std::string& instead, RpcDone done) {
  snapshots.ask(
      key, [&snapshots, about, instead] { return std::make_unique<ListRound<L>>(about, snapshots.make_text(instead)); },
      std::move(done));
}

}  // namespace opp2p
