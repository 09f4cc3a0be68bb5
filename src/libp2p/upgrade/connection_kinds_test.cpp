// What a connection may speak: several securities and muxers, and channels that do all that the seam allows.
#include "libp2p/upgrade/connection_kinds.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "libp2p/protocols/multistream/negotiator.hpp"
#include "libp2p/upgrade/fake_kinds_test.hpp"
#include "testing/connection_pair.hpp"

namespace libp2p {
namespace {

using ::testing::HasSubstr;
using testing_pair::fake_security;
using testing_pair::FakeChannel;
using testing_pair::FakeSecurity;
using testing_pair::kEcho;
using testing_pair::make_key;
using testing_pair::make_kinds;
using testing_pair::Pair;
using testing_pair::pattern;

using Securities = std::vector<SecurityFactory>;

MuxerKind other_muxer(std::string_view id = "/other/1") {
  MuxerKind kind = yamux::muxer();
  kind.id = id;
  return kind;
}

// The keys are those that Pair makes of its seed.
Pair make_pair(Securities dialers, Securities listeners, std::vector<MuxerKind> muxers_of_dialer = {yamux::muxer()},
               std::vector<MuxerKind> muxers_of_listener = {yamux::muxer()}) {
  ConnectionConfig dialer, listener;
  dialer.kinds =
      make_kinds(make_key(2, crypto::KeyType::secp256k1), 1, std::move(dialers), std::move(muxers_of_dialer));
  listener.kinds = make_kinds(make_key(3), 1, std::move(listeners), std::move(muxers_of_listener));
  return Pair({.dialer = std::move(dialer), .listener = std::move(listener)});
}

void expect_agreed(const Pair& pair, std::string_view security, std::string_view muxer) {
  for (const auto* end : {&pair.dialer, &pair.listener}) {
    EXPECT_TRUE(end->engine->ready()) << (end->failure ? end->failure->message() : "");
    EXPECT_EQ(end->engine->security(), security);
    EXPECT_EQ(end->engine->muxer(), muxer);
  }
  EXPECT_EQ(pair.dialer.engine->remote_peer(), PeerId::from_public_key(pair.listener_key.public_key()));
}

// A stream that works both ways.
void expect_echo(Pair& pair) {
  pair.listener.user.data_hook = [&](StreamId id, ByteView data) {
    pair.listener.engine->send(id, data);
    pair.listener.engine->consume(id, data.size());
  };
  const auto id = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
  pair.dialer.engine->send(id, pattern(1000));
  pair.run();
  EXPECT_TRUE(pair.dialer.user.streams[id].data == pattern(1000));
}

// ---- securities ----

TEST(ConnectionKinds, a_single_security_says_its_first_message_with_its_proposal) {
  FakeSecurity fake;
  Pair pair = make_pair({fake_security("/fake", fake)}, {fake_security("/fake", fake)});
  Bytes flight(1000);
  flight.resize(pair.dialer.engine->poll_transmit(flight, pair.now));
  Bytes proposal;
  multistream::append_message(proposal, multistream::kProtocolId);
  multistream::append_message(proposal, "/fake");
  EXPECT_GT(flight.size(), proposal.size());
  EXPECT_TRUE(std::equal(proposal.begin(), proposal.end(), flight.begin()));
}

// The listener would read a first message behind a proposal that it refuses as multistream-select.
TEST(ConnectionKinds, a_dialer_with_several_securities_waits_for_the_answer_and_goes_on_after_na) {
  FakeSecurity fake;
  Pair pair = make_pair({fake_security("/fake", fake), noise::security()}, {noise::security()});
  Bytes flights;
  pair.tamper_to_listener = [&](Bytes& bytes) {
    if (flights.size() < 40) append(flights, bytes);
  };
  pair.run();
  expect_agreed(pair, "/noise", "/yamux/1.0.0");
  EXPECT_TRUE(fake.channels.empty()) << "nothing was begun that was not agreed";
  Bytes proposals;
  multistream::append_message(proposals, multistream::kProtocolId);
  multistream::append_message(proposals, "/fake");
  multistream::append_message(proposals, "/noise");
  ASSERT_GE(flights.size(), proposals.size());
  flights.resize(proposals.size());
  EXPECT_EQ(as_text(flights), as_text(proposals));
  expect_echo(pair);
}

TEST(ConnectionKinds, the_dialers_first_security_that_the_listener_has_is_spoken) {
  FakeSecurity fake;
  Pair first =
      make_pair({fake_security("/fake", fake), noise::security()}, {noise::security(), fake_security("/fake", fake)});
  first.run();
  expect_agreed(first, "/fake", "/yamux/1.0.0");
  expect_echo(first);
  Pair second =
      make_pair({noise::security(), fake_security("/fake", fake)}, {fake_security("/fake", fake), noise::security()});
  second.run();
  expect_agreed(second, "/noise", "/yamux/1.0.0");
}

TEST(ConnectionKinds, without_a_security_in_common_the_dialer_says_so) {
  FakeSecurity fake;
  for (const bool several : {false, true}) {
    Securities dialers = {fake_security("/fake", fake)};
    if (several) dialers.push_back(fake_security("/second", fake));
    Pair pair = make_pair(std::move(dialers), {noise::security()});
    pair.run();
    ASSERT_TRUE(pair.dialer.failure);
    EXPECT_EQ(pair.dialer.failure->code(), Errc::unsupported);
    EXPECT_THAT(pair.dialer.failure->message(), HasSubstr("negotiating the security protocol"));
    EXPECT_EQ(pair.dialer.user.ready + pair.listener.user.ready, 0);
  }
}

TEST(ConnectionKinds, the_expected_peer_is_asked_of_whichever_security_is_agreed) {
  FakeSecurity fake;
  ConnectionConfig config;
  config.kinds = make_kinds(make_key(2), 1, {fake_security("/no", fake), fake_security("/fake", fake)});
  config.expected_peer = PeerId::from_public_key(make_key(99).public_key());
  ConnectionConfig listener;
  listener.kinds = make_kinds(make_key(3), 1, {fake_security("/fake", fake)});
  Pair pair({.dialer = std::move(config), .listener = std::move(listener)});
  pair.run();
  ASSERT_TRUE(pair.dialer.failure);
  EXPECT_EQ(pair.dialer.failure->code(), Errc::mismatch);
}

TEST(ConnectionKinds, a_channel_that_needs_no_handshake_is_ready_once_it_is_agreed) {
  FakeSecurity of_dialer, of_listener;
  of_dialer.knows = make_key(3).public_key();
  of_listener.knows = make_key(2, crypto::KeyType::secp256k1).public_key();
  Pair pair = make_pair({fake_security("/fake", of_dialer)}, {fake_security("/fake", of_listener)});
  pair.run();
  expect_agreed(pair, "/fake", "/yamux/1.0.0");
  expect_echo(pair);
}

// ---- muxers ----

TEST(ConnectionKinds, several_muxers_are_settled_inside_the_handshake_where_it_can) {
  Pair pair = make_pair({noise::security()}, {noise::security()}, {other_muxer("/no/1"), other_muxer(), yamux::muxer()},
                        {yamux::muxer(), other_muxer()});
  pair.transmit(pair.dialer, pair.listener, {});
  pair.receive(pair.listener);
  pair.transmit(pair.listener, pair.dialer, {});
  pair.receive(pair.dialer);
  EXPECT_TRUE(pair.dialer.engine->ready()) << "after one round trip";
  pair.run();
  expect_agreed(pair, "/noise", "/other/1");
  expect_echo(pair);
}

TEST(ConnectionKinds, several_muxers_are_negotiated_behind_a_handshake_that_settles_none) {
  FakeSecurity fake;
  Pair pair = make_pair({fake_security("/fake", fake)}, {fake_security("/fake", fake)},
                        {other_muxer("/no/1"), other_muxer(), yamux::muxer()}, {yamux::muxer(), other_muxer()});
  pair.run();
  expect_agreed(pair, "/fake", "/other/1");
  expect_echo(pair);
}

TEST(ConnectionKinds, without_a_muxer_in_common_the_dialer_says_so) {
  for (const bool early : {true, false}) {
    FakeSecurity fake;
    const Securities securities = {early ? noise::security() : fake_security("/fake", fake)};
    Pair pair = make_pair(securities, securities, {other_muxer("/a/1"), other_muxer("/b/1")}, {yamux::muxer()});
    pair.run();
    ASSERT_TRUE(pair.dialer.failure);
    EXPECT_EQ(pair.dialer.failure->code(), Errc::unsupported);
    EXPECT_THAT(pair.dialer.failure->message(), HasSubstr("negotiating the muxer"));
    EXPECT_EQ(pair.dialer.user.ready + pair.listener.user.ready, 0);
  }
}

TEST(ConnectionKinds, a_muxer_that_was_not_offered_cannot_be_settled) {
  FakeSecurity fake;
  fake.early_muxer = "/unknown/1";
  Pair pair = make_pair({fake_security("/fake", fake)}, {fake_security("/fake", fake)});
  pair.run();
  for (const auto* end : {&pair.dialer, &pair.listener}) {
    ASSERT_TRUE(end->failure);
    EXPECT_EQ(end->failure->code(), Errc::unsupported);
  }
}

// ---- what a channel says by itself ----

TEST(ConnectionKinds, a_channel_speaks_after_the_handshake_before_anything_else_is_sealed) {
  FakeSecurity fake;
  Pair pair = make_pair({fake_security("/fake", fake)}, {fake_security("/fake", fake)});
  pair.run();
  ASSERT_EQ(fake.channels.size(), 2U);
  ASSERT_FALSE(pair.dialer.engine->wants_transmit());
  for (int i = 0; i < 3; ++i) fake.channels[0]->say(FakeChannel::kOwn, 200);
  EXPECT_TRUE(pair.dialer.engine->wants_transmit());
  const auto id = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
  pair.dialer.engine->send(id, as_bytes("data"));
  Bytes small(ConnectionEngine::kMinTransmit);
  EXPECT_EQ(pair.dialer.engine->poll_transmit(small, pair.now), 0U) << "it does not fit, and nothing overtakes it";
  std::vector<std::uint8_t> kinds;
  pair.tamper_to_listener = [&](Bytes& bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += FakeChannel::kHeader + load_be16(bytes.data() + at + 1)) {
      kinds.push_back(bytes[at]);
    }
  };
  pair.run();
  ASSERT_GE(kinds.size(), 4U);
  kinds.resize(4);
  EXPECT_EQ(kinds,
            (std::vector<std::uint8_t>{FakeChannel::kOwn, FakeChannel::kOwn, FakeChannel::kOwn, FakeChannel::kData}));
  EXPECT_EQ(fake.channels[1]->own_seen, 3);
  EXPECT_EQ(as_text(pair.listener.user.streams[pair.listener.user.last_inbound].data), "data");
}

TEST(ConnectionKinds, a_channel_that_ends_in_order_closes_the_connection_after_what_it_had_carried) {
  FakeSecurity fake;
  Pair pair = make_pair({fake_security("/fake", fake)}, {fake_security("/fake", fake)});
  pair.run();
  const auto id = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
  pair.dialer.engine->send(id, as_bytes("last words"));
  pair.transmit(pair.dialer, pair.listener, {});
  fake.channels[0]->say(FakeChannel::kEnd);
  pair.transmit(pair.dialer, pair.listener, {});
  pair.receive(pair.listener);
  ASSERT_TRUE(pair.listener.failure);
  EXPECT_EQ(pair.listener.failure->code(), Errc::closed);
  const auto& seen = pair.listener.user.streams[pair.listener.user.last_inbound];
  EXPECT_EQ(as_text(seen.data), "last words");
  EXPECT_EQ(seen.resets, 1);
  EXPECT_EQ(seen.error.code(), Errc::closed);
  EXPECT_TRUE(pair.listener.engine->wants_transmit()) << "its own end";
}

TEST(ConnectionKinds, the_end_of_the_channel_follows_the_muxers_good_bye_and_nothing_follows_it) {
  FakeSecurity fake;
  Pair pair = make_pair({fake_security("/fake", fake)}, {fake_security("/fake", fake)});
  pair.run();
  const auto id = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
  pair.run();
  pair.dialer.engine->send(id, pattern(100'000));
  pair.dialer.engine->go_away(CloseCode::shutdown);
  Bytes wire;
  for (int i = 0; pair.dialer.engine->wants_transmit() && i < 1000; ++i) {
    Bytes out(ConnectionEngine::kMinTransmit + 1000);
    out.resize(pair.dialer.engine->poll_transmit(out, pair.now));
    append(wire, out);
  }
  EXPECT_EQ(fake.channels[0]->closes, 1);
  ASSERT_GT(wire.size(), 100'000U);
  EXPECT_EQ(wire[wire.size() - FakeChannel::kHeader], FakeChannel::kEnd);
  pair.dialer.engine->send(id, as_bytes("too late"));
  EXPECT_FALSE(pair.dialer.engine->wants_transmit());
  Bytes out(1000);
  EXPECT_EQ(pair.dialer.engine->poll_transmit(out, pair.now), 0U);
  pair.listener.wire = wire;
  pair.receive(pair.listener);
  ASSERT_TRUE(pair.listener.failure);
  EXPECT_THAT(pair.listener.failure->message(), HasSubstr("shuts down"));
  EXPECT_EQ(pair.listener.user.streams[pair.listener.user.last_inbound].data.size(), 100'000U);
}

TEST(ConnectionKinds, a_channel_without_an_end_is_told_once_and_the_muxer_goes_on) {
  FakeSecurity fake;
  fake.has_end = false;
  Pair pair = make_pair({fake_security("/fake", fake)}, {fake_security("/fake", fake)});
  pair.run();
  const auto id = pair.dialer.engine->open_stream({kEcho}, pair.now).value();
  pair.dialer.engine->go_away();
  Bytes out(1000);
  EXPECT_GT(pair.dialer.engine->poll_transmit(out, pair.now), 0U);
  EXPECT_FALSE(pair.dialer.engine->wants_transmit());
  pair.dialer.engine->send(id, as_bytes("more"));
  EXPECT_GT(pair.dialer.engine->poll_transmit(out, pair.now), 0U);
  EXPECT_EQ(fake.channels[0]->closes, 1);
}

TEST(ConnectionKinds, an_aborted_connection_says_nothing_more) {
  FakeSecurity fake;
  Pair pair = make_pair({fake_security("/fake", fake)}, {fake_security("/fake", fake)});
  pair.run();
  fake.channels[0]->say(FakeChannel::kOwn);
  pair.dialer.engine->abort(Error(Errc::io, "the socket is gone"));
  EXPECT_FALSE(pair.dialer.engine->wants_transmit());
  Bytes out(1000);
  EXPECT_EQ(pair.dialer.engine->poll_transmit(out, pair.now), 0U);
  EXPECT_EQ(pair.dialer.engine->security(), "/fake");
}

TEST(ConnectionKinds, a_handshake_that_fails_may_say_why) {
  FakeSecurity fake, refusing;
  refusing.refuses = true;
  Pair pair = make_pair({fake_security("/fake", fake)}, {fake_security("/fake", refusing)});
  pair.transmit(pair.dialer, pair.listener, {});
  pair.receive(pair.listener);
  ASSERT_TRUE(pair.listener.failure);
  EXPECT_EQ(pair.listener.failure->code(), Errc::denied);
  ASSERT_TRUE(pair.listener.engine->wants_transmit());
  Bytes out(1000);
  out.resize(pair.listener.engine->poll_transmit(out, pair.now));
  EXPECT_EQ(out.back(), FakeChannel::kAlert);
}

// ---- bounds ----

TEST(ConnectionKinds, a_security_that_needs_more_input_than_drivers_have_is_refused) {
  FakeSecurity fake;
  fake.max_unread = ConnectionEngine::kInput;
  Pair pair = make_pair({fake_security("/fake", fake)}, {noise::security()});
  EXPECT_TRUE(pair.dialer.engine->failed());
  Bytes in(1);
  const auto taken = pair.dialer.engine->on_bytes(in, pair.now);
  EXPECT_EQ(taken.error().code(), Errc::invalid_argument);
  EXPECT_THAT(taken.error().message(), HasSubstr("/fake needs 262144 bytes"));
}

TEST(ConnectionKinds, a_security_that_needs_more_around_a_message_than_fits_beside_the_least_frame_is_refused) {
  for (const std::size_t overhead : {ConnectionEngine::kMinTransmit - kLeastMuxerRoom, std::size_t{49}}) {
    FakeSecurity fake;
    fake.overhead = overhead;
    Pair pair = make_pair({fake_security("/fake", fake)}, {noise::security()});
    EXPECT_EQ(pair.dialer.engine->failed(), overhead == 49);
  }
}

TEST(ConnectionKinds, a_message_that_never_is_whole_ends_the_connection) {
  FakeSecurity fake, still;
  still.stands_still = true;
  Pair pair = make_pair({fake_security("/fake", fake)}, {fake_security("/fake", still)});
  pair.run();
  ASSERT_FALSE(pair.listener.failure);
  Bytes in(still.max_unread);
  EXPECT_EQ(pair.listener.engine->on_bytes(in, pair.now).value(), 0U);
  in.push_back(0);
  EXPECT_EQ(pair.listener.engine->on_bytes(in, pair.now).error().code(), Errc::too_large);
}

TEST(ConnectionKinds, a_kind_that_makes_nothing_ends_the_connection_and_says_so) {
  const SecurityFactory empty{"/empty", [](const crypto::PrivateKey&, Rng&) -> Result<SecurityKind> {
                                return SecurityKind{"/empty",
                                                    [](auto&&...) { return std::unique_ptr<SecureChannel>(); }};
                              }};
  Pair without_channel = make_pair({empty}, {noise::security()});
  Bytes in(1);
  const auto taken = without_channel.dialer.engine->on_bytes(in, without_channel.now);
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message(), HasSubstr("SecurityKind::begin of /empty gives none"));

  MuxerKind nothing = other_muxer();
  nothing.make = [](auto&&...) { return std::unique_ptr<Muxer>(); };
  FakeSecurity early, late;
  early.early_muxer = "/other/1";
  for (FakeSecurity* fake : {&early, &late}) {
    Pair pair = make_pair({fake_security("/fake", *fake)}, {fake_security("/fake", *fake)}, {nothing}, {nothing});
    pair.run();
    ASSERT_TRUE(pair.listener.failure);
    EXPECT_THAT(pair.listener.failure->message(), HasSubstr("MuxerKind::make of /other/1 gives none"));
    EXPECT_FALSE(pair.listener.engine->ready());
  }
}

// ---- how they are made ----

TEST(ConnectionKinds, says_what_is_wrong_with_a_list) {
  SeededRng rng(1);
  const auto key = make_key(1);
  const auto made = [&](const Securities& securities, std::vector<MuxerKind> muxers) {
    const auto kinds = ConnectionKinds::make(securities, std::move(muxers), key, rng);
    EXPECT_TRUE(kinds || kinds.error() == Errc::invalid_argument);
    return kinds ? std::string() : kinds.error().text();
  };
  EXPECT_EQ(made({noise::security()}, {yamux::muxer(), other_muxer()}), "");
  EXPECT_EQ(made({}, {yamux::muxer()}), "a host needs a security protocol, and none is given");
  EXPECT_EQ(made({noise::security()}, {}), "a host needs a multiplexer, and none is given");
  EXPECT_EQ(made({noise::security(), noise::security()}, {yamux::muxer()}),
            "the security protocol /noise is given twice");
  EXPECT_EQ(made({noise::security()}, {yamux::muxer(), yamux::muxer()}), "the multiplexer /yamux/1.0.0 is given twice");
  EXPECT_EQ(made({noise::security()}, {other_muxer("/a\nb")}), "'/a\nb' cannot be offered as a multiplexer");
  EXPECT_EQ(made({noise::security()}, {other_muxer("")}), "'' cannot be offered as a multiplexer");
  EXPECT_EQ(made({SecurityFactory{"/empty", nullptr}}, {yamux::muxer()}),
            "'/empty' cannot be offered as a security protocol");
  const auto makes_nothing = [](const crypto::PrivateKey&, Rng&) {
    return Result<SecurityKind>(SecurityKind{"/nothing", nullptr});
  };
  EXPECT_EQ(made({SecurityFactory{"/nothing", makes_nothing}}, {yamux::muxer()}),
            "the security protocol /nothing has no function to begin with");
  EXPECT_EQ(made({noise::security()}, std::vector<MuxerKind>(17, yamux::muxer())),
            "17 multiplexers are given, at most 16 can be offered");
}

TEST(ConnectionKinds, makes_each_security_once_and_names_the_one_that_cannot_be_made) {
  SeededRng rng(1);
  int made = 0;
  const auto failing = [&made](const crypto::PrivateKey&, Rng&) -> Result<SecurityKind> {
    ++made;
    return fail(Errc::unsupported, "no such key");
  };
  const auto kinds = ConnectionKinds::make({noise::security(), SecurityFactory{"/picky", failing}}, {yamux::muxer()},
                                           make_key(1), rng);
  EXPECT_EQ(made, 1);
  ASSERT_FALSE(kinds);
  EXPECT_EQ(kinds.error().code(), Errc::unsupported);
  EXPECT_THAT(kinds.error().message(), HasSubstr("/picky"));
}

TEST(ConnectionKinds, a_security_goes_by_the_id_of_its_factory) {
  SecurityFactory renamed = noise::security();
  renamed.id = "/other";
  const auto kinds = make_kinds(make_key(1), 1, {noise::security(), renamed});
  EXPECT_EQ(kinds->security_ids(), (std::vector<std::string>{"/noise", "/other"}));
  EXPECT_EQ(kinds->find_security("/other"), &kinds->securities[1]);
  EXPECT_EQ(kinds->find_muxer("/other"), nullptr);
}

// Randomness that counts what is drawn from it.
class CountingRng final : public Rng {
 public:
  void fill(MutableBytes out) override {
    drawn += out.size();
    rng_.fill(out);
  }
  std::size_t drawn = 0;

 private:
  SeededRng rng_{7};
};

TEST(ConnectionKinds, the_channels_of_a_noise_kind_share_one_static_key) {
  CountingRng rng;
  const auto kind = noise::security().make(make_key(3), rng).value();
  EXPECT_EQ(rng.drawn, 32U) << "the static key";
  const auto dialing = noise::security().make(make_key(4), rng).value();
  for (int i = 0; i < 2; ++i) {
    rng.drawn = 0;
    const auto listener = kind.begin({Role::listener, std::nullopt, {}, {}}, rng).value();
    EXPECT_EQ(rng.drawn, 32U) << "an ephemeral key, and no static one";
    const auto dialer = dialing.begin({Role::dialer, std::nullopt, {}, {}}, rng).value();
    ASSERT_TRUE(listener->on_handshake(dialer->take_handshake_output()));
    ASSERT_TRUE(dialer->on_handshake(listener->take_handshake_output()));
    EXPECT_EQ(dialer->remote_key(), make_key(3).public_key());
  }
}

}  // namespace
}  // namespace libp2p
