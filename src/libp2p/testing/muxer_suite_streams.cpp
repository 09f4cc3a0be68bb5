#include <algorithm>

#include "libp2p/testing/muxer_suite_cases.hpp"

namespace libp2p::muxer_cases {
namespace {

// The one stream that has come in; none is a failure.
std::optional<StreamId> only_inbound(MuxerEnd& end, Findings& findings) {
  if (!findings.expect_equal(std::size_t{1}, end.inbound.size(), "streams that came in")) return std::nullopt;
  return end.inbound.front();
}

// Opens a stream with something to say, so that the peer knows of it. Nothing when open() fails.
std::optional<StreamId> open_with(MuxerPair& pair, MuxerEnd& opener, ByteView bytes, bool finish = false) {
  const auto id = opener.open(pair.now);
  if (!pair.findings.expect(id.has_value(), "open() to give a stream")) return std::nullopt;
  opener.write(*id, bytes, finish);
  return id;
}

}  // namespace

void echo(Case test) {
  MuxerPair pair(test.kind, test.findings, test.options.seed);
  for (MuxerEnd* opener : {&pair.dialer, &pair.listener}) {
    pair.dialer.echo = opener != &pair.dialer;
    pair.listener.echo = !pair.dialer.echo;
    const Bytes all = suite_pattern(700'000, test.options.seed + 1);
    const auto id = open_with(pair, *opener, all, true);
    if (!id) return;
    pair.run();
    const auto& seen = opener->at(*id);
    test.findings.expect_bytes(all, seen.data, "what was sent to come back");
    test.findings.expect(seen.they_ended, "the peer's end to be told");
    test.findings.expect_equal(1, seen.closed, "on_closed at the opener");
    const auto theirs = only_inbound(pair.other(*opener), test.findings);
    if (theirs) test.findings.expect_equal(1, pair.other(*opener).at(*theirs).closed, "on_closed at the other end");
    opener->inbound.clear();
    pair.other(*opener).inbound.clear();
  }
  expect_no_streams(pair);
}

void half_close(Case test) {
  MuxerPair pair(test.kind, test.findings, test.options.seed);
  for (MuxerEnd* opener : {&pair.dialer, &pair.listener}) {
    MuxerEnd& other = pair.other(*opener);
    other.inbound.clear();
    const auto id = open_with(pair, *opener, as_bytes("PING"), true);
    if (!id) return;
    pair.run();
    const auto theirs = only_inbound(other, test.findings);
    if (!theirs) return;
    test.findings.expect_bytes(as_bytes("PING"), other.at(*theirs).data, "what was written before the end");
    test.findings.expect(other.at(*theirs).they_ended, "the end behind what was written");
    test.findings.expect(opener->muxer().has(*id) && other.muxer().has(*theirs), "a stream with one open side to live");
    const Bytes answer = suite_pattern(300'000, test.options.seed + 2);
    other.write(*theirs, answer, true);
    pair.run();
    test.findings.expect_bytes(answer, opener->at(*id).data, "what the open side sent after the other's end");
    test.findings.expect_equal(1, opener->at(*id).closed, "on_closed after both ends");
  }
  // An end with nothing before it.
  pair.listener.inbound.clear();
  const auto bare = pair.dialer.open(pair.now);
  if (!bare) return;
  pair.dialer.close_write(*bare);
  pair.run();
  const auto theirs = only_inbound(pair.listener, test.findings);
  if (!theirs) return;
  test.findings.expect(pair.listener.at(*theirs).they_ended, "the end of a stream without bytes");
  pair.listener.close_write(*theirs);
  pair.run();
  expect_no_streams(pair);
}

void reset(Case test) {
  MuxerPair pair(test.kind, test.findings, test.options.seed);
  const Bytes all = suite_pattern(200'000, test.options.seed + 3);
  const auto ours = open_with(pair, pair.dialer, all);
  const auto theirs = open_with(pair, pair.dialer, as_bytes("b"));
  const auto kept = open_with(pair, pair.dialer, as_bytes("c"));
  if (!ours || !theirs || !kept) return;
  pair.run_until([&] { return pair.listener.inbound.size() == 3 && pair.listener.received() > 2; });
  if (!test.findings.expect_equal(std::size_t{3}, pair.listener.inbound.size(), "streams that came in")) return;
  // Streams come in in the order of their opening.
  const auto in = pair.listener.inbound;
  pair.dialer.reset(*ours);
  pair.listener.reset(in[1]);
  pair.run();
  test.findings.expect_equal(1, pair.listener.at(in[0]).resets, "on_reset at the peer of who resets");
  test.findings.expect_equal(0, pair.dialer.at(*ours).resets, "on_reset at who resets");
  test.findings.expect_equal(1, pair.dialer.at(*theirs).resets, "on_reset at the opener");
  test.findings.expect(!pair.listener.muxer().has(in[0]) && !pair.dialer.muxer().has(*theirs),
                       "reset streams to be gone");
  test.findings.expect_equal(std::size_t{1}, pair.dialer.muxer().stream_count(), "streams that are left at the dialer");
  test.findings.expect_equal(std::size_t{1}, pair.listener.muxer().stream_count(),
                             "streams that are left at the listener");
  pair.listener.write(in[2], all, true);
  pair.dialer.write(*kept, all, true);
  pair.run();
  test.findings.expect_bytes(all, pair.dialer.at(*kept).data, "what another stream carries");
  expect_no_streams(pair);
}

void many_streams(Case test) {
  StreamLimits limits;
  limits.max_inbound_streams = test.options.at_once;
  limits.max_outbound_streams = test.options.at_once;
  MuxerPair pair(test.kind, test.findings, test.options.seed, limits);
  pair.listener.echo = true;
  pair.listener.forget = true;
  std::size_t opened = 0, whole = 0;
  const auto message = [](std::size_t number) { return suite_pattern(24, number); };
  std::map<StreamId, std::size_t> numbers;
  std::vector<StreamId> over;
  pair.dialer.closed_hook = [&](StreamId id) {
    whole += equal(pair.dialer.at(id).data, message(numbers[id])) ? 1 : 0;
    over.push_back(id);
  };
  const auto open_one = [&](bool finish) {
    const auto id = open_with(pair, pair.dialer, message(opened), finish);
    if (id) numbers[*id] = opened++;
    return id.has_value();
  };
  while (opened < test.options.at_once)
    if (!open_one(false)) return;
  pair.run();
  test.findings.expect_equal(test.options.at_once, pair.dialer.muxer().stream_count(), "streams at once at the opener");
  test.findings.expect_equal(test.options.at_once, pair.listener.muxer().stream_count(),
                             "streams at once at the other end");
  for (const auto& [id, number] : numbers) pair.dialer.close_write(id);
  while (whole < opened || opened < test.options.streams) {
    const std::size_t before = whole;
    pair.run_until([&] { return !over.empty(); });
    for (const StreamId id : std::exchange(over, {})) {
      pair.dialer.streams.erase(id);
      numbers.erase(id);
      if (opened < test.options.streams && !open_one(true)) return;
    }
    if (whole == before) break;
  }
  test.findings.expect_equal(test.options.streams, whole, "streams that came back whole");
  pair.run();
  expect_no_streams(pair);
}

void shared_messages(Case test) {
  MuxerPair pair(test.kind, test.findings, test.options.seed);
  const SharedBytes message = share(suite_pattern(100'000, test.options.seed + 4));
  std::vector<StreamId> ids;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto id = pair.dialer.open(pair.now);
    if (!test.findings.expect(id.has_value(), "open() to give a stream")) return;
    test.findings.expect(pair.dialer.send_shared(*id, message, i * 1000), "an empty queue to take a shared message");
    test.findings.expect_equal(message->size() - i * 1000, pair.dialer.muxer().send_queue_bytes(*id),
                               "what the queue counts of a shared message");
    pair.dialer.write(*id, as_bytes("tail"), true);
    ids.push_back(*id);
  }
  pair.run();
  if (!test.findings.expect_equal(ids.size(), pair.listener.inbound.size(), "streams that came in")) return;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    Bytes expected = to_bytes(ByteView(*message).subspan(i * 1000));
    append(expected, as_bytes("tail"));
    test.findings.expect_bytes(expected, pair.listener.at(pair.listener.inbound[i]).data,
                               "a shared message from its offset");
    pair.listener.close_write(pair.listener.inbound[i]);
  }
  pair.run();
  test.findings.expect_equal(1L, message.use_count(), "owners of the shared message once it was sent");
  expect_no_streams(pair);
}

void stop_reading(Case test) {
  MuxerPair pair(test.kind, test.findings, test.options.seed);
  const Bytes start = suite_pattern(1000, test.options.seed + 5);
  const auto id = open_with(pair, pair.dialer, start);
  if (!id) return;
  pair.run();
  const auto theirs = only_inbound(pair.listener, test.findings);
  if (!theirs) return;
  pair.listener.stop_reading(*theirs);
  const Bytes answer = suite_pattern(100'000, test.options.seed + 6);
  pair.listener.write(*theirs, answer);
  // Not all of it need arrive anywhere; the recorder takes any on_data for a failure.
  if (!pair.dialer.at(*id).over()) pair.dialer.write(*id, suite_pattern(50'000, 1));
  pair.run();
  test.findings.expect_bytes(answer, pair.dialer.at(*id).data, "what is sent by who has stopped reading");
  test.findings.expect(pair.listener.muxer().has(*theirs), "the stream to live until our side ends");
  pair.listener.close_write(*theirs);
  pair.run();
  if (!pair.dialer.at(*id).over()) pair.dialer.close_write(*id);
  pair.run();
  expect_no_streams(pair);
}

void streams_that_are_gone(Case test) {
  MuxerPair pair(test.kind, test.findings, test.options.seed);
  pair.listener.echo = true;
  const auto id = open_with(pair, pair.dialer, as_bytes("last"), true);
  const auto kept = open_with(pair, pair.dialer, as_bytes("kept"));
  if (!id || !kept) return;
  pair.run();
  for (const StreamId gone : {*id, StreamId{0}, *kept + (StreamId{1} << 40)}) {
    Muxer& muxer = pair.dialer.muxer();
    const std::string which = "a call with the id " + std::to_string(gone) + ", which is gone,";
    test.findings.expect(!muxer.has(gone), which + " to find no stream");
    test.findings.expect_equal(std::size_t{0}, muxer.send(gone, as_bytes("x")), "bytes taken by " + which);
    test.findings.expect(!muxer.send(gone, share(to_bytes("x")), 0), which + " to take no shared message");
    test.findings.expect_equal(std::size_t{0}, muxer.send_queue_bytes(gone), "bytes queued for " + which);
    muxer.acknowledge(gone);
    muxer.close_write(gone);
    muxer.stop_reading(gone);
    muxer.consume(gone, 10);
    muxer.reset(gone);
    test.findings.expect(!muxer.wants_output(), which + " to send nothing");
  }
  test.findings.expect_equal(std::size_t{1}, pair.dialer.muxer().stream_count(), "streams beside those that are gone");
  pair.dialer.write(*kept, as_bytes("!"), true);
  pair.run();
  test.findings.expect_bytes(as_bytes("kept!"), pair.dialer.at(*kept).data, "the echo of the stream that is left");
  expect_no_streams(pair);
}

// Each event does what a user may do in it: opens, writes, ends, resets itself and others.
void calls_inside_events(Case test) {
  MuxerPair pair(test.kind, test.findings, test.options.seed);
  MuxerEnd& server = pair.listener;
  MuxerEnd& client = pair.dialer;
  std::vector<StreamId> opened_inside;
  const auto open_inside = [&](MuxerEnd& end, ByteView bytes) {
    const auto id = end.open(pair.now);
    if (!id) return;
    end.write(*id, bytes, true);
    opened_inside.push_back(*id);
  };
  server.inbound_hook = [&](StreamId id) {
    if (server.inbound.size() == 2) server.reset(id);  // at once, before its bytes
    if (server.inbound.size() == 3) open_inside(server, as_bytes("from on_inbound_stream"));
  };
  bool reset_other = false;
  server.data_hook = [&](StreamId id, ByteView) {
    if (id == server.inbound[0] && server.inbound.size() > 3 && !reset_other) {
      reset_other = true;
      server.reset(server.inbound[3]);
      server.write(id, as_bytes("from on_data"), true);
    }
  };
  server.end_hook = [&](StreamId id) {
    if (id == server.inbound.back() && !server.at(id).we_ended) server.reset(id);  // itself, inside its own end
  };
  bool opened_in_reset = false;
  client.reset_hook = [&](StreamId) {
    if (!std::exchange(opened_in_reset, true)) open_inside(client, as_bytes("from on_reset"));
  };
  std::vector<StreamId> ids;
  for (int i = 0; i < 5; ++i) {
    const auto id = open_with(pair, client, as_bytes("hello"));
    if (!id) return;
    ids.push_back(*id);
  }
  pair.run();
  client.write(ids[0], as_bytes("more"), true);
  client.write(ids[4], as_bytes("end"), true);
  pair.run();
  test.findings.expect_bytes(as_bytes("from on_data"), client.at(ids[0]).data, "what was written inside on_data");
  test.findings.expect_equal(1, client.at(ids[1]).resets,
                             "on_reset for a stream that was reset inside on_inbound_stream");
  test.findings.expect_equal(1, client.at(ids[3]).resets,
                             "on_reset for a stream that was reset inside another's on_data");
  const bool told = std::any_of(client.streams.begin(), client.streams.end(), [](const auto& entry) {
    return entry.second.inbound && equal(entry.second.data, as_bytes("from on_inbound_stream"));
  });
  test.findings.expect(told, "a stream that was opened inside on_inbound_stream to carry its bytes");
  test.findings.expect(opened_in_reset && opened_inside.size() == 2, "open() inside on_reset to give a stream");
  for (MuxerEnd* end : {&client, &server}) {
    for (auto& [id, seen] : end->streams)
      if (!seen.over() && !seen.we_ended) end->close_write(id);
  }
  pair.run();
  for (MuxerEnd* end : {&client, &server}) {
    for (auto& [id, seen] : end->streams)
      if (!seen.over() && !seen.we_ended) end->close_write(id);
  }
  pair.run();
  expect_no_streams(pair);
}

}  // namespace libp2p::muxer_cases
