#include "opstack/reputation/ban_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "opstack/reputation/records.hpp"
#include "opstack/reputation/reputation_test_support.hpp"

namespace opstack::reputation {
namespace {

using libp2p::as_bytes;
using libp2p::as_text;
using libp2p::Errc;
using test::wall;
using ::testing::HasSubstr;
using ::testing::SizeIs;

Ban full_ban() {
  Ban out;
  out.since = wall(1'760'000'000);
  out.until = wall(1'760'003'600);
  out.rule = BanRule::blamed_messages;
  out.score = -23.25;
  out.scores.gossip.total = -23.25;
  out.scores.gossip.invalid_message_deliveries = 7.5;
  out.scores.req_resp.error_responses = 2;
  out.text = "it sent 8 different invalid messages within ten minutes";
  Fault fault;
  fault.at = wall(1'759'999'990);
  fault.kind = FaultKind::bad_block_hash;
  fault.reason_id = "bad_block_hash";
  fault.message_id = "00ff10";
  fault.block_number = ~std::uint64_t{0};
  fault.block_hash.emplace();
  fault.block_hash->fill(0xab);
  fault.text = "payload has bad block hash (bad_hash 0xab, actual 0xcd)";
  out.evidence.push_back(fault);
  fault.kind = FaultKind::message_policy;
  fault.reason_id = "message_policy";
  fault.message_id.clear();
  fault.block_number.reset();
  fault.block_hash.reset();
  out.evidence.push_back(fault);
  return out;
}

TEST(BanReason, is_read_as_it_was_written) {
  const auto read = decode_ban_reason(encode_ban_reason(full_ban()));
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(*read, full_ban());
}

TEST(BanReason, keeps_the_last_faults_and_cuts_what_is_too_long) {
  Ban ban = full_ban();
  for (int n = 0; n < 30; ++n) {
    ban.evidence.push_back(ban.evidence.front());
    ban.evidence.back().block_number = static_cast<std::uint64_t>(n);
    ban.evidence.back().text = std::string(100'000, 'x') + "\x1b\xff";
  }
  const auto bytes = encode_ban_reason(ban);
  EXPECT_LT(bytes.size(), kMaxRecord);
  const auto read = decode_ban_reason(bytes);
  ASSERT_TRUE(read.has_value()) << read.error().message();
  ASSERT_THAT(read->evidence, SizeIs(kMostEvidence));
  EXPECT_EQ(read->evidence.back().block_number, 29U);
  EXPECT_LE(read->evidence.back().text.size(), kMaxBanText);
}

TEST(BanReason, is_refused_with_what_is_wrong) {
  const std::string good(as_text(encode_ban_reason(full_ban())));
  const auto error_of = [](std::string_view text) { return decode_ban_reason(as_bytes(text)).error(); };
  EXPECT_EQ(error_of("no json"), Errc::malformed);
  EXPECT_EQ(error_of("[]"), Errc::malformed);
  EXPECT_THAT(error_of("{}").text(), HasSubstr("since"));
  EXPECT_EQ(error_of(std::string(kMaxRecord + 1, ' ')), Errc::too_large);
  const auto with = [&good](std::string_view what, std::string_view other) {
    std::string out = good;
    return out.replace(out.find(what), what.size(), other);
  };
  EXPECT_EQ(error_of(with("blamed_messages", "a rule of 2030")), Errc::unsupported);
  EXPECT_EQ(error_of(with("bad_block_hash", "a fault of 2030")), Errc::unsupported);
  EXPECT_THAT(error_of(with("00ff10", "00fg10")).text(), HasSubstr("messageId"));
  EXPECT_THAT(error_of(with("0xabab", "0xab")).text(), HasSubstr("blockHash"));
  EXPECT_THAT(error_of(with("18446744073709551615", "-1")).text(), HasSubstr("blockNumber"));
  EXPECT_THAT(error_of(with("1760003600", "\"soon\"")).text(), HasSubstr("until"));
}

}  // namespace
}  // namespace opstack::reputation
