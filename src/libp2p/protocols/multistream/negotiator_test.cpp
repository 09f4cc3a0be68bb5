#include "libp2p/protocols/multistream/negotiator.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "libp2p/base/rng.hpp"

namespace libp2p::multistream {
namespace {

const Matcher kTwo = [](std::string_view protocol) { return protocol == "/a" || protocol == "/b"; };
const Lister kTwoListed = [] { return std::vector<std::string>{"/a", "/b"}; };

Bytes message(std::string_view text) {
  Bytes out;
  append_message(out, text);
  return out;
}

Bytes messages(std::initializer_list<std::string_view> texts) {
  Bytes out;
  for (const auto text : texts) append_message(out, text);
  return out;
}

TEST(Multistream, dialer_sends_header_and_first_proposal_together) {
  auto dialer = Negotiator::dialer({"/a"});
  EXPECT_EQ(dialer.take_output(), messages({kProtocolId, "/a"}));
  EXPECT_FALSE(dialer.has_output());
  EXPECT_FALSE(dialer.settled());
}

TEST(Multistream, takes_no_byte_behind_the_settling_message) {
  auto dialer = Negotiator::dialer({"/a"});
  Bytes in = messages({kProtocolId, "/a"});
  const std::size_t own = in.size();
  append(in, as_bytes("data"));
  EXPECT_EQ(dialer.on_bytes(in).value(), own);
  EXPECT_TRUE(dialer.settled());
  EXPECT_EQ(dialer.protocol(), "/a");
  EXPECT_EQ(dialer.on_bytes(as_bytes("more")).value(), 0U);
}

TEST(Multistream, agrees_over_any_split) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SeededRng rng(seed);
    auto dialer = Negotiator::dialer({"/x", "/y", "/b"});
    auto listener = Negotiator::listener(&kTwo);
    Bytes to_listener, to_dialer;
    for (int step = 0; step < 1000 && !(dialer.settled() && listener.settled()); ++step) {
      append(to_listener, dialer.take_output());
      append(to_dialer, listener.take_output());
      for (auto [side, wire] : {std::pair(&dialer, &to_dialer), std::pair(&listener, &to_listener)}) {
        const std::size_t n = std::min<std::size_t>(wire->size(), rng.below(6));
        const auto taken = side->on_bytes(ByteView(*wire).first(n));
        ASSERT_TRUE(taken);
        wire->erase(wire->begin(), wire->begin() + static_cast<std::ptrdiff_t>(*taken));
      }
    }
    EXPECT_EQ(dialer.protocol(), "/b");
    EXPECT_EQ(listener.protocol(), "/b");
  }
}

TEST(Multistream, dialer_reports_that_nothing_is_in_common) {
  auto dialer = Negotiator::dialer({"/x", "/y"});
  EXPECT_TRUE(dialer.on_bytes(messages({kProtocolId, "na"})));
  EXPECT_EQ(dialer.on_bytes(message("na")).error().code(), Errc::unsupported);
  EXPECT_EQ(dialer.on_bytes(message("/y")).error().code(), Errc::closed);
}

TEST(Multistream, dialer_refuses_what_it_did_not_propose) {
  auto dialer = Negotiator::dialer({"/x", "/y"});
  EXPECT_EQ(dialer.on_bytes(messages({kProtocolId, "/y"})).error().code(), Errc::mismatch);
}

TEST(Multistream, listener_lists_its_protocols_when_it_may) {
  auto listener = Negotiator::listener(&kTwo, &kTwoListed);
  listener.take_output();
  EXPECT_TRUE(listener.on_bytes(messages({kProtocolId, "ls"})));
  const Bytes lines = messages({"/a", "/b"});
  EXPECT_EQ(listener.take_output(), message(as_text(lines)));
  EXPECT_TRUE(listener.on_bytes(message("/b")));
  EXPECT_EQ(listener.protocol(), "/b");
  auto silent = Negotiator::listener(&kTwo);
  silent.take_output();
  EXPECT_TRUE(silent.on_bytes(messages({kProtocolId, "ls"})));
  EXPECT_EQ(silent.take_output(), message("na"));
}

TEST(Multistream, listener_without_a_matcher_refuses_everything) {
  const Matcher none;
  auto listener = Negotiator::listener(&none);
  listener.take_output();
  EXPECT_TRUE(listener.on_bytes(messages({kProtocolId, "/a"})));
  EXPECT_EQ(listener.take_output(), message("na"));
}

TEST(Multistream, listener_bounds_the_number_of_proposals) {
  auto listener = Negotiator::listener(&kTwo, &kTwoListed);
  ASSERT_TRUE(listener.on_bytes(message(kProtocolId)));
  for (std::size_t i = 0; i < kMaxProposals; ++i) ASSERT_TRUE(listener.on_bytes(message(i % 2 == 0 ? "/no" : "ls")));
  EXPECT_EQ(listener.on_bytes(message("/no")).error().code(), Errc::exhausted);
}

TEST(Multistream, accepts_the_largest_message_and_refuses_one_byte_more) {
  const std::string largest(kMaxMessage - 1, 'p');
  const Matcher any = [](std::string_view) { return true; };
  auto listener = Negotiator::listener(&any);
  ASSERT_TRUE(listener.on_bytes(messages({kProtocolId, largest})));
  EXPECT_EQ(listener.protocol(), largest);
  auto strict = Negotiator::listener(&any);
  EXPECT_EQ(strict.on_bytes(messages({kProtocolId, largest + "p"})).error().code(), Errc::too_large);
}

TEST(Multistream, refuses_broken_messages) {
  const struct {
    Bytes bytes;
    Errc code;
  } cases[] = {
      {{0x00}, Errc::malformed},                        // empty message
      {{0x02, '/', 'a'}, Errc::malformed},              // no newline
      {{0x81, 0x00}, Errc::malformed},                  // length not minimal
      {Bytes(10, 0x80), Errc::malformed},               // endless length
      {message("/multistream/2.0.0"), Errc::mismatch},  // another version
      {message("GET / HTTP/1.1"), Errc::mismatch},      // another protocol
  };
  for (const auto& item : cases) {
    for (auto side : {Negotiator::dialer({"/a"}), Negotiator::listener(&kTwo)}) {
      const auto result = side.on_bytes(item.bytes);
      ASSERT_FALSE(result) << to_hex(item.bytes);
      EXPECT_EQ(result.error().code(), item.code) << to_hex(item.bytes);
      EXPECT_FALSE(side.settled());
    }
  }
}

TEST(Multistream, shows_what_the_peer_wrote_as_clean_text) {
  auto dialer = Negotiator::dialer({"/a"});
  const auto refused = dialer.on_bytes(messages({"caf\xe9\x1b[2J"}));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("'caf\xef\xbf\xbd\\u001b[2J'"), std::string::npos) << refused.error().text();
}

TEST(Multistream, knows_whether_a_dialer_has_been_refused) {
  auto listener = Negotiator::listener(&kTwo, &kTwoListed);
  ASSERT_TRUE(listener.on_bytes(messages({kProtocolId})));
  EXPECT_FALSE(listener.has_refused());
  ASSERT_TRUE(listener.on_bytes(messages({"/c"})));
  EXPECT_TRUE(listener.has_refused());
  ASSERT_TRUE(listener.on_bytes(messages({"/a"})));
  EXPECT_FALSE(listener.has_refused());
}

}  // namespace
}  // namespace libp2p::multistream
