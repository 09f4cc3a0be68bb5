#include "libp2p/protocols/gossipsub/delivery_records.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/base/assert.hpp"

namespace libp2p::gossipsub {

bool DeliveryRecord::is_sender(PeerNumber peer) const {
  return std::find(senders.begin(), senders.end(), peer) != senders.end();
}

DeliveryRecord& DeliveryRecords::at(const MessageId& id, MonoTime now) {
  forget_expired(now);
  if (last_ != nullptr && last_->first == id) return last_->second;
  if (const auto found = records_.find(id); found != records_.end()) {
    last_ = &*found;
    return found->second;
  }
  if (records_.size() >= capacity_) forget_oldest();
  auto added = records_.end();
  if (spare_.empty()) {
    added = records_.try_emplace(id).first;
  } else {
    spare_.key() = id;
    added = records_.insert(std::move(spare_)).position;
    added->second.status = DeliveryStatus::unknown;
    added->second.senders.clear();
  }
  by_age_.push_back({now + ttl_, &added->first});
  last_ = &*added;
  return added->second;
}

void DeliveryRecords::forget_expired(MonoTime now) {
  while (!by_age_.empty() && by_age_.front().expires < now) forget_oldest();
}

void DeliveryRecords::forget_oldest() {
  OPP2P_ASSERT(!by_age_.empty(), "a table that is full holds something", records_);
  const auto oldest = records_.find(*by_age_.front().id);
  OPP2P_ASSERT(oldest != records_.end(), "every record stands in the order of age once", records_, by_age_);
  by_age_.pop_front();
  if (last_ == &*oldest) last_ = nullptr;
  spare_ = records_.extract(oldest);
}

void DeliveryRecords::check() const {
  OPP2P_CHECK(records_.size() <= capacity_, "delivery records are bounded", records_, capacity_);
  OPP2P_CHECK(records_.size() == by_age_.size(), "every record stands in the order of age once", records_, by_age_);
  MonoTime last = MonoTime::min();
  for (const auto& [expires, id] : by_age_) {
    const auto found = records_.find(*id);
    OPP2P_CHECK(found != records_.end() && &found->first == id, "the order of age leads to each record", records_);
    const DeliveryRecord& record = found->second;
    OPP2P_CHECK(last <= expires, "the oldest record expires first", last, expires);
    OPP2P_CHECK(
        record.senders.empty() || record.status == DeliveryStatus::unknown || record.status == DeliveryStatus::valid,
        "senders are remembered only while they matter", record.senders);
    for (auto sender = record.senders.begin(); sender != record.senders.end(); ++sender)
      OPP2P_CHECK(std::find(record.senders.begin(), sender, *sender) == sender, "a sender is remembered once", *sender);
    last = expires;
  }
}

}  // namespace libp2p::gossipsub
