// BackoffKeeper: keeps GossipSub's backoffs over a restart. A node that leaves its topics tells its meshes a backoff of
// 10 s. When it comes back sooner and knows nothing of that, its first GRAFTs break it, and its peers count a fault for
// each topic (P7): two quick restarts were enough for a ban. So they are written when the node ends, and every 5 s when
// they have changed, for a node that is killed.
//
// Owner: the node's parts; destroyed before GossipSub and the writer. Thread: the network thread. Bounds: those of the
// record. A write that is refused comes again.
#pragma once

#include <cstdint>
#include <memory>

#include "libp2p/runtime/runtime.hpp"
#include "libp2p/services/gossipsub/gossipsub_service.hpp"
#include "libp2p/storage/batch_writer.hpp"

namespace opp2p {

class BackoffKeeper {
 public:
  static constexpr libp2p::Nanos kSaveEvery = libp2p::Seconds(5);

  // All outlive it.
  BackoffKeeper(libp2p::runtime::Runtime& runtime, libp2p::GossipsubService& gossip,
                libp2p::storage::BatchWriter& writer);
  BackoffKeeper(const BackoffKeeper&) = delete;
  BackoffKeeper& operator=(const BackoffKeeper&) = delete;

  // Before the topics are joined. An error is one of the datastore.
  libp2p::Result<void> load();
  // After they are left.
  void close();

 private:
  void on_timer();
  void save();

  libp2p::runtime::Runtime& runtime_;
  libp2p::GossipsubService& gossip_;
  libp2p::storage::BatchWriter& writer_;
  std::uint64_t saved_ = 0;  // Router::backoff_changes() of the record
  std::unique_ptr<libp2p::runtime::Timer> timer_;
};

}  // namespace opp2p
