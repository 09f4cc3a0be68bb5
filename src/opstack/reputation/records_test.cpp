#include "opstack/reputation/records.hpp"

#include <gmock/gmock.h>

#include <limits>

#include "opstack/reputation/json_leaves.hpp"

namespace opstack::reputation {
namespace {

using libp2p::as_bytes;
using libp2p::as_text;
using libp2p::Errc;
using libp2p::from_unix_seconds;
using ::testing::HasSubstr;

constexpr std::string_view kScores =
    R"({"lastUpdate":1796102941,"peerScores":{"gossip":{"total":-123.45600000000002,"blocks":{"timeInMesh":86400,)"
    R"("firstMessageDeliveries":1e-7,"meshMessageDeliveries":1.5e+22,"invalidMessageDeliveries":3},)"
    R"("IPColocationFactor":-35,"behavioralPenalty":0.1},"reqResp":{"validResponses":1,"errorResponses":0,)"
    R"("rejectedPayloads":0}}})";

TEST(PeerstoreRecords, scores_are_read_exactly_and_written_as_op_node_does) {
  const auto entry = decode_scores(as_bytes(kScores)).value();
  EXPECT_EQ(entry.last_update, from_unix_seconds(1796102941));
  EXPECT_EQ(entry.scores.gossip.total, -123.45600000000002);
  EXPECT_EQ(entry.scores.gossip.mesh_message_deliveries, 1.5e22);
  EXPECT_EQ(entry.scores.gossip.behavioural_penalty, 0.1);
  EXPECT_EQ(entry.scores.req_resp.valid_responses, 1);
  EXPECT_EQ(as_text(encode_scores(entry)), kScores);
}

TEST(PeerstoreRecords, a_score_that_is_no_number_is_written_as_zero) {
  ScoreEntry entry;
  entry.scores.gossip.total = std::numeric_limits<double>::quiet_NaN();
  entry.scores.req_resp.valid_responses = std::numeric_limits<double>::infinity();
  EXPECT_EQ(decode_scores(encode_scores(entry)).value(), ScoreEntry());
}

TEST(PeerstoreRecords, members_that_are_missing_are_zero_and_unknown_ones_are_passed_over) {
  EXPECT_EQ(decode_scores(as_bytes("{}")).value(), ScoreEntry());
  EXPECT_EQ(decode_scores(as_bytes(R"({"peerScores":null,"lastUpdate":null})")).value(), ScoreEntry());
  const auto entry =
      decode_scores(as_bytes(R"({"new":[{"peerScores":{"gossip":{"total":9}}}],"PEERSCORES":{"Gossip":{"TOTAL":5}}})"));
  EXPECT_EQ(entry.value().scores.gossip.total, 5);
  // Of a repeated member the last counts, and objects are merged, as in Go.
  const auto twice = decode_scores(
      as_bytes(R"({"peerScores":{"gossip":{"total":1,"behavioralPenalty":2}},"peerScores":{"gossip":{"total":3}}})"));
  EXPECT_EQ(twice.value().scores.gossip.total, 3);
  EXPECT_EQ(twice.value().scores.gossip.behavioural_penalty, 2);
}

TEST(PeerstoreRecords, are_refused_when_a_member_has_another_type) {
  for (const auto* bad : {"", "null", "1", "[]", "{", "{}x", R"({"peerScores":[]})", R"({"peerScores":{"gossip":1}})",
                          R"({"peerScores":{"gossip":{"total":"1"}}})", R"({"lastUpdate":1.5})",
                          R"({"lastUpdate":1e3})", R"({"lastUpdate":9223372036854775808})",
                          R"({"peerScores":{"gossip":{"total":1e400}}})", R"({"lastUpdate":true})"})
    EXPECT_EQ(decode_scores(as_bytes(bad)).error(), Errc::malformed) << bad;
  EXPECT_EQ(decode_ban(as_bytes(R"({"expiry":"soon"})")).error(), Errc::malformed);
  EXPECT_EQ(decode_metadata(as_bytes(R"({"peerMetadata":{"enr":5}})")).error(), Errc::malformed);
  EXPECT_EQ(decode_metadata(as_bytes(R"({"peerMetadata":{"opStackID":-1}})")).error(), Errc::malformed);
  EXPECT_EQ(decode_ban(libp2p::Bytes(kMaxRecord + 1, ' ')).error(), Errc::too_large);
}

TEST(PeerstoreRecords, a_key_with_a_dot_is_no_path) {
  EXPECT_EQ(decode_scores(as_bytes(R"({"peerScores.gossip.total":7})")).value(), ScoreEntry());
}

TEST(PeerstoreRecords, have_a_bound_of_values) {
  std::string many = "{";
  for (std::size_t i = 0; i <= JsonLeaves::kMostLeaves; ++i)
    many += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":1";
  EXPECT_EQ(decode_ban(as_bytes(many + "}")).error(), Errc::malformed);
}

TEST(PeerstoreRecords, a_ban_is_its_expiry_and_the_time_of_the_change) {
  const BanEntry ban{from_unix_seconds(1796106541), from_unix_seconds(1796102941)};
  EXPECT_EQ(as_text(encode_ban(ban)), R"({"expiry":1796106541,"lastUpdate":1796102941})");
  EXPECT_EQ(decode_ban(encode_ban(ban)).value(), ban);
  EXPECT_EQ(decode_ban(as_bytes(R"({"expiry":9223372036854775807})")).value().expiry, libp2p::UnixTime::max());
}

TEST(PeerstoreRecords, metadata_are_written_as_go_escapes_them) {
  const MetadataEntry entry{from_unix_seconds(5), {"enr:-<&>", UINT64_MAX}};
  EXPECT_EQ(as_text(encode_metadata(entry)),
            R"({"lastUpdate":5,"peerMetadata":{"enr":"enr:-\u003c\u0026\u003e","opStackID":18446744073709551615}})");
  EXPECT_EQ(decode_metadata(encode_metadata(entry)).value(), entry);
}

TEST(PeerstoreRecords, the_ban_of_an_ip_has_one_key_for_all_spellings) {
  EXPECT_EQ(ip_ban_key("::ffff:198.51.100.7").value(), "/ips/ban_expiration/198.51.100.7");
  EXPECT_EQ(ip_ban_key("2001:DB8:0:0::1").value(), "/ips/ban_expiration/2001:db8::1");
  EXPECT_EQ(read_ip_ban_key("/ips/ban_expiration/2001:db8::1").value(), "2001:db8::1");
  EXPECT_THAT(read_ip_ban_key("/ips/ban_expiration/2001:DB8::1").error().text(), HasSubstr("2001:db8::1"));
  for (const auto* bad : {"", "/ips/ban_expiration/", "/ips/ban_expiration/host", "/ips/ban_expiration/fe80::1%eth0"})
    EXPECT_FALSE(read_ip_ban_key(bad)) << bad;
}

}  // namespace
}  // namespace opstack::reputation
