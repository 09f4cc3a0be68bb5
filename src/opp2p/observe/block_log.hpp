// BlockLog: the lines about gossiped blocks and their topics: every verdict at debug level; at warn, once a minute for
// each reason, which blocks were rejected, who sent and signed them and who was expected to; what the node publishes;
// and, when no block is accepted, the likely cause and the option to look at (block_watch.hpp).
//
// Owner: NodeLog. Thread: the network thread. Bounds: a row for each reason.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "opp2p/node/node_event.hpp"
#include "opp2p/observe/block_watch.hpp"
#include "opp2p/observe/event_log.hpp"
#include "opp2p/observe/repeats.hpp"

namespace opp2p {

struct BlockWatchConfig {
  libp2p::Nanos patience = libp2p::Seconds(60);  // without a block, until that is told
  libp2p::Nanos begins_in{};                     // until the chain begins, when its genesis lies in the future
};

class BlockLog {
 public:
  static constexpr libp2p::Nanos kRejectedInterval = libp2p::Seconds(60);

  using Look = std::function<Surroundings()>;
  // Both outlive it, and so does what `look` uses.
  BlockLog(libp2p::runtime::Runtime& runtime, EventLog& events, Look look);
  BlockLog(const BlockLog&) = delete;
  BlockLog& operator=(const BlockLog&) = delete;

  // From now on it is told when no block is accepted. Not for a sequencer, which makes the blocks itself.
  void watch(BlockWatchConfig config);

  void on(const SignerMissing& event);
  void on(const BlockJudged& event);
  void on(const BlockPublished& event);
  void on(const opstack::sync::BlockStored&) { on_head(); }
  void on(const opstack::gossip::TopicJoined& event);
  void on(const opstack::gossip::TopicLeft& event);
  void on(const opstack::gossip::PeerJoinedTopic& event);
  void on(const opstack::gossip::PeerLeftTopic& event);
  // Tells what is counted and not told yet, and nothing more after.
  void on(const NodeStopping& event);
  template <class Other>
  void on(const Other&) {}

 private:
  // The last block that was refused for a reason.
  struct Refused {
    Repeats repeats{kRejectedInterval};
    libp2p::PeerId from;
    bool local = false;
    bool ignored = false;  // not rejected: the node could not judge it
    std::optional<std::uint64_t> number;
    std::optional<opstack::rules::Address> signer;
    std::string detail;
  };
  // A block came to be the head, in whatever way.
  void on_head();
  void on_refused(const opstack::gossip::BlockVerdict& verdict, bool of_static);
  void tell_refused(opstack::rules::Reason reason, std::uint64_t count);
  void on_timer();
  void arm();

  libp2p::runtime::Runtime& runtime_;
  EventLog& events_;
  const Look look_;
  std::optional<BlockWatch> watch_;
  std::array<Refused, opstack::rules::kReasonCount> refused_;
  std::optional<opstack::rules::Address> expected_;
  std::unique_ptr<libp2p::runtime::Timer> timer_;
  std::optional<libp2p::MonoTime> armed_;
};

}  // namespace opp2p
