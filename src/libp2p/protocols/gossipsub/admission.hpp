// Which messages of strangers are worth work, decided before any of it is done. Three bounds, each of which falls on
// who uses it up:
//  - Refusals: a peer, and a block of addresses, whose messages the validator refuses has a token bucket for that. Who
//    has emptied it is not listened to until it fills again.
//  - Room at the validator, in items and bytes. What a peer may hold of it shrinks with what is free (ValidationParams'
//    own bounds besides): items, half of what is free, and bytes, as many as are free. So one peer alone gets a third
//    of the items, two get a quarter each, and those that come later find some left. A block of addresses may hold as
//    much as is free, a /48 of IPv6 twice that. An eighth is kept for peers that have proven themselves, which may hold
//    as much as is free, whatever others of their addresses hold.
//  - Naming, which can mean unpacking 10 MiB on the network thread: bytes per second of each peer, and of all; the
//    second half of what all have is for proven peers. The less is left, the less of its own may a peer have used
//    up to get some; and a little a second each gets whatever others use.
// A peer has proven itself by messages that were accepted, for ten minutes each and an hour at most; a rejected one
// takes ten minutes away. A place in the mesh, a stream or an early connection is no proof.
//
// Owner: the router. Pure: time comes in. Bounds: rows of peers and blocks that are known or have been refused
// (AdmissionParams::max_refusers). Nothing is allocated for a message of a peer that was never refused.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>

#include "libp2p/base/share_pool.hpp"
#include "libp2p/base/token_bucket.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/protocols/gossipsub/events.hpp"
#include "libp2p/protocols/gossipsub/params.hpp"

namespace libp2p::gossipsub {

using PeerKey = std::uint64_t;

// Until when a peer counts as one that has delivered.
class Proof {
 public:
  void credit(MonoTime now) { until_ = std::min(std::max(until_, now) + kWorth, now + kMost); }
  void debit() { until_ = std::max(until_ - kWorth, MonoTime{}); }
  bool holds(MonoTime now) const { return now < until_; }
  MonoTime until() const { return until_; }

 private:
  static constexpr Nanos kWorth = Seconds(600);
  static constexpr Nanos kMost = Seconds(3600);
  MonoTime until_{};
};

// What the router keeps of a peer for its admission.
struct AdmissionRecord {
  AdmissionRecord(AddressBlocks of, const AdmissionParams& params, MonoTime now)
      : blocks(std::move(of)),
        naming(params.naming_rate, params.naming_burst, now),
        sure(params.naming_sure_rate, params.naming_sure_burst, now) {}
  AddressBlocks blocks;
  Proof proof;
  TokenBucket naming;  // bytes
  TokenBucket sure;    // bytes that are named though others have used up what all have
};

// Who is refused how often. A row stands for as long as its bucket is not full.
class Refusals {
 public:
  explicit Refusals(const AdmissionParams& params) : params_(params) {}

  // A proven peer answers for itself only, not for who else comes from its address.
  bool admits(const PeerId& peer, const AddressBlocks& blocks, bool proven, MonoTime now);
  void add(const PeerId& peer, const AddressBlocks& blocks, MonoTime now);
  void forget_recovered(MonoTime now);
  std::size_t size() const { return peers_.size() + blocks_.size(); }
  void check() const;

 private:
  struct Row {
    TokenBucket bucket;
    double burst;
  };
  template <class Rows>
  void charge(Rows& rows, const typename Rows::key_type& key, double scale, MonoTime now);

  AdmissionParams params_;
  std::map<PeerId, Row> peers_;
  std::map<Bytes, Row, BlockOrder> blocks_;
};

class Admission {
 public:
  Admission(const AdmissionParams& params, const ValidationParams& room, MonoTime now);

  void add_peer(PeerKey key, const AddressBlocks& blocks);
  void remove_peer(PeerKey key);  // what it has at the validator stays counted, for its addresses too

  // Whether a message of `frame` bytes that unpacks to `unpacked` may be named and validated: DropCause::none, or why
  // not. Naming is paid for when it may; pay_back() when the message was accepted.
  DropCause admit(PeerKey key, const PeerId& peer, AdmissionRecord& record, std::size_t frame, std::size_t unpacked,
                  Now now);
  // Whether a node to which nobody else sends would not admit it either: the peer has used up what is its own.
  bool is_own_doing(PeerKey key, AdmissionRecord& record, std::size_t frame, std::size_t unpacked, MonoTime now) const;
  void pay_back(AdmissionRecord* record, std::size_t frame, std::size_t unpacked);
  // The room alone, for what turned out larger than it said, and for our own messages (key 0).
  bool has_room(PeerKey key, const AddressBlocks& blocks, bool proven, std::size_t bytes) const;

  void begin(PeerKey key, const AddressBlocks& blocks, std::size_t bytes);
  void end(PeerKey key, std::size_t bytes);
  Refusals& refusals() { return refusals_; }
  const Refusals& refusals() const { return refusals_; }

  std::size_t items() const { return items_.used() - present_; }
  std::size_t bytes() const { return bytes_.used() - present_; }
  // Whether the peer stands in the tables.
  bool has_peer(PeerKey key) const { return items_.held(key) > 0 && bytes_.held(key) > 0; }
  std::size_t present() const { return present_; }  // peers, and our own messages
  void check() const;

 private:
  static double naming_cost(std::size_t frame, std::size_t unpacked);
  bool pay_for_naming(AdmissionRecord& record, bool proven, double cost, MonoTime now);
  double naming_reserve(double own, double cost, bool proven) const;
  // Whether one more message fits, or `more` bytes, for who holds so much of the room of which so much is used or free.
  std::size_t free_items(std::size_t used, bool proven) const;
  bool fits_items(std::size_t held, std::size_t free, bool proven) const;
  std::size_t left_bytes(std::size_t used, std::size_t more, bool proven) const;
  bool fits_bytes(std::size_t held, std::size_t used, std::size_t more, bool proven) const;
  bool has_items(PeerKey key, const AddressBlocks& blocks, bool proven) const;
  bool has_bytes(PeerKey key, const AddressBlocks& blocks, bool proven, std::size_t bytes) const;

  AdmissionParams params_;
  ValidationParams room_;
  Refusals refusals_;
  TokenBucket naming_;
  // A peer that is known stands in both with one unit, so that its row need not be made anew for each message.
  SharePool<PeerKey> items_;
  SharePool<PeerKey> bytes_;
  std::size_t present_ = 0;
};

}  // namespace libp2p::gossipsub
