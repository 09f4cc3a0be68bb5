// Vectors opstack/gossip/message-id.json.
#include "opstack/rules/message_id.hpp"

#include <gtest/gtest.h>

#include "opstack/encoding/snappy_block.hpp"
#include "testing/vectors.hpp"

namespace opstack::rules {
namespace {

namespace json = testing_vectors::json;
using testing_vectors::text;

TEST(MessageIdVectors, file_holds_no_unknown_keys) {
  testing_vectors::expect_known_root_keys("opstack/gossip/message-id", {"cases"});
}

TEST(MessageIdVectors, ids_agree) {
  testing_vectors::for_each_case(
      "opstack/gossip/message-id", "cases", {"data", "message_id", "name", "topic", "kind", "source"},
      [](const json::object& item, const std::string&) {
        const auto data = testing_vectors::bytes(item, "data");
        const auto read = read_message(text(item, "topic"), data);
        EXPECT_EQ(libp2p::to_hex0x(read.id), text(item, "message_id")) << text(item, "name");
        EXPECT_EQ(read.id, message_id(text(item, "topic"), data));
        EXPECT_EQ(read.decompressed != nullptr, opstack::encoding::snappy_decompress(data, kMaxGossipSize).has_value());
      });
}

}  // namespace
}  // namespace opstack::rules
