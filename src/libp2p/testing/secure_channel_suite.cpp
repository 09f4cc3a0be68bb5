#include "libp2p/testing/secure_channel_suite.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/testing/secure_channel_suite_cases.hpp"

namespace libp2p {
namespace channel_cases {

Case::Case(const SecurityFactory& made_by, const SecureChannelSuiteOptions& given, Findings& to)
    : factory(made_by),
      options(given),
      findings(to),
      rng(given.seed),
      dialer_key(crypto::PrivateKey::generate(crypto::KeyType::secp256k1, rng).value()),
      listener_key(crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng).value()) {
  for (const bool dials : {true, false}) {
    auto kind = factory.make(dials ? dialer_key : listener_key, rng);
    if (findings.expect(kind.has_value(), "a kind for an identity", kind ? "" : kind.error().message()))
      (dials ? dialer : listener) = std::move(*kind);
  }
}

void handshake(Case& test) {
  for (const bool swapped : {false, true}) {
    const auto& first = swapped ? test.listener : test.dialer;
    const auto& second = swapped ? test.dialer : test.listener;
    ChannelPair pair(*first, *second, test.findings, test.rng);
    if (!pair.connect()) return;
    const auto& dialer_key = swapped ? test.listener_key : test.dialer_key;
    const auto& listener_key = swapped ? test.dialer_key : test.listener_key;
    test.findings.expect(pair.dialer.channel->remote_key() == listener_key.public_key(),
                         "the dialer to know the listener's key");
    test.findings.expect(pair.listener.channel->remote_key() == dialer_key.public_key(),
                         "the listener to know the dialer's key");
    for (ChannelEnd* end : {&pair.dialer, &pair.listener}) {
      test.findings.expect(end->channel->protocol() == test.factory.id, "the protocol " + std::string(test.factory.id),
                           end->channel->protocol());
      test.findings.expect(end->wire.empty(), "nothing that is left of the handshake");
    }
    pair.send(pair.dialer, as_bytes("from the dialer"));
    pair.send(pair.listener, as_bytes("from the listener"));
    pair.receive(pair.listener);
    pair.receive(pair.dialer);
    test.findings.expect_bytes(as_bytes("from the dialer"), pair.listener.plain, "what the listener reads");
    test.findings.expect_bytes(as_bytes("from the listener"), pair.dialer.plain, "what the dialer reads");
  }
}

void every_split(Case& test) {
  // Each message byte by byte, so that every part of it is seen once as all that there is.
  ChannelPair slow = test.pair();
  if (!test.findings.expect(slow.shake([](std::size_t) { return std::size_t{1}; }),
                            "a handshake that comes byte by byte"))
    return;
  const Bytes all = suite_pattern(1500, test.options.seed);
  for (ChannelEnd* from : {&slow.dialer, &slow.listener}) {
    ChannelEnd& to = slow.other(*from);
    slow.send(*from, ByteView(all).first(1000));
    slow.send(*from, ByteView(all).subspan(1000));
    const Bytes wire = std::exchange(to.wire, {});
    for (const std::uint8_t byte : wire) {
      to.wire.push_back(byte);
      slow.receive(to);
    }
    test.findings.expect(!to.failure, "messages that come byte by byte to open",
                         to.failure ? to.failure->message() : "");
    test.findings.expect_bytes(all, to.plain, "what comes byte by byte");
  }
  for (int i = 0; i < 20; ++i) {
    ChannelPair pair = test.pair();
    const bool both = pair.shake([&](std::size_t waiting) { return waiting == 0 ? 0 : 1 + test.rng.below(waiting); });
    if (!test.findings.expect(both, "a handshake that is cut anywhere")) return;
  }
}

void data_behind_the_handshake(Case& test) {
  ChannelPair pair = test.pair();
  if (!pair.dialer.channel || !pair.listener.channel) return;
  std::vector<ChannelEnd*> said;
  for (int i = 0; i < 20; ++i) {
    for (ChannelEnd* end : {&pair.dialer, &pair.listener}) {
      if (!end->channel->established()) pair.read_handshake(*end);
      pair.take_output(*end);
      if (!end->established() || std::find(said.begin(), said.end(), end) != said.end()) continue;
      pair.send(*end, as_bytes("at once"));  // the peer may not be there yet: it comes with the last message
      said.push_back(end);
    }
  }
  if (!test.findings.expect(pair.dialer.established() && pair.listener.established(),
                            "both ends to be established with data behind it"))
    return;
  for (ChannelEnd* end : {&pair.dialer, &pair.listener}) {
    pair.receive(*end);
    test.findings.expect_bytes(as_bytes("at once"), end->plain, "what came behind the last handshake message");
  }
}

void wrong_peer(Case& test) {
  const PeerId right = PeerId::from_public_key(test.listener_key.public_key());
  const PeerId wrong = PeerId::from_public_key(test.dialer_key.public_key());
  ChannelPairOptions options;
  options.expected = right;
  ChannelPair good = test.pair(options);
  good.connect();
  options.expected = wrong;
  ChannelPair bad = test.pair(options);
  bad.shake();
  test.findings.expect_error(Errc::mismatch, bad.dialer.failure,
                             "what a dialer gets that reaches another peer than it wants");
  test.findings.expect(!bad.dialer.established(), "no channel to another peer than the one that is wanted");
}

void early_muxers(Case& test) {
  struct Row {
    std::vector<std::string> dialer, listener;
    std::string settled;
  };
  const Row rows[] = {
      {{"/a", "/b"}, {"/b", "/a"}, "/a"}, {{"/b", "/c"}, {"/a", "/c"}, "/c"}, {{"/a"}, {"/b"}, ""}, {{}, {"/a"}, ""}};
  for (const Row& row : rows) {
    ChannelPair pair = test.pair({std::nullopt, row.dialer, row.listener});
    if (!pair.connect()) return;
    const std::string expected = test.options.settles_muxer ? row.settled : "";
    for (const ChannelEnd* end : {&pair.dialer, &pair.listener})
      test.findings.expect_equal(expected, end->channel->early_muxer(), "the muxer that the handshake settles");
  }
}

void changed_handshake(Case& test) {
  if (!test.options.protects) return;
  // How many bytes each end says, and then each of them flipped in a handshake of its own.
  for (const bool dials : {true, false}) {
    std::size_t flipped = 0;
    for (bool more = true; more; ++flipped) {
      ChannelPair pair = test.pair();
      if (!pair.dialer.channel || !pair.listener.channel) return;
      ChannelEnd& victim = dials ? pair.listener : pair.dialer;
      std::size_t seen = 0;
      more = false;
      for (int i = 0; i < 20; ++i) {
        for (ChannelEnd* end : {&pair.dialer, &pair.listener}) {
          pair.take_output(*end);
          ChannelEnd& to = pair.other(*end);
          if (&to == &victim && !more && flipped >= seen && flipped < seen + to.wire.size()) {
            to.wire[flipped - seen] ^= static_cast<std::uint8_t>(1U << test.rng.below(8));
            more = true;
          }
          const std::size_t taken = pair.read_handshake(to);
          if (&to == &victim) seen += taken > 0 ? taken : to.wire.size();
          if (&to == &victim && taken == 0) to.wire.clear();
        }
      }
      const auto& ignored = test.options.ignored_handshake_bytes;
      const bool counts = std::find(ignored.begin(), ignored.end(), flipped) == ignored.end();
      if (more && counts && pair.dialer.established() && pair.listener.established()) {
        // Whoever goes on must not be able to: the two have not seen the same handshake.
        pair.send(pair.dialer, as_bytes("x"));
        pair.receive(pair.listener);
        test.findings.expect(pair.listener.plain.empty(),
                             "a handshake with byte " + std::to_string(flipped) + " changed to be seen");
      }
    }
    test.findings.expect(flipped > 32, "more than 32 bytes of a handshake", std::to_string(flipped));
    if (test.findings.failed()) return;
  }
}

void garbage_for_a_handshake(Case& test) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    for (const bool dials : {true, false}) {
      ChannelPair pair = test.pair();
      if (!pair.dialer.channel || !pair.listener.channel) return;
      ChannelEnd& victim = dials ? pair.dialer : pair.listener;
      pair.take_output(victim);
      victim.wire = suite_pattern(victim.channel->max_unread() + 1, seed + 10);
      if (seed == 0) victim.wire.assign(victim.wire.size(), 0x00);
      if (seed == 1) victim.wire.assign(victim.wire.size(), 0xff);
      // Byte by byte at first, then all: read_handshake holds the channel to its max_unread.
      for (std::size_t most = 1; most < 64 && !victim.failure; ++most) pair.read_handshake(victim, most);
      for (int i = 0; i < 100 && !victim.failure && pair.read_handshake(victim) > 0; ++i) {
      }
      test.findings.expect(!victim.established(), "no channel to come of bytes that nobody made");
      if (test.findings.failed()) return;
    }
  }
}

}  // namespace channel_cases

namespace {

struct ChannelCase {
  std::string_view name;
  void (*run)(channel_cases::Case&);
};

constexpr ChannelCase kChannelCases[] = {
    {"handshake", channel_cases::handshake},
    {"every_split", channel_cases::every_split},
    {"data_behind_the_handshake", channel_cases::data_behind_the_handshake},
    {"wrong_peer", channel_cases::wrong_peer},
    {"early_muxers", channel_cases::early_muxers},
    {"changed_handshake", channel_cases::changed_handshake},
    {"garbage_for_a_handshake", channel_cases::garbage_for_a_handshake},
    {"sizes", channel_cases::sizes},
    {"hidden", channel_cases::hidden},
    {"changed_message", channel_cases::changed_message},
    {"order", channel_cases::order},
    {"connections_of_one_kind", channel_cases::connections_of_one_kind},
    {"output_at_any_time", channel_cases::output_at_any_time},
    {"the_end", channel_cases::the_end},
    {"garbage_for_messages", channel_cases::garbage_for_messages},
};

}  // namespace

std::vector<std::string> secure_channel_suite_cases() {
  std::vector<std::string> names;
  for (const auto& entry : kChannelCases) names.emplace_back(entry.name);
  return names;
}

Failures run_secure_channel_case(std::string_view name, const SecurityFactory& factory,
                                 const SecureChannelSuiteOptions& options) {
  for (const auto& entry : kChannelCases) {
    if (entry.name != name) continue;
    Findings findings(std::string(factory.id) + " " + std::string(name));
    channel_cases::Case test(factory, options, findings);
    if (test.whole()) entry.run(test);
    return findings.take();
  }
  return unknown_case(name);
}

Failures run_secure_channel_suite(const SecurityFactory& factory, const SecureChannelSuiteOptions& options) {
  Failures all;
  for (const auto& entry : kChannelCases)
    for (auto& failure : run_secure_channel_case(entry.name, factory, options)) all.push_back(std::move(failure));
  return all;
}

}  // namespace libp2p
