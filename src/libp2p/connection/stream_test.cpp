#include "libp2p/connection/stream.hpp"

#include <gmock/gmock.h>

#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

using runtime::Task;
using runtime::TaskScope;
using ::testing::AnyOf;

using StreamTest = HostTest;

Task<void> read_back(Stream* stream, std::size_t expected, SeededRng* same, bool* equal_bytes) {
  Bytes in(200'000);
  Bytes wanted;
  *equal_bytes = true;
  std::size_t got = 0;
  while (got < expected) {
    MutableBytes part = MutableBytes(in).first(std::min<std::size_t>(8 * 10'000, expected - got));
    auto reading = stream->read_exactly(part);
    const auto done = co_await reading;
    if (!done) {
      *equal_bytes = false;
      co_return;
    }
    wanted.resize(part.size());
    same->fill(wanted);
    if (!equal(part, wanted)) *equal_bytes = false;
    got += part.size();
  }
}

Task<void> send_much(Host& host, PeerId peer, std::size_t size, bool* equal_bytes) {
  std::vector<std::string> protocols{"/echo/1"};
  auto opening = host.open_stream(std::move(peer), std::move(protocols));
  auto opened = co_await opening;
  Stream stream = std::move(*opened);
  SeededRng sent(3);
  SeededRng same(3);
  TaskScope reader(host.runtime());
  reader.spawn(read_back(&stream, size, &same, equal_bytes));
  Bytes chunk(8 * 10'000);
  for (std::size_t left = size; left > 0; left -= chunk.size()) {
    sent.fill(chunk);
    auto writing = stream.write(chunk);
    const auto done = co_await writing;
    if (!done) break;
  }
  stream.close_write();
  while (reader.running() > 0) {
    auto waiting = runtime::sleep_for(host.runtime(), Millis(100));
    co_await waiting;
  }
}

Task<void> open_one_of_two(Host& host, PeerId peer, bool* ended) {
  std::vector<std::string> protocols{"/none/1", "/echo/1"};
  auto opening = host.open_stream(std::move(peer), std::move(protocols));
  const auto opened = co_await opening;
  *ended = true;
}

// The cancelled coroutine has not resumed yet when the connection tells its streams that it is gone.
TEST_F(StreamTest, a_connection_may_end_while_the_opening_of_a_stream_is_being_cancelled) {
  const auto a = make_host();
  const auto b = make_host();
  ASSERT_TRUE(dial(*a, address_of(*b)));
  bool ended = false;
  TaskScope scope(a->runtime());
  scope.spawn(open_one_of_two(*a, b->id(), &ended));
  world.run_for(Millis(5));
  ASSERT_FALSE(ended) << "the answer is on its way";
  world.disconnect(nodes[0].index(), nodes[1].index());
  scope.cancel();
  world.run_for(Seconds(1));
  EXPECT_TRUE(ended);
  EXPECT_FALSE(a->connected(b->id()));
}

TEST_F(StreamTest, a_hundred_megabytes_go_each_way) {
  const auto a = make_host();
  const auto b = make_host();
  ASSERT_TRUE(dial(*a, address_of(*b)));
  bool equal_bytes = false;
  ASSERT_TRUE(run(*a, send_much(*a, b->id(), 100'000'000, &equal_bytes), std::chrono::minutes(5)));
  EXPECT_TRUE(equal_bytes);
}

TEST_F(StreamTest, a_thousand_streams_share_one_connection) {
  const auto a = make_host();
  const auto b = make_host();
  ASSERT_TRUE(dial(*a, address_of(*b)));
  std::vector<Outcome> out(1000);
  {
    TaskScope scope(a->runtime());
    for (int i = 0; i < 250; ++i) {
      for (int k = 0; k < 4; ++k) {
        scope.spawn(exchange(*a, b->id(), "/echo/1", to_bytes("stream " + std::to_string(i * 4 + k)), &out[i * 4 + k]));
      }
      world.run_for(Millis(1));
    }
    ASSERT_TRUE(world.run_until([&scope] { return scope.running() == 0; }, Seconds(60)));
  }
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(out[i].text(), "ok");
    ASSERT_EQ(as_text(out[i].bytes), "stream " + std::to_string(i));
  }
  EXPECT_EQ(a->connections().size(), 1u);
  world.run_for(Seconds(1));
  EXPECT_EQ(a->connections()[0].streams, 0u);
  EXPECT_EQ(live<StreamState>(), 0);
}

Task<void> half_close(Host& host, PeerId peer, std::vector<std::string>* log) {
  std::vector<std::string> protocols{"/talk/1"};
  auto opening = host.open_stream(std::move(peer), std::move(protocols));
  auto opened = co_await opening;
  Stream stream = std::move(*opened);
  stream.close_write();
  auto refused = stream.write(as_bytes("x"));
  const auto written = co_await refused;
  log->push_back(std::string(to_string(written.error().code())));
  Bytes in(5);
  auto reading = stream.read_exactly(in);
  const auto read = co_await reading;
  log->push_back(read ? std::string(as_text(in)) : read.error().message());
  auto more = stream.read_exactly(in);
  const auto end = co_await more;
  log->push_back(std::string(to_string(end.error().code())));
}

// Waits for the other side's end before it says anything.
Task<void> talk_after_end(Stream stream) {
  auto reading = stream.read_to_end(10);
  const auto nothing = co_await reading;
  if (!nothing) co_return;
  auto writing = stream.write(as_bytes("after"));
  co_await writing;
  stream.close_write();  // and the handle is dropped at once: what was written still arrives
}

TEST_F(StreamTest, a_half_closed_stream_still_carries_the_other_direction) {
  const auto a = make_host();
  const auto b = make_host();
  b->set_stream_handler("/talk/1", talk_after_end);
  ASSERT_TRUE(dial(*a, address_of(*b)));
  std::vector<std::string> log;
  ASSERT_TRUE(run(*a, half_close(*a, b->id(), &log)));
  EXPECT_EQ(log, (std::vector<std::string>{"closed", "after", "truncated"}));
}

Task<void> resets(Stream stream) {
  Bytes in(1);
  auto reading = stream.read_exactly(in);
  co_await reading;
  stream.reset();
}

TEST_F(StreamTest, a_reset_reaches_the_other_side_and_spares_the_connection) {
  const auto a = make_host();
  const auto b = make_host();
  b->set_stream_handler("/reset/1", resets);
  ASSERT_TRUE(dial(*a, address_of(*b)));
  const auto out = ask(*a, *b, to_bytes("x"), "/reset/1");
  EXPECT_EQ(out.done->error().code(), Errc::reset) << out.text();
  EXPECT_EQ(ask(*a, *b, to_bytes("y")).text(), "ok");
}

// Lazily, data travels with the proposal and the refusal may overtake the answer: the stream is dead either way.
TEST_F(StreamTest, an_unknown_protocol_is_refused_until_its_handler_is_set) {
  const auto a = make_host();
  const auto b = make_host();
  ASSERT_TRUE(dial(*a, address_of(*b)));
  EXPECT_THAT(ask(*a, *b, to_bytes("x"), "/none/1").done->error().code(), AnyOf(Errc::unsupported, Errc::reset));
  b->set_stream_handler("/none/1", echo);
  EXPECT_EQ(ask(*a, *b, to_bytes("x"), "/none/1").text(), "ok");
  b->remove_stream_handler("/none/1");
  EXPECT_THAT(ask(*a, *b, to_bytes("x"), "/none/1").done->error().code(), AnyOf(Errc::unsupported, Errc::reset));
}

Task<void> choose(Host& host, PeerId peer, std::vector<std::string> protocols, std::string* out) {
  auto opening = host.open_stream(std::move(peer), std::move(protocols));
  auto opened = co_await opening;
  *out = opened ? opened->protocol() : std::string(to_string(opened.error().code()));
}

TEST_F(StreamTest, of_several_protocols_the_first_that_the_peer_speaks_is_chosen) {
  const auto a = make_host();
  const auto b = make_host();
  ASSERT_TRUE(dial(*a, address_of(*b)));
  std::string chosen;
  ASSERT_TRUE(run(*a, choose(*a, b->id(), {"/echo/3", "/echo/2", "/echo/1"}, &chosen)));
  EXPECT_EQ(chosen, "/echo/1");
  ASSERT_TRUE(run(*a, choose(*a, b->id(), {"/echo/3", "/echo/2"}, &chosen)));
  EXPECT_EQ(chosen, "unsupported");
  ASSERT_TRUE(run(*a, choose(*a, b->id(), {}, &chosen)));
  EXPECT_EQ(chosen, "invalid argument");
}

TEST_F(StreamTest, a_reader_that_does_not_read_bounds_the_memory_of_both_sides) {
  const auto a = make_host();
  const auto b = make_host();
  auto& rt = b->runtime();
  b->set_stream_handler("/sink/1", [&rt](Stream stream) { return never_reads(std::move(stream), rt); });
  ASSERT_TRUE(dial(*a, address_of(*b)));
  std::size_t written = 0;
  TaskScope scope(a->runtime());
  scope.spawn(write_forever(*a, b->id(), &written));
  world.run_for(Seconds(30));
  // The receive window (it never grows without a reader) and the send queue; nothing else takes bytes.
  EXPECT_GE(written, 256u * 1024);
  EXPECT_LE(written, 256u * 1024 + a->config().limits.stream_send_queue + 100'000);
  const auto before = written;
  world.run_for(Seconds(30));
  EXPECT_EQ(written, before);
  // The rest of the connection is not held up.
  EXPECT_EQ(ask(*a, *b, to_bytes("still here")).text(), "ok");
}

Task<void> slow_reads(Host& host, PeerId peer, std::vector<std::string>* log) {
  std::vector<std::string> protocols{"/sink/1"};
  auto opening = host.open_stream(std::move(peer), std::move(protocols));
  auto opened = co_await opening;
  Stream stream = std::move(*opened);
  stream.set_read_deadline(host.runtime().now().mono + Seconds(3));
  Bytes in(10);
  for (int i = 0; i < 2; ++i) {
    auto reading = stream.read_some(in);
    const auto n = co_await reading;
    log->push_back(n ? "read" : std::string(to_string(n.error().code())));
  }
  stream.set_write_deadline(host.runtime().now().mono + Seconds(3));
  const Bytes much(10'000'000);
  auto writing = stream.write(much);
  const auto done = co_await writing;
  log->push_back(done ? "written" : std::string(to_string(done.error().code())));
}

TEST_F(StreamTest, reads_and_writes_fail_at_their_deadlines) {
  const auto a = make_host();
  const auto b = make_host();
  auto& rt = b->runtime();
  b->set_stream_handler("/sink/1", [&rt](Stream stream) { return never_reads(std::move(stream), rt); });
  ASSERT_TRUE(dial(*a, address_of(*b)));
  std::vector<std::string> log;
  const auto before = world.now();
  ASSERT_TRUE(run(*a, slow_reads(*a, b->id(), &log)));
  EXPECT_EQ(log, (std::vector<std::string>{"timed out", "timed out", "timed out"}));
  EXPECT_EQ(world.now() - before, Seconds(6));
}

// A handler that keeps what it was told.
struct Recorder final : StreamHandler {
  std::vector<std::string> lines;
  std::string data;
  void on_data(ByteView bytes) override { data.append(as_text(bytes)); }
  void on_end() override { lines.push_back("end"); }
  void on_reset(const Error& why) override { lines.push_back("reset " + std::string(to_string(why.code()))); }
  void on_writable() override { lines.push_back("writable"); }
};

Task<void> keep(Stream stream, Recorder* recorder, std::unique_ptr<Stream>* kept) {
  *kept = std::make_unique<Stream>(std::move(stream));
  (*kept)->set_handler(recorder);
  co_return;
}

Task<void> open_kept(Host& host, PeerId peer, std::unique_ptr<Stream>* kept) {
  std::vector<std::string> protocols{"/events/1"};
  auto opening = host.open_stream(std::move(peer), std::move(protocols));
  auto opened = co_await opening;
  *kept = std::make_unique<Stream>(std::move(*opened));
}

TEST_F(StreamTest, handlers_are_told_of_data_room_end_and_reset) {
  const auto a = make_host();
  const auto b = make_host();
  Recorder at_a;
  Recorder at_b;
  std::unique_ptr<Stream> kept_a;
  std::unique_ptr<Stream> kept_b;
  b->set_stream_handler("/events/1", [&](Stream stream) { return keep(std::move(stream), &at_b, &kept_b); });
  ASSERT_TRUE(dial(*a, address_of(*b)));
  ASSERT_TRUE(run(*a, open_kept(*a, b->id(), &kept_a)));
  kept_a->set_handler(&at_a);
  const SharedBytes message = share(Bytes(300'000, 'x'));
  std::size_t taken = 0;
  while (kept_a->try_send(message)) ++taken;
  EXPECT_GE(taken, 3u);
  EXPECT_TRUE(at_a.lines.empty()) << "nobody is called inside try_send";
  EXPECT_GE(kept_a->send_queue_bytes(), a->config().limits.stream_send_queue);
  world.run_for(Seconds(5));
  EXPECT_EQ(at_b.data.size(), taken * 300'000);
  EXPECT_EQ(at_a.lines, std::vector<std::string>{"writable"});
  EXPECT_EQ(kept_a->send_queue_bytes(), 0u);
  kept_a->close_write();
  world.run_for(Seconds(1));
  EXPECT_EQ(at_b.lines, std::vector<std::string>{"end"});
  kept_b->reset();
  EXPECT_FALSE(kept_b->alive());
  EXPECT_FALSE(kept_b->try_send(message));
  world.run_for(Seconds(1));
  EXPECT_EQ(at_a.lines, (std::vector<std::string>{"writable", "reset reset"}));
  EXPECT_EQ(at_b.lines, std::vector<std::string>{"end"}) << "who resets is not told";
}

TEST_F(StreamTest, a_handler_that_comes_late_gets_what_had_arrived) {
  const auto a = make_host();
  const auto b = make_host();
  std::unique_ptr<Stream> kept;
  Recorder recorder;
  b->set_stream_handler("/events/1", [&](Stream stream) { return keep(std::move(stream), nullptr, &kept); });
  ASSERT_TRUE(dial(*a, address_of(*b)));
  Outcome out;
  TaskScope scope(a->runtime());
  scope.spawn(exchange(*a, b->id(), "/events/1", to_bytes("early words"), &out));
  world.run_for(Seconds(1));
  ASSERT_TRUE(kept);
  kept->set_handler(&recorder);
  EXPECT_EQ(recorder.data, "early words");
  EXPECT_EQ(recorder.lines, std::vector<std::string>{"end"});
}

// Leaves from inside its own callback.
struct Leaver final : StreamHandler {
  Host* host = nullptr;
  PeerId peer;
  std::unique_ptr<Stream>* kept = nullptr;
  void on_data(ByteView) override {
    host->disconnect(peer, "seen enough");
    kept->reset();
  }
  void on_end() override {}
  void on_reset(const Error&) override {}
  void on_writable() override {}
};

Task<void> keep_leaver(Stream stream, Leaver* leaver) {
  *leaver->kept = std::make_unique<Stream>(std::move(stream));
  (*leaver->kept)->set_handler(leaver);
  co_return;
}

TEST_F(StreamTest, a_handler_may_drop_its_stream_and_disconnect_from_inside) {
  const auto a = make_host();
  const auto b = make_host();
  std::unique_ptr<Stream> kept;
  Leaver leaver;
  leaver.host = b.get();
  leaver.peer = a->id();
  leaver.kept = &kept;
  b->set_stream_handler("/events/1", [&](Stream stream) { return keep_leaver(std::move(stream), &leaver); });
  ASSERT_TRUE(dial(*a, address_of(*b)));
  const auto out = ask(*a, *b, Bytes(200'000), "/events/1");
  EXPECT_NE(out.text(), "ok");
  world.run_for(Seconds(2));
  EXPECT_TRUE(a->connections().empty());
  EXPECT_TRUE(b->connections().empty());
}

// Answers, ends its side and drops the handle, while the other side goes on sending.
Task<void> answer_and_leave(Stream stream) {
  auto writing = stream.write(as_bytes("answer"));
  co_await writing;
  stream.close_write();
}

Task<void> send_slowly(Host& host, PeerId peer, std::string* answer, MonoTime* ended) {
  std::vector<std::string> protocols{"/leave/1"};
  auto opening = host.open_stream(std::move(peer), std::move(protocols));
  auto opened = co_await opening;
  Stream stream = std::move(*opened);
  Bytes in(6);
  auto reading = stream.read_exactly(in);
  const auto read = co_await reading;
  if (read) *answer = std::string(as_text(in));
  for (;;) {
    auto writing = stream.write(in);
    const auto done = co_await writing;
    if (!done) break;
    auto sleeping = runtime::sleep_for(host.runtime(), Seconds(1));
    co_await sleeping;
  }
  *ended = host.runtime().now().mono;
}

TEST_F(StreamTest, a_stream_that_was_closed_and_dropped_lingers_and_is_reset_in_the_end) {
  const auto a = make_host();
  const auto b = make_host();
  b->set_stream_handler("/leave/1", answer_and_leave);
  ASSERT_TRUE(dial(*a, address_of(*b)));
  std::string answer;
  MonoTime ended;
  const auto before = world.now();
  ASSERT_TRUE(run(*a, send_slowly(*a, b->id(), &answer, &ended)));
  EXPECT_EQ(answer, "answer");
  EXPECT_GE(ended - before, kLinger);
  EXPECT_LE(ended - before, kLinger + Seconds(2));
  EXPECT_EQ(b->connections()[0].streams, 0u);
}

Task<void> read_framed(Stream stream, std::vector<std::string>* log) {
  for (;;) {
    auto reading = stream.read_length_prefixed(10);
    const auto message = co_await reading;
    log->push_back(message ? std::string(as_text(*message)) : std::string(to_string(message.error().code())));
    if (!message) co_return;
  }
}

TEST_F(StreamTest, length_prefixed_messages_are_bounded_before_they_are_read) {
  const auto a = make_host();
  const auto b = make_host();
  std::vector<std::string> log;
  b->set_stream_handler("/framed/1", [&log](Stream stream) { return read_framed(std::move(stream), &log); });
  ASSERT_TRUE(dial(*a, address_of(*b)));
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {std::string("\x03one\x00\x05three", 11), {"one", "", "three", "closed"}},
      {"\x0a"
       "0123456789",
       {"0123456789", "closed"}},
      {"\x0b"
       "0123456789a",
       {"too large"}},
      {"\xff\xff\xff\xff\xff\xff\xff\xff\x7f", {"too large"}},
      {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", {"malformed"}},
      {std::string("\x83\x00", 2) + "abc", {"malformed"}},
      {"\x05"
       "ab",
       {"truncated"}},
      {"\x85", {"truncated"}},
      {"", {"closed"}},
  };
  for (const auto& [sent, expected] : cases) {
    log.clear();
    (void)ask(*a, *b, to_bytes(sent), "/framed/1");
    world.run_for(Seconds(1));
    EXPECT_EQ(log, expected) << to_hex(as_bytes(sent));
  }
}

}  // namespace
}  // namespace libp2p
