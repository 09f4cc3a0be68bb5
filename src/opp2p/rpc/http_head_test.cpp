#include "opp2p/rpc/http_head.hpp"

#include <gtest/gtest.h>

#include <string>

namespace opp2p {
namespace {

using State = HttpHead::State;

State all_at_once(std::string_view text) { return HttpHead().on_bytes(text); }

// What is known after each byte has come alone.
State byte_by_byte(std::string_view text) {
  HttpHead head;
  auto out = State::reading;
  for (std::size_t i = 1; i <= text.size() && out == State::reading; ++i) out = head.on_bytes(text.substr(0, i));
  return out;
}

TEST(HttpHead, a_request_is_whole_at_its_empty_line) {
  for (const std::string_view text :
       {"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", "POST http://x/ HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n",
        "M-SEARCH * HTTP/1.1\r\nHost: \r\n\r\n"}) {
    EXPECT_EQ(all_at_once(text), State::whole) << text;
    EXPECT_EQ(byte_by_byte(text), State::whole) << text;
    EXPECT_EQ(all_at_once(text.substr(0, text.size() - 1)), State::reading) << text;
    HttpHead head;
    head.on_bytes(std::string(text) + "body");
    EXPECT_EQ(head.size(), text.size());
  }
}

TEST(HttpHead, what_is_not_http_1_is_known_by_its_first_bytes) {
  for (const std::string_view text :
       {"\x16", "PRI * HTTP/2", "GET / HTTP/2", "GET / HTTP/1.2", "GET / HTTP/11", "GET / h", "GET /\r", "GET /\n",
        "hello\n", "\r", " ", "GET  ", "G\xc3", "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: x\n",
        "GET / HTTP/1.1\r\n\n", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "{"}) {
    EXPECT_EQ(all_at_once(text), State::not_http) << text;
    EXPECT_EQ(byte_by_byte(text), State::not_http) << text;
    EXPECT_EQ(all_at_once(text.substr(0, text.size() - 1)), State::reading) << text;
  }
  HttpHead head;
  head.on_bytes("\x16\x03\x01");
  EXPECT_NE(head.problem().find("without TLS"), std::string_view::npos);
  for (const std::string_view text : {"GET / HTTP/1.0\n\n", "GET / HTTP/1.1\r\nHost: x\n"}) {
    HttpHead by_hand;  // as printf and nc send it
    by_hand.on_bytes(text);
    EXPECT_NE(by_hand.problem().find("CR and LF"), std::string_view::npos) << text;
  }
}

TEST(HttpHead, is_at_most_64_KiB_long) {
  std::string text = "GET / HTTP/1.1\r\nA: ";
  text += std::string(HttpHead::kMaxBytes - text.size() - 4, 'a') + "\r\n\r\n";
  ASSERT_EQ(text.size(), HttpHead::kMaxBytes);
  EXPECT_EQ(all_at_once(text), State::whole);
  text.insert(text.size() - 4, "a");
  EXPECT_EQ(all_at_once(text), State::too_large);
  EXPECT_EQ(byte_by_byte(text), State::too_large);
  EXPECT_EQ(all_at_once("GET /" + std::string(HttpHead::kMaxBytes, 'a')), State::too_large);
}

TEST(HttpHead, has_at_most_256_lines) {
  std::string text = "GET / HTTP/1.1\r\n";
  for (std::size_t i = 2; i < HttpHead::kMaxLines; ++i) text += "a:\r\n";
  EXPECT_EQ(all_at_once(text + "a:\r\n\r\n"), State::whole);
  EXPECT_EQ(all_at_once(text + "a:\r\na:\r\n\r\n"), State::too_large);
  EXPECT_EQ(byte_by_byte(text + "a:\r\na:\r\n\r\n"), State::too_large);
}

TEST(HttpTarget, has_its_path_in_every_form) {
  const auto parts = [](std::string_view text) {
    const auto out = http_target(text);
    return std::string(out.authority) + " " + std::string(out.path) + (out.has_query ? " ?" : "");
  };
  EXPECT_EQ(parts("/"), " /");
  EXPECT_EQ(parts("/healthz?x=http://y/"), " /healthz ?");
  EXPECT_EQ(parts("http://127.0.0.1:9545/healthz"), "127.0.0.1:9545 /healthz");
  EXPECT_EQ(parts("HTTP://node:9545"), "node:9545 /");
  EXPECT_EQ(parts("http://node?x"), "node / ?");
  EXPECT_EQ(parts("http://127.0.0.1@evil.example/"), "evil.example /");
  EXPECT_EQ(parts("/x://y"), " /x://y");
  EXPECT_EQ(parts("ftp://x/"), " ftp://x/");
  EXPECT_EQ(parts("*"), " *");
}

TEST(JsonMediaType, is_known_in_any_case_and_with_parameters) {
  for (const auto* text : {"application/json", "Application/JSON", "application/json; charset=utf-8",
                           "APPLICATION/JSON-RPC", " application/jsonrequest\t;x"})
    EXPECT_TRUE(is_json_media_type(text)) << text;
  for (const auto* text : {"", "text/plain", "application/jsonx", "json", "application/json,text/plain"})
    EXPECT_FALSE(is_json_media_type(text)) << text;
}

}  // namespace
}  // namespace opp2p
