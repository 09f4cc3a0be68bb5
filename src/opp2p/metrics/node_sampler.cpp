#include "opp2p/metrics/node_sampler.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "libp2p/base/seconds.hpp"
#include "opp2p/metrics/node_mirrors.hpp"

namespace opp2p {
namespace {

using opstack::reputation::PeerScoreRecord;

struct ScorePart {
  std::string_view type;  // op-node's
  double (*read)(const PeerScoreRecord&);
};
constexpr ScorePart kScoreParts[] = {
    {"total", [](const PeerScoreRecord& s) { return s.gossip.total; }},
    {"ipColocation", [](const PeerScoreRecord& s) { return s.gossip.ip_colocation_factor; }},
    {"behavioralPenalty", [](const PeerScoreRecord& s) { return s.gossip.behavioural_penalty; }},
    {"blocksFirstMessage", [](const PeerScoreRecord& s) { return s.gossip.first_message_deliveries; }},
    {"blocksTimeInMesh", [](const PeerScoreRecord& s) { return s.gossip.time_in_mesh; }},
    {"blocksMessageDeliveries", [](const PeerScoreRecord& s) { return s.gossip.mesh_message_deliveries; }},
    {"blocksInvalidMessageDeliveries", [](const PeerScoreRecord& s) { return s.gossip.invalid_message_deliveries; }},
    {"reqRespValidResponses", [](const PeerScoreRecord& s) { return s.req_resp.valid_responses; }},
    {"reqRespErrorResponses", [](const PeerScoreRecord& s) { return s.req_resp.error_responses; }},
    {"reqRespRejectedPayloads", [](const PeerScoreRecord& s) { return s.req_resp.rejected_payloads; }},
};

// op-node's refs of the lowest block that waits: a number and a hash, and zeros without one.
void set_waiting(MetricRegistry& registry, const std::optional<opstack::sync::BlockRef>& block) {
  const auto ref = block.value_or(opstack::sync::BlockRef{});
  registry.gauge(Metric::refs_number, {"l2", "l2_buffer_unsafe"}).Set(static_cast<double>(ref.number));
  std::uint64_t first = 0;
  for (std::size_t i = 8; i-- > 0;) first = first << 8 | ref.hash[i];
  registry.gauge(Metric::refs_hash, {"l2", "l2_buffer_unsafe"}).Set(static_cast<double>(first));
}

}  // namespace

NodeSampler::NodeSampler(libp2p::runtime::Runtime& runtime, MetricRegistry& registry, Source source)
    : runtime_(runtime),
      registry_(registry),
      source_(std::move(source)),
      peer_bans_(ban_gauges("peer")),
      ip_bans_(ban_gauges("ip")),
      bytes_in_(registry.gauge(Metric::p2p_bandwidth_bytes, {"in"})),
      bytes_out_(registry.gauge(Metric::p2p_bandwidth_bytes, {"out"})),
      took_(registry.gauge(Metric::sample_seconds)),
      timer_(runtime.make_timer([this] { on_timer(); })) {
  for (const auto& row : node_mirrors()) {
    const bool counter = row_of(row.metric).type == MetricType::counter;
    Mirror mirror;
    mirror.read = row.read;
    if (counter)
      mirror.counter = row.label.empty() ? &registry.counter(row.metric) : &registry.counter(row.metric, {row.label});
    else
      mirror.gauge = row.label.empty() ? &registry.gauge(row.metric) : &registry.gauge(row.metric, {row.label});
    mirrors_.push_back(mirror);
  }
  for (const auto& row : kScoreParts) scores_.push_back(&registry.histogram(Metric::peer_scores, {row.type}));
}

NodeSampler::~NodeSampler() = default;

NodeSampler::BanGauges NodeSampler::ban_gauges(std::string_view target) {
  namespace reputation = opstack::reputation;
  BanGauges out{};
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] =
        &registry_.gauge(Metric::active_bans, {target, reputation::ban_rule_id(static_cast<reputation::BanRule>(i))});
  return out;
}

std::vector<std::string_view> NodeSampler::score_types() {
  std::vector<std::string_view> out;
  for (const auto& row : kScoreParts) out.push_back(row.type);
  return out;
}

void NodeSampler::start() {
  scores_due_ = runtime_.now().mono + kScoreInterval;
  on_timer();
}

void NodeSampler::stop() { timer_->disarm(); }

std::optional<libp2p::MonoTime> NodeSampler::last() const {
  const auto at = last_.load(std::memory_order_relaxed);
  if (at == kNever) return std::nullopt;
  return libp2p::MonoTime(libp2p::Nanos(at));
}

void NodeSampler::on_timer() {
  const auto took = runtime_.run_here([this] {
    take(source_.readings());
    if (runtime_.now().mono >= *scores_due_) take_scores();
  });
  took_.Set(libp2p::seconds_of(took));
  const auto now = runtime_.now().mono;
  last_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  timer_->arm(now + std::clamp(took * kShare, kInterval, kMostInterval));
}

void NodeSampler::take(const NodeReadings& readings) {
  for (const auto& mirror : mirrors_) {
    const double value = mirror.read(readings);
    if (mirror.gauge != nullptr)
      mirror.gauge->Set(value);
    else
      bring_to(*mirror.counter, value);
  }
  for (std::size_t i = 0; i < opstack::reputation::kBanRules; ++i) {
    peer_bans_[i]->Set(static_cast<double>(readings.peer_bans[i]));
    ip_bans_[i]->Set(static_cast<double>(readings.ip_bans[i]));
  }
  set_waiting(registry_, readings.lowest_waiting);
  const auto [in, out] = source_.ended_bytes();
  // A connection that has ended, and whose end is not told yet, is in neither sum for a moment.
  bytes_in_.Set(std::max(bytes_in_.Value(), static_cast<double>(in + readings.bytes_in)));
  bytes_out_.Set(std::max(bytes_out_.Value(), static_cast<double>(out + readings.bytes_out)));
}

void NodeSampler::take_scores() {
  scores_due_ = runtime_.now().mono + kScoreInterval;
  source_.each_score([this](const PeerScoreRecord& record) {
    for (std::size_t i = 0; i < std::size(kScoreParts); ++i) scores_[i]->Observe(kScoreParts[i].read(record));
  });
}

}  // namespace opp2p
