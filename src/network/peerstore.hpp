// What is known about peers, connected or not: addresses with an expiry each, protocols, agent, key, latency, and small values
// that services keep. In memory. Owned by the host; pure: every call that depends on time gets it. Thread: the network thread.
// Bounds: PeerstoreLimits; when the table is full the peer that was touched least recently goes, unless it is pinned
// (connected, or static); with everything pinned the newcomer is not stored.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "multiformats/multiaddr.hpp"
#include "multiformats/peer_id.hpp"

namespace libp2p::network {

struct PeerstoreLimits {
  std::size_t peers = 4096;
  std::size_t addresses_per_peer = 32;
  std::size_t protocols_per_peer = 128;
  std::size_t values_per_peer = 16;
  std::size_t text_bytes = 4096;  // one agent, protocol id or value; longer ones are not stored
};

// How long an address is believed, by where it came from.
inline constexpr Nanos kPermanentAddress = Nanos::max();
inline constexpr Nanos kStaticAddress = kPermanentAddress;      // from the configuration
inline constexpr Nanos kConnectedAddress = std::chrono::minutes(30);  // it was dialled with success, or identify told it
inline constexpr Nanos kDiscoveredAddress = std::chrono::hours(24);
inline constexpr Nanos kTemporaryAddress = std::chrono::minutes(2);

class Peerstore {
 public:
  explicit Peerstore(PeerstoreLimits limits = {});

  // An address that is there already keeps the later of the two expiries. A trailing /p2p/ID is cut off; one of another peer
  // makes the call do nothing. Beyond the bound the address that expires first goes.
  void add_address(const PeerId& peer, const Multiaddr& address, Nanos ttl, MonoTime now);
  void add_addresses(const PeerId& peer, const std::vector<Multiaddr>& addresses, Nanos ttl, MonoTime now);
  void remove_address(const PeerId& peer, const Multiaddr& address);
  // The addresses that have not expired, without /p2p: the latest expiry first, then in the order they came.
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

  // A pinned peer is not evicted. Pins count.
  void pin(const PeerId& peer);
  void unpin(const PeerId& peer);

  bool contains(const PeerId& peer) const;
  std::vector<PeerId> peers() const;  // sorted
  std::size_t size() const { return records_.size(); }
  // Forgets everything about a peer that is not pinned; of a pinned one all but its pins.
  void erase(const PeerId& peer);
  // Drops expired addresses and peers of which nothing is left.
  void collect(MonoTime now);

 private:
  struct KnownAddress {
    Multiaddr address;
    MonoTime expires;  // MonoTime::max(): never
  };
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
    bool blank() const;
  };

  Record* touch(const PeerId& peer);  // null when there is no room
  const Record* find(const PeerId& peer) const;
  bool make_room();

  PeerstoreLimits limits_;
  std::map<PeerId, Record> records_;
  std::map<std::uint64_t, PeerId> by_touch_;  // not pinned, the least recent first
  std::uint64_t next_touch_ = 1;
};

}  // namespace libp2p::network
