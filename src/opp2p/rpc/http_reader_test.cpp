#include "opp2p/rpc/http_reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace opp2p {
namespace {

using Step = HttpReader::Step;

// Gives the bytes in pieces of `piece` and steps until the reader wants more than there is, or has ended.
Step feed(HttpReader& reader, std::string_view bytes, std::size_t piece = HttpReader::kReadSize) {
  for (;;) {
    const auto step = reader.step();
    reader.check();
    if (step == Step::whole || step == Step::refused) return step;
    if (step != Step::more) continue;
    if (bytes.empty()) return step;
    const auto size = std::min(piece, bytes.size());
    std::memcpy(reader.prepare().data(), bytes.data(), size);
    reader.commit(size);
    bytes.remove_prefix(size);
  }
}

constexpr std::string_view kWholePost = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody";

TEST(HttpReader, reads_a_request_in_any_pieces) {
  for (std::size_t piece = 1; piece <= kWholePost.size(); ++piece) {
    HttpReader reader;
    EXPECT_TRUE(reader.is_at_start());
    ASSERT_EQ(feed(reader, kWholePost, piece), Step::whole) << piece;
    const auto request = reader.take();
    EXPECT_EQ(request.target(), "/a");
    EXPECT_EQ(request.body(), "body");
  }
}

TEST(HttpReader, says_when_the_head_is_known_before_the_body_comes) {
  HttpReader reader;
  const auto head = kWholePost.substr(0, kWholePost.size() - 4);
  std::memcpy(reader.prepare().data(), head.data(), head.size());
  reader.commit(head.size());
  EXPECT_EQ(reader.step(), Step::head_whole);
  EXPECT_FALSE(reader.head_seen());
  EXPECT_EQ(reader.held(), head.size());
  EXPECT_EQ(reader.step(), Step::head);
  EXPECT_TRUE(reader.head_seen());
  EXPECT_EQ(reader.head()["Host"], "x");
  EXPECT_EQ(reader.step(), Step::more);
}

TEST(HttpReader, reads_requests_that_come_together_one_after_another) {
  HttpReader reader;
  ASSERT_EQ(feed(reader, std::string(kWholePost) + "\r\n" + "GET /b HTTP/1.1\r\n\r\n"), Step::whole);
  EXPECT_EQ(reader.take().target(), "/a");
  EXPECT_TRUE(reader.has_unread());
  reader.next();
  EXPECT_FALSE(reader.is_at_start());
  ASSERT_EQ(feed(reader, ""), Step::whole);
  EXPECT_EQ(reader.take().target(), "/b");
  reader.next();
  EXPECT_TRUE(reader.is_at_start());
}

TEST(HttpReader, counts_the_body_as_it_comes) {
  HttpReader reader;
  const std::string head = "POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n";
  ASSERT_EQ(feed(reader, head + std::string(50'000, 'a')), Step::more);
  EXPECT_GE(reader.held(), 50'000u);
  ASSERT_EQ(feed(reader, std::string(50'000, 'a')), Step::whole);
}

TEST(HttpReader, knows_a_client_that_waits_for_an_invitation) {
  for (const bool waits : {true, false}) {
    HttpReader reader;
    const std::string head =
        "POST / HTTP/1.1\r\nContent-Length: 4\r\n" + std::string(waits ? "Expect: 100-Continue\r\n" : "") + "\r\n";
    ASSERT_EQ(feed(reader, head), Step::more);
    EXPECT_EQ(reader.expects_invitation(), waits);
  }
}

TEST(HttpReader, knows_a_head_that_it_refuses) {
  for (const auto* bytes : {"HEAD / HTTP/9\r\n", "HEAD / HTTP/1.1\r\nno header\r\n\r\n", "\r\nHEAD / HTTP/9\r\n"}) {
    HttpReader reader;
    ASSERT_EQ(feed(reader, bytes), Step::refused) << bytes;
    EXPECT_TRUE(reader.asks_for_head()) << bytes;
  }
  HttpReader reader;
  ASSERT_EQ(feed(reader, "HEADS / HTTP/9\r\n"), Step::refused);
  EXPECT_FALSE(reader.asks_for_head());
}

TEST(HttpReader, refuses_what_is_too_large_with_the_status_that_says_so) {
  const std::string chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::pair<std::string, HttpStatus> cases[] = {
      {"hello\n", HttpStatus::bad_request},
      {"GET / HTTP/1.1\r\nno colon\r\n\r\n", HttpStatus::bad_request},
      {"GET / HTTP/1.1\r\nX: " + std::string(HttpHead::kMaxBytes, 'a'), HttpStatus::request_header_fields_too_large},
      {"POST / HTTP/1.1\r\nContent-Length: 5242881\r\n\r\n", HttpStatus::payload_too_large},
      {chunked + "5;" + std::string(HttpReader::kMaxLine, 'a'), HttpStatus::request_header_fields_too_large},
      {chunked + "zz\r\n", HttpStatus::bad_request},
  };
  for (const auto& [bytes, status] : cases) {
    HttpReader reader;
    ASSERT_EQ(feed(reader, bytes), Step::refused) << bytes.substr(0, 80);
    EXPECT_EQ(reader.refusal().status, status) << bytes.substr(0, 80);
    EXPECT_TRUE(reader.refusal().why.ends_with("\n"));
    EXPECT_EQ(reader.step(), Step::refused);
  }
}

}  // namespace
}  // namespace opp2p
