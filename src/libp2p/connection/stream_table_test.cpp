// The table alone: what carries the streams and the connection only write down.
#include "libp2p/connection/stream_table.hpp"

#include <gtest/gtest.h>

#include "libp2p/runtime/sim/sim_world.hpp"

namespace libp2p {
namespace {

class FakeConnection final : public Connection {
 public:
  const ConnectionFacts& facts() const override { return facts_; }
  void start() override {}
  bool ready() const override { return true; }
  bool usable() const override { return true; }
  bool closing() const override { return false; }
  const PeerId& peer() const override { return peer_; }
  const crypto::PublicKey& peer_key() const override { throw std::logic_error("not asked for"); }
  std::string_view security() const override { return {}; }
  std::string_view muxer() const override { return {}; }
  MonoTime progress() const override { return {}; }
  std::size_t streams() const override { return 0; }
  std::uint64_t bytes_in() const override { return 0; }
  std::uint64_t bytes_out() const override { return 0; }
  std::optional<Nanos> round_trip() const override { return std::nullopt; }
  std::size_t unread() const override { return 0; }
  bool reset_largest_unread(Nanos) override { return false; }
  Result<std::shared_ptr<StreamState>> open_stream(std::vector<std::string>) override { return fail(Errc::closed, ""); }
  void close(Error, MonoTime, CloseCode) override {}

 private:
  ConnectionFacts facts_{7, Direction::inbound, {}, {}, {}, false};
  PeerId peer_;
};

struct FakeOwner final : ConnectionOwner {
  std::vector<Stream> inbound;
  std::size_t memory = 0;
  std::vector<std::size_t> taken;
  std::function<void()> when_taken;
  Result<ConnectionId> admit(Direction, const Multiaddr&, const Multiaddr&) override { return ConnectionId{1}; }
  void on_half_open(std::unique_ptr<Connection>) override {}
  Result<void> on_ready(Connection&) override { return {}; }
  void on_inbound_stream(Connection&, std::shared_ptr<StreamState> stream) override {
    inbound.emplace_back(std::move(stream));
  }
  void on_closed(Connection&, const Error&) override {}
  void take_memory(std::size_t bytes) override {
    taken.push_back(bytes);
    memory += bytes;
    if (when_taken) when_taken();
  }
  void give_memory(std::size_t bytes) override { memory -= bytes; }
};

struct FakeCarrier final : StreamCarrier {
  std::vector<std::string> log;
  int deliveries = 0;
  int deadlines = 0;
  void write(const std::string& what, StreamId id) { log.push_back(what + " " + std::to_string(id)); }
  std::size_t send(StreamId id, ByteView data) override {
    write("send", id);
    return data.size();
  }
  bool send(StreamId id, SharedBytes) override {
    write("queue", id);
    return true;
  }
  std::size_t send_queue_bytes(StreamId) const override { return 5; }
  void close_write(StreamId id) override { write("close_write", id); }
  void reset(StreamId id) override { write("reset", id); }
  void consume(StreamId id, std::size_t n) override { write("consume " + std::to_string(n) + " of", id); }
  void flush_for_user() override { log.push_back("flush"); }
  void schedule_delivery() override { ++deliveries; }
  void on_deadline_moved() override { ++deadlines; }
};

struct Told final : StreamHandler {
  std::vector<std::string> lines;
  std::function<void()> when_ended;
  void on_data(ByteView bytes) override { lines.push_back("data " + std::string(as_text(bytes))); }
  void on_end() override {
    lines.push_back("end");
    if (when_ended) when_ended();
  }
  void on_reset(const Error& why) override { lines.push_back(why.message()); }
  void on_writable() override { lines.push_back("writable"); }
};

struct Watcher final : StreamWatcher {
  int changes = 0;
  void on_stream_change() override { ++changes; }
};

class StreamTableTest : public ::testing::Test {
 protected:
  ~StreamTableTest() override {
    owner.inbound.clear();
    table.reset();
    EXPECT_EQ(owner.memory, 0u);
    EXPECT_EQ(live<StreamState>(), 0);
  }
  MonoTime now() { return world.now(); }
  Stream open(StreamId id) { return Stream(table->add_outbound(id, "/x/1")); }

  runtime::SimWorld world{5};
  runtime::SimNode node = world.add_node();
  FakeConnection connection;
  FakeOwner owner;
  FakeCarrier carrier;
  LifeToken life;
  std::unique_ptr<StreamTable> table = std::make_unique<StreamTable>(node.runtime(), connection, owner, carrier, life);
};

TEST_F(StreamTableTest, an_inbound_stream_goes_to_the_owner_with_its_protocol) {
  table->on_stream_opened(3, "/x/1", true);
  ASSERT_EQ(owner.inbound.size(), 1u);
  EXPECT_EQ(owner.inbound[0].protocol(), "/x/1");
  EXPECT_EQ(owner.inbound[0].direction(), Direction::inbound);
}

TEST_F(StreamTableTest, an_event_tells_nobody_before_the_delivery_and_each_thing_is_told_once) {
  Stream stream = open(1);
  Told told;
  stream.set_handler(&told);
  table->on_stream_writable(1);
  table->on_stream_end(1);
  EXPECT_TRUE(told.lines.empty());
  EXPECT_TRUE(table->wants_delivery());
  EXPECT_TRUE(table->deliver());
  EXPECT_EQ(told.lines, (std::vector<std::string>{"end", "writable"}));
  EXPECT_FALSE(table->wants_delivery());
  EXPECT_TRUE(table->deliver());
  EXPECT_EQ(told.lines.size(), 2u);
  table->on_stream_reset(1, fail(Errc::reset, "gone"));
  EXPECT_FALSE(stream.alive());
  EXPECT_TRUE(table->deliver());
  EXPECT_EQ(told.lines.back(), "reset: gone");
}

TEST_F(StreamTableTest, what_users_cause_in_a_delivery_is_told_by_the_same_one) {
  Stream first = open(1);
  Stream second = open(2);
  Told told_first;
  Told told_second;
  first.set_handler(&told_first);
  second.set_handler(&told_second);
  told_first.when_ended = [&] {
    EXPECT_TRUE(table->delivering());
    table->on_stream_end(2);
    EXPECT_TRUE(table->deliver());
    EXPECT_TRUE(told_second.lines.empty()) << "a delivery inside a delivery does nothing";
  };
  table->on_stream_end(1);
  EXPECT_TRUE(table->deliver());
  EXPECT_EQ(told_second.lines, std::vector<std::string>{"end"});
  EXPECT_FALSE(table->delivering());
}

TEST_F(StreamTableTest, a_user_may_end_the_connection_in_a_delivery_and_the_others_hear_of_it) {
  Stream first = open(1);
  Stream second = open(2);
  Told told;
  Watcher watcher;
  first.set_handler(&told);
  const auto state = table->add_outbound(3, "/x/1");
  state->watcher = &watcher;
  told.when_ended = [this] {
    life.end();
    table.reset();
  };
  table->on_stream_end(1);
  table->on_stream_end(3);
  StreamTable& gone = *table;
  EXPECT_FALSE(gone.deliver());
  EXPECT_EQ(watcher.changes, 1);
  state->watcher = nullptr;
}

TEST_F(StreamTableTest, bytes_for_a_stream_that_is_gone_are_paid_back) {
  table->on_stream_data(9, as_bytes("abc"));
  EXPECT_EQ(carrier.log, std::vector<std::string>{"consume 3 of 9"});
}

TEST_F(StreamTableTest, bytes_for_a_stream_whose_handle_is_gone_are_paid_back) {
  open(1).close_write();
  carrier.log.clear();
  table->on_stream_data(1, as_bytes("abc"));
  EXPECT_EQ(carrier.log, (std::vector<std::string>{"consume 3 of 1", "flush"}));
  EXPECT_EQ(table->unread(), 0u);
}

TEST_F(StreamTableTest, a_port_without_its_connection_does_nothing) {
  const auto state = table->add_outbound(1, "/x/1");
  EXPECT_EQ(state->port->id(), 7u);
  EXPECT_EQ(state->port->send(1, as_bytes("abc")), 3u);
  EXPECT_EQ(carrier.log, (std::vector<std::string>{"send 1", "flush"}));
  carrier.log.clear();
  table->cut();
  EXPECT_EQ(state->port->send(1, as_bytes("abc")), 0u);
  EXPECT_FALSE(state->port->queue(1, share(Bytes(3))));
  EXPECT_EQ(state->port->send_queue_bytes(1), 0u);
  state->port->flush();
  state->port->credit(1, 1);
  state->port->on_unread(100);
  state->port->close_write(1);
  state->port->reset(1);
  state->port->linger(1);
  EXPECT_TRUE(carrier.log.empty());
  EXPECT_EQ(carrier.deadlines, 0);
  EXPECT_FALSE(table->next_deadline());
  EXPECT_EQ(table->unread(), 0u);
}

TEST_F(StreamTableTest, what_a_stream_that_has_ended_leaves_unread_counts_until_it_is_read) {
  const auto state = table->add_outbound(1, "/x/1");
  table->on_stream_data(1, as_bytes("abc"));
  table->on_stream_end(1);
  table->on_stream_closed(1);
  table->check();
  EXPECT_EQ(table->unread(), 3u);
  Bytes into(3);
  EXPECT_EQ(state->take(into), 3u);
  table->check();
  EXPECT_EQ(table->unread(), 0u);
}

// ---- streams that linger ----

TEST_F(StreamTableTest, a_stream_that_was_closed_and_dropped_is_reset_when_its_time_is_over) {
  for (const StreamId id : {1, 2}) {
    Stream stream = open(id);
    stream.close_write();
  }
  EXPECT_EQ(carrier.deadlines, 2);
  const MonoTime due = now() + kLinger;
  EXPECT_EQ(table->next_deadline(), due);
  carrier.log.clear();
  table->on_timeout(due - Nanos(1));
  EXPECT_TRUE(carrier.log.empty());
  table->on_stream_closed(1);
  table->on_timeout(due);
  EXPECT_EQ(carrier.log, std::vector<std::string>{"reset 2"}) << "the other one had ended in order";
  EXPECT_FALSE(table->next_deadline());
}

TEST_F(StreamTableTest, streams_that_ended_while_they_lingered_are_forgotten) {
  for (StreamId id = 1; id <= 64; ++id) {
    {
      Stream stream = open(id);
      stream.close_write();
    }
    table->on_stream_closed(id);
  }
  EXPECT_EQ(table->next_deadline(), now() + kLinger);
  world.run_for(Seconds(1));
  {
    Stream stream = open(65);
    stream.close_write();
  }
  EXPECT_EQ(table->next_deadline(), now() + kLinger - Seconds(1)) << "it is one below the bound";
  table->on_stream_closed(65);
  world.run_for(Seconds(1));
  {
    Stream stream = open(66);
    stream.close_write();
  }
  EXPECT_EQ(table->next_deadline(), now() + kLinger - Seconds(2)) << "66 lives, and is counted twice";
  table->on_stream_closed(66);
  world.run_for(Seconds(1));
  {
    Stream stream = open(67);
    stream.close_write();
  }
  EXPECT_EQ(table->next_deadline(), now() + kLinger);
}

// ---- unread bytes ----

TEST_F(StreamTableTest, room_for_unread_bytes_is_taken_in_units_and_given_back) {
  Stream stream = open(1);
  table->on_stream_data(1, as_bytes("a"));
  EXPECT_EQ(owner.taken, std::vector<std::size_t>{16'384});
  table->on_stream_data(1, Bytes(16'383));
  EXPECT_EQ(owner.memory, 16'384u);
  table->on_stream_data(1, as_bytes("b"));
  EXPECT_EQ(owner.memory, 2u * 16'384);
  EXPECT_EQ(table->unread(), 16'385u);
  table->on_stream_reset(1, fail(Errc::reset, "gone"));
  EXPECT_EQ(table->unread(), 0u);
  EXPECT_EQ(owner.memory, 0u);
  Stream second = open(2);
  table->on_stream_data(2, as_bytes("a"));
  table->cut();
  EXPECT_EQ(owner.memory, 0u);
}

TEST_F(StreamTableTest, the_stream_with_the_most_unread_bytes_goes_and_of_two_alike_the_older_one) {
  std::vector<Stream> streams;
  for (const StreamId id : {4, 2, 3, 1}) streams.push_back(open(id));
  table->on_stream_data(4, Bytes(10));
  table->on_stream_data(2, Bytes(20));
  table->on_stream_data(3, Bytes(20));
  EXPECT_TRUE(table->reset_largest_unread(Nanos(0)));
  EXPECT_EQ(carrier.log, std::vector<std::string>{"reset 2"});
  EXPECT_EQ(carrier.deliveries, 1);
  Told told;
  streams[1].set_handler(&told);
  ASSERT_EQ(told.lines.size(), 1u);
  EXPECT_NE(told.lines[0].find("this stream of /x/1 held most of it: 20 bytes"), std::string::npos) << told.lines[0];
  EXPECT_TRUE(table->reset_largest_unread(Nanos(0)));
  EXPECT_TRUE(table->reset_largest_unread(Nanos(0)));
  EXPECT_EQ(carrier.log, (std::vector<std::string>{"reset 2", "reset 3", "reset 4"}));
  EXPECT_FALSE(table->reset_largest_unread(Nanos(0))) << "the last one holds nothing";
}

TEST_F(StreamTableTest, a_stream_that_is_being_read_is_not_stalled) {
  const auto read = table->add_outbound(1, "/x/1");
  Stream keeps(read);
  Stream stalled = open(2);
  table->on_stream_data(1, Bytes(100));
  table->on_stream_data(2, Bytes(10));
  world.run_for(Seconds(5));
  Bytes in(1);
  EXPECT_EQ(read->take(in), 1u);
  carrier.log.clear();
  EXPECT_FALSE(table->reset_largest_unread(Seconds(6)));
  EXPECT_TRUE(table->reset_largest_unread(Seconds(5)));
  EXPECT_EQ(carrier.log, std::vector<std::string>{"reset 2"});
}

TEST_F(StreamTableTest, the_owner_may_reset_the_stream_that_it_is_asked_for) {
  Stream stream = open(1);
  owner.when_taken = [this] { EXPECT_TRUE(table->reset_largest_unread(Nanos(0))); };
  table->on_stream_data(1, Bytes(100));
  EXPECT_FALSE(stream.alive());
  EXPECT_EQ(table->unread(), 0u);
  EXPECT_EQ(owner.memory, 0u);
}

}  // namespace
}  // namespace libp2p
