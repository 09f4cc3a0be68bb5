#include "peer_tests.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "libp2p/crypto/hash.hpp"
#include "test_protocols.hpp"

namespace interop {

namespace json = boost::json;
using libp2p::Bytes;
using libp2p::ByteView;
using libp2p::Errc;
using libp2p::fail;
using libp2p::MutableBytes;
using libp2p::Nanos;
using libp2p::Result;
using libp2p::Stream;
using libp2p::runtime::Task;

namespace {

Task<Result<Stream>> open(Session& session, std::string_view protocol) {
  std::vector<std::string> protocols;
  protocols.emplace_back(protocol);
  return session.host.open_stream(session.target, std::move(protocols));
}

double seconds_since(Session& session, libp2p::MonoTime start) {
  return std::chrono::duration<double>(session.host.runtime().now().mono - start).count();
}

// A new connection is asked by itself, and one question at a time is all that a peer is asked: waits until that one is
// over.
Task<Result<libp2p::Identified>> identify(Session& session) {
  const Nanos pause = libp2p::Millis(10);
  for (int tries = 0; tries < 1000; ++tries) {
    Result<libp2p::Identified> learnt = co_await session.identify.identify(session.target);
    if (learnt || learnt.error() != Errc::exhausted) co_return learnt;
    const Result<void> slept = co_await libp2p::runtime::sleep_for(session.host.runtime(), pause);
    if (!slept) co_return slept.error();
  }
  co_return fail(Errc::timed_out, "identify does not end");
}

Task<Details> test_identify(Session& session) {
  const auto learnt = co_await identify(session);
  if (!learnt) co_return learnt.error();
  json::object details;
  details["agent"] = learnt->agent;
  details["protocol_version"] = learnt->protocol_version;
  details["protocols"] = json::value_from(learnt->protocols);
  json::array addresses;
  for (const auto& address : learnt->addresses) addresses.emplace_back(address.text());
  details["addresses"] = std::move(addresses);
  details["observed"] = learnt->observed ? json::value(learnt->observed->text()) : json::value(nullptr);
  details["signed_record"] = learnt->signed_record;
  const auto speaks = [&learnt](std::string_view id) {
    return std::find(learnt->protocols.begin(), learnt->protocols.end(), id) != learnt->protocols.end();
  };
  if (learnt->agent.empty()) co_return fail(Errc::mismatch, "identify has no agent version");
  if (!speaks("/ipfs/id/1.0.0") || !speaks("/ipfs/ping/1.0.0")) {
    co_return fail(Errc::mismatch, "identify does not name identify and ping");
  }
  if (!learnt->observed) co_return fail(Errc::mismatch, "identify has no observed address");
  if (learnt->addresses.empty()) co_return fail(Errc::mismatch, "identify has no address");
  if (!learnt->signed_record && !session.options.unsigned_peer)
    co_return fail(Errc::mismatch, "identify has no signed record of the peer");
  co_return details;
}

Task<Details> test_ping(Session& session) {
  json::array micros;
  libp2p::PingService::HeardOne heard = [&micros](std::size_t, Nanos time) {
    micros.emplace_back(time.count() / 1000);
  };
  const Nanos no_pause(0);
  const Result<void> done =
      co_await session.ping.ping_many(session.target, session.options.count, no_pause, std::move(heard));
  if (!done) co_return done.error();
  json::object details;
  details["round_trip_micros"] = std::move(micros);
  co_return details;
}

Task<void> send_all(Stream& stream, const Bytes& bytes, Result<void>& outcome, libp2p::runtime::Event& done) {
  outcome = co_await stream.write(bytes);
  if (outcome) stream.close_write();
  done.signal();
}

// Sends `size` random bytes on an echo stream and expects them back, then the end of the stream. Reads while it writes.
Task<Result<void>> exchange(Session& session, Stream& stream, std::size_t size) {
  Bytes sent(size);
  session.host.runtime().rng().fill(sent);
  Result<void> wrote;
  libp2p::runtime::Event done(session.host.runtime());
  libp2p::runtime::TaskScope writing(session.host.runtime());
  writing.spawn(send_all(stream, sent, wrote, done));
  const Result<Bytes> got = co_await stream.read_to_end(size);
  const Result<void> woken = co_await done.wait();
  if (!wrote) co_return wrote.error().within("writing to echo");
  if (!got) co_return got.error().within("reading from echo");
  if (!woken) co_return woken.error();
  if (*got != sent) co_return fail(Errc::mismatch, "what came back from echo is not what was sent");
  co_return Result<void>();
}

Task<Result<void>> echo(Session& session, std::size_t size) {
  Result<Stream> opened = co_await open(session, kEcho);
  if (!opened) co_return opened.error();
  Stream stream = std::move(*opened);
  const Result<void> done = co_await exchange(session, stream, size);
  co_return done;
}

Task<Details> test_echo(Session& session) {
  json::array sizes;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{65535}, std::size_t{1} << 20}) {
    const Result<void> done = co_await echo(session, size);
    if (!done) co_return done.error().within("echo of " + std::to_string(size) + " bytes");
    sizes.emplace_back(size);
  }
  json::object details;
  details["sizes"] = std::move(sizes);
  co_return details;
}

Task<Details> test_reset(Session& session) {
  Result<Stream> opened = co_await open(session, kReset);
  if (!opened) co_return opened.error();
  Stream stream = std::move(*opened);
  Bytes bytes(4 * kResetAfter);
  const Result<void> wrote = co_await stream.write(bytes);
  if (!wrote && wrote.error() != Errc::reset) co_return wrote.error();
  const Result<Bytes> got = co_await stream.read_to_end(kChunk);
  if (got) co_return fail(Errc::mismatch, "the stream ended in order, a reset was expected");
  if (got.error() != Errc::reset) co_return got.error().within("a reset was expected");
  json::object details;
  details["read_error"] = got.error().message();

  // A reset from this side must leave the connection alone as well.
  Result<Stream> second = co_await open(session, kEcho);
  if (!second) co_return second.error();
  Stream mine = std::move(*second);
  const Result<void> begun = co_await mine.write(bytes);
  if (!begun) co_return begun.error();
  mine.reset();
  const Result<void> after = co_await echo(session, 1000);
  if (!after) co_return after.error().within("after our own reset");
  co_return details;
}

// Asks half-close for `size` bytes and checks each.
Task<Result<void>> download(Session& session, std::uint64_t size) {
  Result<Stream> opened = co_await open(session, kHalfClose);
  if (!opened) co_return opened.error();
  Stream stream = std::move(*opened);
  Bytes request(8);
  libp2p::store_be64(request.data(), size);
  const Result<void> asked = co_await stream.write(request);
  if (!asked) co_return asked.error();
  stream.close_write();
  Pattern pattern;
  Bytes buffer(kChunk);
  std::uint64_t count = 0;
  while (true) {
    const Result<std::size_t> got = co_await stream.read_some(buffer);
    if (!got) co_return got.error();
    if (*got == 0) break;
    if (!pattern.matches(ByteView(buffer.data(), *got))) {
      co_return fail(Errc::mismatch, "wrong contents after byte " + std::to_string(count));
    }
    count += *got;
  }
  if (count == size) co_return Result<void>();
  co_return fail(Errc::mismatch, "got " + std::to_string(count) + " bytes, want " + std::to_string(size));
}

Task<Details> test_half_close(Session& session) {
  // More than any receive window, so that window updates flow on the stream that this side has closed.
  constexpr std::uint64_t kSize = 20 << 20;
  const Result<void> done = co_await download(session, kSize);
  if (!done) co_return done.error();
  json::object details;
  details["bytes"] = kSize;
  co_return details;
}

// Sends `size` bytes to sink, which answers their count and digest.
Task<Result<void>> upload(Session& session, std::uint64_t size) {
  Result<Stream> opened = co_await open(session, kSink);
  if (!opened) co_return opened.error();
  Stream stream = std::move(*opened);
  Pattern pattern;
  Bytes buffer(kChunk);
  libp2p::crypto::Sha256 digest;
  for (std::uint64_t left = size; left > 0;) {
    const MutableBytes chunk(buffer.data(), static_cast<std::size_t>(std::min<std::uint64_t>(left, kChunk)));
    pattern.fill(chunk);
    digest.update(chunk);
    const Result<void> sent = co_await stream.write(chunk);
    if (!sent) co_return sent.error();
    left -= chunk.size();
  }
  stream.close_write();
  const Result<Bytes> answer = co_await stream.read_to_end(64);
  if (!answer) co_return answer.error();
  Bytes want(8);
  libp2p::store_be64(want.data(), size);
  const auto hash = digest.finish();
  libp2p::append(want, hash);
  if (*answer == want) co_return Result<void>();
  co_return fail(Errc::mismatch, "sink answered " + libp2p::to_hex(*answer) + ", want " + libp2p::to_hex(want));
}

Task<Details> test_bulk(Session& session) {
  json::object details;
  details["bytes"] = session.options.bytes;
  auto start = session.host.runtime().now().mono;
  const Result<void> up = co_await upload(session, session.options.bytes);
  if (!up) co_return up.error().within("up");
  details["up_seconds"] = seconds_since(session, start);
  start = session.host.runtime().now().mono;
  const Result<void> down = co_await download(session, session.options.bytes);
  if (!down) co_return down.error().within("down");
  details["down_seconds"] = seconds_since(session, start);
  co_return details;
}

Task<void> finish_stream(Session& session, Stream& stream, std::size_t size, std::size_t& left,
                         Result<void>& first_failure, libp2p::runtime::Event& done) {
  const Result<void> ended = co_await exchange(session, stream, size);
  if (!ended && first_failure) first_failure = ended;
  --left;
  done.signal();
}

// Opens all streams, each used once so that it is open on both sides, and then finishes them all at the same time.
Task<Details> test_streams(Session& session) {
  std::vector<Stream> streams;
  const Bytes greeting = libp2p::to_bytes("open");
  for (std::size_t i = 0; i < session.options.streams; ++i) {
    Result<Stream> opened = co_await open(session, kEcho);
    if (!opened) co_return opened.error().within("stream " + std::to_string(i));
    streams.push_back(std::move(*opened));
    const Result<void> wrote = co_await streams.back().write(greeting);
    if (!wrote) co_return wrote.error().within("stream " + std::to_string(i));
    Bytes back(greeting.size());
    const Result<void> got = co_await streams.back().read_exactly(back);
    if (!got) co_return got.error().within("stream " + std::to_string(i));
    if (back != greeting) co_return fail(Errc::mismatch, "stream " + std::to_string(i) + ": wrong echo");
  }
  std::size_t left = streams.size();
  Result<void> first_failure;
  libp2p::runtime::Event done(session.host.runtime());
  libp2p::runtime::TaskScope finishing(session.host.runtime());
  for (std::size_t i = 0; i < streams.size(); ++i) {
    finishing.spawn(finish_stream(session, streams[i], 1000 + i, left, first_failure, done));
  }
  while (left > 0) {
    const Result<void> woken = co_await done.wait();
    if (!woken) co_return woken.error();
  }
  if (!first_failure) co_return first_failure.error();
  json::object details;
  details["streams"] = streams.size();
  co_return details;
}

Task<Details> test_perf(Session& session) {
  const auto result = co_await session.perf.run(session.target, session.options.upload, session.options.download);
  if (!result) co_return result.error();
  json::object details;
  details["upload_bytes"] = result->uploaded;
  details["download_bytes"] = result->downloaded;
  details["seconds"] = std::chrono::duration<double>(result->upload + result->download).count();
  co_return details;
}

// Proposes a protocol that nobody speaks, alone, and sends `early` bytes behind the proposal.
Task<Result<void>> propose_unknown(Session& session, std::size_t early) {
  Result<Stream> opened = co_await open(session, kNobodySpeaks);
  if (!opened) co_return opened.error();
  Stream stream = std::move(*opened);
  const Bytes bytes(early);
  const Result<void> wrote = co_await stream.write(bytes);
  if (!wrote) co_return wrote.error();
  const Result<Bytes> got = co_await stream.read_to_end(kChunk);
  if (!got) co_return got.error();
  co_return Result<void>();
}

// A protocol that the peer does not speak is refused as that, whatever was sent with the proposal, and nothing else is
// harmed. Again and again, since the refusal and the end of the stream may come together or apart.
Task<Details> test_unsupported(Session& session) {
  constexpr std::size_t kEarly[] = {0, 1000, std::size_t{1} << 20};
  for (std::size_t i = 0; i < 30; ++i) {
    const std::size_t early = kEarly[i % 3];
    const std::string what = "an unknown protocol with " + std::to_string(early) + " bytes behind it";
    const Result<void> outcome = co_await propose_unknown(session, early);
    if (outcome) co_return fail(Errc::mismatch, what + " was taken");
    if (outcome.error() != Errc::unsupported) co_return outcome.error().within(what);
  }
  const Result<void> after = co_await echo(session, 1000);
  if (!after) co_return after.error().within("after it");
  json::object details;
  co_return details;
}

struct NamedTest {
  std::string_view name;
  Task<Details> (*run)(Session&);
};

constexpr NamedTest kTests[] = {
    {"identify", test_identify},       {"ping", test_ping},       {"echo", test_echo}, {"reset", test_reset},
    {"half-close", test_half_close},   {"streams", test_streams}, {"bulk", test_bulk}, {"perf", test_perf},
    {"unsupported", test_unsupported},
};

}  // namespace

const std::vector<std::string>& test_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const NamedTest& test : kTests) all.emplace_back(test.name);
    return all;
  }();
  return names;
}

Task<Details> run_test(Session& session, std::string name) {
  const auto* test =
      std::find_if(std::begin(kTests), std::end(kTests), [&name](const NamedTest& t) { return t.name == name; });
  if (test == std::end(kTests)) co_return fail(Errc::invalid_argument, "there is no test \"" + name + "\"");
  const auto before = session.host.connections(session.target);
  Details details = co_await test->run(session);
  const auto after = session.host.connections(session.target);
  // No test may hide a lost connection behind a new one.
  const bool same = before.size() == 1 && after.size() == 1 && before.front().id == after.front().id;
  if (details && !same) co_return fail(Errc::closed, "the connection to the peer did not last");
  co_return details;
}

}  // namespace interop
