// PeerHistory: what happened with each peer, for the operator who asks why a peer is gone, banned or low. It notes when
// a peer connected, was identified, came into a mesh and left it, which of its blocks were refused, its faults with
// their evidence, its score by time, its bans, and why its connections ended. Blocks that were accepted and copies are
// counted, not listed.
//
// A pure engine behind a NodeSink: it is told events and times. Owner: the daemon. Thread: the network thread.
//
// Bounds: PeerHistoryLimits, in peers, events of a peer and bytes of all. Overflow policies:
//  - of a peer's events the oldest score sample goes while samples fill more than their share, otherwise the oldest
//    event but the first. PeerTimeline::dropped counts them,
//  - of the peers the one that was touched least recently goes, of the lowest rank first: strangers, then peers that
//    were blamed or banned, then those that brought a block or are static, then those that are connected. So whoever
//    comes under ever new identities displaces its own traces first.
// An event that repeats the one before it is counted there. A rejected message and the blame for it are one event.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "opp2p/node/node_event.hpp"
#include "opstack/reputation/reputation_event.hpp"

namespace opp2p {

// The ids (event_id) are stable: the RPC's answers have them.
enum class PeerEventKind : std::uint8_t {
  connected,
  identified,
  grafted,
  pruned,
  first_block,    // that was accepted or stored
  refused_block,  // a block of it was rejected
  blamed,         // a fault with its evidence
  score,          // a sample
  score_fell,     // below a threshold of GossipSub
  score_rose,     // above it again
  banned,
  unbanned,
  kept_out,  // a gater refused a connection
  dial_failed,
  on_request,  // the operator did something
  disconnected,
};
inline constexpr std::size_t kPeerEventKinds = static_cast<std::size_t>(PeerEventKind::disconnected) + 1;
std::string_view event_id(PeerEventKind kind);

struct PeerEvent {
  libp2p::UnixTime at{};  // of the first, when it was repeated
  libp2p::UnixTime last{};
  PeerEventKind kind{};
  std::uint32_t count = 1;
  std::optional<double> score;
  std::string text;        // a sentence without a full stop
  std::string message_id;  // that a refusal or a blame is about, in hex; of the last, when it was repeated
};

// Since the peer was first seen.
struct PeerTally {
  std::uint64_t connections = 0;
  std::uint64_t accepted = 0;  // blocks that it brought first
  std::uint64_t rejected = 0;
  std::uint64_t ignored = 0;
  std::uint64_t copies = 0;   // of messages that others had brought before
  std::uint64_t fetched = 0;  // blocks that reverse sync had from it
  std::uint64_t faults = 0;
  std::uint64_t bans = 0;
};

struct PeerTimeline {
  libp2p::PeerId peer;
  std::size_t connections = 0;  // open ones
  std::string agent;
  libp2p::UnixTime first_seen{};
  libp2p::UnixTime last_seen{};  // of its last event
  PeerTally tally;
  std::optional<std::string> end;         // why its last connection ended; none while it is connected
  std::optional<libp2p::UnixTime> ended;  // and when
  std::optional<double> score;            // the last sample
  std::uint64_t dropped = 0;              // events that are not there any more
  std::vector<PeerEvent> events;          // the oldest first
};

struct PeerHistoryLimits {
  std::size_t peers = 1024;
  std::size_t events = 64;       // of one peer
  std::size_t samples = 24;      // of the score, among them
  std::size_t text_bytes = 240;  // of one event, and a mark of what was cut
  std::size_t bytes = 4 << 20;   // of all
};

class PeerHistory final : public NodeSink {
 public:
  // A sample is kept when the score has changed by this much, or after this time.
  static constexpr double kScoreStep = 1;
  static constexpr libp2p::Nanos kSampleInterval = libp2p::Seconds(60);

  struct Surroundings {
    std::function<bool(const libp2p::PeerId&)> is_static;
    std::function<std::string(const libp2p::PeerId&)> agent;
  };
  explicit PeerHistory(Surroundings around, PeerHistoryLimits limits = {});
  ~PeerHistory() override;
  PeerHistory(const PeerHistory&) = delete;
  PeerHistory& operator=(const PeerHistory&) = delete;

  void on(const NodeEvent& event, libp2p::Now now) override;
  // The score of a connected peer, as often as somebody looks.
  void on_score(const libp2p::PeerId& peer, double score, libp2p::UnixTime now);
  // What no NodeEvent tells.
  void note(const libp2p::PeerId& peer, PeerEventKind kind, std::string text, libp2p::UnixTime now);

  // A copy with the last `most` events.
  std::optional<PeerTimeline> timeline(const libp2p::PeerId& peer, std::size_t most) const;
  std::size_t size() const { return records_.size(); }
  std::size_t bytes() const { return bytes_; }
  // Asserts that the tables agree and are within their bounds.
  void check() const;

 private:
  enum class Rank : std::uint8_t { stranger, blamed, useful, connected };
  static constexpr std::size_t kRanks = 4;
  struct Record {
    PeerTimeline about;
    std::string closing;  // why the connection ended that was closed last
    libp2p::UnixTime sampled{};
    std::size_t samples = 0;
    std::size_t bytes = 0;
    std::uint64_t touched = 0;
    Rank rank = Rank::stranger;
    bool is_useful = false;
    bool is_blamed = false;
  };
  using Records = std::map<libp2p::PeerId, Record>;

  void tell(const libp2p::ConnectionOpened& event, libp2p::UnixTime now);
  void tell(const libp2p::ConnectionClosed& event, libp2p::UnixTime now);
  void tell(const libp2p::PeerDisconnected& event, libp2p::UnixTime now);
  void tell(const libp2p::PeerIdentified& event, libp2p::UnixTime now);
  void tell(const libp2p::DialFailed& event, libp2p::UnixTime now);
  void tell(const opstack::gossip::PeerGrafted& event, libp2p::UnixTime now);
  void tell(const opstack::gossip::PeerPruned& event, libp2p::UnixTime now);
  void tell(const opstack::gossip::CopyReceived& event, libp2p::UnixTime now);
  void tell(const BlockJudged& event, libp2p::UnixTime now);
  void tell(const opstack::sync::BlockStored& event, libp2p::UnixTime now);
  void tell(const opstack::sync::SyncFault& event, libp2p::UnixTime now);
  void tell(const PeerScoreCrossed& event, libp2p::UnixTime now);
  void tell(const opstack::reputation::PeerBlamed& event, libp2p::UnixTime now);
  void tell(const opstack::reputation::PeerBanned& event, libp2p::UnixTime now);
  void tell(const opstack::reputation::PeerUnbanned& event, libp2p::UnixTime now);
  void tell(const opstack::reputation::GateRefused& event, libp2p::UnixTime now);
  void tell(const ConnectedOnRequest& event, libp2p::UnixTime now);
  void tell(const DisconnectingOnRequest& event, libp2p::UnixTime now);
  template <class Other>
  void tell(const Other&, libp2p::UnixTime) {}

  Record& touch(const libp2p::PeerId& peer, libp2p::UnixTime now);
  Record* find(const libp2p::PeerId& peer);
  static bool is_blamed_for(const Record& record, std::string_view message_id);
  static void forget_refusal(Record& record, std::string_view message_id);
  void add(Record& record, PeerEventKind kind, std::string text, libp2p::UnixTime now,
           std::optional<double> score = std::nullopt, std::string message_id = {});
  void drop_one(Record& record);
  void recount(Record& record);
  void rank(Record& record);
  void evict(const libp2p::PeerId& except);
  void erase(Records::iterator at);

  Surroundings around_;
  PeerHistoryLimits limits_;
  Records records_;
  std::array<std::map<std::uint64_t, libp2p::PeerId>, kRanks> by_touch_;  // the least recent first
  std::uint64_t next_touch_ = 1;
  std::size_t bytes_ = 0;
};

}  // namespace opp2p
