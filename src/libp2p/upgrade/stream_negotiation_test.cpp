// The negotiation of streams alone, over a mux that only writes down: as QUIC uses it.
#include "libp2p/upgrade/stream_negotiation.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "libp2p/protocols/multistream/negotiator.hpp"

namespace libp2p {
namespace {

class FakeMux final : public StreamMux {
 public:
  struct Stream {
    Bytes sent;
    std::size_t consumed = 0;
    int acknowledged = 0;
    bool ended = false;
  };

  Result<StreamId> open(Now) override {
    if (closed) return fail(Errc::closed, "the fake goes away");
    streams.emplace(next, Stream{});
    return next++;
  }
  void acknowledge(StreamId id) override { ++streams.at(id).acknowledged; }
  bool has(StreamId id) const override { return streams.contains(id); }
  std::size_t stream_count() const override { return streams.size(); }
  std::size_t send(StreamId id, ByteView data) override {
    if (!has(id)) return 0;
    const std::size_t n = std::min(data.size(), room);
    append(streams.at(id).sent, data.first(n));
    return n;
  }
  bool send(StreamId id, SharedBytes data, std::size_t offset) override {
    return send(id, ByteView(*data).subspan(offset)) == data->size() - offset;
  }
  std::size_t send_queue_bytes(StreamId id) const override { return has(id) ? streams.at(id).sent.size() : 0; }
  void close_write(StreamId id) override { streams.at(id).ended = true; }
  void stop_reading(StreamId) override {}
  void reset(StreamId id, std::uint64_t code) override {
    if (streams.erase(id) > 0) resets.emplace_back(id, code);
  }
  void consume(StreamId id, std::size_t n) override {
    if (has(id)) streams.at(id).consumed += n;
  }
  void go_away(CloseCode) override {}
  void abort(const Error&) override {}
  bool wants_output() const override { return false; }
  std::optional<Nanos> round_trip() const override { return std::nullopt; }
  bool failed() const override { return false; }

  std::map<StreamId, Stream> streams;
  std::vector<std::pair<StreamId, std::uint64_t>> resets;
  std::size_t room = 1 << 20;
  bool closed = false;
  StreamId next = 1;
};

class Log final : public StreamEvents {
 public:
  void on_stream_opened(StreamId id, const std::string& protocol, bool inbound) override {
    add(id, (inbound ? "accepted " : "opened ") + protocol);
    if (on_opened) on_opened(id);
  }
  void on_stream_data(StreamId id, ByteView data) override { add(id, "data " + std::string(as_text(data))); }
  void on_stream_end(StreamId id) override { add(id, "end"); }
  void on_stream_reset(StreamId id, const Error& error) override {
    add(id, "reset " + std::string(to_string(error.code())));
  }
  void on_stream_writable(StreamId id) override { add(id, "writable"); }
  void on_stream_closed(StreamId id) override { add(id, "closed"); }

  std::vector<std::string> take() { return std::exchange(lines_, {}); }
  std::function<void(StreamId)> on_opened;

 private:
  void add(StreamId id, const std::string& what) { lines_.push_back(std::to_string(id) + " " + what); }
  std::vector<std::string> lines_;
};

Bytes messages(std::initializer_list<std::string_view> texts) {
  Bytes out;
  multistream::append_message(out, multistream::kProtocolId);
  for (const auto text : texts) multistream::append_message(out, text);
  return out;
}

using Lines = std::vector<std::string>;

class StreamNegotiationTest : public ::testing::Test {
 protected:
  StreamNegotiationTest() {
    streams.attach(&mux);
    streams.set_now(now);
  }
  StreamId inbound(StreamId id) {
    mux.streams.emplace(id, FakeMux::Stream{});
    streams.on_inbound_stream(id);
    return id;
  }
  std::string sent(StreamId id) { return std::string(as_text(mux.streams.at(id).sent)); }
  void receive(StreamId id, ByteView data) { streams.on_data(id, data); }
  void pass(Nanos time) {
    now = now + time;
    streams.on_timeout(now);
  }

  Now now{MonoTime(Seconds(100)), UnixTime(Seconds(0))};
  FakeMux mux;
  Log log;
  StreamNegotiation streams{
      {.accepts_protocol = [](std::string_view protocol) { return protocol == "/a" || protocol == "/b"; },
       .may_grow = [](std::size_t bytes) { return bytes < 10; },
       .timeout = Seconds(5),
       .max_inbound = 2},
      log};
};

TEST_F(StreamNegotiationTest, a_single_protocol_lets_data_follow_at_once) {
  const StreamId id = streams.open({"/a"}, now).value();
  EXPECT_EQ(streams.send(id, as_bytes("early")), 5U);
  EXPECT_TRUE(streams.send(id, share(to_bytes("|shared")), 1));
  EXPECT_EQ(sent(id), std::string(as_text(messages({"/a"}))) + "earlyshared");
  EXPECT_EQ(log.take(), Lines{});
  Bytes answer = messages({"/a"});
  append(answer, as_bytes("answer"));
  receive(id, answer);
  EXPECT_EQ(log.take(), (Lines{"1 opened /a", "1 data answer"}));
  EXPECT_EQ(mux.streams.at(id).consumed, answer.size() - 6) << "the user consumes what is its own";
  EXPECT_EQ(streams.negotiating(), 0U);
}

TEST_F(StreamNegotiationTest, several_protocols_are_proposed_in_turn_and_nothing_is_sent_before_one_is_agreed) {
  const StreamId id = streams.open({"/no", "/b"}, now).value();
  EXPECT_EQ(streams.send(id, as_bytes("early")), 0U);
  EXPECT_FALSE(streams.send(id, share(to_bytes("early"))));
  streams.on_writable(id);
  receive(id, messages({"na"}));
  EXPECT_EQ(log.take(), Lines{}) << "not writable either";
  Bytes second;
  multistream::append_message(second, "/b");
  receive(id, second);
  EXPECT_EQ(log.take(), Lines{"1 opened /b"});
  streams.send(id, as_bytes("now"));
  EXPECT_EQ(sent(id), std::string(as_text(messages({"/no", "/b"}))) + "now");
  streams.on_writable(id);
  EXPECT_EQ(log.take(), Lines{"1 writable"});
}

TEST_F(StreamNegotiationTest, an_end_waits_for_the_protocol) {
  const StreamId id = streams.open({"/a"}, now).value();
  streams.close_write(id);
  EXPECT_FALSE(mux.streams.at(id).ended);
  receive(id, messages({"/a"}));
  EXPECT_TRUE(mux.streams.at(id).ended);
}

TEST_F(StreamNegotiationTest, an_inbound_stream_is_acknowledged_once_its_protocol_is_agreed) {
  const StreamId id = inbound(7);
  const Bytes proposal = messages({"/no", "/b"});
  receive(id, ByteView(proposal).first(25));
  EXPECT_EQ(mux.streams.at(id).acknowledged, 0);
  EXPECT_EQ(log.take(), Lines{});
  Bytes rest = to_bytes(ByteView(proposal).subspan(25));
  append(rest, as_bytes("data"));
  receive(id, rest);
  EXPECT_EQ(mux.streams.at(id).acknowledged, 1);
  EXPECT_EQ(sent(id), as_text(messages({"na", "/b"})));
  EXPECT_EQ(log.take(), (Lines{"7 accepted /b", "7 data data"}));
  EXPECT_EQ(mux.streams.at(id).consumed, proposal.size());
}

TEST_F(StreamNegotiationTest, data_behind_the_proposal_is_not_told_when_the_user_resets_the_stream_first) {
  const StreamId id = inbound(7);
  log.on_opened = [this](StreamId opened) { streams.reset(opened, 42); };
  Bytes proposal = messages({"/a"});
  append(proposal, as_bytes("data"));
  receive(id, proposal);
  EXPECT_EQ(log.take(), Lines{"7 accepted /a"});
  EXPECT_EQ(mux.resets, (std::vector<std::pair<StreamId, std::uint64_t>>{{7, 42}}));
}

// The answer is read before the end, where a reset would overtake it.
TEST_F(StreamNegotiationTest, a_refused_stream_ends_behind_the_answer_and_what_it_sends_is_thrown_away) {
  const StreamId id = inbound(7);
  Bytes proposal = messages({"/no"});
  append(proposal, Bytes(2, 0xff));
  append(proposal, Bytes(100));
  receive(id, proposal);
  EXPECT_EQ(sent(id), as_text(messages({"na"})));
  EXPECT_TRUE(mux.streams.at(id).ended);
  EXPECT_TRUE(mux.resets.empty());
  receive(id, Bytes(1000));
  EXPECT_EQ(mux.streams.at(id).consumed, proposal.size() + 1000) << "it gets its credit back";
  receive(id, Bytes(256 * 1024 - 1000));
  EXPECT_TRUE(mux.resets.empty());
  receive(id, Bytes(1));
  EXPECT_EQ(mux.resets.size(), 1U) << "but not for ever";
  EXPECT_EQ(log.take(), Lines{}) << "the user never hears of it";
}

TEST_F(StreamNegotiationTest, a_refused_stream_is_reset_at_its_deadline) {
  const StreamId id = inbound(7);
  receive(id, messages({"/no"}));
  streams.on_end(id);
  EXPECT_TRUE(mux.resets.empty()) << "the mux closes it";
  pass(Seconds(5));
  EXPECT_EQ(mux.resets.size(), 1U);
  EXPECT_EQ(streams.negotiating(), 0U);
}

TEST_F(StreamNegotiationTest, a_peer_that_breaks_the_format_before_any_answer_is_reset) {
  const StreamId id = inbound(7);
  receive(id, Bytes(20, 0xff));
  EXPECT_EQ(mux.resets.size(), 1U);
  EXPECT_FALSE(mux.has(id));
}

TEST_F(StreamNegotiationTest, a_peer_that_does_not_read_its_answers_is_reset) {
  const StreamId id = inbound(7);
  mux.room = 3;
  receive(id, messages({"/no"}));
  EXPECT_EQ(mux.resets.size(), 1U);
  EXPECT_FALSE(mux.has(id));
}

TEST_F(StreamNegotiationTest, each_negotiation_ends_at_its_own_deadline) {
  EXPECT_FALSE(streams.next_deadline());
  const StreamId one = streams.open({"/a"}, now).value();
  const MonoTime first = now.mono + Seconds(5);
  EXPECT_EQ(streams.next_deadline(), first);
  pass(Seconds(2));
  inbound(7);
  const StreamId settled = streams.open({"/a"}, now).value();
  receive(settled, messages({"/a"}));
  log.take();
  pass(Seconds(3) - Nanos(1));
  EXPECT_EQ(log.take(), Lines{});
  pass(Nanos(1));
  EXPECT_EQ(log.take(), Lines{std::to_string(one) + " reset timed out"});
  EXPECT_EQ(streams.next_deadline(), first + Seconds(2));
  pass(Seconds(2));
  EXPECT_EQ(log.take(), Lines{}) << "an inbound one is nobody's yet";
  EXPECT_EQ(mux.resets.size(), 2U);
  EXPECT_TRUE(mux.has(settled));
  EXPECT_FALSE(streams.next_deadline());
}

TEST_F(StreamNegotiationTest, bounds_the_inbound_streams_that_negotiate) {
  inbound(7);
  inbound(8);
  inbound(9);
  EXPECT_FALSE(mux.has(9));
  receive(7, messages({"/a"}));  // settled: a place is free
  inbound(10);
  EXPECT_TRUE(mux.has(10));
  mux.streams.erase(8);
  streams.on_reset(8, Error(Errc::reset, "by the peer"));
  inbound(11);
  EXPECT_TRUE(mux.has(11));
  inbound(12);
  EXPECT_FALSE(mux.has(12));
  const StreamId own = streams.open({"/a"}, now).value();
  EXPECT_TRUE(mux.has(own)) << "our own have no such bound";
}

TEST_F(StreamNegotiationTest, an_outbound_stream_that_the_peer_refuses_ends_or_resets_is_told_once) {
  const StreamId refused = streams.open({"/a"}, now).value();
  receive(refused, messages({"na"}));
  const StreamId ended = streams.open({"/a"}, now).value();
  streams.on_end(ended);
  const StreamId reset = streams.open({"/a"}, now).value();
  mux.streams.erase(reset);
  streams.on_reset(reset, Error(Errc::reset, "by the peer"));
  EXPECT_EQ(log.take(), (Lines{"1 reset unsupported", "2 reset unsupported", "3 reset reset"}));
  EXPECT_EQ(streams.negotiating(), 0U);
}

TEST_F(StreamNegotiationTest, what_ends_an_inbound_stream_without_a_protocol_is_nobodys_business) {
  for (const StreamId id : {inbound(7), inbound(8)}) {
    mux.streams.erase(id);
    id == 7 ? streams.on_reset(id, Error(Errc::reset, "by the peer")) : streams.on_closed(id);
  }
  EXPECT_EQ(log.take(), Lines{});
}

TEST_F(StreamNegotiationTest, events_of_settled_streams_pass_through) {
  const StreamId id = streams.open({"/a"}, now).value();
  receive(id, messages({"/a"}));
  receive(id, as_bytes("x"));
  streams.on_end(id);
  streams.on_writable(id);
  streams.consume(id, 1);
  EXPECT_FALSE(streams.may_grow(10));
  EXPECT_TRUE(streams.may_grow(9));
  streams.close_write(id);
  EXPECT_TRUE(mux.streams.at(id).ended);
  streams.on_closed(id);
  EXPECT_EQ(log.take(), (Lines{"1 opened /a", "1 data x", "1 end", "1 writable", "1 closed"}));
}

TEST_F(StreamNegotiationTest, says_why_a_stream_cannot_be_opened) {
  EXPECT_EQ(streams.open({}, now).error().code(), Errc::invalid_argument);
  EXPECT_EQ(streams.open({std::string(1024, 'x')}, now).error().code(), Errc::invalid_argument);
  mux.closed = true;
  EXPECT_EQ(streams.open({"/a"}, now).error().code(), Errc::closed);
  EXPECT_EQ(streams.negotiating(), 0U);
}

TEST_F(StreamNegotiationTest, does_nothing_without_a_mux) {
  streams.attach(nullptr);
  EXPECT_EQ(streams.open({"/a"}, now).error().code(), Errc::invalid_argument);
  EXPECT_EQ(streams.send(1, as_bytes("x")), 0U);
  EXPECT_FALSE(streams.send(1, share(Bytes(1))));
  streams.close_write(1);
  streams.reset(1);
  streams.consume(1, 1);
  EXPECT_EQ(streams.send_queue_bytes(1) + streams.stream_count(), 0U);
}

}  // namespace
}  // namespace libp2p
