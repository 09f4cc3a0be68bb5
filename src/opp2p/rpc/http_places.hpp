// Decides which connections of the HTTP server have a place, and which are closed when all places are taken. An engine
// without sockets or clock. A connection is idle before its first byte and between two requests. It reads a request, it
// works while its answer is made, and it writes.
//
// When all places are taken, a new connection evicts the one that has been idle longest. If none is idle, it evicts one
// without progress: one that is longer than HttpLimits::patience in its phase and slower than HttpLimits::slowest, so
// that one byte is not progress. All connections from one block of addresses have a share of the places (loopback has
// no such limit). A connection that gets no place gets one of HttpLimits::health_places, where only probes and requests
// with the node's token are answered.
//
// Owner: HttpServer. Thread: its. Bounds: HttpLimits.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "libp2p/base/share_pool.hpp"
#include "libp2p/base/time.hpp"

namespace opp2p {

struct HttpLimits {
  std::size_t places = 128;
  std::size_t per_narrow_block = 32;  // of them, from one IPv4 address or /56 of IPv6
  std::size_t per_wide_block = 64;    // from one /48 of IPv6
  std::size_t health_places = 8;
  libp2p::Nanos first_byte = libp2p::Seconds(30);
  libp2p::Nanos idle = libp2p::Seconds(120);    // between two requests
  libp2p::Nanos request = libp2p::Seconds(30);  // from its first byte to its last
  libp2p::Nanos answer = libp2p::Seconds(30);   // to be read by the client
  libp2p::Nanos health = libp2p::Seconds(1);    // the whole life of a place for /healthz
  libp2p::Nanos patience = libp2p::Seconds(2);
  std::size_t slowest = 64 * 1024;  // bytes a second
};

enum class HttpPhase : std::uint8_t { idle, reading, working, writing, ending };

class HttpPlaces {
 public:
  using Id = std::uint64_t;
  enum class Seat : std::uint8_t { none, full, health };
  struct Admission {
    Seat seat = Seat::none;
    std::optional<Id> evicted;  // close it; it is off the table already
  };

  explicit HttpPlaces(HttpLimits limits = {});

  Admission admit(Id id, const libp2p::AddressBlocks& blocks, libp2p::MonoTime now);
  void remove(Id id);
  void enter(Id id, HttpPhase phase, libp2p::MonoTime now);
  void moved(Id id, std::size_t bytes);
  // The client has ended its side: it has gone, or it waits for its last answer. That gets HttpLimits::patience more.
  void on_client_end(Id id, libp2p::MonoTime now);
  // Whether its request brings the node's token: then a place for probes is like the others.
  void trust(Id id, bool trusted);
  // What it holds of the RPC's memory now.
  void hold(Id id, std::size_t bytes);

  bool contains(Id id) const { return table_.contains(id); }
  std::size_t size() const { return table_.size(); }
  // Those whose time is over; close them.
  std::vector<Id> expired(libp2p::MonoTime now) const;
  // Who gives up its place because memory is short: of those that make no progress, or, when there is none, of those
  // that have read or written for twice as long as that takes, the one that holds most.
  std::optional<Id> largest_holder(libp2p::MonoTime now) const;

  void check() const;

 private:
  struct Place {
    Seat seat = Seat::full;
    HttpPhase phase = HttpPhase::idle;
    bool asked_before = false;
    bool trusted = false;
    std::optional<libp2p::MonoTime> client_ended;  // in this phase
    libp2p::MonoTime since;                        // of the phase
    libp2p::MonoTime opened;
    std::size_t bytes = 0;  // moved in the phase
    std::size_t held = 0;
    libp2p::AddressBlocks blocks;
  };
  bool transfers(const Place& place) const {
    return place.phase == HttpPhase::reading || place.phase == HttpPhase::writing;
  }
  bool is_stalled(const Place& place, libp2p::MonoTime now) const;
  libp2p::MonoTime deadline(const Place& place) const;
  std::optional<Id> evictable(const libp2p::Bytes* block, libp2p::MonoTime now) const;
  std::optional<Id> oldest_health() const;
  void seat(Id id, Seat seat, const libp2p::AddressBlocks& blocks, libp2p::MonoTime now);

  HttpLimits limits_;
  std::map<Id, Place> table_;
  libp2p::SharePool<Id> shares_;
  std::size_t health_ = 0;
};

}  // namespace opp2p
