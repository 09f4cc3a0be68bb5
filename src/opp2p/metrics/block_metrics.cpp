#include "opp2p/metrics/block_metrics.hpp"

#include "libp2p/base/seconds.hpp"

namespace opp2p {
namespace {

double unix_seconds_of(libp2p::UnixTime time) { return libp2p::seconds_of(time.time_since_epoch()); }

// op-node's: the first eight bytes as a little-endian number, so that a graph shows where hashes differ.
double hash_value(const libp2p::crypto::Hash256& hash) {
  std::uint64_t out = 0;
  for (std::size_t i = 8; i-- > 0;) out = out << 8 | hash[i];
  return static_cast<double>(out);
}

}  // namespace

BlockMetrics::Reference::Reference(MetricRegistry& registry, std::string_view type)
    : number_(registry.gauge(Metric::refs_number, {"l2", type})),
      time_(registry.gauge(Metric::refs_time, {"l2", type})),
      hash_(registry.gauge(Metric::refs_hash, {"l2", type})),
      latency_(registry.gauge(Metric::refs_latency, {"l2", type})) {}

void BlockMetrics::Reference::set(std::uint64_t number, std::uint64_t timestamp, const libp2p::crypto::Hash256& hash,
                                  libp2p::UnixTime now) {
  number_.Set(static_cast<double>(number));
  time_.Set(static_cast<double>(timestamp));
  hash_.Set(hash_value(hash));
  if (hash == last_) return;
  last_ = hash;
  latency_.Set(static_cast<double>(timestamp) - unix_seconds_of(now));
}

BlockMetrics::BlockMetrics(MetricRegistry& registry, const libp2p::PeerId& own)
    : registry_(registry),
      own_(own),
      validation_(registry.histogram(Metric::block_validation)),
      arrival_delay_(registry.histogram(Metric::unsafe_payload_arrival_delay)),
      unsafe_payloads_(registry.counter(Metric::unsafe_payloads)),
      last_unsafe_payload_(registry.gauge(Metric::last_unsafe_payloads)),
      received_(registry, "received_payload"),
      head_(registry, "l2_unsafe"),
      gossiped_(registry.counter(Metric::own_blocks, {"gossiped"})),
      stored_only_(registry.counter(Metric::own_blocks, {"stored_only"})),
      failed_(registry.counter(Metric::own_blocks, {"failed"})),
      dropped_(registry.counter(Metric::dropped_publishes)),
      publish_delay_(registry.histogram(Metric::publish_delay)),
      own_block_store_(registry.histogram(Metric::own_block_store)),
      publishing_errors_(registry.counter(Metric::publishing_errors)),
      last_publishing_error_(registry.gauge(Metric::last_publishing_errors)),
      stored_from_gossip_(registry.counter(Metric::blocks_stored, {"gossip"})),
      stored_from_request_(registry.counter(Metric::blocks_stored, {"request"})),
      stored_own_(registry.counter(Metric::blocks_stored, {"own"})),
      store_retried_(registry.counter(Metric::store_failures, {"true"})),
      store_lost_(registry.counter(Metric::store_failures, {"false"})),
      reorganisations_(registry.counter(Metric::reorganisations)) {
  using Kind = opstack::sync::ChainTraceKind;
  for (auto kind = Kind::anchored; kind <= Kind::denied_era; kind = static_cast<Kind>(static_cast<int>(kind) + 1))
    chain_events_[kind] = &registry.counter(Metric::chain_events, {trace_id(kind)});
}

void BlockMetrics::on(const NodeStarting& starting, libp2p::Now) {
  if (starting.head_timestamp)
    registry_.gauge(Metric::head_timestamp).Set(static_cast<double>(*starting.head_timestamp));
}

void BlockMetrics::on(const BlockJudged& judged, libp2p::Now now) {
  const auto& verdict = judged.verdict;
  if (verdict.local) return;  // counted when it is published
  const auto& outcome = verdict.outcome;
  auto*& count = verdicts_[static_cast<std::size_t>(outcome.verdict)][static_cast<std::size_t>(outcome.reason)];
  if (count == nullptr)
    count = &registry_.counter(Metric::blocks,
                               {opstack::rules::to_string(outcome.verdict), opstack::rules::reason_id(outcome.reason)});
  count->Increment();
  validation_.Observe(libp2p::seconds_of(verdict.took));
  if (outcome.verdict != opstack::rules::Verdict::accept || outcome.envelope == nullptr) return;
  const auto& payload = outcome.envelope->payload;
  unsafe_payloads_.Increment();
  last_unsafe_payload_.Set(unix_seconds_of(now.wall));
  received_.set(payload.block_number, payload.timestamp, payload.block_hash, now.wall);
  arrival_delay_.Observe(unix_seconds_of(now.wall) - static_cast<double>(payload.timestamp));
}

void BlockMetrics::on(const BlockPublished& published, libp2p::Now now) {
  own_block_store_.Observe(libp2p::seconds_of(published.sent.kept_after));
  if (published.sent.not_gossiped.empty()) {
    publish_delay_.Observe(libp2p::seconds_of(published.sent.done_after));
    return gossiped_.Increment();
  }
  stored_only_.Increment();
  dropped_.Increment();
  count_publishing_error(now.wall);
}

void BlockMetrics::on(const PublishFailed&, libp2p::Now now) {
  failed_.Increment();
  count_publishing_error(now.wall);
}

void BlockMetrics::count_publishing_error(libp2p::UnixTime now) {
  publishing_errors_.Increment();
  last_publishing_error_.Set(unix_seconds_of(now));
}

void BlockMetrics::on(const opstack::sync::BlockStored& stored, libp2p::Now now) {
  (stored.from == own_ ? stored_own_ : stored.fetched ? stored_from_request_ : stored_from_gossip_).Increment();
  if (!stored.is_head) return;
  const auto& payload = stored.block.payload();
  registry_.gauge(Metric::head_timestamp).Set(static_cast<double>(payload.timestamp));
  head_.set(payload.block_number, payload.timestamp, payload.block_hash, now.wall);
}

void BlockMetrics::on(const StoreRefused& refused, libp2p::Now) {
  (refused.again ? store_retried_ : store_lost_).Increment();
}

void BlockMetrics::on(const opstack::sync::HeadMoved& head, libp2p::Now now) {
  if (head.reorganises()) reorganisations_.Increment();
  registry_.gauge(Metric::head_timestamp).Set(static_cast<double>(head.timestamp));
  head_.set(head.moved.to.number, head.timestamp, head.moved.to.hash, now.wall);
}

void BlockMetrics::on(const opstack::sync::ChainTrace& trace, libp2p::Now) {
  if (const auto found = chain_events_.find(trace.kind); found != chain_events_.end()) found->second->Increment();
}

}  // namespace opp2p
