#include "opp2p/metrics/sync_metrics.hpp"

#include <gtest/gtest.h>

#include "opp2p/metrics/metrics_test_support.hpp"

namespace opp2p {
namespace {

using opstack::sync::ServedRequest;
using opstack::sync::SyncTrace;
using opstack::sync::SyncTraceKind;

class SyncMetricsTest : public testing::Test {
 protected:
  double value(const std::string& name) const { return sample(read_samples(registry_.text()), name); }
  // Of requests, by op-node's labels.
  double requests(std::string_view role, std::string_view code, std::string_view of = "req_total") const {
    return value("op_node_default_p2p_" + std::string(of) + "{p2p_method=\"payload_by_number\",p2p_role=\"" +
                 std::string(role) + "\",result_code=\"" + std::string(code) + "\"}");
  }
  void tell(SyncTraceKind kind, std::uint64_t number, libp2p::Nanos at, std::string text = {}) {
    SyncTrace trace;
    trace.kind = kind;
    trace.peer = peer_;
    trace.number = number;
    trace.text = std::move(text);
    metrics_.on(trace, libp2p::Now{libp2p::MonoTime(at), {}});
  }

  MetricRegistry registry_;
  SyncMetrics metrics_{registry_};
  libp2p::PeerId peer_;
};

TEST_F(SyncMetricsTest, a_served_request_counts_by_the_code_that_was_sent) {
  ServedRequest served;
  served.number = 77;
  served.took = libp2p::Millis(30);
  metrics_.on(served, {});
  served.code = 1;
  served.number = std::nullopt;
  metrics_.on(served, {});
  served.code = 200;
  metrics_.on(served, {});
  EXPECT_EQ(requests("server", "0"), 1);
  EXPECT_EQ(requests("server", "1"), 1);
  EXPECT_EQ(requests("server", "2"), 0);
  EXPECT_EQ(requests("server", "failed"), 1) << "no number that a peer could choose becomes a label";
  EXPECT_NEAR(requests("server", "0", "req_duration_seconds_sum"), 0.03, 1e-9);
  EXPECT_EQ(value("op_node_default_p2p_payload_by_number{p2p_role=\"server\"}"), 77);
}

TEST_F(SyncMetricsTest, an_answer_counts_by_its_code_and_is_timed_from_its_request) {
  using opstack::sync::AnswerKind;
  const std::pair<AnswerKind, std::string_view> codes[] = {
      {AnswerKind::block, "0"},          {AnswerKind::not_found, "1"},     {AnswerKind::invalid_request, "2"},
      {AnswerKind::throttled, "3"},      {AnswerKind::failed, "failed"},   {AnswerKind::unsupported, "failed"},
      {AnswerKind::malformed, "failed"}, {AnswerKind::bad_hash, "failed"},
  };
  for (const auto& [kind, code] : codes) {
    const double before = requests("client", code);
    tell(SyncTraceKind::request_sent, 9, libp2p::Seconds(1));
    tell(SyncTraceKind::answer, 9, libp2p::Millis(1500), std::string(to_string(kind)));
    EXPECT_EQ(requests("client", code), before + 1) << to_string(kind);
  }
  EXPECT_NEAR(requests("client", "0", "req_duration_seconds_sum"), 0.5, 1e-9);
  tell(SyncTraceKind::request_sent, 10, libp2p::Seconds(2));
  tell(SyncTraceKind::answer, 10, libp2p::Seconds(12), "none before the deadline");
  EXPECT_EQ(requests("client", "failed"), 5);
  EXPECT_EQ(value("opp2p_sync_answers_total{kind=\"timed_out\"}"), 1);
  EXPECT_EQ(value("opp2p_sync_answers_total{kind=\"bad_hash\"}"), 1);
  EXPECT_EQ(value("opp2p_sync_events_total{kind=\"request_sent\"}"), 9);
  EXPECT_EQ(value("op_node_default_p2p_payload_by_number{p2p_role=\"client\"}"), 10);
}

TEST_F(SyncMetricsTest, an_answer_without_a_known_beginning_is_counted_and_not_timed) {
  tell(SyncTraceKind::request_sent, 1, libp2p::Seconds(1));
  for (std::uint64_t i = 0; i < SyncMetrics::kMostTimed; ++i)
    tell(SyncTraceKind::request_sent, 100 + i, libp2p::Seconds(1));
  tell(SyncTraceKind::answer, 1, libp2p::Seconds(2), std::string(to_string(opstack::sync::AnswerKind::block)));
  EXPECT_EQ(requests("client", "0"), 1);
  EXPECT_EQ(requests("client", "0", "req_duration_seconds_count"), 0);
}

TEST_F(SyncMetricsTest, faults_and_what_peers_earn_count_by_kind) {
  metrics_.on(opstack::sync::SyncFault{peer_, opstack::sync::SyncFaultKind::bad_hash, 5, "x"}, {});
  metrics_.on(opstack::sync::PeerReport{peer_, opstack::sync::PeerMerit::rejected_payload}, {});
  metrics_.on(opstack::sync::GapSourcesChanged{true}, {});
  EXPECT_EQ(value("opp2p_sync_faults_total{kind=\"bad_hash\"}"), 1);
  EXPECT_EQ(value("opp2p_sync_faults_total{kind=\"altered\"}"), 0);
  EXPECT_EQ(value("opp2p_sync_reports_total{merit=\"rejected_payload\"}"), 1);
  EXPECT_EQ(value("opp2p_sync_can_ask"), 1);
}

}  // namespace
}  // namespace opp2p
