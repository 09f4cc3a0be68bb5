#include <algorithm>
#include <utility>

#include "libp2p/testing/secure_channel_suite_cases.hpp"

namespace libp2p::channel_cases {

void sizes(Case& test) {
  ChannelPair pair = test.pair();
  if (!pair.connect()) return;
  for (ChannelEnd* from : {&pair.dialer, &pair.listener}) {
    ChannelEnd& to = pair.other(*from);
    const std::size_t most = from->channel->max_plain();
    test.findings.expect(most >= 1024, "max_plain of at least 1 KiB", std::to_string(most));
    Bytes all;
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{2}, std::size_t{17}, std::size_t{1000}, most - 1, most}) {
      const Bytes message = suite_pattern(size, size);
      pair.send(*from, message);
      append(all, message);
    }
    pair.receive(to);
    test.findings.expect(!to.failure, "messages of every size to open", to.failure ? to.failure->message() : "");
    test.findings.expect_bytes(all, to.plain, "messages of every size");
    Bytes above(most + 1 + from->channel->overhead());
    test.findings.expect(!from->channel->seal(above, most + 1), "seal() to refuse more than max_plain");
  }
}

void hidden(Case& test) {
  if (!test.options.protects) return;
  ChannelPair pair = test.pair();
  if (!pair.connect()) return;
  const Bytes secret = suite_pattern(64, test.options.seed);
  const Bytes first = pair.seal(pair.dialer, secret);
  const Bytes second = pair.seal(pair.dialer, secret);
  for (const Bytes& sealed : {first, second}) {
    const auto part = ByteView(secret).first(8);
    test.findings.expect(std::search(sealed.begin(), sealed.end(), part.begin(), part.end()) == sealed.end(),
                         "no plain text on the wire");
  }
  test.findings.expect(!equal(first, second), "the same message twice to look different");
}

void changed_message(Case& test) {
  if (!test.options.protects) return;
  const Bytes message = suite_pattern(40, test.options.seed);
  for (std::size_t flipped = 0, size = 1; flipped < size; ++flipped) {
    ChannelPair pair = test.pair();
    if (!pair.connect()) return;
    pair.listener.wire = pair.seal(pair.dialer, message);
    size = pair.listener.wire.size();
    pair.listener.wire[flipped] ^= static_cast<std::uint8_t>(1U << test.rng.below(8));
    pair.receive(pair.listener);
    // It may have become the beginning of a longer one, so there is more behind it.
    const Bytes more = suite_pattern(pair.dialer.channel->max_plain() / 2, 1);
    for (int i = 0; i < 4 && !pair.listener.failure; ++i) {
      pair.send(pair.dialer, more);
      pair.receive(pair.listener);
    }
    const std::string what = "a message with byte " + std::to_string(flipped) + " changed";
    test.findings.expect(pair.listener.failure.has_value(), what + " to end the channel");
    test.findings.expect(pair.listener.plain.empty(), what + " to give nothing",
                         std::to_string(pair.listener.plain.size()) + " bytes");
    if (test.findings.failed()) return;
  }
}

void order(Case& test) {
  if (!test.options.protects) return;
  struct Row {
    std::string_view what;
    std::vector<int> delivered;
    std::string_view read;
  };
  const Row rows[] = {{"a message that comes twice", {0, 0}, "A"},
                      {"a message that is left out", {0, 2}, "A"},
                      {"messages that change places", {1, 0}, ""},
                      {"a message of the reader's own", {0, 3}, "A"}};
  for (const Row& row : rows) {
    ChannelPair pair = test.pair();
    if (!pair.connect()) return;
    pair.flush(pair.dialer);
    pair.receive(pair.listener);
    const Bytes messages[] = {pair.seal(pair.dialer, as_bytes("A")), pair.seal(pair.dialer, as_bytes("B")),
                              pair.seal(pair.dialer, as_bytes("C")), pair.seal(pair.listener, as_bytes("D"))};
    for (const int i : row.delivered) append(pair.listener.wire, messages[i]);
    pair.receive(pair.listener);
    test.findings.expect(pair.listener.failure.has_value(), std::string(row.what) + " to end the channel");
    test.findings.expect_bytes(as_bytes(row.read), pair.listener.plain, "what is read before " + std::string(row.what));
  }
}

void connections_of_one_kind(Case& test) {
  ChannelPair one = test.pair();
  ChannelPair two = test.pair();
  // Their handshakes side by side.
  if (!one.dialer.channel || !two.dialer.channel) return;
  one.take_output(one.dialer);
  if (!two.connect() || !one.connect()) return;
  for (ChannelPair* pair : {&one, &two}) {
    pair->send(pair->dialer, as_bytes("hello"));
    pair->receive(pair->listener);
    test.findings.expect_bytes(as_bytes("hello"), pair->listener.plain, "what two connections of one kind carry");
  }
  if (!test.options.protects) return;
  const Bytes stray = one.seal(one.dialer, as_bytes("stray"));
  append(two.listener.wire, stray);
  two.receive(two.listener);
  test.findings.expect(two.listener.failure.has_value(), "a message of another connection to end the channel");
}

void output_at_any_time(Case& test) {
  ChannelPair pair = test.pair();
  if (!pair.connect()) return;
  Bytes sent[2];
  for (std::size_t i = 0; i < 200; ++i) {
    const std::size_t which = test.rng.below(2);
    ChannelEnd& from = which == 0 ? pair.dialer : pair.listener;
    const Bytes message = suite_pattern(1 + test.rng.below(3000), i);
    pair.send(from, message);  // asks for the channel's own output before each
    append(sent[which], message);
    if (test.rng.below(3) == 0) pair.receive(test.rng.below(2) == 0 ? pair.dialer : pair.listener);
  }
  for (ChannelEnd* end : {&pair.dialer, &pair.listener}) pair.flush(*end);
  for (ChannelEnd* end : {&pair.dialer, &pair.listener}) {
    pair.receive(*end);
    test.findings.expect(!end->failure, "the channel to live", end->failure ? end->failure->message() : "");
    test.findings.expect_bytes(sent[end == &pair.listener ? 0 : 1], end->plain, "messages between the channel's own");
    test.findings.expect(!end->ended, "no end that nobody has asked for");
  }
}

void the_end(Case& test) {
  ChannelPair pair = test.pair();
  if (!pair.connect()) return;
  pair.send(pair.dialer, as_bytes("last words"));
  pair.dialer.channel->close();
  pair.flush(pair.dialer);
  pair.receive(pair.listener);
  test.findings.expect(!pair.listener.failure, "an end in order to be no error",
                       pair.listener.failure ? pair.listener.failure->message() : "");
  test.findings.expect_bytes(as_bytes("last words"), pair.listener.plain, "what was sent before the end");
  test.findings.expect_equal(test.options.says_end, pair.listener.ended, "whether the peer is told the end");
  // The other way is open still.
  pair.send(pair.listener, as_bytes("answer"));
  pair.receive(pair.dialer);
  test.findings.expect_bytes(as_bytes("answer"), pair.dialer.plain, "what comes to who has closed");
}

void garbage_for_messages(Case& test) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    ChannelPair pair = test.pair();
    if (!pair.connect()) return;
    pair.listener.wire = suite_pattern(pair.listener.channel->max_unread() + 1, seed + 50);
    if (seed == 0) pair.listener.wire.assign(pair.listener.wire.size(), 0x00);
    if (seed == 1) pair.listener.wire.assign(pair.listener.wire.size(), 0xff);
    pair.receive(pair.listener);  // holds the channel to its max_unread
    if (test.options.protects) {
      test.findings.expect(pair.listener.failure.has_value(), "bytes that nobody sealed to end the channel");
      test.findings.expect(pair.listener.plain.empty(), "no plain text to come of bytes that nobody sealed");
    }
    if (test.findings.failed()) return;
  }
}

}  // namespace libp2p::channel_cases
