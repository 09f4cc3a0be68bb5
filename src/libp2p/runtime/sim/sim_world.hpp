// A world of simulated nodes: one virtual clock, one queue of events ordered by (time, sequence), links in memory. Each
// node has a Runtime of its own with addresses (10.0.x.y and fd00::x:y), a wall clock that may be off, and an Rng; all
// of it comes from one seed, and the same seed gives the same trace hash, which folds every event that is delivered and
// all bytes. libp2p/testing/sim_hosts.hpp puts hosts on its nodes.
//
// A connection keeps its order and loses nothing (link_model.hpp says what loss means then); it ends by closing, by
// disconnect() and lose_connections(), or when its far end was destroyed. In a partition bytes wait and dials hang, as
// they do behind TCP's retransmissions. A host without power answers nothing and says no good-bye: its peers'
// connections are half-open. Thread: one. Bounds: a connection holds at most LinkQuality::buffer_bytes per direction;
// the event queue is bounded by what its users arm.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/runtime/lookup_queue.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "libp2p/runtime/sim/link_model.hpp"

namespace libp2p::runtime {

class SimWorld;
class SimRuntime;

struct SimNodeOptions {
  Nanos wall_offset{0};  // how wrong the node's wall clock is
};

// A handle of a node, valid as long as the world.
class SimNode {
 public:
  SimNode(SimRuntime& runtime, NodeIndex index) : runtime_(&runtime), index_(index) {}
  Runtime& runtime() const;
  NodeIndex index() const { return index_; }
  std::string ip4() const;
  std::string ip6() const;
  void set_wall_offset(Nanos offset) const;
  // A slow reader: each of the node's sockets takes this much a second; 0 ends it.
  void set_read_rate(std::uint64_t bytes_per_second) const;

 private:
  SimRuntime* runtime_;
  NodeIndex index_;
};

struct SimWorldOptions {
  UnixTime epoch = from_unix_seconds(1'760'000'000);  // the wall clock when the world begins
  Nanos longest_work = Millis(5);                     // worker jobs take up to this, drawn from the seed
  // What Runtime::run_here() charges, whatever is run: between these, drawn from the seed. The clock stands still.
  Nanos least_work_here = Micros(20);
  Nanos most_work_here = Micros(80);
  Nanos look_up_time = Millis(10);
  Nanos look_up_gives_up = Seconds(6);                    // of a name whose server does not answer
  std::size_t most_look_ups = LookupQueue::kMostRunning;  // of a node at once; as many again as kMostWaiting wait
  Nanos dial_gives_up = Seconds(127);                     // a dial into a partition, as Linux does by default
  std::uint64_t check_every = 1;                          // events, SimWorld::check_after_events; 0: none
};

class SimWorld {
 public:
  using Options = SimWorldOptions;
  explicit SimWorld(std::uint64_t seed);
  SimWorld(std::uint64_t seed, Options options, std::unique_ptr<LinkModel> links);
  // Everything that was made from its runtimes must be gone.
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  SimNode add_node(SimNodeOptions options = {});
  std::size_t nodes() const;

  MonoTime now() const;
  // Delivers everything that is due in the next `duration`, then sets the clock to its end.
  void run_for(Nanos duration);
  // Delivers events until `done` answers true, which is asked after each; false when `limit` of virtual time passed
  // first.
  bool run_until(const std::function<bool()>& done, Nanos limit);
  // Events delivered so far, and the hash over them.
  std::uint64_t delivered() const;
  std::uint64_t trace_hash() const;
  // Folds something of the user's own into the hash: a verdict, a head.
  void fold(std::uint64_t value);

  // Tears down every connection between the two: both ends see Errc::reset. Answers how many there were.
  std::size_t disconnect(NodeIndex a, NodeIndex b);
  // Nodes of different groups do not reach each other; those that are named in none form one more group.
  void partition(const std::vector<std::vector<NodeIndex>>& groups);
  // Ends the partition: what had waited is delivered.
  void heal();
  bool reachable(NodeIndex a, NodeIndex b) const;
  // Tears down each connection with the given probability, drawn from the seed. Answers how many there were.
  std::size_t lose_connections(double share);
  // The host dies without a word: what is sent to it comes nowhere, dials to it hang, and what its own code still does
  // reaches nobody. With power again it knows nothing of its old connections and answers their bytes with a reset.
  void power_off(NodeIndex node);
  void power_on(NodeIndex node);

  // What the world holds, to see that nothing grows without end.
  struct Sizes {
    std::size_t events = 0;        // in the queue
    std::size_t connections = 0;   // with at least one end
    std::size_t unread_bytes = 0;  // sent and not yet read, over all connections
    std::size_t fullest = 0;       // the same of the fullest direction of any connection
  };
  Sizes sizes() const;
  // What the nodes' resolver knows. An answer takes `look_up_time`, or `takes` where it is given; none comes for a dead
  // name.
  void add_name(std::string host, std::vector<std::string> addresses, std::optional<Nanos> takes = std::nullopt);
  void add_dead_name(std::string host);
  // Runs `task` in the world's order at `at`: a scenario's own events.
  void at(MonoTime at, std::function<void()> task);
  // Calls `check` after events of the node: after each one, or after every n-th (Options::check_every), which one of n
  // the seed says. It looks at what stands on the node and ends the process when an invariant is violated
  // (libp2p/base/assert.hpp); the text then names the seed and the event. A node may have several checks; they stay as
  // long as the world and change nothing in it.
  void check_after_events(NodeIndex node, std::function<void()> check);

  class State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace libp2p::runtime
