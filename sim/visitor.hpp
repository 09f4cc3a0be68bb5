// A place at a network that one peer after another takes. Each joins the gossip of blocks, visits a node for a while,
// and goes: in order, without a word, or (in a simulation) without power, so that its connection is half-open. Some
// come back with the same identity. A forger publishes one bad block after another until it is thrown out.
//
// The type of a peer's key tells what it is: secp256k1 (16Uiu2…) forges, Ed25519 (12D3Koo…) is honest.
//
// Owner: a simulation or a test's process; destroyed after close() and before its Runtime. Thread: the network thread.
// Bounds: one peer at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "libp2p/base/live_count.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/runtime/task.hpp"
#include "libp2p/services/gossipsub/gossipsub_service.hpp"
#include "libp2p/services/identify/identify_service.hpp"
#include "opstack/testing/chain_builder.hpp"

namespace opp2p::sim {

struct VisitorOptions {
  std::vector<libp2p::Multiaddr> nodes;        // with their ids; each visit is to one of them
  opstack::testing::ChainOptions chain;        // of the network
  libp2p::crypto::secp256k1::Secret signer{};  // the sequencer's, for bad blocks that are well signed
  bool forges = false;
  std::optional<libp2p::crypto::PrivateKey> key;  // one identity for ever; otherwise every other peer comes once more
  libp2p::Nanos stay{};                           // an honest peer stays for up to twice as long
  libp2p::Nanos pause{};                          // before a visit, at most
  libp2p::Nanos look = libp2p::Millis(200);       // how often a peer looks whether it is thrown out
  // In a simulation: the host of the place is gone at once, and is there again. Both or none.
  std::function<void()> lose_power, power_on;
};

struct VisitCounts {
  std::uint64_t connected = 0;  // now
  std::uint64_t came = 0;
  std::uint64_t failed = 0;      // did not get in
  std::uint64_t thrown_out = 0;  // honest ones
  std::uint64_t forgers = 0;     // that were thrown out
  std::uint64_t forged = 0;      // bad blocks
  std::uint64_t gave_up = 0;     // forgers that nobody threw out
  std::uint64_t vanished = 0;    // went without power
};

class VisitorPlace {
 public:
  // A peer of the place, from its first visit to its last.
  struct Peer : private libp2p::LiveCounted<Peer> {
    Peer(libp2p::runtime::Runtime& runtime, const libp2p::crypto::PrivateKey& key,
         const opstack::testing::ChainOptions& chain);
    friend class libp2p::LiveCounted<Peer>;
    using libp2p::LiveCounted<Peer>::live;

    libp2p::Host host;
    libp2p::IdentifyService identify;
    libp2p::gossipsub::NeutralScores scores;
    libp2p::GossipsubService gossip;
  };

  // All outlive it.
  VisitorPlace(libp2p::runtime::Runtime& runtime, const VisitorOptions& options, VisitCounts& counts);
  ~VisitorPlace();
  VisitorPlace(const VisitorPlace&) = delete;
  VisitorPlace& operator=(const VisitorPlace&) = delete;

  void begin();
  // Who is there goes at its next look, and nobody comes until open().
  void shut() { is_shut_ = true; }
  void open() { is_shut_ = false; }
  libp2p::runtime::Task<void> close();

 private:
  enum class Exit : std::uint8_t { in_order, without_a_word, without_power };
  libp2p::runtime::Task<void> keep();
  libp2p::runtime::Task<void> host_one();
  libp2p::runtime::Task<void> pause();
  libp2p::runtime::Task<void> visit(Peer& peer, Exit exit);
  libp2p::runtime::Task<void> stay(Peer& peer, const libp2p::PeerId& node, libp2p::MonoTime until);
  libp2p::runtime::Task<void> forge(Peer& peer, const libp2p::PeerId& node);
  libp2p::runtime::Task<void> leave(Peer& peer);
  libp2p::crypto::PrivateKey next_key();
  libp2p::Multiaddr next_node();
  libp2p::Nanos next_pause();
  Exit next_exit();
  bool comes_again();

  libp2p::runtime::Runtime& runtime_;
  const VisitorOptions& options_;
  VisitCounts& counts_;
  bool is_shut_ = false;
  bool has_power_ = true;
  libp2p::runtime::TaskScope scope_;  // last: its coroutines use the members above
};

}  // namespace opp2p::sim
