// What all sybils of a run share: when they come, attack and leave, whom they are after, and the blocks that one of
// them has seen. A sybil that needs a block to replay, or an id to ask for, takes it from here, so that one that is cut
// off still attacks with all that the others know.
//
// Owner: the run, which outlives its sybils. Thread: the world's. Bounds: kMostBlocks blocks, the oldest go first;
// their bytes are shared with the honest nodes' caches.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/base/rng.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/protocols/gossipsub/frame.hpp"
#include "libp2p/protocols/gossipsub/message_id.hpp"
#include "sim/gossip/names.hpp"

namespace opp2p::sim::attacks {

using gossip::Member;

struct SeenBlock {
  libp2p::gossipsub::MessageId id;
  libp2p::gossipsub::SharedMessage message;
  libp2p::MonoTime seen;
};

struct PlotTimes {
  libp2p::MonoTime attack;  // until then a sybil that is there behaves as an honest node
  libp2p::MonoTime end;     // then the run stops it
};

class Plot {
 public:
  static constexpr std::size_t kMostBlocks = 512;

  // Names a message as the honest nodes do.
  using NameMessage = std::function<libp2p::gossipsub::MessageId(libp2p::ByteView data)>;
  // A block that honest nodes reject, another one each time.
  using MakeBadBlock = std::function<libp2p::Bytes(libp2p::Rng&, libp2p::Now)>;
  // Whether a block is of the publisher that is to be censored.
  using IsCensored = std::function<bool(libp2p::ByteView data)>;

  struct Config {
    std::string topic;
    PlotTimes times;
    NameMessage name;
    MakeBadBlock make_bad_block;
    IsCensored is_censored;
  };

  explicit Plot(Config config);

  const std::string& topic() const { return config_.topic; }
  const PlotTimes& times() const { return config_.times; }
  bool is_attack(libp2p::Now now) const { return now.mono >= config_.times.attack && now.mono < config_.times.end; }

  // Frames that all sybils send: "we are in the topic", and GRAFT.
  const libp2p::SharedBytes& subscription() const { return subscription_; }
  const libp2p::SharedBytes& graft() const { return graft_; }

  // Hashes only what is not one of the blocks that are kept, byte for byte in the same place.
  libp2p::gossipsub::MessageId name(libp2p::ByteView data) const;
  libp2p::Bytes bad_block(libp2p::Rng& rng, libp2p::Now now) const { return config_.make_bad_block(rng, now); }
  bool is_censored(libp2p::ByteView data) const { return config_.is_censored && config_.is_censored(data); }

  void count_sent(std::size_t bytes) {
    ++rpcs_sent_;
    bytes_sent_ += bytes;
  }
  std::uint64_t rpcs_sent() const { return rpcs_sent_; }
  std::uint64_t bytes_sent() const { return bytes_sent_; }

  // A block that some sybil saw; those that are known already change nothing.
  void remember(const SeenBlock& block);
  const SeenBlock* find(const libp2p::gossipsub::MessageId& id) const;
  const std::deque<SeenBlock>& blocks() const { return blocks_; }  // in the order of their arrival
  // One of those that were seen at `until` or before; null when there is none.
  const SeenBlock* any_block_until(libp2p::MonoTime until, libp2p::Rng& rng) const;

 private:
  Config config_;
  libp2p::SharedBytes subscription_;
  libp2p::SharedBytes graft_;
  std::deque<SeenBlock> blocks_;
  std::uint64_t rpcs_sent_ = 0;
  std::uint64_t bytes_sent_ = 0;
};

}  // namespace opp2p::sim::attacks
