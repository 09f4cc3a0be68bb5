// ScoreBook: the last known scores of each peer, with op-node's rules: a look-up asks the cache and then the store;
// what was not updated for the time of retention is unknown, in the cache too; with a retention of 0 every score reads
// as zero. A pure engine: the store is a function that it is given, and set() answers what is to be written. op-node
// writes every connected peer in every slot; this writes what has changed, and else only so often that it does not
// expire.
//
// Owner: Reputation. Thread: the network thread. Bounds: a cache of `capacity` peers, the least recently used goes.
// Source: op-node surface, section 4.
#pragma once

#include <functional>
#include <optional>

#include "libp2p/base/lru_map.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "opstack/reputation/peer_score_record.hpp"

namespace opstack::reputation {

using libp2p::Nanos;
using libp2p::PeerId;
using libp2p::Result;
using libp2p::UnixTime;

// A record as it is in the store.
struct StoredScore {
  PeerScoreRecord scores;
  UnixTime updated{};  // whole seconds
};

class ScoreBook {
 public:
  static constexpr std::size_t kCapacity = 1024;
  // What the store has of a peer, or why it cannot be read.
  using Read = std::function<Result<std::optional<StoredScore>>(const PeerId&)>;

  ScoreBook(Nanos retention, Read read, std::size_t capacity = kCapacity);
  ScoreBook(const ScoreBook&) = delete;
  ScoreBook& operator=(const ScoreBook&) = delete;

  // Nothing for a peer that is unknown, which counts as zero. The error is the store's.
  Result<std::optional<PeerScoreRecord>> get(const PeerId& peer, UnixTime now);
  // The record from now on. Answers it when it is to be written.
  std::optional<StoredScore> set(const PeerId& peer, const PeerScoreRecord& scores, UnixTime now);
  // The owner erases it in the store.
  void erase(const PeerId& peer) { cache_.put(peer, {}); }

  bool is_expired(UnixTime updated, UnixTime now) const;
  Nanos retention() const { return retention_; }
  std::size_t cached() const { return cache_.size(); }
  void check() const { cache_.check(); }

 private:
  struct Cached {
    std::optional<StoredScore> score;  // nothing: the store has none either
    UnixTime written{};                // when it was last written
  };
  Nanos retention_;
  Read read_;
  libp2p::LruMap<PeerId, Cached> cache_;
};

}  // namespace opstack::reputation
