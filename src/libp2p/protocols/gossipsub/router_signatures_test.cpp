// Signature policies in the router: what goes out, what comes in, and what messages are called.
#include <gmock/gmock.h>

#include "libp2p/protocols/gossipsub/router_test_support.hpp"
#include "libp2p/protocols/gossipsub/signing_test_support.hpp"

namespace libp2p::gossipsub::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// A router with peers 1 to 3 in its mesh. `author` is another node.
class SigningRouter : public testing::Test {
 protected:
  explicit SigningRouter(SignaturePolicy policy = SignaturePolicy::strict_sign, MessageIdFn message_id = nullptr)
      : bench(config(policy, std::move(message_id))) {
    bench.signs = true;
    EXPECT_TRUE(bench.router.subscribe(kTopic, bench.now));
    for (std::uint32_t n = 1; n <= 3; ++n) {
      bench.add_subscriber(n);
      bench.send(n, graft_rpc(kTopic));
      bench.sent(n);
    }
    bench.drain();
    bench.actions.clear();
  }
  Router::Config config(SignaturePolicy policy, MessageIdFn message_id) {
    Router::Config config;
    config.message_id = std::move(message_id);
    config.policies.standard = policy;
    config.signatures = &own;
    return config;
  }
  // The one message that is sent to peer `n`, as its peers read it.
  Message sent_message(std::uint32_t n) {
    const Sent sent = bench.sent(n);
    for (const auto& frame : sent.frames) {
      kept_.push_back(decode_frame(frame, RpcLimits{}).value());
      if (!kept_.back().publish.empty()) return kept_.back().publish[0];
    }
    ADD_FAILURE() << "nothing was sent";
    return {};
  }
  std::vector<RejectCause> rejected() {
    std::vector<RejectCause> causes;
    for (const auto& [peer, cause] : bench.scores.rejected) causes.push_back(cause);
    return causes;
  }
  static MessageId from_and_seqno(const OwnedMessage& message) {
    Bytes both = message.author.from;
    append(both, message.author.seqno);
    return *MessageId::from(both);
  }

  KeySignatures own{signing_key(1), 1000};
  KeySignatures author{signing_key(2), 7};
  Bench bench;
  std::vector<Rpc> kept_;
};

TEST_F(SigningRouter, signs_its_own_messages_and_names_them_by_author_and_number) {
  const auto first = bench.router.publish(kTopic, as_bytes("x"), LocalCheck::already_valid, bench.now);
  const auto second = bench.router.publish(kTopic, as_bytes("x"), LocalCheck::already_valid, bench.now);
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->id, second->id) << "the same data is another message";
  EXPECT_TRUE(second->sent);
  const Message message = sent_message(1);
  EXPECT_TRUE(author.verify(message)) << "by anybody";
  EXPECT_TRUE(equal(*message.from, own.self().bytes()));
  Bytes both = to_bytes(*message.from);
  append(both, *message.seqno);
  EXPECT_TRUE(equal(first->id.bytes(), both));
}

TEST_F(SigningRouter, forwards_a_signed_message_as_it_is_and_tells_author_and_forwarder_apart) {
  const OwnedMessage message = signed_message(author, kTopic, "block");
  Rpc with_more = message.rpc();
  with_more.control.emplace().iwant.push_back({});
  bench.send(1, with_more);
  const auto asked = bench.take<Validate>();
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].author, author.self());
  EXPECT_EQ(asked[0].from, peer_id(1));
  EXPECT_EQ(asked[0].id, from_and_seqno(message));
  bench.router.on_validation(asked[0].request, ValidationResult::accept, bench.now);
  const auto delivered = bench.take<Deliver>();
  ASSERT_THAT(delivered, SizeIs(1));
  EXPECT_EQ(delivered[0].author, author.self());
  EXPECT_EQ(delivered[0].from, peer_id(1));
  EXPECT_EQ(encode_message(sent_message(2)), encode_message(message.view()));
  EXPECT_THAT(bench.sent(1).messages, IsEmpty());
}

TEST_F(SigningRouter, sends_no_message_back_to_its_author) {
  bench.router.add_peer(author.self(), ProtocolVersion::v1_2, Direction::inbound, bench.now);
  Rpc joins = subscription_rpc(kTopic);
  joins.control.emplace().graft.push_back({kTopic});
  bench.router.on_rpc(author.self(), joins, bench.now);
  ASSERT_THAT(bench.router.mesh(kTopic), SizeIs(4));
  while (bench.router.next_frame(author.self())) {
  }
  bench.send(1, signed_message(author, kTopic, "block").rpc());
  const auto asked = bench.take<Validate>();
  ASSERT_THAT(asked, SizeIs(1));
  bench.router.on_validation(asked[0].request, ValidationResult::accept, bench.now);
  EXPECT_THAT(bench.sent(2).messages, SizeIs(1));
  EXPECT_FALSE(bench.router.next_frame(author.self()));
}

TEST_F(SigningRouter, takes_the_same_data_of_two_authors_or_numbers_for_different_messages) {
  bench.send(1, signed_message(author, kTopic, "block").rpc());
  bench.send(1, signed_message(author, kTopic, "block").rpc());
  const OwnedMessage last = signed_message(author, kTopic, "block");
  bench.send(2, last.rpc());
  bench.send(3, last.rpc());
  EXPECT_THAT(bench.take<Validate>(), SizeIs(3));
  EXPECT_EQ(bench.router.counters().duplicates, 1U);
}

TEST_F(SigningRouter, rejects_what_is_not_signed) {
  bench.send_message(1, "block");
  EXPECT_THAT(bench.take<Validate>(), IsEmpty());
  EXPECT_THAT(rejected(), ElementsAre(RejectCause::missing_signature));
  EXPECT_THAT(bench.faults(), ElementsAre(FaultKind::missing_signature));
  EXPECT_EQ(bench.router.counters().missing_signature, 1U);
}

TEST_F(SigningRouter, rejects_a_wrong_signature_and_then_takes_the_right_message_under_that_name) {
  const OwnedMessage good = signed_message(author, kTopic, "block");
  OwnedMessage forged = good;
  forged.data = to_bytes("forged");
  bench.send(1, forged.rpc());
  EXPECT_THAT(bench.take<Validate>(), IsEmpty());
  EXPECT_THAT(rejected(), ElementsAre(RejectCause::invalid_signature));
  EXPECT_THAT(bench.faults(), ElementsAre(FaultKind::invalid_signature));
  EXPECT_EQ(bench.router.sizes().refusers, 1U) << "it cost work, and such work is bounded";
  bench.send(2, good.rpc());
  EXPECT_THAT(bench.take<Validate>(), SizeIs(1));
}

TEST_F(SigningRouter, who_sends_wrong_signatures_keeps_no_promise_with_them) {
  const OwnedMessage good = signed_message(author, kTopic, "block");
  bench.send(1, ihave_rpc(kTopic, {from_and_seqno(good)}));
  EXPECT_THAT(bench.sent(1).iwant, ElementsAre(from_and_seqno(good)));
  OwnedMessage forged = good;
  forged.data = to_bytes("forged");
  bench.send(1, forged.rpc());
  bench.take<Fault>();
  bench.pass(Seconds(4));
  EXPECT_THAT(bench.faults(), ElementsAre(FaultKind::broken_promise));
}

TEST_F(SigningRouter, does_not_take_its_own_messages_of_a_former_life_and_blames_nobody) {
  KeySignatures former(signing_key(1), 1);
  bench.send(1, signed_message(former, kTopic, "old").rpc());
  EXPECT_THAT(bench.take<Validate>(), IsEmpty());
  EXPECT_THAT(rejected(), ElementsAre(RejectCause::self_origin));
  EXPECT_THAT(bench.faults(), IsEmpty());
  ASSERT_TRUE(bench.router.publish(kTopic, as_bytes("new"), LocalCheck::already_valid, bench.now));
  Rpc back;
  back.publish.push_back(sent_message(1));
  bench.send(2, back);
  EXPECT_EQ(bench.router.counters().self_origin, 1U) << "what it knows is a copy";
  EXPECT_EQ(bench.router.counters().duplicates, 1U);
}

TEST_F(SigningRouter, refuses_what_does_not_fit_with_its_signature) {
  Params small;
  small.rpc.max_rpc = 300;
  Router::Config limited = config(SignaturePolicy::strict_sign, nullptr);
  limited.params = small;
  Bench other(std::move(limited));
  EXPECT_TRUE(other.router.publish(kTopic, Bytes(80), LocalCheck::already_valid, other.now));
  EXPECT_EQ(other.router.publish(kTopic, Bytes(250), LocalCheck::already_valid, other.now).error(), Errc::too_large);
}

class SigningRouterOfContents : public SigningRouter {
 protected:
  SigningRouterOfContents() : SigningRouter(SignaturePolicy::strict_sign, id_of) {}
};

TEST_F(SigningRouterOfContents, names_messages_by_their_contents_where_it_is_told_how) {
  const OwnedMessage message = signed_message(author, kTopic, "block");
  bench.send(1, message.rpc());
  bench.answer_all(ValidationResult::accept);
  bench.send(2, signed_message(author, kTopic, "block").rpc());
  EXPECT_THAT(bench.take<Validate>(), IsEmpty());
  EXPECT_EQ(bench.router.counters().duplicates, 1U);
  const auto own_copy = bench.router.publish(kTopic, as_bytes("block"), LocalCheck::already_valid, bench.now);
  EXPECT_EQ(own_copy->id, id_of(kTopic, as_bytes("block")));
  EXPECT_FALSE(own_copy->sent);
}

class LaxSigningRouter : public SigningRouter {
 protected:
  LaxSigningRouter() : SigningRouter(SignaturePolicy::lax_sign) {}
};

TEST_F(LaxSigningRouter, signs_takes_unsigned_messages_and_rejects_wrong_signatures) {
  ASSERT_TRUE(bench.router.publish(kTopic, as_bytes("own"), LocalCheck::already_valid, bench.now));
  EXPECT_TRUE(author.verify(sent_message(1)));
  bench.send_message(1, "unsigned");
  const auto asked = bench.take<Validate>();
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_TRUE(asked[0].author.empty());
  EXPECT_EQ(asked[0].id, *MessageId::from(crypto::sha256(as_bytes("unsigned"))));
  bench.send(1, signed_message(author, kTopic, "signed").rpc());
  EXPECT_THAT(bench.take<Validate>(), SizeIs(1));
  OwnedMessage forged = signed_message(author, kTopic, "block");
  forged.author.signature.back() ^= 1;
  bench.send(1, forged.rpc());
  EXPECT_THAT(bench.take<Validate>(), IsEmpty());
  EXPECT_THAT(bench.faults(), ElementsAre(FaultKind::invalid_signature));
}

TEST_F(LaxSigningRouter, names_what_is_unsigned_but_has_an_author_by_that_and_believes_it_not) {
  OwnedMessage message = signed_message(author, kTopic, "block");
  Rpc rpc = message.rpc();
  rpc.publish[0].signature.reset();
  for (const std::uint32_t n : {1U, 2U}) {
    bench.send(n, rpc);
    const auto asked = bench.take<Validate>();
    ASSERT_THAT(asked, SizeIs(n == 1 ? 1 : 0));
    if (n != 1) continue;
    EXPECT_TRUE(asked[0].author.empty());
    EXPECT_EQ(asked[0].id, from_and_seqno(message));
    bench.router.on_validation(asked[0].request, ValidationResult::accept, bench.now);
  }
  EXPECT_EQ(encode_message(sent_message(3)), encode_message(rpc.publish[0]));
}

class LaxRouter : public SigningRouter {
 protected:
  LaxRouter() : SigningRouter(SignaturePolicy::lax_no_sign) {}
};

TEST_F(LaxRouter, does_not_sign_and_takes_and_forwards_signed_messages) {
  ASSERT_TRUE(bench.router.publish(kTopic, as_bytes("own"), LocalCheck::already_valid, bench.now));
  EXPECT_TRUE(sent_message(2).anonymous());
  const OwnedMessage message = signed_message(author, kTopic, "block");
  bench.send(1, message.rpc());
  bench.answer_all(ValidationResult::accept);
  EXPECT_EQ(encode_message(sent_message(2)), encode_message(message.view()));
  OwnedMessage forged = message;
  forged.author.seqno.back() ^= 1;
  bench.send(1, forged.rpc());
  EXPECT_THAT(bench.faults(), ElementsAre(FaultKind::invalid_signature));
}

TEST_F(LaxRouter, takes_an_unsigned_message_for_another_one_than_a_signed_one_with_the_same_data) {
  bench.send(1, signed_message(author, kTopic, "block").rpc());
  bench.answer_all(ValidationResult::accept);
  bench.send_message(2, "block");
  const auto asked = bench.take<Validate>();
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].id, *MessageId::from(crypto::sha256(as_bytes("block"))));
}

TEST(GossipsubSignaturePerTopic, each_topic_has_its_policy) {
  KeySignatures own(signing_key(1), 0);
  Router::Config config;
  config.policies.topics["signed"] = SignaturePolicy::strict_sign;
  config.signatures = &own;
  Bench bench(std::move(config));
  bench.signs = true;
  for (const std::string topic : {"signed", "plain"}) {
    ASSERT_TRUE(bench.router.subscribe(topic, bench.now));
    bench.add(1);
    bench.send(1, subscription_rpc(topic));
    bench.send(1, graft_rpc(topic));
    bench.sent(1);
    ASSERT_TRUE(bench.router.publish(topic, as_bytes("x"), LocalCheck::already_valid, bench.now));
    EXPECT_EQ(bench.sent(1).authored, topic == "signed" ? 1U : 0U);
    bench.send(1, message_rpc(topic, as_bytes("not signed")));
    EXPECT_THAT(bench.take<Validate>(), SizeIs(topic == "signed" ? 0 : 1));
  }
}

}  // namespace
}  // namespace libp2p::gossipsub::test
