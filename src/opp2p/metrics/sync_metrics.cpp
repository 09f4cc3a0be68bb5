#include "opp2p/metrics/sync_metrics.hpp"

#include <algorithm>
#include <string>

#include "libp2p/base/seconds.hpp"
#include "opstack/sync/engine/answer.hpp"

namespace opp2p {
namespace sync = opstack::sync;
namespace {

constexpr std::string_view kMethod = "payload_by_number";

struct KindRow {
  sync::SyncTraceKind kind;
  std::string_view id;
};
// Stable, unlike the texts for people.
constexpr KindRow kKinds[] = {
    {sync::SyncTraceKind::range_requested, "range_requested"},
    {sync::SyncTraceKind::range_left_open, "range_left_open"},
    {sync::SyncTraceKind::range_filled, "range_filled"},
    {sync::SyncTraceKind::no_free_peer, "no_free_peer"},
    {sync::SyncTraceKind::no_peer_has_block, "no_peer_has_block"},
    {sync::SyncTraceKind::request_sent, "request_sent"},
    {sync::SyncTraceKind::answer, "answer"},
    {sync::SyncTraceKind::late_answer, "late_answer"},
    {sync::SyncTraceKind::quarantined, "quarantined"},
    {sync::SyncTraceKind::quarantine_overflow, "quarantine_overflow"},
    {sync::SyncTraceKind::promoted, "promoted"},
    {sync::SyncTraceKind::other_branch, "other_branch"},
    {sync::SyncTraceKind::wrong_time, "wrong_time"},
    {sync::SyncTraceKind::broken_rule, "broken_rule"},
    {sync::SyncTraceKind::peer_added, "peer_added"},
    {sync::SyncTraceKind::peer_removed, "peer_removed"},
    {sync::SyncTraceKind::peer_paused, "peer_paused"},
};

constexpr std::size_t kFailed = 4;  // in place of a code
struct AnswerRow {
  sync::AnswerKind kind;
  std::string_view id;
  std::size_t code;
};
constexpr AnswerRow kAnswers[] = {
    {sync::AnswerKind::block, "block", 0},
    {sync::AnswerKind::not_found, "not_found", 1},
    {sync::AnswerKind::invalid_request, "invalid_request", 2},
    {sync::AnswerKind::throttled, "throttled", 3},
    {sync::AnswerKind::failed, "failed", kFailed},
    {sync::AnswerKind::unsupported, "unsupported", kFailed},
    {sync::AnswerKind::malformed, "malformed", kFailed},
    {sync::AnswerKind::wrong_number, "wrong_number", kFailed},
    {sync::AnswerKind::bad_hash, "bad_hash", kFailed},
    {sync::AnswerKind::altered, "altered", kFailed},
};
constexpr std::string_view kMerits[] = {"valid_response", "error_response", "rejected_payload"};

}  // namespace

SyncMetrics::Codes SyncMetrics::make_codes(MetricRegistry& registry, std::string_view role) {
  static_assert(kFailed == kCodes);
  Codes out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::string code = i == kFailed ? "failed" : std::to_string(i);
    out[i].count = &registry.counter(Metric::p2p_req, {role, kMethod, code});
    out[i].duration = &registry.histogram(Metric::p2p_req_duration, {role, kMethod, code});
  }
  return out;
}

SyncMetrics::SyncMetrics(MetricRegistry& registry)
    : server_(make_codes(registry, "server")),
      client_(make_codes(registry, "client")),
      server_number_(registry.gauge(Metric::p2p_payload_by_number, {"server"})),
      client_number_(registry.gauge(Metric::p2p_payload_by_number, {"client"})),
      can_ask_(registry.gauge(Metric::sync_can_ask)),
      no_answer_{&registry.counter(Metric::sync_answers, {"timed_out"}), kFailed} {
  for (const auto& [kind, id] : kKinds) events_[kind] = &registry.counter(Metric::sync_events, {id});
  for (const auto& [kind, id, code] : kAnswers)
    answers_[sync::to_string(kind)] = {&registry.counter(Metric::sync_answers, {id}), code};
  for (std::size_t i = 0; i < faults_.size(); ++i)
    faults_[i] = &registry.counter(Metric::sync_faults, {sync::fault_id(static_cast<sync::SyncFaultKind>(i))});
  for (std::size_t i = 0; i < reports_.size(); ++i) reports_[i] = &registry.counter(Metric::sync_reports, {kMerits[i]});
}

void SyncMetrics::on(const sync::ServedRequest& request, libp2p::Now) {
  const auto& series = server_[std::min<std::size_t>(request.code, kFailed)];
  series.count->Increment();
  series.duration->Observe(libp2p::seconds_of(request.took));
  if (request.number) server_number_.Set(static_cast<double>(*request.number));
}

void SyncMetrics::on(const sync::SyncTrace& trace, libp2p::Now now) {
  if (const auto found = events_.find(trace.kind); found != events_.end()) found->second->Increment();
  if (trace.kind == sync::SyncTraceKind::request_sent && trace.number) {
    client_number_.Set(static_cast<double>(*trace.number));
    if (begun_.size() == kMostTimed) begun_.clear();
    begun_.insert_or_assign({trace.peer, *trace.number}, now.mono);
  }
  if (trace.kind == sync::SyncTraceKind::answer) on_answer(trace, now.mono);
  // What was asked of a peer that goes is never answered.
  if (trace.kind == sync::SyncTraceKind::peer_removed)
    begun_.erase(begun_.lower_bound({trace.peer, 0}), begun_.upper_bound({trace.peer, UINT64_MAX}));
}

void SyncMetrics::on_answer(const sync::SyncTrace& trace, libp2p::MonoTime now) {
  const auto known = answers_.find(trace.text);
  const auto& answer = known != answers_.end() ? known->second : no_answer_;
  answer.count->Increment();
  const auto& series = client_[answer.code];
  series.count->Increment();
  if (!trace.number) return;
  const auto begun = begun_.find({trace.peer, *trace.number});
  if (begun == begun_.end()) return;
  series.duration->Observe(libp2p::seconds_of(now - begun->second));
  begun_.erase(begun);
}

void SyncMetrics::on(const sync::SyncFault& fault, libp2p::Now) {
  faults_[static_cast<std::size_t>(fault.kind)]->Increment();
}

void SyncMetrics::on(const sync::PeerReport& report, libp2p::Now) {
  reports_[static_cast<std::size_t>(report.merit)]->Increment();
}

void SyncMetrics::on(const sync::GapSourcesChanged& sources, libp2p::Now) { can_ask_.Set(sources.can_ask ? 1 : 0); }

}  // namespace opp2p
