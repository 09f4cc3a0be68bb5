#include "libp2p/protocols/gossipsub/outbox.hpp"

#include <gmock/gmock.h>

namespace libp2p::gossipsub {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

MessageId numbered_id(std::uint32_t n) {
  Bytes bytes(20);
  store_be32(bytes.data(), n);
  return *MessageId::from(bytes);
}

std::vector<MessageId> ids(std::uint32_t count) {
  std::vector<MessageId> out;
  for (std::uint32_t n = 0; n < count; ++n) out.push_back(numbered_id(n));
  return out;
}

class GossipsubOutbox : public testing::Test {
 protected:
  bool push(std::uint32_t n, Outbox::Kind kind, std::size_t size = 10) {
    return outbox.push(numbered_id(n), share(Bytes(size, static_cast<std::uint8_t>(n))), kind, dropped);
  }
  Rpc next() {
    last = outbox.next();
    EXPECT_TRUE(last);
    return decode_frame(*last, RpcLimits{}).value();
  }
  std::uint8_t next_message() {
    const auto frame = outbox.next();
    return frame ? (*frame)->front() : std::uint8_t{0};
  }

  Outbox outbox{{.max_items = 4, .max_bytes = 1000, .max_iwant = 20'000, .max_idontwant = 30}, 10};
  std::vector<Outbox::Dropped> dropped;
  std::optional<SharedBytes> last;
};

TEST_F(GossipsubOutbox, is_empty_at_first) {
  EXPECT_TRUE(outbox.empty());
  EXPECT_FALSE(outbox.next());
}

TEST_F(GossipsubOutbox, merges_control_into_one_rpc_with_the_newest_word_per_topic) {
  outbox.announce("a", true);
  outbox.announce("b", true);
  outbox.announce("a", false);
  outbox.graft("b");
  outbox.prune("b", 60);
  outbox.graft("c");
  outbox.iwant(ids(2));
  outbox.idontwant(numbered_id(5));
  outbox.ihave("b", ids(9));
  outbox.ihave("b", ids(3));
  const Rpc rpc = next();
  ASSERT_EQ(rpc.subscriptions.size(), 2U);
  EXPECT_EQ(rpc.subscriptions[0].subscribe, false);
  ASSERT_EQ(rpc.control->prune.size(), 1U);
  EXPECT_EQ(rpc.control->prune[0].backoff, 60U);
  ASSERT_EQ(rpc.control->graft.size(), 1U);
  EXPECT_EQ(rpc.control->graft[0].topic, "c");
  EXPECT_EQ(rpc.control->iwant.at(0).ids.size(), 2U);
  EXPECT_EQ(rpc.control->idontwant.at(0).ids.size(), 1U);
  EXPECT_EQ(rpc.control->ihave.at(0).ids.size(), 3U);
  EXPECT_TRUE(outbox.empty());
  EXPECT_FALSE(outbox.next());
}

TEST_F(GossipsubOutbox, keeps_every_control_frame_below_what_peers_take) {
  outbox.iwant(ids(12'000));
  outbox.ihave("a", ids(5000));
  outbox.ihave("b", ids(5000));
  std::size_t wanted = 0;
  std::size_t advertised = 0;
  while (!outbox.empty()) {
    const Rpc rpc = next();
    EXPECT_LE((*last)->size(), 300'000U);
    if (!rpc.control->iwant.empty()) wanted += rpc.control->iwant[0].ids.size();
    for (const auto& ihave : rpc.control->ihave) advertised += ihave.ids.size();
  }
  EXPECT_EQ(wanted, 12'000U);
  EXPECT_EQ(advertised, 10'000U);
}

TEST_F(GossipsubOutbox, sends_own_messages_before_forwarded_ones) {
  push(1, Outbox::Kind::forwarded);
  push(2, Outbox::Kind::own);
  push(3, Outbox::Kind::forwarded);
  EXPECT_EQ(next_message(), 2);
  EXPECT_EQ(next_message(), 1);
  EXPECT_EQ(next_message(), 3);
  EXPECT_TRUE(outbox.empty());
}

TEST_F(GossipsubOutbox, lets_control_and_messages_take_turns) {
  push(1, Outbox::Kind::forwarded);
  push(2, Outbox::Kind::forwarded);
  outbox.graft("a");
  EXPECT_EQ(next().control->graft.size(), 1U) << "control goes first";
  outbox.graft("b");
  EXPECT_EQ(next_message(), 1) << "but not twice in a row";
  EXPECT_EQ(next().control->graft.size(), 1U);
  EXPECT_EQ(next_message(), 2);
}

TEST_F(GossipsubOutbox, drops_the_oldest_forwarded_message_first_and_own_ones_last) {
  push(1, Outbox::Kind::own);
  push(2, Outbox::Kind::forwarded);
  push(3, Outbox::Kind::forwarded);
  push(4, Outbox::Kind::own);
  EXPECT_THAT(dropped, IsEmpty());
  push(5, Outbox::Kind::own);
  push(6, Outbox::Kind::own);
  push(7, Outbox::Kind::own);
  std::vector<MessageId> gone;
  for (const auto& item : dropped) gone.push_back(item.id);
  EXPECT_THAT(gone, ElementsAre(numbered_id(2), numbered_id(3), numbered_id(1)));
  EXPECT_EQ(dropped[2].kind, Outbox::Kind::own);
  EXPECT_EQ(outbox.items(), 4U);
}

TEST_F(GossipsubOutbox, is_bounded_in_bytes) {
  push(1, Outbox::Kind::forwarded, 600);
  push(2, Outbox::Kind::forwarded, 500);
  EXPECT_EQ(dropped.size(), 1U);
  EXPECT_EQ(outbox.bytes(), 500U);
  push(3, Outbox::Kind::forwarded, 2000);
  EXPECT_EQ(dropped.size(), 3U) << "it does not fit even alone";
  EXPECT_EQ(outbox.bytes(), 0U);
  EXPECT_TRUE(outbox.empty());
}

TEST_F(GossipsubOutbox, holds_a_message_once_and_gives_it_up_when_cancelled) {
  EXPECT_TRUE(push(1, Outbox::Kind::forwarded));
  EXPECT_FALSE(push(1, Outbox::Kind::forwarded));
  EXPECT_TRUE(push(2, Outbox::Kind::own));
  EXPECT_TRUE(outbox.waiting(numbered_id(1)));
  EXPECT_TRUE(outbox.cancel(numbered_id(1)));
  EXPECT_TRUE(outbox.cancel(numbered_id(2)));
  EXPECT_FALSE(outbox.cancel(numbered_id(2)));
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(outbox.bytes(), 0U);
}

TEST_F(GossipsubOutbox, forgets_the_oldest_unwanted_ids_and_counts_them) {
  for (std::uint32_t n = 0; n < 35; ++n) outbox.idontwant(numbered_id(n));
  EXPECT_EQ(outbox.dropped_ids(), 5U);
  EXPECT_TRUE(equal(next().control->idontwant.at(0).ids.at(0), numbered_id(5).bytes()));
}

}  // namespace
}  // namespace libp2p::gossipsub
