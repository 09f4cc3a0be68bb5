#include <gtest/gtest.h>

#include "opstack/sync/engine/answer.hpp"
#include "opstack/sync/engine/request_rules.hpp"
#include "testing/vectors.hpp"

namespace reqresp_vectors {
namespace {

using namespace testing_vectors;
namespace codec = opstack::sync::wire;
using libp2p::Bytes;
using libp2p::ByteView;
using opstack::payload::Version;
using opstack::sync::Answer;
using opstack::sync::AnswerKind;

constexpr char kClient[] = "opstack/reqresp/client";
constexpr char kServer[] = "opstack/reqresp/payload_by_number";

Version version_of(const json::object& item, std::string_view key) {
  const auto number = integer(item, key);
  EXPECT_TRUE(number >= 1 && number <= 4) << key;
  return static_cast<Version>(number);
}

// As the client does: in pieces, stopping where the decoder has had enough.
Answer receive(ByteView response, std::size_t piece, std::uint64_t requested, Version at_block) {
  codec::ResponseDecoder decoder;
  for (ByteView rest = response; !rest.empty() && !decoder.refused();) {
    const std::size_t n = std::min(piece, rest.size());
    if (!decoder.push(rest.first(n))) break;
    rest = rest.subspan(n);
  }
  return opstack::sync::judge_answer(requested, at_block, decoder);
}

TEST(ReqrespVectors, a_client_takes_and_drops_answers_as_the_reference_does) {
  expect_known_root_keys(kClient, {"cases"});
  for_each_case(kClient, "cases",
                {"name", "chain_id", "requested_block", "payload_version_at_block", "response", "expect", "why",
                 "reference_error"},
                [](const json::object& item, const std::string&) {
                  SCOPED_TRACE(text(item, "name"));
                  EXPECT_GT(unsigned_integer(item, "chain_id"), 0u);
                  const auto requested = unsigned_integer(item, "requested_block");
                  const auto version = version_of(item, "payload_version_at_block");
                  const Bytes response = bytes(item, "response");
                  const std::string expect = text(item, "expect");
                  for (const std::size_t piece : {std::size_t{1} << 24, std::size_t{977}}) {
                    const Answer answer = receive(response, piece, requested, version);
                    if (expect == "accept") {
                      EXPECT_EQ(answer.kind, AnswerKind::block) << answer.detail;
                    } else if (expect == "reject") {
                      EXPECT_NE(answer.kind, AnswerKind::block);
                    } else {
                      EXPECT_EQ(expect, "either");
                    }
                  }
                });
}

TEST(ReqrespVectors, refusals_are_told_from_faults) {
  std::size_t seen = 0;
  for_each_case(kClient, "cases",
                {"name", "chain_id", "requested_block", "payload_version_at_block", "response", "expect", "why",
                 "reference_error"},
                [&](const json::object& item, const std::string&) {
                  const std::string name = text(item, "name");
                  SCOPED_TRACE(name);
                  const auto ends_with = [&](std::string_view tail) { return name.ends_with(tail); };
                  AnswerKind expected = AnswerKind::block;
                  if (ends_with("/result_1"))
                    expected = AnswerKind::not_found;
                  else if (ends_with("/result_2"))
                    expected = AnswerKind::invalid_request;
                  else if (ends_with("/result_3") || ends_with("/result_128"))
                    expected = AnswerKind::throttled;
                  else if (ends_with("/empty"))
                    expected = AnswerKind::failed;
                  else if (ends_with("/crc_wrong") || ends_with("/zip_bomb"))
                    expected = AnswerKind::malformed;
                  else if (ends_with("/other_block_number"))
                    expected = AnswerKind::wrong_number;
                  else if (ends_with("/bad_block_hash") || ends_with("/state_root_changed"))
                    expected = AnswerKind::bad_hash;
                  else
                    return;
                  ++seen;
                  const Answer answer =
                      receive(bytes(item, "response"), 1 << 24, unsigned_integer(item, "requested_block"),
                              version_of(item, "payload_version_at_block"));
                  EXPECT_EQ(answer.kind, expected) << answer.detail;
                });
  if (testing::Test::IsSkipped()) return;
  EXPECT_GT(seen, 0u);
}

// The code that the server gives before it looks for the block; none when it would look.
std::optional<codec::ResultCode> refused_early(const json::object& item, const Bytes& request) {
  const auto number = codec::decode_request(request);
  if (!number) return codec::ResultCode::other;
  const auto& rule = item.at("block_time_rule").as_object();
  opstack::chain::RollupConfig rollup;
  rollup.block_time = unsigned_integer(rule, "block_time");
  rollup.genesis.l2.number = unsigned_integer(rule, "genesis_l2_number");
  rollup.genesis.l2_time = unsigned_integer(rule, "genesis_l2_time");
  // An hour after the block of the case.
  const auto due = rollup.timestamp_for_block(unsigned_integer(item, "block_number"));
  return opstack::sync::refuse_number(rollup, *number,
                                      libp2p::from_unix_seconds(static_cast<std::int64_t>(due + 3600)));
}

TEST(ReqrespVectors, a_server_refuses_with_the_code_of_the_reference) {
  for_each_case(kServer, "cases",
                {"name", "kind", "source", "chain_id", "block_number", "block_hash", "block_time_rule",
                 "payload_version", "protocol_id", "request", "response", "response_result", "response_version",
                 "response_payload_ssz", "error_exchanges"},
                [](const json::object& item, const std::string&) {
                  EXPECT_FALSE(refused_early(item, bytes(item, "request")));
                  ASSERT_TRUE(item.contains("error_exchanges"));
                  const auto& exchanges = item.at("error_exchanges").as_array();
                  EXPECT_FALSE(exchanges.empty());
                  for (const auto& exchange : exchanges) {
                    const auto& object = exchange.as_object();
                    for (const auto& field : object)
                      EXPECT_TRUE(field.key() == "name" || field.key() == "request" || field.key() == "response" ||
                                  field.key() == "why")
                          << field.key();
                    const std::string name = text(object, "name");
                    SCOPED_TRACE(name);
                    auto code = refused_early(item, bytes(object, "request"));
                    // A fair question: what it comes to is up to the store.
                    if (!code && name == "unavailable") code = codec::ResultCode::not_found;
                    if (!code && name == "backend_failure") code = codec::ResultCode::other;
                    ASSERT_TRUE(code);
                    EXPECT_EQ(codec::encode_refusal(*code), bytes(object, "response"));
                  }
                });
}

TEST(ReqrespVectors, a_server_answers_with_the_payload_that_was_stored) {
  expect_known_root_keys(kServer, {"cases", "notes"});
  for_each_case(kServer, "cases",
                {"name", "kind", "source", "chain_id", "block_number", "block_hash", "block_time_rule",
                 "payload_version", "protocol_id", "request", "response", "response_result", "response_version",
                 "response_payload_ssz", "error_exchanges"},
                [](const json::object& item, const std::string&) {
                  SCOPED_TRACE(text(item, "name"));
                  const auto chain = unsigned_integer(item, "chain_id");
                  EXPECT_EQ(codec::protocol_id(std::to_string(chain)), text(item, "protocol_id"));
                  const auto number = unsigned_integer(item, "block_number");
                  const auto request = codec::encode_request(number);
                  EXPECT_EQ(libp2p::to_bytes(ByteView(request)), bytes(item, "request"));
                  EXPECT_EQ(codec::decode_request(bytes(item, "request")).value(), number);

                  const auto version = version_of(item, "payload_version");
                  EXPECT_EQ(static_cast<std::uint64_t>(opstack::sync::response_version(version)),
                            unsigned_integer(item, "response_version"));
                  EXPECT_EQ(integer(item, "response_result"), 0);
                  const Bytes ssz = bytes(item, "response_payload_ssz");

                  const Answer theirs = receive(bytes(item, "response"), 4096, number, version);
                  ASSERT_EQ(theirs.kind, AnswerKind::block) << theirs.detail;
                  EXPECT_EQ(libp2p::to_bytes(theirs.block.body.view()), ssz);
                  EXPECT_EQ(libp2p::to_bytes(ByteView(theirs.block.hash())), bytes(item, "block_hash"));

                  const Bytes sent = codec::encode_response(opstack::sync::response_version(version), ssz);
                  const Answer ours = receive(sent, 4096, number, version);
                  ASSERT_EQ(ours.kind, AnswerKind::block) << ours.detail;
                  EXPECT_EQ(libp2p::to_bytes(ours.block.body.view()), ssz);
                });
}

}  // namespace
}  // namespace reqresp_vectors
