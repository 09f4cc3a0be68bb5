#include "opp2p/observe/peer_history.hpp"

#include <gtest/gtest.h>

#include "opstack/testing/chain_builder.hpp"

namespace opp2p {
namespace {

using libp2p::PeerId;
using libp2p::Seconds;
using opstack::rules::Outcome;
using opstack::rules::Reason;
using opstack::rules::Verdict;

PeerId numbered_peer(std::size_t number) {
  libp2p::Bytes id{0x12, 0x20};
  id.resize(34);
  for (std::size_t i = 0; i < sizeof number; ++i) id[33 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return PeerId::from_bytes(id).value();
}

class PeerHistoryTest : public testing::Test {
 protected:
  PeerHistoryTest() { make({}); }
  ~PeerHistoryTest() override { history_->check(); }
  void make(PeerHistoryLimits limits) {
    history_ = std::make_unique<PeerHistory>(
        PeerHistory::Surroundings{[this](const PeerId& peer) { return peer == static_; },
                                  [](const PeerId&) { return std::string("op-node/v1\x1b[2J"); }},
        limits);
  }
  void tell(const NodeEvent& event) { history_->on(event, now_); }
  void connect(const PeerId& peer) {
    libp2p::ConnectionInfo connection;
    connection.peer = peer;
    connection.remote = libp2p::Multiaddr::from_text("/ip4/10.0.0.1/tcp/9222").value();
    tell(libp2p::ConnectionOpened{connection});
  }
  void disconnect(const PeerId& peer, const std::string& why) {
    libp2p::ConnectionInfo connection;
    connection.peer = peer;
    tell(libp2p::ConnectionClosed{connection, libp2p::fail(libp2p::Errc::closed, why)});
    tell(libp2p::PeerDisconnected{peer});
  }
  void judge(const PeerId& peer, Verdict verdict, Reason reason, opstack::rules::Evidence evidence = {}) {
    Outcome outcome;
    outcome.verdict = verdict;
    outcome.reason = reason;
    outcome.evidence = std::move(evidence);
    auto envelope = std::make_shared<opstack::payload::Envelope>();
    envelope->payload.block_number = 7;
    outcome.envelope = envelope;
    const std::string topic = "/optimism/10/3/blocks";
    const opstack::gossip::BlockVerdict judged{topic,
                                               opstack::rules::Version::v4,
                                               libp2p::gossipsub::MessageId::from(message_).value(),
                                               peer,
                                               false,
                                               outcome,
                                               100,
                                               libp2p::Nanos()};
    const std::optional<opstack::rules::Address> signer;
    tell(BlockJudged{judged, signer});
  }
  void blame_for_message(const std::string& text, std::size_t blamed_messages) {
    opstack::reputation::Fault fault;
    fault.message_id = libp2p::to_hex(message_);
    fault.block_number = 7;
    fault.text = text;
    tell(opstack::reputation::PeerBlamed{peer_, fault, blamed_messages});
  }
  std::string ids(const PeerId& peer) {
    std::string out;
    if (const auto told = history_->timeline(peer, 100))
      for (const auto& event : told->events) out += std::string(event_id(event.kind)) + " ";
    return out;
  }

  libp2p::Now now_{libp2p::MonoTime(Seconds(1)), libp2p::from_unix_seconds(1'760'000'000)};
  PeerId static_ = numbered_peer(999'999);
  PeerId peer_ = numbered_peer(1);
  libp2p::Bytes message_;
  const std::string topic_ = "/optimism/10/3/blocks";
  std::unique_ptr<PeerHistory> history_;
};

TEST_F(PeerHistoryTest, tells_the_life_of_a_peer_in_its_order) {
  connect(peer_);
  now_ = now_ + Seconds(1);
  tell(libp2p::PeerIdentified{peer_, {"/meshsub/1.2.0", "/ipfs/ping/1.0.0"}});
  tell(opstack::gossip::PeerGrafted{peer_, topic_});
  judge(peer_, Verdict::accept, Reason::valid);
  judge(peer_, Verdict::accept, Reason::valid);
  judge(peer_, Verdict::reject, Reason::invalid_signature);
  tell(opstack::gossip::PeerPruned{peer_, topic_, libp2p::gossipsub::PruneCause::score, -12.5});
  now_ = now_ + Seconds(9);
  disconnect(peer_, "its time is up");
  EXPECT_EQ(ids(peer_), "connected identified grafted first_block refused_block pruned disconnected ");
  const auto told = history_->timeline(peer_, 100);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->connections, 0u);
  EXPECT_EQ(told->tally.accepted, 2u);
  EXPECT_EQ(told->tally.rejected, 1u);
  EXPECT_EQ(told->last_seen - told->first_seen, Seconds(10));
  EXPECT_NE(told->end.value_or("").find("its time is up"), std::string::npos);
  EXPECT_EQ(told->events[4].text, "block 7 was rejected: invalid block signature");
  EXPECT_EQ(told->events[5].score, -12.5);
  EXPECT_EQ(told->events[5].text, "left the mesh of the topic blocks_v4: its score is below zero");
}

TEST_F(PeerHistoryTest, keeps_the_time_of_the_disconnection_and_not_that_of_later_events) {
  connect(peer_);
  now_ = now_ + Seconds(10);
  const auto ended = now_.wall;
  disconnect(peer_, "end");
  now_ = now_ + Seconds(600);
  tell(libp2p::DialFailed{peer_, libp2p::fail(libp2p::Errc::unreachable, "no")});
  EXPECT_EQ(history_->timeline(peer_, 100)->ended, ended);
  connect(peer_);
  EXPECT_FALSE(history_->timeline(peer_, 100)->ended);
}

TEST_F(PeerHistoryTest, a_blamed_message_stands_once_whoever_tells_of_it_first_and_at_whatever_time) {
  connect(peer_);
  for (const bool blame_first : {false, true}) {
    for (int i = 0; i < 3; ++i) {
      message_ = libp2p::Bytes(20, static_cast<std::uint8_t>(i + (blame_first ? 10 : 1)));
      for (const bool blame : {blame_first, !blame_first}) {
        now_ = now_ + libp2p::Millis(3);
        if (blame)
          blame_for_message(std::string(1000, 'x'), 7);
        else
          judge(peer_, Verdict::reject, Reason::invalid_signature);
      }
    }
  }
  const auto told = history_->timeline(peer_, 100);
  EXPECT_EQ(ids(peer_), "connected blamed ");
  EXPECT_EQ(told->events[1].count, 6u);
  EXPECT_TRUE(told->events[1].text.starts_with("blamed, for message 7 within ten minutes: block 7: xxx"))
      << told->events[1].text;
  EXPECT_EQ(told->tally.rejected, 6u);
  EXPECT_EQ(told->tally.faults, 6u);
}

TEST_F(PeerHistoryTest, what_a_peer_says_of_itself_is_readable_and_short) {
  connect(peer_);
  tell(libp2p::PeerIdentified{peer_, {}});
  const auto told = history_->timeline(peer_, 100);
  EXPECT_EQ(told->agent.find('\x1b'), std::string::npos);
  disconnect(peer_, std::string(100'000, '\xff'));
  const auto after = history_->timeline(peer_, 100);
  for (const auto& event : after->events)
    EXPECT_LE(event.text.size(), PeerHistoryLimits().text_bytes + 32) << "a mark says what was cut";
}

TEST_F(PeerHistoryTest, copies_are_counted_and_not_listed) {
  connect(peer_);
  for (int i = 0; i < 1000; ++i) tell(opstack::gossip::CopyReceived{peer_, {}});
  tell(opstack::gossip::CopyReceived{numbered_peer(2), {}});
  EXPECT_EQ(history_->timeline(peer_, 100)->tally.copies, 1000u);
  EXPECT_EQ(ids(peer_), "connected ");
  EXPECT_EQ(history_->size(), 1u) << "a copy alone makes nobody known";
}

TEST_F(PeerHistoryTest, the_same_event_again_is_counted_with_its_times) {
  const auto begin = now_.wall;
  for (int i = 0; i < 5; ++i) {
    judge(peer_, Verdict::reject, Reason::invalid_signature);
    now_ = now_ + Seconds(2);
  }
  const auto told = history_->timeline(peer_, 100);
  ASSERT_EQ(told->events.size(), 1u);
  EXPECT_EQ(told->events[0].count, 5u);
  EXPECT_EQ(told->events[0].at, begin);
  EXPECT_EQ(told->events[0].last, begin + Seconds(8));
}

TEST_F(PeerHistoryTest, samples_the_score_when_it_changes_and_once_a_minute) {
  connect(peer_);
  const auto sample = [&](double score) {
    history_->on_score(peer_, score, now_.wall);
    now_ = now_ + Seconds(15);
  };
  for (const double score : {0.0, 0.0, -5.0, -5.0, -4.9, -4.8, -4.7, -4.7, -4.6}) sample(score);
  EXPECT_EQ(ids(peer_), "connected score score ");
  EXPECT_EQ(history_->timeline(peer_, 1)->events.front().score, -4.7) << "a minute after the one before";
  history_->on_score(numbered_peer(2), -5, now_.wall);
  EXPECT_EQ(history_->size(), 1u);
}

TEST_F(PeerHistoryTest, the_events_of_a_peer_have_a_bound_and_the_first_stays) {
  connect(peer_);
  for (int i = 0; i < 200; ++i) {
    tell(opstack::gossip::PeerGrafted{peer_, topic_});
    history_->on_score(peer_, i * 10 + 10, now_.wall);
  }
  const auto told = history_->timeline(peer_, 1000);
  EXPECT_LE(told->events.size(), PeerHistoryLimits().events);
  EXPECT_EQ(told->events.front().kind, PeerEventKind::connected);
  EXPECT_EQ(told->dropped, 401 - told->events.size());
  EXPECT_LE(ids(peer_).size(), 64 * 16u);
  EXPECT_EQ(history_->timeline(peer_, 3)->events.size(), 3u);
}

TEST_F(PeerHistoryTest, strangers_that_are_gone_displace_each_other_and_nobody_else) {
  PeerHistoryLimits limits;
  limits.peers = 50;
  make(limits);
  connect(peer_);  // stays
  const auto useful = numbered_peer(2), blamed = numbered_peer(3);
  judge(useful, Verdict::accept, Reason::valid);
  history_->note(blamed, PeerEventKind::banned, "banned", now_.wall);
  connect(static_);
  disconnect(static_, "end");
  for (std::size_t i = 100; i < 1100; ++i) {
    connect(numbered_peer(i));
    disconnect(numbered_peer(i), "end");
    if (i % 100 == 0) history_->check();
  }
  EXPECT_EQ(history_->size(), 50u);
  for (const auto& peer : {peer_, useful, blamed, static_})
    EXPECT_TRUE(history_->timeline(peer, 1)) << peer.to_base58();
  EXPECT_TRUE(history_->timeline(numbered_peer(1099), 1));
  EXPECT_FALSE(history_->timeline(numbered_peer(100), 1));
}

TEST_F(PeerHistoryTest, two_thousand_peers_that_do_all_they_can_stay_within_the_bytes) {
  PeerHistoryLimits limits;
  make(limits);
  for (std::size_t i = 0; i < 2000; ++i) {
    const auto peer = numbered_peer(i);
    connect(peer);
    for (int k = 0; k < 20; ++k)
      history_->note(peer, PeerEventKind::refused_block, std::to_string(k) + std::string(1000, 'x'), now_.wall);
    if (i % 2 == 0) disconnect(peer, "end");
    ASSERT_LE(history_->bytes(), limits.bytes);
    ASSERT_LE(history_->size(), limits.peers);
  }
}

TEST_F(PeerHistoryTest, a_peer_that_its_score_or_its_ban_keeps_out_is_known_with_the_rule_and_the_score) {
  using opstack::reputation::GateRule;
  const libp2p::Multiaddr nowhere;
  const auto why = libp2p::fail(libp2p::Errc::denied, "its score is too low");
  const auto refuse = [&](libp2p::GaterHook hook, GateRule rule, const PeerId& peer, std::optional<double> score) {
    tell(opstack::reputation::GateRefused{hook, rule, peer, nowhere, why, score});
  };
  refuse(libp2p::GaterHook::secured, GateRule::score, peer_, -120.5);
  refuse(libp2p::GaterHook::peer_dial, GateRule::score, peer_, -120.5);
  const auto told = history_->timeline(peer_, 100);
  ASSERT_TRUE(told);
  ASSERT_EQ(ids(peer_), "kept_out kept_out ");
  EXPECT_EQ(told->events[0].text, "connection refused (score): its score is too low");
  EXPECT_EQ(told->events[0].score, -120.5);
  EXPECT_EQ(told->events[1].text, "not dialled (score): its score is too low");
  refuse(libp2p::GaterHook::secured, GateRule::peer_ban, numbered_peer(2), std::nullopt);
  EXPECT_EQ(ids(numbered_peer(2)), "kept_out ");
  refuse(libp2p::GaterHook::addr_dial, GateRule::ip_ban, numbered_peer(3), std::nullopt);
  EXPECT_EQ(ids(numbered_peer(3)), "") << "any name can come from a banned address";
}

TEST_F(PeerHistoryTest, a_failed_dial_of_a_stranger_makes_nobody_known) {
  tell(libp2p::DialFailed{peer_, libp2p::fail(libp2p::Errc::unreachable, "no")});
  EXPECT_EQ(history_->size(), 0u);
  tell(libp2p::DialFailed{static_, libp2p::fail(libp2p::Errc::unreachable, "no")});
  EXPECT_EQ(ids(static_), "dial_failed ");
}

}  // namespace
}  // namespace opp2p
