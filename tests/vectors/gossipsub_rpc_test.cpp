// libp2p/protobuf.json, groups "gossipsub" and "gossipsub-signed", and "rpc_decoding": RPCs decode to the fields shown,
// are refused where they must be, and encode to the same bytes.
#include <gtest/gtest.h>

#include <algorithm>

#include "libp2p/crypto/keys.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/protocols/gossipsub/frame.hpp"
#include "testing/vectors.hpp"

namespace gossipsub_rpc_vectors {
namespace {

namespace json = testing_vectors::json;
using namespace libp2p;
using namespace libp2p::gossipsub;
using testing_vectors::bytes;
using testing_vectors::for_each_case;
using testing_vectors::has;
using testing_vectors::text;

void set(json::object& to, std::string_view key, const std::optional<ByteView>& value) {
  if (value) to[key] = to_hex0x(*value);
}
void set(json::object& to, std::string_view key, const std::optional<std::string_view>& value) {
  if (value) to[key] = std::string(*value);
}
void set(json::object& to, std::string_view key, const std::optional<bool>& value) {
  if (value) to[key] = *value;
}
void set(json::object& to, std::string_view key, json::array values) {
  if (!values.empty()) to[key] = std::move(values);
}

json::array ids(const std::vector<ByteView>& list) {
  json::array out;
  for (const auto& id : list) out.emplace_back(to_hex0x(id));
  return out;
}

template <class Entries, class Show>
json::array each(const Entries& entries, Show show) {
  json::array out;
  for (const auto& entry : entries) {
    json::object object;
    show(entry, object);
    out.push_back(std::move(object));
  }
  return out;
}

void show_message(const Message& message, json::object& to) {
  set(to, "from", message.from);
  set(to, "data", message.data);
  set(to, "seqno", message.seqno);
  set(to, "topic", message.topic);
  set(to, "signature", message.signature);
  set(to, "key", message.key);
}

void show_prune(const Prune& prune, json::object& to) {
  constexpr std::uint64_t kLargestNumber = std::uint64_t{1} << 53;
  set(to, "topicID", prune.topic);
  set(to, "peers", each(prune.peers, [](const PeerInfo& info, json::object& peer) {
        set(peer, "peerID", info.peer_id);
        set(peer, "signedPeerRecord", info.signed_peer_record);
      }));
  if (prune.backoff) {
    to["backoff"] =
        *prune.backoff <= kLargestNumber ? json::value(*prune.backoff) : json::value(std::to_string(*prune.backoff));
  }
}

json::object show(const Control& control) {
  json::object out;
  set(out, "ihave", each(control.ihave, [](const IHave& ihave, json::object& to) {
        set(to, "topicID", ihave.topic);
        set(to, "messageIDs", ids(ihave.ids));
      }));
  const auto show_ids = [](const auto& entry, json::object& to) { set(to, "messageIDs", ids(entry.ids)); };
  set(out, "iwant", each(control.iwant, show_ids));
  set(out, "graft", each(control.graft, [](const Graft& graft, json::object& to) { set(to, "topicID", graft.topic); }));
  set(out, "prune", each(control.prune, show_prune));
  set(out, "idontwant", each(control.idontwant, show_ids));
  if (control.extensions) {
    json::object extensions;
    set(extensions, "partialMessages", control.extensions->partial_messages);
    set(extensions, "testExtension", control.extensions->test_extension);
    out["extensions"] = std::move(extensions);
  }
  return out;
}

json::object show(const Rpc& rpc) {
  json::object out;
  set(out, "subscriptions", each(rpc.subscriptions, [](const gossipsub::SubOpts& subscription, json::object& to) {
        set(to, "subscribe", subscription.subscribe);
        set(to, "topicid", subscription.topic);
        set(to, "requestsPartial", subscription.requests_partial);
        set(to, "supportsSendingPartial", subscription.supports_sending_partial);
      }));
  set(out, "publish", each(rpc.publish, show_message));
  if (rpc.control) out["control"] = show(*rpc.control);
  if (rpc.test_extension) out["testExtension"] = json::object();
  return out;
}

// The reference lists what it did not know; here it is passed over.
json::value without_unknown_fields(const json::value& value) {
  if (const auto* list = value.if_array()) {
    json::array out;
    for (const auto& item : *list) out.push_back(without_unknown_fields(item));
    return out;
  }
  const auto* object = value.if_object();
  if (object == nullptr) return value;
  json::object out;
  for (const auto& field : *object) {
    if (field.key() != "(unknown fields)") out[field.key()] = without_unknown_fields(field.value());
  }
  return out;
}

void expect_decoded(const json::object& item, const json::object& shown) {
  const json::value expected = without_unknown_fields(item.at("decoded"));
  EXPECT_EQ(json::value(shown), expected) << json::serialize(shown) << "\nexpected " << json::serialize(expected);
}

void check_rpc(const json::object& item) {
  const Bytes encoded = bytes(item, "bytes");
  const auto rpc = decode_rpc(encoded, RpcLimits{});
  ASSERT_TRUE(rpc) << rpc.error().message();
  expect_decoded(item, show(*rpc));
  EXPECT_EQ(to_hex0x(encode_rpc(*rpc)), text(item, "bytes"));
  const Bytes stream = bytes(item, "length_prefixed");
  EXPECT_EQ(*encode_frame(*rpc), stream);
  FrameReader reader(RpcLimits{}.max_rpc);
  ByteView in(stream);
  const auto frame = reader.next(in);
  ASSERT_TRUE(frame) << frame.error().message();
  ASSERT_EQ(frame->has_value(), !encoded.empty()) << "an empty frame is passed over";
  if (!*frame) return;
  const auto again = decode_frame(**frame, RpcLimits{});
  ASSERT_TRUE(again) << again.error().message();
  expect_decoded(item, show(*again));
}

void check_signed_message(const json::object& item) {
  const Bytes encoded = bytes(item, "bytes");
  auto message = decode_message(encoded);
  ASSERT_TRUE(message) << message.error().message();
  json::object shown;
  show_message(*message, shown);
  expect_decoded(item, shown);
  EXPECT_EQ(to_hex0x(encode_message(*message)), text(item, "bytes"));
  EXPECT_FALSE(message->anonymous());
  const auto from = PeerId::from_bytes(*message->from);
  ASSERT_TRUE(from) << from.error().message();
  EXPECT_EQ(from->to_base58(), text(item, "from_peer_id"));

  const Bytes signature = to_bytes(*message->signature);
  auto key = from->public_key();
  if (message->key) {
    const auto given = crypto::PublicKey::from_protobuf(*message->key);
    ASSERT_TRUE(given) << given.error().message();
    key = *given;
  }
  ASSERT_TRUE(key);
  EXPECT_TRUE(from->matches(*key));
  message->signature.reset();
  message->key.reset();
  Bytes covered = to_bytes("libp2p-pubsub:");
  append(covered, encode_message(*message));
  EXPECT_EQ(to_hex0x(covered), text(item, "signed_bytes"));
  EXPECT_TRUE(key->verify(covered, signature));
}

TEST(GossipsubVectors, messages) {
  for_each_case(
      "libp2p/protobuf", "cases",
      {"bytes", "decoded", "group", "length_prefixed", "name", "from_peer_id", "signed_bytes", "source", "kind"},
      [](const json::object& item, const std::string&) {
        SCOPED_TRACE(text(item, "name"));
        const std::string group = text(item, "group");
        if (group == "gossipsub") check_rpc(item);
        if (group == "gossipsub-signed") check_signed_message(item);
      });
}

TEST(GossipsubVectors, rpc_decoding) {
  for_each_case("libp2p/protobuf", "rpc_decoding",
                {"bytes", "decoded", "name", "reference_error", "valid", "why", "source", "kind"},
                [](const json::object& item, const std::string&) {
                  SCOPED_TRACE(text(item, "name"));
                  const Bytes encoded = bytes(item, "bytes");
                  const auto rpc = decode_rpc(encoded, RpcLimits{});
                  const bool either = item.contains("valid") && item.at("valid").is_string();
                  if (either) {
                    EXPECT_EQ(text(item, "valid"), "either");
                  } else {
                    EXPECT_EQ(rpc.has_value(), testing_vectors::boolean(item, "valid"));
                  }
                  if (rpc && has(item, "decoded")) expect_decoded(item, show(*rpc));
                });
}

}  // namespace
}  // namespace gossipsub_rpc_vectors
