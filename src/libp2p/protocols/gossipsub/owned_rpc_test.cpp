#include "libp2p/protocols/gossipsub/owned_rpc.hpp"

#include <gtest/gtest.h>

#include "libp2p/protocols/gossipsub/outbox.hpp"

namespace libp2p::gossipsub {
namespace {

// Every field that an RPC can have, at sizes on both sides of a length prefix of one byte.
Rpc full_rpc(std::string_view text) {
  const ByteView bytes = as_bytes(text);
  Rpc rpc;
  rpc.subscriptions.push_back({true, text, true, false});
  rpc.subscriptions.push_back({false, text, {}, {}});
  rpc.publish.push_back(
      {.from = bytes, .data = bytes, .seqno = bytes, .topic = text, .signature = bytes, .key = bytes});
  rpc.publish.push_back({});
  Control& control = rpc.control.emplace();
  control.ihave.push_back({text, {bytes, bytes}});
  control.iwant.push_back({{bytes}});
  control.graft.push_back({text});
  control.prune.push_back({text, {{bytes, bytes}, {bytes, {}}}, 300});
  control.prune.push_back({text, {}, {}});
  control.idontwant.push_back({{bytes, bytes, bytes}});
  control.extensions.emplace(Extensions{true, true});
  rpc.test_extension = true;
  return rpc;
}

TEST(GossipsubOwnedRpc, says_the_same_after_what_it_was_made_of_has_gone) {
  for (const std::size_t size : {0U, 1U, 40U, 130U, 20'000U}) {
    auto text = std::make_unique<std::string>(size, 'x');
    Rpc rpc = full_rpc(*text);
    const SharedBytes expected = encode_frame(rpc);
    const OwnedRpc owned(std::move(rpc));
    std::fill(text->begin(), text->end(), 'y');
    text.reset();
    EXPECT_EQ(*encode_frame(owned.rpc()), *expected) << size;
  }
}

TEST(GossipsubOwnedRpc, a_frame_has_the_size_that_is_counted_without_encoding_it) {
  for (const std::size_t size : {0U, 1U, 40U, 130U, 20'000U}) {
    const std::string text(size, 'x');
    const Rpc rpc = full_rpc(text);
    EXPECT_EQ(frame_size(rpc), encode_frame(rpc)->size()) << size;
  }
  EXPECT_EQ(frame_size(Rpc()), encode_frame(Rpc())->size());
}

// What an outbox is told, in many different orders.
void fill(Outbox& outbox, std::uint32_t round) {
  std::vector<Outbox::Dropped> dropped;
  const auto id = [&](std::uint32_t n) {
    Bytes bytes(20, static_cast<std::uint8_t>(round));
    store_be32(bytes.data(), n);
    return *MessageId::from(bytes);
  };
  const std::string topic = "topic" + std::to_string(round % 3);
  if (round % 5 == 0) outbox.announce(topic, round % 2 == 0);
  if (round % 3 == 0) outbox.graft(topic);
  if (round % 4 == 0) outbox.prune(topic, 60, {{PeerId::from_bytes(Bytes{0, 4, 1, 2, 3, 4}).value(), Bytes(70, 7)}});
  if (round % 7 == 1) outbox.push(id(1), share(Bytes(50, 1)), Outbox::Kind::own, dropped);
  if (round % 2 == 1) outbox.push(id(2), share(Bytes(60, 2)), Outbox::Kind::forwarded, dropped);
  for (std::uint32_t n = 0; n < round % 13; ++n) outbox.idontwant(id(n));
  if (round % 6 == 2) outbox.ihave(topic, {id(1), id(2), id(3)});
  if (round % 6 == 3) outbox.iwant(std::vector<MessageId>(40, id(9)));
}

TEST(GossipsubOwnedRpc, an_outbox_says_the_same_in_objects_as_in_bytes) {
  constexpr std::size_t kLeast = 500;  // bytes of control in a frame, so that it is split
  Outbox as_bytes({}, 10, kLeast);
  Outbox as_objects({}, 10, kLeast);
  std::size_t messages = 0;
  std::size_t controls = 0;
  for (std::uint32_t round = 0; round < 200; ++round) {
    fill(as_bytes, round);
    fill(as_objects, round);
    for (std::uint32_t n = 0; n <= round % 4; ++n) {
      const auto frame = as_bytes.next();
      const auto rpc = as_objects.next_rpc();
      ASSERT_EQ(frame.has_value(), rpc.has_value()) << round;
      if (!frame) break;
      ASSERT_EQ((*frame)->size(), rpc->frame_size) << round;
      ASSERT_NE(rpc->message == nullptr, rpc->control == nullptr) << round;
      ASSERT_EQ(**frame, rpc->message ? *rpc->message : *encode_frame(rpc->control->rpc())) << round;
      ++(rpc->message ? messages : controls);
    }
  }
  EXPECT_GT(messages, 50U);
  EXPECT_GT(controls, 50U);
}

}  // namespace
}  // namespace libp2p::gossipsub
