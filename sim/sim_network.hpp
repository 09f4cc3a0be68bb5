// Whole nodes in one simulation: real Noise, Yamux and GossipSub over links in memory, a virtual clock, stores in
// memory. For tests with many nodes and for replays of recorded blocks. A member can stop, lose its power, and start
// again with what its disk has. Adversaries (sim/adversary.hpp) can join. The same seed gives the same trace hash.
//
// Owner: a test or a command. Thread: one.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libp2p/runtime/sim/sim_world.hpp"
#include "libp2p/storage/memory_datastore.hpp"
#include "opp2p/node/node.hpp"
#include "opp2p/observe/node_log.hpp"
#include "opp2p/store/faulty_store.hpp"
#include "opp2p/store/memory_store.hpp"
#include "sim/adversary.hpp"

namespace opp2p::sim {

struct SimMemberOptions {
  std::vector<std::size_t> dials;              // members that it dials
  bool sequencer = false;                      // gets the signing key
  libp2p::Nanos wall_offset{0};                // how wrong its wall clock is
  std::function<void(NodeConfig&)> configure;  // changes what it would be told otherwise
  std::function<void(Node&)> before_start;     // each time that it starts: adds sinks, or subscribes
  // The same, for what has timers of its own; and each time before the node goes, also when its power is lost.
  std::function<void(libp2p::runtime::Runtime&, Node&)> observe;
  std::function<void()> before_end;
};

class SimNetwork {
 public:
  // Node::check_network() runs after every n-th event of a node. Node::check() and the check of its store, which walk
  // over all blocks, run less often, and when the node ends.
  static constexpr std::uint64_t kCheckEvery = 32;

  // The chain of `rollup`, whose blocks `signer` signs. The wall clock begins at `epoch`.
  SimNetwork(std::uint64_t seed, opstack::chain::RollupConfig rollup, const libp2p::crypto::secp256k1::Secret& signer,
             libp2p::UnixTime epoch,
             std::unique_ptr<libp2p::runtime::LinkModel> links = std::make_unique<libp2p::runtime::UniformLinks>(),
             std::uint64_t check_every = kCheckEvery);
  ~SimNetwork();
  SimNetwork(const SimNetwork&) = delete;
  SimNetwork& operator=(const SimNetwork&) = delete;

  // Starts a node and answers its index.
  Result<std::size_t> add(const SimMemberOptions& options);
  // Starts an adversary that dials the given members, and answers its index.
  Result<std::size_t> add_adversary(AdversaryKind kind, const opstack::testing::ChainOptions& chain,
                                    const std::vector<std::size_t>& dials);
  // The same at the address of another adversary.
  Result<std::size_t> add_adversary_beside(std::size_t other, AdversaryKind kind,
                                           const opstack::testing::ChainOptions& chain,
                                           const std::vector<std::size_t>& dials);
  // The adversary goes and comes back as somebody else.
  Result<void> renew_adversary(std::size_t index);

  libp2p::runtime::SimWorld& world() { return *world_; }
  // Not of a member that is stopped.
  Node& node(std::size_t index) { return *members_[index]->node; }
  const Node& node(std::size_t index) const { return *members_[index]->node; }
  bool running(std::size_t index) const { return members_[index]->node != nullptr; }
  const libp2p::Multiaddr& address(std::size_t index) const { return members_[index]->address; }
  const libp2p::runtime::SimNode& place(std::size_t index) const { return members_[index]->place; }
  libp2p::runtime::NodeIndex world_index(std::size_t index) const { return members_[index]->place.index(); }
  // What the member's disk has.
  const BlockStore& store(std::size_t index) const { return *members_[index]->disk; }
  MemoryStore& disk(std::size_t index) { return *members_[index]->disk; }
  // What its peerstore has; it outlives the member's node, as a disk does.
  libp2p::storage::Datastore& peerstore(std::size_t index) { return *members_[index]->peerstore; }
  std::size_t size() const { return members_.size(); }
  Adversary& adversary(std::size_t index) { return *adversaries_[index]->peer; }
  std::size_t adversaries() const { return adversaries_.size(); }
  // All adversaries go, in order.
  void remove_adversaries();

  // Has a sequencer publish, and runs the world until it has the block itself or `limit` has passed.
  Result<void> publish(std::size_t index, const opstack::payload::Envelope& envelope, libp2p::Nanos limit);

  // Another signer of blocks, for the member's node and those that it starts later. No change if it has this one.
  void set_signer(std::size_t index, const opstack::rules::Address& signer);
  // Ends a member in order; its store stays.
  void stop(std::size_t index);
  // From now on the member's disk takes its time: what is written is neither kept nor acknowledged.
  void hold_writes(std::size_t index) { members_[index]->store->hold_writes(); }
  // Its next n writes fail.
  void fail_writes(std::size_t index, std::size_t n) { members_[index]->store->fail_writes(n); }
  // The disk catches up.
  void release_writes(std::size_t index) { members_[index]->store->sync(); }
  // The member is gone at once: nobody is told, and what its disk held back is lost.
  void lose_power(std::size_t index);
  // Starts a stopped member again, with the same key and address, over what its disk has.
  Result<void> start(std::size_t index);

  // Ends all nodes and adversaries in order. Called by the destructor too.
  void close();
  // The log lines of nodes that are added from now on go nowhere but above this level (Log::set_levels).
  void set_log_level(std::string_view level) { log_level_ = level; }

 private:
  struct Member {
    libp2p::runtime::SimNode place;
    NodeConfig config;
    std::function<void(Node&)> before_start;
    std::function<void(libp2p::runtime::Runtime&, Node&)> observe;
    std::function<void()> before_end;
    libp2p::Multiaddr address;
    std::unique_ptr<MemoryStore> disk;
    std::unique_ptr<FaultyStore> store;  // what the node has of the disk
    std::shared_ptr<libp2p::storage::MemoryDatastore> peerstore = std::make_shared<libp2p::storage::MemoryDatastore>();
    std::unique_ptr<Log> lines;  // each begins with the member's index and bears the world's time
    std::unique_ptr<Node> node;
    std::unique_ptr<NodeLog> log;
    libp2p::Subscription logging;
    std::uint64_t checks = 0;
    void end();
    explicit Member(libp2p::runtime::SimNode p) : place(p) {}
  };
  struct Enemy {
    libp2p::runtime::SimNode place;
    AdversaryOptions options;
    std::unique_ptr<Adversary> peer;
    explicit Enemy(libp2p::runtime::SimNode p) : place(p) {}
  };
  Result<libp2p::Multiaddr> listen_address(const libp2p::runtime::SimNode& place, std::size_t port) const;
  Result<std::size_t> add_adversary_at(const libp2p::runtime::SimNode& place, AdversaryKind kind,
                                       const opstack::testing::ChainOptions& chain,
                                       const std::vector<std::size_t>& dials);
  std::unique_ptr<Log> make_log(std::size_t index) const;
  Result<void> start(Member& member);
  void check(Member& member) const;
  template <class Closable>
  void close_in_order(const libp2p::runtime::SimNode& place, Closable& peer);

  opstack::chain::RollupConfig rollup_;
  libp2p::crypto::secp256k1::Secret signer_;
  libp2p::SeededRng rng_;
  libp2p::MonoTime began_{};
  const libp2p::UnixTime epoch_;
  std::string log_level_ = "crit";
  const std::uint64_t check_every_;
  std::unique_ptr<libp2p::runtime::SimWorld> world_;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<std::unique_ptr<Enemy>> adversaries_;
};

}  // namespace opp2p::sim
