// What is known about peers, connected or not: addresses with an expiry each, protocols, agent, key, latency, and small
// values that services keep. In memory. Owned by the host; pure: every call that depends on time gets it. Thread: the
// network thread.
//
// Bounds: PeerstoreLimits, in records and in bytes, of a record and of all; the bytes are taken from the host's
// account. What does not fit into a record is not stored. When the table is full the record that was touched least
// recently goes, of the lowest rank first: newcomers, then peers that we have dialled with success, then proven ones
// (Host::mark_proven). A record is evicted only for one of its rank or a higher one, and a pinned one (connected, or
// static) never. Connections from one address block bring at most a share of the newcomers. What identify has told is
// forgotten some time after the peer has gone.
//
// A PeerstoreArchive (peerstore_archive.hpp) keeps it on a disk: the peerstore marks what has changed.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/base/memory_account.hpp"
#include "libp2p/base/share_pool.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/crypto/keys.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/multiformats/peer_id.hpp"

namespace libp2p {

struct PeerstoreLimits {
  std::size_t peers = 4096;
  std::size_t bytes = 12 << 20;  // of all records
  std::size_t record_bytes = 8192;
  std::size_t peers_per_address = 64;  // records that connections from one IPv4 address or /56 of IPv6 brought
  std::size_t peers_per_ip6_48 = 256;
  std::size_t addresses_per_peer = 32;
  std::size_t protocols_per_peer = 128;
  std::size_t values_per_peer = 16;
  std::size_t value_bytes = 1024;  // one value: a signed peer record that others are told of fits (GossipSub's PRUNE)
  std::size_t text_bytes = 512;    // one agent, protocol id, address or name of a value; longer ones are not stored
};

// How long after a peer was last heard of its agent, protocols, key, latency and values are kept, and that it is
// proven.
inline constexpr Nanos kForgetIdentity = std::chrono::minutes(30);
inline constexpr Nanos kForgetProof = std::chrono::hours(24);

// How long an address is believed, by where it came from.
inline constexpr Nanos kPermanentAddress = Nanos::max();
inline constexpr Nanos kStaticAddress = kPermanentAddress;  // from the configuration
inline constexpr Nanos kConnectedAddress =
    std::chrono::minutes(30);  // it was dialled with success, or identify told it
inline constexpr Nanos kDiscoveredAddress = std::chrono::hours(24);

// Names of values: the signed record that a peer told last, and its number (libp2p/services/peer_records.hpp).
inline constexpr std::string_view kPeerRecordValue = "peer-record";
inline constexpr std::string_view kPeerRecordSeqValue = "peer-record-seq";

struct KnownAddress {
  Multiaddr address;
  MonoTime expires;  // MonoTime::max(): never
  bool dialled = false;
  Nanos ttl = kPermanentAddress;  // with which it was last added
};

// All that is known of a peer, as a copy.
struct PeerFacts {
  std::vector<KnownAddress> addresses;  // in the order they came
  std::vector<std::string> protocols;   // sorted, without repeats
  std::string agent;
  std::string protocol_version;
  std::optional<crypto::PublicKey> key;
  std::optional<Nanos> latency;
  std::map<std::string, std::string> values;
  bool proven = false;
};

// What was not kept, by cause.
struct PeerstoreCounters {
  std::uint64_t evicted = 0;        // records
  std::uint64_t refused_peers = 0;  // the table is full of better ones
  std::uint64_t refused_bytes = 0;  // changes that did not fit
};

class Peerstore {
 public:
  explicit Peerstore(PeerstoreLimits limits = {}, MemoryAccount* memory = nullptr);
  ~Peerstore();
  Peerstore(const Peerstore&) = delete;
  Peerstore& operator=(const Peerstore&) = delete;

  // An address that is there already keeps the later of the two expiries. A trailing /p2p/ID is cut off; one of another
  // peer makes the call do nothing. Beyond the bound the address that expires first goes.
  void add_address(const PeerId& peer, const Multiaddr& address, Nanos ttl, MonoTime now);
  void add_addresses(const PeerId& peer, const std::vector<Multiaddr>& addresses, Nanos ttl, MonoTime now);
  // One that was dialled with success: it comes before those that were only told, and is not dropped for one.
  void add_dialled(const PeerId& peer, const Multiaddr& address, MonoTime now);
  void remove_address(const PeerId& peer, const Multiaddr& address);
  // For a peer that is connected, now and then: what it is known at stays good while it is. An address that has not
  // expired lives as long from now on as one that was dialled.
  void keep_addresses(const PeerId& peer, MonoTime now);
  // The addresses that have not expired, without /p2p: those that were dialled with success first, then
  // those with the latest expiry, then in the order they came.
  std::vector<Multiaddr> addresses(const PeerId& peer, MonoTime now) const;

  void set_protocols(const PeerId& peer, std::vector<std::string> protocols);
  std::vector<std::string> protocols(const PeerId& peer) const;  // sorted, without repeats
  bool supports(const PeerId& peer, std::string_view protocol) const;

  void set_agent(const PeerId& peer, std::string agent, std::string protocol_version);
  std::string agent(const PeerId& peer) const;
  std::string protocol_version(const PeerId& peer) const;

  // False when the key is not the peer's.
  bool set_key(const PeerId& peer, const crypto::PublicKey& key);
  std::optional<crypto::PublicKey> key(const PeerId& peer) const;

  // Folds one round trip into a moving average (a tenth of each new one).
  void record_latency(const PeerId& peer, Nanos round_trip);
  std::optional<Nanos> latency(const PeerId& peer) const;

  // Small values by name ("enr", "chain"), for services and for the node.
  void set_value(const PeerId& peer, const std::string& name, std::string value);
  std::optional<std::string> value(const PeerId& peer, const std::string& name) const;

  // A pinned peer is not evicted. Pins count. `source` is where its connection comes from.
  void pin(const PeerId& peer, const AddressBlocks& source = {});
  void unpin(const PeerId& peer);

  // The peer has delivered what counts.
  void mark_proven(const PeerId& peer);
  bool is_proven(const PeerId& peer) const;

  bool contains(const PeerId& peer) const;
  std::vector<PeerId> peers() const;  // sorted
  std::size_t size() const { return records_.size(); }
  std::size_t bytes() const { return bytes_; }
  const PeerstoreCounters& counters() const { return counters_; }
  const PeerstoreLimits& limits() const { return limits_; }

  // --- for an archive ---
  std::optional<PeerFacts> facts(const PeerId& peer) const;
  // What was known of a peer once. False, and nothing is changed, when the peer is known already, when the facts break
  // the bounds of a record, or when there is no room without an eviction.
  bool restore(const PeerId& peer, const PeerFacts& facts, MonoTime now);
  // The bytes that restore() counts for them.
  static std::size_t cost_of(const PeerFacts& facts);
  // Grows with each change, also with those that make no difference, and with each record that ends.
  std::uint64_t changes() const { return changes_; }
  // At most `most` peers of which something may have changed since they were last taken, in their order. What has ended
  // is not among them.
  std::vector<PeerId> take_changed(std::size_t most);
  void mark_changed(const PeerId& peer);

  // Forgets everything about a peer that is not pinned; of a pinned one all but its pins.
  void erase(const PeerId& peer);
  // Drops expired addresses, what identify told of peers that are long gone, and peers of which nothing is left.
  void collect(MonoTime now);
  void check() const;  // every invariant (peerstore_check.cpp)

 private:
  // What protects a record from newcomers, the least first.
  enum class Rank : std::uint8_t { newcomer, dialled, proven };
  static constexpr std::size_t kRanks = 3;
  struct Record {
    std::vector<KnownAddress> addresses;
    std::vector<std::string> protocols;
    std::string agent;
    std::string protocol_version;
    std::optional<crypto::PublicKey> key;
    std::optional<Nanos> latency;
    std::map<std::string, std::string> values;
    std::size_t pins = 0;
    std::uint64_t touched = 0;
    Rank rank = Rank::newcomer;
    std::size_t bytes = 0;               // as counted
    bool changed = true;                 // since take_changed()
    std::optional<MonoTime> idle_since;  // when collect() first found it unpinned and untouched
    bool blank() const;
    bool has_identity() const;
    void forget_identity();
    std::size_t cost() const;
  };

  Record* touch(const PeerId& peer, Rank rank = Rank::newcomer);  // null when there is no room
  const Record* find(const PeerId& peer) const;
  Record& insert(const PeerId& peer);
  void erase_record(std::map<PeerId, Record>::iterator at);
  void raise(const PeerId& peer, Record& record, Rank rank);
  // Counts what the record has become, and evicts others for it. False when it is too large: whoever made it so takes
  // it back.
  bool recount(Record& record);
  void add(const PeerId& peer, const KnownAddress& added, MonoTime now);
  void mark(Record& record);
  bool fits(const PeerFacts& facts) const;
  // What collect() does with one record. True when nothing is left of it.
  bool collect_record(const PeerId& peer, Record& record, MonoTime now);
  // Ends the least recently touched record of the lowest rank, at most of `highest`. False when there is none.
  bool evict_oldest(Rank highest, const Record* except);
  void evict_from_source(const Bytes& block);
  void check_record(const PeerId& peer, const Record& record) const;
  void check_order() const;

  PeerstoreLimits limits_;
  MemoryAccount* memory_;
  PeerstoreCounters counters_;
  std::size_t bytes_ = 0;
  std::map<PeerId, Record> records_;
  std::array<std::map<std::uint64_t, PeerId>, kRanks> by_touch_;  // not pinned, the least recent first
  SharePool<PeerId> sources_;
  std::uint64_t next_touch_ = 1;
  std::uint64_t changes_ = 0;
};

}  // namespace libp2p
