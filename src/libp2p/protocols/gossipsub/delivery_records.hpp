// What is known of each message of a scored topic, for the counters that look back at it: its verdict, when that came,
// and who else sent it (gossipsub v1.1, "P3" and "P4"). A record lives for the TTL from the first sight of its message.
// Owner: PeerScorer. Bounds: `capacity` records, the oldest goes first; a record that went early costs nobody anything,
// and copies of its message count for nobody. A new record allocates one node at most; a copy allocates nothing once
// the list of senders has grown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "libp2p/base/time.hpp"
#include "libp2p/protocols/gossipsub/message_id.hpp"

namespace libp2p::gossipsub {

enum class DeliveryStatus : std::uint8_t {
  unknown,  // at the validator
  valid,
  invalid,
  nobodys_fault,  // ignored, or without a verdict that says anything
};

struct DeliveryRecord {
  using PeerNumber = std::uint64_t;

  DeliveryStatus status = DeliveryStatus::unknown;
  MonoTime validated{};             // while valid
  std::vector<PeerNumber> senders;  // unknown: who sent a copy; valid: whom it was counted for

  bool is_sender(PeerNumber peer) const;
};

class DeliveryRecords {
 public:
  // `secret` keeps strangers from choosing where their messages land in the table.
  DeliveryRecords(Nanos ttl, std::size_t capacity, std::uint64_t secret)
      : ttl_(ttl), capacity_(capacity), records_(0, MessageIdHash{secret}) {}
  DeliveryRecords(const DeliveryRecords&) = delete;
  DeliveryRecords& operator=(const DeliveryRecords&) = delete;

  // The record of a message; a new one when there is none. Valid until the next call.
  DeliveryRecord& at(const MessageId& id, MonoTime now);
  void forget_expired(MonoTime now);
  std::size_t size() const { return records_.size(); }
  void check() const;

 private:
  using Records = std::unordered_map<MessageId, DeliveryRecord, MessageIdHash>;  // never iterated
  struct Age {
    MonoTime expires;
    const MessageId* id;  // the key of the record
  };
  void forget_oldest();

  Nanos ttl_;
  std::size_t capacity_;
  Records records_;
  std::deque<Age> by_age_;               // the oldest first, which expires first
  Records::node_type spare_;             // of the record that went last
  Records::value_type* last_ = nullptr;  // what at() answered last: copies of a message come together
};

}  // namespace libp2p::gossipsub
