// For the tests of partial messages: a router in the topic, peers that agree to them, and what those are sent.
#pragma once

#include "libp2p/protocols/gossipsub/router_test_support.hpp"

namespace libp2p::gossipsub::test {

inline constexpr std::string_view kGroup = "block 1";

inline Params with_partials() {
  Params params;
  params.partial.enabled = true;
  return params;
}

// The first RPC of a peer that speaks the extension, with what it does in the topic.
inline Rpc partial_hello(PartialUse use, bool extension = true) {
  Rpc rpc = subscription_rpc(kTopic);
  rpc.subscriptions[0].requests_partial = use == PartialUse::requests;
  rpc.subscriptions[0].supports_sending_partial = use == PartialUse::supports;
  if (extension) rpc.control.emplace().extensions.emplace().partial_messages = true;
  return rpc;
}

inline Rpc partial_rpc(std::string_view group, std::string_view message, std::string_view metadata) {
  Rpc rpc;
  Partial& partial = rpc.partial.emplace();
  partial.topic = kTopic;
  partial.group = as_bytes(group);
  if (!message.empty()) partial.message = as_bytes(message);
  if (!metadata.empty()) partial.metadata = as_bytes(metadata);
  return rpc;
}

struct PartialText {
  std::string group, message, metadata;
  friend bool operator==(const PartialText&, const PartialText&) = default;
};

inline std::string part_text(const std::optional<ByteView>& bytes) {
  return bytes ? std::string(as_text(*bytes)) : std::string();
}

inline std::vector<PartialText> partials_of(const Sent& sent) {
  std::vector<PartialText> out;
  for (const SharedBytes& frame : sent.frames) {
    const auto rpc = decode_frame(frame, with_partials().rpc);
    if (!rpc || !rpc->partial) continue;
    EXPECT_EQ(rpc->partial->topic.value_or(""), kTopic);
    out.push_back(
        {part_text(rpc->partial->group), part_text(rpc->partial->message), part_text(rpc->partial->metadata)});
  }
  return out;
}

class GossipsubPartial : public testing::Test {
 protected:
  void use(PartialUse ours, const Params& params = with_partials()) {
    bench = std::make_unique<Bench>(params);
    ASSERT_TRUE(bench->router.set_partial(kTopic, ours, bench->now));
    ASSERT_TRUE(bench->router.subscribe(kTopic, bench->now));
  }
  // A peer of the mesh; what it was sent so far is thrown away.
  void add(std::uint32_t n, PartialUse theirs, bool extension = true, ProtocolVersion version = ProtocolVersion::v1_3) {
    bench->add(n, version);
    bench->send(n, partial_hello(theirs, extension));
    bench->send(n, graft_rpc(kTopic));
    bench->sent(n);
  }
  std::vector<PartialText> sent(std::uint32_t n) { return partials_of(bench->sent(n)); }
  // Everybody is offered the same.
  std::size_t publish(std::string_view group, std::string_view message, std::string_view metadata) {
    asked.clear();
    const auto parts = [&](const PartialPeer& peer) {
      asked.push_back(peer.peer);
      return PartialParts{to_bytes(message), to_bytes(metadata)};
    };
    const auto result = bench->router.publish_partial(kTopic, as_bytes(group), parts, bench->now);
    EXPECT_TRUE(result) << result.error().message();
    return result ? *result : 0;
  }
  std::vector<std::string> received() {
    std::vector<std::string> out;
    for (const auto& one : bench->take<PartialReceived>()) {
      out.push_back(std::string(as_text(one.group)) + ":" + std::string(as_text(one.message.view())) + ":" +
                    std::string(as_text(one.metadata.view())));
    }
    return out;
  }
  const Counters& counters() const { return bench->router.counters(); }

  std::unique_ptr<Bench> bench;
  std::vector<PeerId> asked;
};

}  // namespace libp2p::gossipsub::test
