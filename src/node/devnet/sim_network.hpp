// Whole nodes in one simulated world: real Noise, Yamux and GossipSub over links in memory, a virtual clock, stores in memory. For
// tests of many nodes and for replays of recorded blocks. The same seed gives the same trace hash.
//
// Owner: a test or a command. Thread: one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "node/node.hpp"
#include "node/store_memory.hpp"
#include "runtime/sim/sim_world.hpp"

namespace opp2p::node::devnet {

struct SimMemberOptions {
  std::vector<std::size_t> dials;  // members that it dials
  bool sequencer = false;          // gets the signing key
};

class SimNetwork {
 public:
  // The chain of `rollup`, whose blocks `signer` signs. The wall clock begins at `epoch`.
  SimNetwork(std::uint64_t seed, opstack::chain::RollupConfig rollup, const libp2p::crypto::secp256k1::Secret& signer,
             libp2p::UnixTime epoch);
  ~SimNetwork();
  SimNetwork(const SimNetwork&) = delete;
  SimNetwork& operator=(const SimNetwork&) = delete;

  // Starts a node and answers its index.
  Result<std::size_t> add(const SimMemberOptions& options);

  libp2p::runtime::SimWorld& world() { return *world_; }
  Node& node(std::size_t index) { return *members_[index]->node; }
  libp2p::runtime::NodeIndex world_index(std::size_t index) const { return members_[index]->place.index(); }
  const BlockStore& store(std::size_t index) const { return *members_[index]->store; }
  std::size_t size() const { return members_.size(); }

  // Has a sequencer publish, and runs the world until it has the block itself or `limit` has passed.
  Result<void> publish(std::size_t index, const opstack::payload::Envelope& envelope, libp2p::Nanos limit);
  // Ends all nodes in order. Called by the destructor too.
  void close();
  // The log lines of all nodes go nowhere but above this level.
  void set_log_level(std::string_view level) { (void)log_.set_levels(level); }

 private:
  struct Member {
    libp2p::runtime::SimNode place;
    std::unique_ptr<MemoryStore> store;
    std::unique_ptr<Node> node;
    explicit Member(libp2p::runtime::SimNode p) : place(p) {}
  };

  opstack::chain::RollupConfig rollup_;
  libp2p::crypto::secp256k1::Secret signer_;
  libp2p::SeededRng rng_;
  Log log_;
  std::unique_ptr<libp2p::runtime::SimWorld> world_;
  std::vector<std::unique_ptr<Member>> members_;
};

}  // namespace opp2p::node::devnet
