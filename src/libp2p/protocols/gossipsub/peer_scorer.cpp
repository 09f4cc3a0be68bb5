// What is counted, and when. As go-libp2p-pubsub, where the text of the specification could be read otherwise:
//  - The time in the mesh, and with it the activation of P3, is looked at only when counters decay.
//  - P3 stays active after a PRUNE, until the next GRAFT, and P3b is added to it.
//  - A peer that leaves keeps a negative or zero score only, and loses what P2 counted.
//  - A copy of an invalid message costs as much as the first, each time.
// Unlike go-libp2p-pubsub:
//  - Who was first to bring a message is counted once, however often it sends it.
//  - An address that a peer has several connections from counts once.
//  - A peer that was forgotten and comes back is another one, also for what it had sent before.
//  - Messages of topics that are not scored leave no record.
#include "libp2p/protocols/gossipsub/peer_scorer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "libp2p/base/assert.hpp"

namespace libp2p::gossipsub {
namespace {

constexpr Nanos kDefaultSeenTtl = Seconds(120);

Nanos record_ttl(const PeerScoreParams& params) {
  return params.seen_msg_ttl == Nanos(0) ? kDefaultSeenTtl : params.seen_msg_ttl;
}

void add_capped(double& counter, double cap) { counter = std::min(counter + 1, cap); }

}  // namespace

PeerScorer::PeerScorer(PeerScoreParams params, std::uint64_t secret, Now now, ApplicationScore application)
    : params_(std::move(params)),
      application_(std::move(application)),
      by_id_(secret),
      colocation_(params_.ip_colocation_factor_threshold, params_.ip_colocation_factor_allow_list,
                  params_.max_addresses_of_a_peer),
      records_(record_ttl(params_), params_.max_delivery_records, secret) {
  OPP2P_ASSERT(validate(params_, ScoreRules::fields_in_use).has_value(), "the parameters of scores are validated");
  for (const auto& [name, topic] : params_.topics)
    topics_.push_back({name, topic, static_cast<std::uint32_t>(topics_.size())});
  if (params_.decay_interval > Nanos(0)) next_decay_ = now.mono + params_.decay_interval;
}

// ---- tables ----

PeerScorer::Row* PeerScorer::find(const PeerId& peer) const {
  if (last_row_ != nullptr && last_row_->id == peer) return last_row_;
  Row* const found = by_id_.find(peer);
  return found == nullptr ? nullptr : last_row_ = found;
}

std::optional<std::size_t> PeerScorer::find_topic(std::string_view topic) const {
  if (last_topic_ < topics_.size() && topics_[last_topic_].name == topic) return last_topic_;
  const auto found =
      std::lower_bound(topics_.begin(), topics_.end(), topic,
                       [](const ScoredTopic& scored, std::string_view name) { return scored.name < name; });
  if (found == topics_.end() || found->name != topic) return std::nullopt;
  return last_topic_ = static_cast<std::size_t>(found - topics_.begin());
}

// Called when something is counted, so the score is another afterwards.
PeerScorer::TopicCounters& PeerScorer::counters(Row& row, std::size_t topic) {
  row.is_stale = true;
  if (row.topics.empty()) row.topics.resize(topics_.size());
  return row.topics[topic];
}

// ---- peers ----

void PeerScorer::on_peer_added(const PeerId& peer, Now) {
  Row* row = find(peer);
  if (row == nullptr) {
    const Number number = next_number_++;
    row = &rows_[number];
    row->id = peer;
    row->number = number;
    by_id_.insert(*row);
  } else if (row->retained) {
    retained_.erase(*row->retained);
    row->retained.reset();
    colocation_.spare_nobody(row->places, row->number);
  }
  if (application_) set_application_score(peer, application_(peer));
}

void PeerScorer::on_peer_removed(const PeerId& peer, Now now) {
  Row* const row = find(peer);
  if (row == nullptr || row->retained) return;
  // A good score is not kept: else a peer could earn it at leisure and spend it in an attack.
  if (current_score(*row) > 0 && !params_.ip_colocation_spares_older) return forget(row->number);
  for (std::size_t topic = 0; topic < row->topics.size(); ++topic) {
    TopicCounters& counted = row->topics[topic];
    counted.first_deliveries = 0;
    if (std::exchange(counted.in_mesh, false)) add_deficit(counted, topic);
  }
  if (params_.ip_colocation_spares_older) colocation_.spare_older(row->places, row->number);
  row->is_stale = true;
  retain(*row, current_score(*row), now.mono);
}

void PeerScorer::retain(Row& row, double score, MonoTime now) {
  row.retained.emplace(-score, now + params_.retain_score, row.number);
  retained_.insert(*row.retained);
  while (retained_.size() > params_.max_retained) forget(std::get<Number>(*retained_.begin()));
}

void PeerScorer::forget(Number number) {
  const auto at = rows_.find(number);
  OPP2P_ASSERT(at != rows_.end(), "a peer that is forgotten was known", number);
  Row& row = at->second;
  if (row.retained) {
    retained_.erase(*row.retained);
    colocation_.spare_nobody(row.places, row.number);
  }
  colocation_.leave(row.places);
  if (last_row_ == &row) last_row_ = nullptr;
  by_id_.erase(row.id);
  rows_.erase(at);
  OPP2P_ASSERT(by_id_.size() == rows_.size(), "every peer is found by its id", by_id_.size(), rows_);
}

void PeerScorer::on_addresses(const PeerId& peer, std::span<const PeerAddress> addresses, Now) {
  Row* const row = find(peer);
  if (row == nullptr || row->retained) return;
  colocation_.move(row->places, addresses);
}

void PeerScorer::on_penalty(const PeerId& peer, unsigned count, Now) {
  Row* const row = find(peer);
  if (row == nullptr) return;
  row->behaviour += count;
  row->is_stale = true;
}

void PeerScorer::set_application_score(const PeerId& peer, double score) {
  Row* const row = find(peer);
  if (row == nullptr) return;
  row->application = std::isnan(score) ? -kLargestScorePart : std::clamp(score, -kLargestScorePart, kLargestScorePart);
  row->is_stale = true;
}

// ---- the mesh ----

void PeerScorer::on_graft(const PeerId& peer, std::string_view topic, Now now) {
  Row* const row = find(peer);
  const auto index = find_topic(topic);
  if (row == nullptr || row->retained || !index) return;
  TopicCounters& counted = counters(*row, *index);
  counted.in_mesh = true;
  counted.grafted = now.mono;
  counted.time_in_mesh = Nanos(0);
  counted.deliveries_active = false;
}

void PeerScorer::on_prune(const PeerId& peer, std::string_view topic, Now) {
  Row* const row = find(peer);
  const auto index = find_topic(topic);
  if (row == nullptr || !index) return;
  TopicCounters& counted = counters(*row, *index);
  add_deficit(counted, *index);
  counted.in_mesh = false;
}

void PeerScorer::add_deficit(TopicCounters& counted, std::size_t topic) {
  const double deficit = topics_[topic].params.mesh_message_deliveries_threshold - counted.mesh_deliveries;
  if (counted.deliveries_active && deficit > 0) counted.mesh_failures += deficit * deficit;
}

// ---- messages ----

void PeerScorer::on_validation_begun(const PeerId&, std::string_view topic, const MessageId& id, Now now) {
  if (find_topic(topic)) records_.at(id, now.mono);
}

void PeerScorer::on_delivered(const PeerId& peer, std::string_view topic, const MessageId& id, Now now) {
  const auto index = find_topic(topic);
  if (!index) return;
  Row* const first = find(peer);
  if (first != nullptr) count_first(*first, *index);
  if (first != nullptr && observer_ != nullptr) observer_->on_valid(peer, topic, id, now);
  DeliveryRecord& record = records_.at(id, now.mono);
  if (record.status != DeliveryStatus::unknown) return;
  record.status = DeliveryStatus::valid;
  record.validated = now.mono;
  for (const Number sender : record.senders) {
    const auto at = rows_.find(sender);
    if (at == rows_.end() || &at->second == first) continue;
    count_mesh(at->second, *index);
    if (observer_ != nullptr) observer_->on_valid(at->second.id, topic, id, now);
  }
  if (first != nullptr && !record.is_sender(first->number)) record.senders.push_back(first->number);
}

void PeerScorer::on_rejected(const PeerId& peer, std::string_view topic, const MessageId& id, RejectCause cause,
                             Now now) {
  const auto index = find_topic(topic);
  if (!index || says_nothing(cause)) return;
  Row* const row = find(peer);
  if (is_fault_of_author(cause)) {  // what it is called is the sender's choice: no record
    if (row != nullptr) blame(*row, *index, id, cause, now);
    return;
  }
  DeliveryRecord& record = records_.at(id, now.mono);
  if (record.status != DeliveryStatus::unknown) return;
  record.status = DeliveryStatus::nobodys_fault;
  if (cause == RejectCause::invalid) {
    record.status = DeliveryStatus::invalid;
    if (row != nullptr) blame(*row, *index, id, cause, now);
    for (const Number sender : record.senders) {
      const auto at = rows_.find(sender);
      if (at != rows_.end()) blame(at->second, *index, id, cause, now);
    }
  }
  record.senders.clear();
}

void PeerScorer::on_duplicate(const PeerId& peer, std::string_view topic, const MessageId& id, Now now) {
  const auto index = find_topic(topic);
  Row* const row = find(peer);
  if (!index || row == nullptr) return;
  DeliveryRecord& record = records_.at(id, now.mono);
  if (record.status == DeliveryStatus::nobodys_fault) return;
  if (record.status == DeliveryStatus::invalid) return blame(*row, *index, id, RejectCause::invalid, now);
  if (record.status == DeliveryStatus::valid && observer_ != nullptr) observer_->on_valid(peer, topic, id, now);
  if (record.is_sender(row->number) || record.senders.size() >= params_.max_record_senders) return;
  if (record.status == DeliveryStatus::unknown) return record.senders.push_back(row->number);
  if (now.mono - record.validated > topics_[*index].params.mesh_message_deliveries_window) return;
  record.senders.push_back(row->number);
  count_mesh(*row, *index);
}

// Who is first has delivered in the mesh too.
void PeerScorer::count_first(Row& row, std::size_t topic) {
  add_capped(counters(row, topic).first_deliveries, topics_[topic].params.first_message_deliveries_cap);
  count_mesh(row, topic);
}

void PeerScorer::count_mesh(Row& row, std::size_t topic) {
  if (row.topics.empty() || !row.topics[topic].in_mesh) return;
  add_capped(counters(row, topic).mesh_deliveries, topics_[topic].params.mesh_message_deliveries_cap);
}

void PeerScorer::count_invalid(Row& row, std::size_t topic) { counters(row, topic).invalid_deliveries += 1; }

void PeerScorer::blame(Row& row, std::size_t topic, const MessageId& id, RejectCause cause, Now now) {
  count_invalid(row, topic);
  if (observer_ == nullptr) return;
  const InvalidCount count{row.number, row.decays, topics_[topic].id};
  observer_->on_invalid(row.id, topics_[topic].name, id, cause, count, now);
}

// ---- time ----

void PeerScorer::on_timeout(Now now) {
  if (!next_decay_ || now.mono < *next_decay_) return;
  *next_decay_ += params_.decay_interval;
  if (*next_decay_ <= now.mono) next_decay_ = now.mono + params_.decay_interval;
  decay(now);
}

void PeerScorer::decay(Now now) {
  records_.forget_expired(now.mono);
  for (auto at = rows_.begin(); at != rows_.end();) {
    Row& row = (at++)->second;
    if (!row.retained) {
      decay(row, now.mono);
    } else if (std::get<MonoTime>(*row.retained) < now.mono) {
      forget(row.number);
    }
  }
}

void PeerScorer::decay(Row& row, MonoTime now) {
  const auto shrink = [this](double& counter, double factor) {
    counter *= factor;
    if (counter < params_.decay_to_zero) counter = 0;
  };
  for (std::size_t topic = 0; topic < row.topics.size(); ++topic) {
    const TopicScoreParams& p = topics_[topic].params;
    TopicCounters& counted = row.topics[topic];
    shrink(counted.first_deliveries, p.first_message_deliveries_decay);
    shrink(counted.mesh_deliveries, p.mesh_message_deliveries_decay);
    shrink(counted.mesh_failures, p.mesh_failure_penalty_decay);
    shrink(counted.invalid_deliveries, p.invalid_message_deliveries_decay);
    if (!counted.in_mesh) continue;
    OPP2P_ASSERT(now >= counted.grafted, "time does not go back", now, counted.grafted);
    counted.time_in_mesh = now - counted.grafted;
    if (counted.time_in_mesh > p.mesh_message_deliveries_activation) counted.deliveries_active = true;
  }
  shrink(row.behaviour, params_.behaviour_penalty_decay);
  ++row.decays;
  row.is_stale = true;
}

}  // namespace libp2p::gossipsub
