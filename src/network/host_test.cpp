#include "network/host.hpp"

#include <gmock/gmock.h>

#include "network/gater.hpp"
#include "network/host_fixture.hpp"

namespace libp2p::network {
namespace {

using runtime::Task;
using ::testing::AnyOf;
using runtime::TaskScope;

TEST_F(HostTest, dials_listens_and_echoes_over_both_families) {
  for (const std::size_t family : {0, 1}) {
    const auto a = make_host();
    const auto b = make_host();
    const auto peer = dial(*a, address_of(*b, family));
    ASSERT_TRUE(peer) << peer.error().message();
    EXPECT_EQ(*peer, b->id());
    const auto out = ask(*a, *b, to_bytes("hello"));
    EXPECT_EQ(out.text(), "ok");
    EXPECT_EQ(as_text(out.bytes), "hello");
    // And over the same connection the other way.
    const auto back = ask(*b, *a, to_bytes("and back"));
    EXPECT_EQ(as_text(back.bytes), "and back");
    ASSERT_EQ(a->connections().size(), 1u);
    ASSERT_EQ(b->connections().size(), 1u);
    EXPECT_EQ(a->connections()[0].remote, b->connections()[0].local);
    EXPECT_GT(a->connections()[0].bytes_out, 0u);
    EXPECT_EQ(a->connections()[0].bytes_out, b->connections()[0].bytes_in);
  }
}

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

TEST_F(HostTest, a_hundred_megabytes_go_each_way) {
  const auto a = make_host();
  const auto b = make_host();
  ASSERT_TRUE(dial(*a, address_of(*b)));
  bool equal_bytes = false;
  ASSERT_TRUE(run(*a, send_much(*a, b->id(), 100'000'000, &equal_bytes), std::chrono::minutes(5)));
  EXPECT_TRUE(equal_bytes);
}

TEST_F(HostTest, a_thousand_streams_share_one_connection) {
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

TEST_F(HostTest, a_half_closed_stream_still_carries_the_other_direction) {
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

TEST_F(HostTest, a_reset_reaches_the_other_side_and_spares_the_connection) {
  const auto a = make_host();
  const auto b = make_host();
  b->set_stream_handler("/reset/1", resets);
  ASSERT_TRUE(dial(*a, address_of(*b)));
  const auto out = ask(*a, *b, to_bytes("x"), "/reset/1");
  EXPECT_EQ(out.done->error().code(), Errc::reset) << out.text();
  EXPECT_EQ(ask(*a, *b, to_bytes("y")).text(), "ok");
}

// Lazily, data travels with the proposal and the refusal may overtake the answer: the stream is dead either way.
TEST_F(HostTest, an_unknown_protocol_is_refused_until_its_handler_is_set) {
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

TEST_F(HostTest, of_several_protocols_the_first_that_the_peer_speaks_is_chosen) {
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

TEST_F(HostTest, the_wrong_peer_at_an_address_is_a_mismatch) {
  const auto a = make_host();
  const auto b = make_host();
  const auto other = PeerId::from_public_key(test_key(99).public_key());
  const auto peer = dial(*a, b->listen_addresses()[0].with_peer_id(other));
  ASSERT_FALSE(peer);
  EXPECT_EQ(peer.error().code(), Errc::mismatch) << peer.error().message();
  EXPECT_TRUE(a->connections().empty());
  world.run_for(Seconds(20));
  EXPECT_TRUE(b->connections().empty());
}

TEST_F(HostTest, an_address_without_an_id_gives_whoever_answers_and_never_oneself) {
  const auto a = make_host();
  const auto b = make_host();
  EXPECT_EQ(dial(*a, b->listen_addresses()[0]).value(), b->id());
  const auto self = dial(*a, a->listen_addresses()[0]);
  EXPECT_EQ(self.error().code(), Errc::denied) << self.error().message();
  EXPECT_EQ(dial(*a, address_of(*a)).error().code(), Errc::invalid_argument);
}

TEST_F(HostTest, two_concurrent_connects_make_one_connection) {
  const auto a = make_host();
  const auto b = make_host();
  Outcome first;
  Outcome second;
  TaskScope scope(a->runtime());
  scope.spawn(connect(*a, address_of(*b, 0), &first));
  scope.spawn(connect(*a, address_of(*b, 1), &second));
  ASSERT_TRUE(world.run_until([&scope] { return scope.running() == 0; }, Seconds(10)));
  EXPECT_EQ(first.text(), "ok");
  EXPECT_EQ(second.text(), "ok");
  EXPECT_EQ(a->connections().size(), 1u);
  // And a third finds the open one.
  const auto before = world.now();
  EXPECT_TRUE(dial(*a, address_of(*b)));
  EXPECT_EQ(world.now(), before);
}

TEST_F(HostTest, dialling_each_other_at_once_connects_each_peer_once) {
  const auto a = make_host();
  const auto b = make_host();
  Diary diary_a;
  Diary diary_b;
  a->add_observer(&diary_a);
  b->add_observer(&diary_b);
  Outcome there;
  Outcome back;
  TaskScope scope(a->runtime());
  scope.spawn(connect(*a, address_of(*b), &there));
  scope.spawn(connect(*b, address_of(*a), &back));
  ASSERT_TRUE(world.run_until([&scope] { return scope.running() == 0; }, Seconds(10)));
  world.run_for(Seconds(1));
  EXPECT_EQ(diary_a.count("peer connected"), 1u);
  EXPECT_EQ(diary_b.count("peer connected"), 1u);
  EXPECT_LE(a->connections().size(), 2u);
  EXPECT_EQ(ask(*a, *b, to_bytes("x")).text(), "ok");
}

TEST_F(HostTest, names_are_dialled_through_the_resolver) {
  const auto a = make_host();
  const auto b = make_host();
  world.add_name("b.test", {"10.0.200.200", nodes[1].ip4()});  // the first one leads nowhere
  const auto peer = dial(*a, Multiaddr::from_text("/dns4/b.test/tcp/9000").value());
  ASSERT_TRUE(peer) << peer.error().message();
  EXPECT_EQ(*peer, b->id());
  const auto none = dial(*a, Multiaddr::from_text("/dns/c.test/tcp/9000").value());
  EXPECT_EQ(none.error().code(), Errc::not_found) << none.error().message();
  const auto txt = dial(*a, Multiaddr::from_text("/dnsaddr/b.test").value());
  EXPECT_EQ(txt.error().code(), Errc::unsupported);
  EXPECT_NE(txt.error().text().find("TXT"), std::string::npos);
}

TEST_F(HostTest, a_peer_is_dialled_by_the_addresses_of_the_peerstore) {
  const auto a = make_host();
  const auto b = make_host();
  Outcome out;
  ASSERT_TRUE(run(*a, connect_peer(*a, b->id(), &out)));
  EXPECT_EQ(out.peer->error().code(), Errc::not_found);
  const auto now = a->runtime().now().mono;
  a->peerstore().add_address(b->id(), Multiaddr::from_text("/ip4/10.0.99.99/tcp/1").value(), kStaticAddress, now);
  a->peerstore().add_address(b->id(), b->listen_addresses()[0], kStaticAddress, now);
  // open_stream dials by itself.
  EXPECT_EQ(ask(*a, *b, to_bytes("x")).text(), "ok");
  EXPECT_EQ(a->peerstore().key(b->id()), b->identity().public_key());
}

TEST_F(HostTest, a_dial_into_silence_ends_after_its_time_and_says_where) {
  const auto a = make_host();
  const auto b = make_host();
  world.partition({{0}, {1}});
  const auto before = world.now();
  const auto peer = dial(*a, address_of(*b));
  EXPECT_EQ(peer.error().code(), Errc::timed_out);
  EXPECT_NE(peer.error().text().find("no answer from 10.0.0.2:9000 within 5 s"), std::string::npos) << peer.error().text();
  EXPECT_EQ(world.now() - before, Seconds(5));  // a private address
}

TEST_F(HostTest, half_open_connections_end_after_the_handshake_time) {
  const auto a = make_host();
  Diary diary;
  a->add_observer(&diary);
  const auto mute = world.add_node();
  std::unique_ptr<runtime::Socket> socket;
  const auto operation = mute.runtime().connect({nodes[0].ip4(), 9000}, [&socket](Result<std::unique_ptr<runtime::Socket>> s) {
    socket = std::move(*s);
  });
  world.run_for(Seconds(9));
  EXPECT_TRUE(diary.lines.empty());
  EXPECT_EQ(Connection::live(), 1);
  world.run_for(Seconds(2));
  ASSERT_EQ(diary.lines.size(), 1u);
  EXPECT_TRUE(diary.lines[0].starts_with("refused timed out")) << diary.lines[0];
  EXPECT_EQ(Connection::live(), 0);
  EXPECT_EQ(a->counters().failed_handshakes, 1u);
}

TEST_F(HostTest, disconnecting_tells_both_sides_in_order) {
  const auto a = make_host();
  const auto b = make_host();
  Diary diary_a;
  Diary diary_b;
  a->add_observer(&diary_a);
  b->add_observer(&diary_b);
  ASSERT_TRUE(dial(*a, address_of(*b)));
  EXPECT_FALSE(a->disconnect(PeerId::from_public_key(test_key(77).public_key()), "never met"));
  EXPECT_TRUE(a->disconnect(b->id(), "enough"));
  world.run_for(Seconds(2));
  EXPECT_EQ(diary_a.lines, (std::vector<std::string>{"opened outbound", "peer connected", "closed closed: enough", "peer disconnected"}));
  ASSERT_EQ(diary_b.lines.size(), 4u);
  EXPECT_TRUE(diary_b.lines[2].starts_with("closed closed")) << diary_b.lines[2];
  EXPECT_FALSE(a->connected(b->id()));
  EXPECT_FALSE(b->connected(a->id()));
}

TEST_F(HostTest, the_death_of_a_connection_empties_all_tables) {
  const auto a = make_host();
  const auto b = make_host();
  Diary diary;
  a->add_observer(&diary);
  ASSERT_TRUE(dial(*a, address_of(*b)));
  Outcome out;
  TaskScope scope(a->runtime());
  scope.spawn(exchange(*a, b->id(), "/echo/1", Bytes(50'000'000), &out));
  world.run_for(Millis(100));
  EXPECT_EQ(world.disconnect(0, 1), 1u);
  world.run_for(Seconds(1));
  EXPECT_EQ(scope.running(), 0u);
  EXPECT_EQ(out.done->error().code(), Errc::reset) << out.text();
  EXPECT_EQ(diary.count("peer disconnected"), 1u);
  EXPECT_TRUE(a->connections().empty());
  EXPECT_TRUE(b->connections().empty());
  EXPECT_EQ(Connection::live(), 0);
  EXPECT_EQ(live<StreamState>(), 0);
}

Task<void> never_reads(Stream stream, runtime::Runtime& rt) {
  EXPECT_TRUE(stream.alive());
  co_await runtime::sleep_for(rt, std::chrono::hours(1));
}

Task<void> write_forever(Host& host, PeerId peer, std::size_t* written) {
  std::vector<std::string> protocols{"/sink/1"};
  auto opening = host.open_stream(std::move(peer), std::move(protocols));
  auto opened = co_await opening;
  Stream stream = std::move(*opened);
  const Bytes chunk(100'000);
  for (;;) {
    auto writing = stream.write(chunk);
    const auto done = co_await writing;
    if (!done) co_return;
    *written += chunk.size();
  }
}

TEST_F(HostTest, a_reader_that_does_not_read_bounds_the_memory_of_both_sides) {
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

TEST_F(HostTest, reads_and_writes_fail_at_their_deadlines) {
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

TEST_F(HostTest, closing_says_good_bye_ends_acceptors_and_leaves_nothing) {
  auto a = make_host();
  auto b = make_host();
  auto& rt = b->runtime();
  b->set_stream_handler("/sink/1", [&rt](Stream stream) { return never_reads(std::move(stream), rt); });
  Diary diary;
  a->add_observer(&diary);
  ASSERT_TRUE(dial(*a, address_of(*b)));
  std::size_t written = 0;
  TaskScope scope(a->runtime());
  scope.spawn(write_forever(*a, b->id(), &written));
  world.run_for(Seconds(2));
  const auto before = world.now();
  ASSERT_TRUE(run(*b, close_host(*b, Seconds(5)), Seconds(6)));
  EXPECT_LE(world.now() - before, Seconds(5));
  EXPECT_TRUE(b->connections().empty());
  EXPECT_FALSE(b->listen(Multiaddr::from_text("/ip4/10.0.0.2/tcp/9100").value()));
  world.run_for(Seconds(1));
  EXPECT_EQ(scope.running(), 0u) << "the other side's writer has ended, too";
  EXPECT_EQ(diary.count("peer disconnected"), 1u);
  EXPECT_FALSE(dial(*b, address_of(*a)));
}

TEST_F(HostTest, destroying_a_host_with_open_streams_ends_everybody_who_waits) {
  auto a = make_host();
  auto b = make_host();
  ASSERT_TRUE(dial(*a, address_of(*b)));
  TaskScope scope(nodes[0].runtime());
  std::size_t written = 0;
  std::vector<std::string> log;
  auto& rt = b->runtime();
  b->set_stream_handler("/sink/1", [&rt](Stream stream) { return never_reads(std::move(stream), rt); });
  scope.spawn(write_forever(*a, b->id(), &written));
  Outcome pending;
  world.partition({{0}, {1}});
  world.run_for(Seconds(1));
  const auto c = Multiaddr::from_text("/ip4/10.0.0.2/tcp/7").value();
  scope.spawn(connect(*a, c, &pending));
  world.run_for(Seconds(1));
  a.reset();
  world.run_for(Nanos(0));
  EXPECT_EQ(scope.running(), 0u);
  EXPECT_EQ(pending.peer->error().code(), Errc::cancelled);
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

TEST_F(HostTest, handlers_are_told_of_data_room_end_and_reset) {
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

TEST_F(HostTest, a_handler_that_comes_late_gets_what_had_arrived) {
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

TEST_F(HostTest, a_handler_may_drop_its_stream_and_disconnect_from_inside) {
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

std::uint64_t story(std::uint64_t seed) {
  runtime::SimWorld world(seed);
  std::vector<std::unique_ptr<Host>> hosts;
  for (std::uint64_t i = 0; i < 4; ++i) {
    const auto node = world.add_node();
    hosts.push_back(std::make_unique<Host>(node.runtime(), HostConfig(test_key(i + 1))));
    EXPECT_TRUE(hosts.back()->listen(Multiaddr::from_text("/ip4/" + node.ip4() + "/tcp/9000").value()));
    hosts.back()->set_stream_handler("/echo/1", echo);
  }
  TaskScope scope(hosts[0]->runtime());
  std::vector<Outcome> out(12);
  for (std::size_t i = 0; i < 12; ++i) {
    Host& from = *hosts[i % 4];
    const Host& to = *hosts[(i + 1 + i / 4) % 4];
    from.peerstore().add_address(to.id(), to.listen_addresses()[0], kStaticAddress, world.now());
    scope.spawn(exchange(from, to.id(), "/echo/1", Bytes(10'000 * (i + 1)), &out[i]));
  }
  world.run_for(Seconds(10));
  for (const auto& o : out) EXPECT_EQ(o.text(), "ok");
  return world.trace_hash();
}

TEST_F(HostTest, the_same_seed_gives_the_same_trace_hash) {
  EXPECT_EQ(story(1), story(1));
  EXPECT_NE(story(1), story(2));
}

}  // namespace
}  // namespace libp2p::network
