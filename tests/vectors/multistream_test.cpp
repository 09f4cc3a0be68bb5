// libp2p/multistream.json: what a listener answers to a dialer's bytes, and what a dialer makes of a listener's.
#include <gtest/gtest.h>

#include <algorithm>

#include "libp2p/protocols/multistream/negotiator.hpp"
#include "testing/vectors.hpp"

namespace multistream_vectors {
namespace {

using namespace testing_vectors;
using libp2p::Bytes;
using libp2p::ByteView;
using libp2p::multistream::Lister;
using libp2p::multistream::Matcher;
using libp2p::multistream::Negotiator;

struct Answer {
  Bytes bytes;
  std::string selected;  // empty: nothing was agreed
  bool failed = false;
  std::size_t taken = 0;
};

Answer feed(Negotiator side, ByteView in, std::size_t step) {
  Answer answer{side.take_output(), {}, false, 0};
  for (std::size_t at = 0; at < in.size() && !side.settled(); at += step) {
    const auto part = in.subspan(at, std::min(step, in.size() - at));
    const auto taken = side.on_bytes(part);
    libp2p::append(answer.bytes, side.take_output());
    answer.failed = !taken;
    if (!taken) break;
    answer.taken += *taken;
  }
  if (side.settled()) answer.selected = side.protocol();
  return answer;
}

// The dialer's proposals as its bytes show them.
std::vector<std::string> proposals(const json::object& item) {
  std::vector<std::string> out;
  Bytes all = bytes(item, "dialer_bytes");
  std::size_t at = 0;
  while (at < all.size() && all[at] < 0x80 && all[at] > 0 && at + 1 + all[at] <= all.size()) {
    out.emplace_back(reinterpret_cast<const char*>(all.data()) + at + 1, all[at] - 1U);
    at += 1U + all[at];
  }
  if (!out.empty()) out.erase(out.begin());
  return out;
}

void check_listener(const json::object& item) {
  const auto supported = texts(item, "listener_supports");
  const Matcher accepts = [&](std::string_view protocol) {
    return std::find(supported.begin(), supported.end(), protocol) != supported.end();
  };
  const auto in = bytes(item, "dialer_bytes");
  const auto expected = text(item, "listener_selected");
  const bool agrees = expected.rfind("error:", 0) != 0;
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, in.size()}) {
    const auto answer = feed(Negotiator::listener(&accepts), in, step);
    EXPECT_EQ(libp2p::to_hex(answer.bytes), libp2p::to_hex(bytes(item, "listener_bytes")));
    EXPECT_EQ(answer.selected, agrees ? expected : "");
    // Broken input is an error; input that only ends is waited for.
    const bool only_ends = expected.find("EOF") != std::string::npos || expected.find("closed") != std::string::npos;
    EXPECT_EQ(answer.failed, !agrees && !only_ends) << expected;
  }
}

void check_dialer(const json::object& item) {
  const bool agrees = has(item, "dialer_selected");
  if (!agrees && text(item, "dialer_error") == "raw input") return;  // bytes that no dialer of ours sends
  const auto own = proposals(item);
  const auto in = bytes(item, "listener_bytes");
  for (const std::size_t step : {std::size_t{1}, in.size()}) {
    const auto answer = feed(Negotiator::dialer(own), in, step);
    EXPECT_EQ(answer.failed, !agrees);
    if (!agrees) continue;
    EXPECT_EQ(answer.selected, text(item, "dialer_selected"));
    // What the dialer sent is how the recorded bytes begin; behind it may come the first data.
    const auto sent = bytes(item, "dialer_bytes");
    ASSERT_LE(answer.bytes.size(), sent.size());
    EXPECT_TRUE(std::equal(answer.bytes.begin(), answer.bytes.end(), sent.begin()));
  }
}

TEST(MultistreamVectors, cases) {
  expect_known_root_keys("libp2p/multistream", {"cases"});
  for_each_case("libp2p/multistream", "cases",
                {"about", "name", "source", "kind", "dialer_bytes", "dialer_selected", "dialer_error", "listener_bytes",
                 "listener_selected", "listener_supports", "writes"},
                [](const json::object& item, const std::string&) {
                  SCOPED_TRACE(text(item, "name"));
                  check_listener(item);
                  check_dialer(item);
                });
}

}  // namespace
}  // namespace multistream_vectors
