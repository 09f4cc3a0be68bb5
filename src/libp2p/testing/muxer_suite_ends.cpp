#include <algorithm>

#include "libp2p/testing/muxer_suite_cases.hpp"

namespace libp2p::muxer_cases {
namespace {

// Streams of both ends in the middle of their bytes.
void make_busy(MuxerPair& pair, std::size_t streams, std::size_t bytes) {
  for (std::size_t i = 0; i < streams; ++i) {
    MuxerEnd& end = i % 2 == 0 ? pair.dialer : pair.listener;
    const auto id = end.open(pair.now);
    if (!pair.findings.expect(id.has_value(), "open() to give a stream")) return;
    end.write(*id, suite_pattern(bytes, i));
  }
}

// What a muxer is after its end: every stream was told once, and nothing goes on.
void expect_ended(MuxerPair& pair, MuxerEnd& end, std::string_view what) {
  const std::string after = " after " + std::string(what);
  for (const auto& [id, seen] : end.streams)
    pair.findings.expect(seen.over(), "stream " + std::to_string(id) + " to be told of its end" + after);
  pair.findings.expect_equal(std::size_t{0}, end.muxer().stream_count(), "streams that are left" + after);
  pair.findings.expect_error(Errc::closed, end.muxer().open(pair.now), "open()" + after);
}

}  // namespace

void abrupt_loss(Case test) {
  MuxerPair pair(test.kind, test.findings, test.options.seed);
  make_busy(pair, 20, 100'000);
  pair.run_until([&] { return pair.listener.received() > 200'000; });
  for (MuxerEnd* end : {&pair.dialer, &pair.listener}) {
    std::size_t alive = 0;
    for (const auto& [id, seen] : end->streams) alive += seen.over() ? 0 : 1;
    test.findings.expect(alive >= 10, "streams that are alive when the connection is lost", std::to_string(alive));
    end->inside = true;
    end->muxer().abort(Error(Errc::reset, "the wire was cut"));
    end->inside = false;
    expect_ended(pair, *end, "abort()");
    for (const auto& [id, seen] : end->streams) {
      test.findings.expect_equal(1, seen.resets, "on_reset of a stream whose connection is lost");
      test.findings.expect_error(Errc::reset, seen.error, "the reason of a stream whose connection is lost");
    }
    test.findings.expect(!end->muxer().wants_output(), "nothing to send after abort()");
    Bytes out(1024);
    test.findings.expect_equal(std::size_t{0}, end->muxer().poll_output(out, pair.now), "bytes to send after abort()");
  }
}

void go_away(Case test) {
  MuxerPair pair(test.kind, test.findings, test.options.seed);
  const auto id = pair.dialer.open(pair.now);
  if (!test.findings.expect(id.has_value(), "open() to give a stream")) return;
  const Bytes all = suite_pattern(100'000, test.options.seed);
  pair.dialer.write(*id, all, true);
  pair.dialer.muxer().go_away(CloseCode::shutdown);
  pair.dialer.muxer().go_away(CloseCode::normal);  // the first counts; a second says nothing new
  test.findings.expect_error(Errc::closed, pair.dialer.muxer().open(pair.now), "open() after go_away");
  pair.run();
  if (!test.findings.expect_equal(std::size_t{1}, pair.listener.inbound.size(), "streams that came in")) return;
  const auto& seen = pair.listener.at(pair.listener.inbound.front());
  test.findings.expect_bytes(all, seen.data, "what was queued before go_away");
  test.findings.expect(seen.they_ended, "the end that was asked for before go_away");
  if (test.options.says_good_bye) {
    test.findings.expect_error(Errc::closed, pair.listener.failure, "what on_bytes answers to a good-bye");
    expect_ended(pair, pair.listener, "the peer's good-bye");
  } else {
    // Without a word for it the peer goes on, and what it opens is refused.
    const auto refused = pair.listener.open(pair.now);
    if (!test.findings.expect(refused.has_value(), "open() of a peer that cannot know")) return;
    pair.listener.write(*refused, as_bytes("?"));
    pair.run();
    test.findings.expect_equal(1, pair.listener.at(*refused).resets, "on_reset of a stream that comes after go_away");
    test.findings.expect(pair.dialer.inbound.empty(), "no stream to come in after go_away");
  }
}

void garbage(Case test) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    MuxerPair pair(test.kind, test.findings, test.options.seed);
    make_busy(pair, 4, 1000);
    pair.run();
    Bytes noise = suite_pattern(64 * 1024, seed + 100);
    if (seed == 0) noise.assign(noise.size(), 0x00);
    if (seed == 1) noise.assign(noise.size(), 0xff);
    append(pair.listener.wire, noise);
    pair.listener.consume_all();
    for (int i = 0; i < 2000 && !pair.listener.failure && !pair.listener.wire.empty(); ++i) pair.step();
    if (!pair.listener.failure) continue;  // what it means is the protocol's business; that it harms nobody is ours
    expect_ended(pair, pair.listener, "bytes that the protocol forbids");
    test.findings.expect(pair.listener.muxer().failed(), "failed() after an error of on_bytes");
    pair.listener.inside = true;
    test.findings.expect(!pair.listener.muxer().on_bytes(as_bytes("more"), pair.now),
                         "on_bytes to fail after it has failed");
    pair.listener.inside = false;
    std::size_t last_words = 0;
    Bytes out(4096);
    for (int i = 0; i < 100 && pair.listener.muxer().wants_output(); ++i)
      last_words += pair.listener.muxer().poll_output(out, pair.now);
    test.findings.expect(last_words <= 4096 && !pair.listener.muxer().wants_output(), "a short good-bye at most",
                         std::to_string(last_words) + " bytes");
    if (test.findings.failed()) return;
  }
}

void keep_alive(Case test) {
  MuxerPair pair(test.kind, test.findings, test.options.seed);
  pair.listener.echo = true;
  const auto id = pair.dialer.open(pair.now);
  if (!test.findings.expect(id.has_value(), "open() to give a stream")) return;
  pair.dialer.write(*id, as_bytes("before "));
  pair.run();
  pair.pass(std::chrono::minutes(10), true);
  test.findings.expect(!pair.dialer.failure && !pair.listener.failure, "ten quiet minutes to end no connection");
  if (pair.dialer.failure || pair.listener.failure) return;
  pair.dialer.write(*id, as_bytes("and after"), true);
  pair.run();
  test.findings.expect_bytes(as_bytes("before and after"), pair.dialer.at(*id).data,
                             "the echo after ten quiet minutes");
  expect_no_streams(pair);
}

void silent_peer(Case test) {
  MuxerPair pair(test.kind, test.findings, test.options.seed);
  make_busy(pair, 4, 100);
  pair.run();
  for (int i = 0; i < 60 && !pair.dialer.failure; ++i) {
    pair.pass(Seconds(10), false);
    Bytes lost(64 * 1024);
    while (pair.dialer.muxer().wants_output() && pair.dialer.muxer().poll_output(lost, pair.now) > 0) {
    }
  }
  const bool watches = pair.dialer.failure || pair.dialer.muxer().next_deadline();
  if (!watches) return;  // the protocol has nothing to ask the peer with; the transport finds out
  test.findings.expect_error(Errc::timed_out, pair.dialer.failure,
                             "what a peer comes to that is silent for ten minutes");
  expect_ended(pair, pair.dialer, "a silent peer");
}

}  // namespace libp2p::muxer_cases
