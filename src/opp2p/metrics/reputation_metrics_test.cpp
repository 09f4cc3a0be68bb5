#include "opp2p/metrics/reputation_metrics.hpp"

#include <gtest/gtest.h>

#include "opp2p/metrics/metrics_test_support.hpp"

namespace opp2p {
namespace {

namespace reputation = opstack::reputation;
using libp2p::GaterHook;

class ReputationMetricsTest : public testing::Test {
 protected:
  double value(std::string_view name) const { return sample(read_samples(registry_.text()), name); }
  void ask(GaterHook hook, bool allow) {
    const libp2p::Result<void> answer =
        allow ? libp2p::Result<void>() : libp2p::Result<void>(libp2p::fail(libp2p::Errc::denied, "no"));
    metrics_.on(GateAsked{libp2p::GaterAnswer{hook, nullptr, nullptr, &answer}}, {});
  }

  MetricRegistry registry_;
  ReputationMetrics metrics_{registry_};
  const libp2p::PeerId peer_;
  const libp2p::Error why_{libp2p::Errc::denied, "no"};
};

TEST_F(ReputationMetricsTest, dials_and_accepts_are_counted_at_the_hooks_where_op_node_counts_them) {
  for (const auto hook :
       {GaterHook::peer_dial, GaterHook::addr_dial, GaterHook::accept, GaterHook::secured, GaterHook::upgraded})
    ask(hook, true);
  ask(GaterHook::addr_dial, false);
  ask(GaterHook::secured, false);
  EXPECT_EQ(value("op_node_default_p2p_dials{allow=\"true\"}"), 2);
  EXPECT_EQ(value("op_node_default_p2p_dials{allow=\"false\"}"), 1);
  EXPECT_EQ(value("op_node_default_p2p_accepts{allow=\"true\"}"), 2);
  EXPECT_EQ(value("op_node_default_p2p_accepts{allow=\"false\"}"), 1);
}

TEST_F(ReputationMetricsTest, bans_count_by_rule_and_their_ends_by_cause) {
  reputation::Ban ban;
  ban.rule = reputation::BanRule::blamed_messages;
  const std::string ip = "192.0.2.1";
  metrics_.on(reputation::PeerBanned{peer_, ban}, {});
  metrics_.on(reputation::PeerUnbanned{peer_, ban, reputation::BanEnd::expired}, {});
  ban.rule = reputation::BanRule::operator_request;
  metrics_.on(reputation::IpBanned{ip, ban}, {});
  metrics_.on(reputation::IpUnbanned{ip, ban, reputation::BanEnd::undone}, {});
  EXPECT_EQ(value("op_node_default_p2p_peer_bans"), 1);
  EXPECT_EQ(value("op_node_default_p2p_peer_unbans"), 1);
  EXPECT_EQ(value("op_node_default_p2p_ip_unbans"), 1);
  EXPECT_EQ(value("opp2p_bans_total{rule=\"blamed_messages\",target=\"peer\"}"), 1);
  EXPECT_EQ(value("opp2p_bans_total{rule=\"score_threshold\",target=\"peer\"}"), 0);
  EXPECT_EQ(value("opp2p_bans_total{rule=\"operator_request\",target=\"ip\"}"), 1);
  EXPECT_EQ(value("opp2p_bans_ended_total{end=\"expired\",target=\"peer\"}"), 1);
  EXPECT_EQ(value("opp2p_bans_ended_total{end=\"undone\",target=\"ip\"}"), 1);
}

TEST_F(ReputationMetricsTest, faults_refusals_and_failures_of_the_peerstore_count_by_their_ids) {
  reputation::Fault fault;
  fault.kind = reputation::FaultKind::bad_block_hash;
  metrics_.on(reputation::PeerBlamed{peer_, fault, 1}, {});
  const std::string text = "look at your signer";
  metrics_.on(reputation::CommonFaultFound{reputation::FaultKind::invalid_signature, 3, 4, text}, {});
  const libp2p::Multiaddr nowhere;
  metrics_.on(reputation::GateRefused{GaterHook::accept, reputation::GateRule::ip_ban, peer_, nowhere, why_}, {});
  metrics_.on(reputation::ReputationStoreFailed{why_}, {});
  metrics_.on(PeerstoreFailing{why_}, {});
  EXPECT_EQ(value("opp2p_faults_total{kind=\"bad_block_hash\"}"), 1);
  EXPECT_EQ(value("opp2p_faults_total{kind=\"sync_altered\"}"), 0);
  EXPECT_EQ(value("opp2p_common_faults_total{kind=\"invalid_signature\"}"), 1);
  EXPECT_EQ(value("opp2p_gate_refusals_total{hook=\"InterceptAccept\",rule=\"ip_ban\"}"), 1);
  EXPECT_EQ(value("opp2p_peerstore_failures_total"), 2);
}

}  // namespace
}  // namespace opp2p
