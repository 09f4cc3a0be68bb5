// BlockHistory: what became of the last blocks, by hash and by number, for the operator who asks why a block was
// accepted, rejected or late. For each message with a block it notes who brought it first, when and how late against
// its timestamp, the verdict with its reason and evidence, how many copies came, and whether the block is stored,
// canonical or orphaned. A block that was fetched, published or posted has a record too.
//
// A pure engine behind a NodeSink. Owner: the daemon. Thread: the network thread.
//
// Bounds: BlockHistoryLimits. Overflow policies: of the records of accepted and stored blocks the oldest goes, of those
// of refused blocks the oldest of these, so that nobody displaces good blocks by bad ones; of refused blocks of one
// height the first ones are kept and the others only counted (crowded()). A message whose block cannot be decoded names
// no block: it is in the history of the peer that sent it (peer_history.hpp).
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "opp2p/node/node_event.hpp"

namespace opp2p {

struct BlockRecord {
  std::uint64_t number = 0;
  opstack::payload::Hash hash{};  // as the block names itself
  opstack::payload::Hash parent_hash{};
  std::uint64_t timestamp = 0;  // seconds since 1970
  // How it came first.
  enum class Source : std::uint8_t { gossip, fetched, own, unknown } source = Source::gossip;
  libp2p::PeerId from;  // empty for an own one
  libp2p::UnixTime first_seen{};
  libp2p::Nanos late{};  // from its timestamp until then; negative: it came early
  // Of a gossiped one. A message that came again after the node had forgotten it changes nothing here.
  std::optional<opstack::rules::Verdict> verdict;
  opstack::rules::Reason reason{};
  std::string detail;  // the evidence in words; may be empty
  std::optional<opstack::rules::Address> signer;
  std::uint32_t copies = 0;
  libp2p::Nanos took{};  // until the verdict
  // What the store and the chain made of it.
  std::optional<libp2p::UnixTime> stored;
  bool canonical = false;
  std::string orphan_reason;  // an id, or empty
  std::string store_error;
};

struct BlockHistoryLimits {
  std::size_t accepted = 1024;
  std::size_t refused = 512;
  std::size_t refused_per_height = 8;
  std::size_t heights_counted = 256;  // of crowded()
  std::size_t text_bytes = 240;
};

class BlockHistory final : public NodeSink {
 public:
  explicit BlockHistory(BlockHistoryLimits limits = {}) : limits_(limits) {}
  ~BlockHistory() override;
  BlockHistory(const BlockHistory&) = delete;
  BlockHistory& operator=(const BlockHistory&) = delete;

  void on(const NodeEvent& event, libp2p::Now now) override;

  // In the order in which they came.
  std::vector<BlockRecord> of_hash(const opstack::payload::Hash& hash) const;
  std::vector<BlockRecord> of_number(std::uint64_t number) const;
  // Refused blocks of this height that have no record.
  std::uint64_t crowded(std::uint64_t number) const;
  std::size_t size() const { return records_.size(); }
  // Asserts that the indexes agree and are within their bounds.
  void check() const;

 private:
  using Id = std::uint64_t;
  using MessageId = libp2p::gossipsub::MessageId;
  struct ByBytes {
    bool operator()(const MessageId& a, const MessageId& b) const {
      return libp2p::as_text(a.bytes()) < libp2p::as_text(b.bytes());
    }
  };
  struct Row {
    BlockRecord record;
    MessageId message;  // empty for a block that was not gossiped
    bool refused = false;
  };

  void tell(const BlockJudged& event, libp2p::Now now);
  void tell(const opstack::gossip::CopyReceived& event, libp2p::Now now);
  void tell(const BlockPublished& event, libp2p::Now now);
  void tell(const opstack::sync::BlockStored& event, libp2p::Now now);
  void tell(const StoreRefused& event, libp2p::Now now);
  void tell(const opstack::sync::HeadMoved& event, libp2p::Now now);
  template <class Other>
  void tell(const Other&, libp2p::Now) {}

  Row* accepted_row(const opstack::payload::Hash& hash);
  Row& add(BlockRecord record, const MessageId& message, bool refused);
  void erase(Id id);
  std::size_t refused_at(std::uint64_t number) const;
  void count_crowded(std::uint64_t number);

  BlockHistoryLimits limits_;
  std::map<Id, Row> records_;  // by their order
  Id next_ = 1;
  std::deque<Id> accepted_, refused_;  // the oldest first
  std::map<MessageId, Id, ByBytes> by_message_;
  std::multimap<opstack::payload::Hash, Id> by_hash_;
  std::multimap<std::uint64_t, Id> by_number_;
  std::map<std::uint64_t, std::uint64_t> crowded_;  // the lowest height goes first
};

}  // namespace opp2p
