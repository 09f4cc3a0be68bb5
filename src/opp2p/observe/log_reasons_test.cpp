// That the log says why, at the level that operators read: rejected blocks, peers that went, gaps, refused connections.
#include "opp2p/observe/node_log_test_support.hpp"

namespace opp2p {
namespace {

using namespace testing_log;
using libp2p::Errc;
using libp2p::PeerId;
using opstack::sync::SyncTrace;
using opstack::sync::SyncTraceKind;
using testing_log::close;

class LogSaysWhy : public LogOfANode {
 protected:
  static void expect_no_empty_field(const Member& member) {
    EXPECT_EQ(member.kept->count("=\"\""), 0u) << member.kept->line("=\"\"");
    EXPECT_EQ(member.kept->count("=0x" + std::string(64, '0')), 0u) << member.kept->text();
  }
};

std::string text_of(const secp256k1::Address& address) { return libp2p::to_hex0x(address); }

TEST_F(LogSaysWhy, blocks_of_another_signer_are_told_with_who_sent_and_signed_them_and_who_was_expected) {
  Member follower(world_, chain_, rng_), sequencer(world_, chain_, rng_);
  const auto expected = secp256k1::address_of(secp256k1::generate(rng_));
  follower.config.unsafe_block_signer = expected;
  meet(sequencer, follower);
  publish(sequencer, 40);
  const auto signer = text_of(secp256k1::address_of(*sequencer.config.sequencer_key));
  const auto& log = *follower.kept;
  EXPECT_EQ(log.count("msg=\"rejected blocks\""), 2u) << log.text();
  const std::string who =
      " from=" + sequencer.id().to_base58() + " signed_by=" + signer + " expected=" + text_of(expected);
  EXPECT_EQ(log.count("lvl=warn component=gossip msg=\"rejected blocks\" reason=\"invalid block signature\"",
                      " reason_id=invalid_signature count=1 since_start=1" + who),
            1u)
      << log.text();
  EXPECT_EQ(log.count("count=30 since_start=31" + who), 1u) << "a minute later: " << log.text();
  EXPECT_EQ(log.count("msg=\"no block has been accepted yet\""), 1u) << log.text();
  const auto cause = log.line("no block has been accepted yet");
  for (const auto& text :
       {"lvl=warn", "refused=5", "reason_id=invalid_signature", "option=--p2p.unsafe.block.signer", "peers=1"})
    EXPECT_NE(cause.find(text), cause.npos) << cause;
  EXPECT_NE(cause.find("signed_by=" + signer), cause.npos) << cause;
  follower.stop();
  EXPECT_EQ(log.count("count=9 since_start=40"), 1u) << "the end tells the rest: " << log.text();
}

TEST_F(LogSaysWhy, a_node_without_a_signer_is_told_once_which_option_is_missing_and_who_signs) {
  Member follower(world_, chain_, rng_), sequencer(world_, chain_, rng_);
  meet(sequencer, follower);
  publish(sequencer, 20);
  const auto& log = *follower.kept;
  EXPECT_EQ(log.count("rejected blocks"), 0u) << log.text();
  EXPECT_EQ(log.count("no block has been accepted yet"), 1u) << log.text();
  const auto cause = log.line("no block has been accepted yet");
  EXPECT_NE(cause.find("option=--p2p.unsafe.block.signer"), cause.npos) << cause;
  const auto signer = secp256k1::address_of(*sequencer.config.sequencer_key);
  EXPECT_NE(cause.find("signed_by=" + text_of(signer)), cause.npos) << cause;
}

TEST_F(LogSaysWhy, blocks_that_stop_are_told_and_so_is_their_return) {
  Member follower(world_, chain_, rng_), sequencer(world_, chain_, rng_);
  trust(sequencer, follower);
  meet(sequencer, follower);
  publish(sequencer, 10);
  EXPECT_EQ(follower.kept->count("lvl=warn"), 0u) << follower.kept->text();
  world_.run_for(Seconds(90));
  const auto stopped = follower.kept->line("no block comes any more");
  EXPECT_NE(stopped.find("sequencer may have stopped"), stopped.npos) << follower.kept->text();
  for (int i = 0; i < 45; ++i) (void)chain_.next();  // what was not published meanwhile
  publish(sequencer, 1);
  EXPECT_EQ(follower.kept->count("msg=\"blocks are accepted\" after=1m31s"), 1u) << follower.kept->text();
  EXPECT_EQ(sequencer.kept->count("lvl=warn"), 0u) << sequencer.kept->text();
}

TEST_F(LogSaysWhy, no_field_is_empty_and_no_number_is_made_up_at_debug_level) {
  Member follower(world_, chain_, rng_, LogLevel::debug), sequencer(world_, chain_, rng_, LogLevel::debug);
  follower.config.unsafe_block_signer = secp256k1::address_of(secp256k1::generate(rng_));
  meet(sequencer, follower);
  publish(sequencer, 3);
  const auto verdict = follower.kept->line("msg=\"validated block\"");
  EXPECT_NE(verdict.find("result=reject"), verdict.npos) << follower.kept->text();
  EXPECT_EQ(verdict.find("number="), verdict.npos) << "it was never decoded: " << verdict;
  EXPECT_EQ(follower.kept->count("number=0"), 0u) << follower.kept->text();
  follower.stop();
  sequencer.stop();
  expect_no_empty_field(follower);
  expect_no_empty_field(sequencer);
}

TEST_F(LogSaysWhy, blocks_that_the_node_could_not_judge_are_told_as_ignored) {
  Member member(world_, chain_, rng_);
  EventLog events(member.place.runtime(), member.log);
  BlockLog blocks(member.place.runtime(), events, [] { return Surroundings(); });
  opstack::rules::Outcome outcome;
  outcome.verdict = opstack::rules::Verdict::ignore;
  outcome.reason = opstack::rules::Reason::validation_queue_full;
  const std::string topic = "t";
  const std::optional<opstack::rules::Address> no_signer;
  const opstack::gossip::BlockVerdict verdict{topic,     opstack::payload::Version::v4, {}, {}, false, outcome, 9,
                                              Seconds(0)};
  for (int i = 0; i < 3; ++i) blocks.on(BlockJudged{verdict, no_signer});
  const auto& log = *member.kept;
  EXPECT_EQ(log.count("lvl=warn", "msg=\"ignored blocks\""), 1u) << log.text();
  EXPECT_EQ(log.count("reason=\"the validation queue is full, the block was not checked\"",
                      " reason_id=validation_queue_full count=1"),
            1u)
      << log.text();
  outcome.reason = opstack::rules::Reason::already_seen;
  blocks.on(BlockJudged{verdict, no_signer});
  EXPECT_EQ(log.count("lvl="), 1u) << "a repeat is no news: " << log.text();
}

TEST_F(LogSaysWhy, own_blocks_that_were_refused_are_no_cause_for_blocks_that_do_not_come) {
  Member member(world_, chain_, rng_);
  EventLog events(member.place.runtime(), member.log);
  BlockLog blocks(member.place.runtime(), events, [] { return Surroundings(); });
  blocks.watch({});
  opstack::rules::Outcome outcome;
  outcome.verdict = opstack::rules::Verdict::reject;
  outcome.reason = opstack::rules::Reason::too_old;
  const std::string topic = "t";
  const std::optional<opstack::rules::Address> no_signer;
  const opstack::gossip::BlockVerdict own{topic, opstack::payload::Version::v4, {}, {}, true, outcome, 9, Seconds(0)};
  for (int i = 0; i < 5; ++i) blocks.on(BlockJudged{own, no_signer});
  world_.run_for(Seconds(30));
  const auto cause = member.kept->line("no block has been accepted yet");
  EXPECT_NE(cause.find(" for=20s refused=0 "), cause.npos) << member.kept->text();
}

TEST_F(LogSaysWhy, interfaces_that_cannot_be_read_are_told_with_the_error_and_the_option) {
  Member member(world_, chain_, rng_);
  EventLog events(member.place.runtime(), member.log);
  Member other(world_, chain_, rng_);
  meet(other, member);
  PeerLog peers(member.place.runtime(), events, member.node->view());
  const libp2p::Error why(libp2p::Errc::io, "cannot read the interfaces of this machine: no");
  peers.on(InterfacesUnreadable{why});
  EXPECT_EQ(member.kept->count("lvl=warn",
                               "error=\"input/output: cannot read the interfaces of this machine: no\" "
                               "option=--p2p.listen.ip"),
            1u)
      << member.kept->text();
}

TEST_F(LogSaysWhy, a_static_peer_that_goes_is_told_with_the_reason_and_how_long_it_stayed) {
  Member follower(world_, chain_, rng_), sequencer(world_, chain_, rng_);
  meet(sequencer, follower);
  world_.run_for(Seconds(60));
  EXPECT_TRUE(sequencer.node->disconnect(follower.id()));
  world_.run_for(Seconds(2));
  const auto& log = *sequencer.kept;
  EXPECT_EQ(log.count("msg=\"disconnecting on request\" peer=" + follower.id().to_base58()), 1u) << log.text();
  const auto left = log.line("static peer disconnected, reconnecting");
  EXPECT_NE(left.find("asked for by the operator"), left.npos) << log.text();
  EXPECT_NE(left.find(" stayed=1m"), left.npos) << left;
  EXPECT_EQ(log.count("disconnected"), 1u) << "one line for one event: " << log.text();
}

TEST_F(LogSaysWhy, a_peer_that_was_trimmed_is_told_why) {
  Member member(world_, chain_, rng_, LogLevel::debug);
  member.config.peers_lo = 1;
  member.config.peers_hi = 2;
  member.config.peers_grace = Seconds(1);
  member.start();
  std::vector<std::unique_ptr<libp2p::Host>> hosts;
  std::vector<std::unique_ptr<runtime::TaskScope>> scopes;
  std::size_t connected = 0;
  for (int i = 0; i < 4; ++i) {
    const auto at = world_.add_node();
    hosts.push_back(std::make_unique<libp2p::Host>(at.runtime(), stranger(rng_)));
    scopes.push_back(std::make_unique<runtime::TaskScope>(at.runtime()));
    scopes.back()->spawn(dial(*hosts.back(), member.address(), connected));
  }
  world_.run_for(Seconds(10));
  const auto left = member.kept->line("msg=\"disconnected\"");
  EXPECT_NE(left.find("trimmed: more than 2 "), left.npos) << member.kept->text();
  EXPECT_NE(left.find("lvl=debug"), left.npos) << left;
  EXPECT_NE(left.find(" stayed="), left.npos) << left;
  scopes.clear();
  hosts.clear();
}

// Who looks which ports are open.
class Scan {
 public:
  Scan(runtime::SimWorld& world, const Multiaddr& address)
      : world_(world), at_(world.add_node()), host_(address.text().substr(5, address.text().find("/tcp") - 5)) {}
  // Connects and goes without a word.
  void once() {
    std::unique_ptr<runtime::Socket> socket;
    const auto dialling = at_.runtime().connect(
        {host_, 9222}, [&](Result<std::unique_ptr<runtime::Socket>> got) { socket = std::move(got).value(); });
    world_.run_until([&] { return socket != nullptr; }, Seconds(5));
    ASSERT_TRUE(socket);
    world_.run_for(Seconds(1));
  }

 private:
  runtime::SimWorld& world_;
  runtime::SimNode at_;
  std::string host_;
};

TEST_F(LogSaysWhy, a_port_scan_is_no_refusal_but_a_limit_is_with_how_many_it_turned_away) {
  Member member(world_, chain_, rng_);
  member.config.limits.address_rate = {0.001, 10};
  member.config.sequencer_key = secp256k1::generate(rng_);  // waits for no blocks
  member.start();
  Scan scan(world_, member.config.listen.front());
  world_.run_for(Seconds(1));
  const auto before = member.kept->lines();
  for (int i = 0; i < 10; ++i) scan.once();
  EXPECT_EQ(member.kept->lines(), before) << member.kept->text();
  for (int i = 0; i < 8; ++i) scan.once();
  const auto& log = *member.kept;
  EXPECT_EQ(log.count("lvl=warn", "msg=\"inbound connections are refused\" count=1"), 1u) << log.text();
  world_.run_for(Seconds(60));
  EXPECT_EQ(log.count("inbound connections are refused", "count=7 "), 1u) << log.text();
  EXPECT_EQ(log.count("since_start=8"), 1u) << log.text();
  EXPECT_EQ(log.count("--p2p.limits.address.rate"), 2u) << log.text();
}

TEST_F(LogSaysWhy, a_peer_of_another_chain_is_told_once_and_its_words_are_text) {
  Member member(world_, chain_, rng_);
  const auto at = world_.add_node();
  libp2p::Host host(at.runtime(), stranger(rng_));
  ASSERT_TRUE(host.listen(Multiaddr::from_text("/ip4/" + at.ip4() + "/tcp/9222").value()));
  member.config.static_peers.push_back(host.listen_addresses().front().with_peer_id(host.id()));
  member.start();
  world_.run_for(Seconds(2));
  const std::string protocol = "/opstack/req/payload_by_number/9\xff\x1b[2J" + std::string(1000, '7') + "/0";
  for (int i = 0; i < 3; ++i) {
    member.node->host().report_identified(host.id(), {protocol});
    world_.run_for(Seconds(1));
  }
  const auto& log = *member.kept;
  EXPECT_EQ(log.count("serves another chain and will send no blocks"), 1u) << log.text();
  const auto line = log.line("serves another chain and will send no blocks");
  EXPECT_LT(line.size(), 400u) << line;
  EXPECT_EQ(line.find('\xff'), line.npos) << line;
  EXPECT_EQ(line.find('\x1b'), line.npos) << line;
  world_.run_for(Seconds(20));
  const auto cause = log.line("no block has been accepted yet");
  EXPECT_NE(cause.find("the connected peers serve another chain"), cause.npos) << log.text();
  member.stop();
}

TEST_F(LogSaysWhy, a_static_peer_of_another_chain_is_told_also_when_it_dialled) {
  Member member(world_, chain_, rng_);
  const auto at = world_.add_node();
  libp2p::Host host(at.runtime(), stranger(rng_));
  // Nobody listens there.
  member.config.static_peers.push_back(
      Multiaddr::from_text("/ip4/" + at.ip4() + "/tcp/9222").value().with_peer_id(host.id()));
  member.start();
  runtime::TaskScope scope(at.runtime());
  std::size_t connected = 0;
  scope.spawn(dial(host, member.address(), connected));
  world_.run_for(Seconds(1));
  ASSERT_EQ(connected, 1u);
  member.node->host().report_identified(host.id(), {"/opstack/req/payload_by_number/999/0"});
  world_.run_for(Seconds(1));
  EXPECT_EQ(member.kept->count("lvl=warn", "serves another chain and will send no blocks"), 1u) << member.kept->text();
  member.stop();
}

TEST_F(LogSaysWhy, a_fault_in_reverse_sync_names_its_kind) {
  Member member(world_, chain_, rng_);
  EventLog events(member.place.runtime(), member.log);
  SyncLog sync(events, PeerId());
  opstack::sync::SyncFault fault;
  fault.kind = opstack::sync::SyncFaultKind::bad_hash;
  sync.on(fault);
  EXPECT_EQ(member.kept->count("no honest peer sends", "fault=bad_hash kind=\"bad block hash\""), 1u)
      << member.kept->text();
}

TEST_F(LogSaysWhy, a_gap_is_told_once_with_its_progress_and_its_end) {
  Member member(world_, chain_, rng_);
  EventLog events(member.place.runtime(), member.log);
  SyncLog sync(events, PeerId());
  const auto trace = [&](SyncTraceKind kind, std::optional<std::uint64_t> number = std::nullopt) {
    SyncTrace out;
    out.kind = kind;
    out.number = number;
    return sync.on(out);
  };
  SyncTrace range;
  range.start = 100;
  range.end = 200;
  range.size = 99;
  for (std::uint64_t i = 0; i < 35; ++i) {
    sync.on(range);
    if (i < 15)
      trace(SyncTraceKind::promoted, 199 - i);
    else
      trace(SyncTraceKind::no_peer_has_block, 184);
    world_.run_for(Seconds(1));
  }
  trace(SyncTraceKind::range_filled, 199);
  const auto& log = *member.kept;
  EXPECT_EQ(log.count("msg=\"range requested\" start=100 end=200 size=99"), 1u) << log.text();
  EXPECT_EQ(log.count("lvl=info", "msg=\"range is being filled\""), 2u) << log.text();
  EXPECT_EQ(log.count("start=100 end=200 missing=99 fetched=10 for=10s"), 1u) << log.text();
  EXPECT_EQ(log.count("fetched=15 for=20s waits_for=\"no peer has the block\""), 1u) << log.text();
  EXPECT_EQ(log.count("lvl=warn",
                      "msg=\"range is not filled\" start=100 end=200 missing=99 fetched=15 for=30s "
                      "reason=\"no peer has the block\" option=--p2p.static"),
            1u)
      << log.text();
  EXPECT_EQ(log.count("msg=\"range filled\" number=199 fetched=15 took=35s"), 1u) << log.text();
  EXPECT_EQ(log.lines(), 5u) << log.text();
  EXPECT_EQ(log.count("=\"\""), 0u);
}

TEST_F(LogSaysWhy, a_gap_that_nobody_serves_is_not_told_as_being_filled) {
  Member member(world_, chain_, rng_);
  EventLog events(member.place.runtime(), member.log);
  SyncLog sync(events, PeerId());
  SyncTrace range, nobody;
  range.start = 100;
  range.end = 200;
  range.size = 99;
  nobody.kind = SyncTraceKind::no_free_peer;
  sync.on(range);
  sync.on(nobody);
  for (int i = 0; i < 140; ++i) {
    world_.run_for(Seconds(1));
    sync.on(range);
  }
  const auto& log = *member.kept;
  EXPECT_EQ(log.count("lvl=warn", "msg=\"range is not filled\" start=100 end=200 missing=99 fetched=0"), 3u)
      << log.text();
  EXPECT_EQ(log.count("for=10s reason=\"no peers ready to handle block requests\" option=--p2p.static"), 1u)
      << log.text();
  EXPECT_EQ(log.lines(), 4u) << log.text();
}

TEST_F(LogSaysWhy, a_gap_that_gossip_closed_is_told_as_closed) {
  Member member(world_, chain_, rng_);
  EventLog events(member.place.runtime(), member.log);
  SyncLog sync(events, PeerId());
  SyncTrace range;
  range.start = 7;
  range.end = 9;
  range.size = 1;
  sync.on(range);
  range.start = 9;
  range.end.reset();
  range.size = 0;
  for (int i = 0; i < 3; ++i) sync.on(range);
  EXPECT_EQ(member.kept->count("msg=\"range filled\" number=9 fetched=0"), 1u) << member.kept->text();
  EXPECT_EQ(member.kept->lines(), 2u) << member.kept->text();
}

TEST_F(LogSaysWhy, a_gap_that_nobody_fills_since_reverse_sync_is_off_is_told_with_the_option) {
  Member follower(world_, chain_, rng_), sequencer(world_, chain_, rng_);
  trust(sequencer, follower);
  follower.config.sync_req_resp = false;
  meet(sequencer, follower);
  (void)chain_.next();  // is never sent
  publish(sequencer, 5);
  EXPECT_EQ(follower.node->head().number, 0u);
  const auto& log = *follower.kept;
  EXPECT_EQ(log.count("range is not requested"), 1u) << log.text();
  const auto line = log.line("range is not requested");
  for (const auto& text : {"lvl=warn", "start=0 end=2 size=1", "option=--p2p.sync.req-resp"})
    EXPECT_NE(line.find(text), line.npos) << line;
}

TEST_F(LogSaysWhy, a_latency_that_is_not_known_is_none) {
  Member member(world_, chain_, rng_);
  member.start();
  EXPECT_EQ(member.node->snapshots().snapshot_of(member.id(), PeerList()).latency, std::nullopt);
}

TEST_F(LogSaysWhy, the_latency_of_peers_is_measured_unless_the_node_is_told_not_to) {
  Member measures(world_, chain_, rng_), does_not(world_, chain_, rng_);
  does_not.config.ping = false;
  meet(does_not, measures);
  world_.run_for(Seconds(200));
  EXPECT_TRUE(measures.node->snapshots().snapshot_of(does_not.id(), PeerList()).latency);
  EXPECT_FALSE(does_not.node->snapshots().snapshot_of(measures.id(), PeerList()).latency);
}

}  // namespace
}  // namespace opp2p
