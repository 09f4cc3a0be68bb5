#include <algorithm>

#include "libp2p/testing/muxer_suite_cases.hpp"

namespace libp2p::muxer_cases {
namespace {

constexpr std::size_t kRoom = 16 * 1024;

}  // namespace

void back_pressure(Case test) {
  StreamLimits limits;
  limits.max_send_queue = 64 * 1024;
  limits.send_low_water = 16 * 1024;
  MuxerPair pair(test.kind, test.findings, test.options.seed, limits);
  pair.room = 4096;
  const auto id = pair.dialer.open(pair.now);
  if (!test.findings.expect(id.has_value(), "open() to give a stream")) return;
  Muxer& muxer = pair.dialer.muxer();
  const Bytes all = suite_pattern(200'000, test.options.seed);
  pair.dialer.write(*id, all);
  auto& seen = pair.dialer.at(*id);
  test.findings.expect_equal(all.size() - limits.max_send_queue, seen.to_write.size(),
                             "bytes that a full queue leaves");
  test.findings.expect_equal(limits.max_send_queue, muxer.send_queue_bytes(*id), "bytes in a full queue");
  test.findings.expect_equal(std::size_t{0}, muxer.send(*id, as_bytes("more")), "bytes that a full queue takes");
  test.findings.expect(!muxer.send(*id, share(to_bytes("more")), 0), "a full queue to take no shared message");
  test.findings.expect_equal(0, seen.writable, "on_writable before anything has left");
  // It is asked for more as the wire takes what is queued, each time from the low water on.
  pair.dialer.write(*id, {}, true);
  pair.run();
  const int least = static_cast<int>((all.size() - limits.max_send_queue) / limits.max_send_queue);
  test.findings.expect(seen.writable >= least, "on_writable at least " + std::to_string(least) + " times",
                       std::to_string(seen.writable));
  test.findings.expect(seen.to_write.empty(), "all to be taken in the end",
                       std::to_string(seen.to_write.size()) + " bytes left");
  if (!test.findings.expect_equal(std::size_t{1}, pair.listener.inbound.size(), "streams that came in")) return;
  const StreamId theirs = pair.listener.inbound.front();
  test.findings.expect_bytes(all, pair.listener.at(theirs).data, "what went through a full queue");
  pair.listener.close_write(theirs);
  pair.run();
  expect_no_streams(pair);
}

void slow_reader(Case test) {
  MuxerPair pair(test.kind, test.findings, test.options.seed);
  const Bytes all = suite_pattern(3 << 20, test.options.seed);
  std::vector<StreamId> ids;
  StreamId slow = 0;
  pair.listener.reads = [&](StreamId id) { return id != slow; };
  pair.listener.inbound_hook = [&](StreamId id) { slow = slow == 0 ? id : slow; };
  for (int i = 0; i < 3; ++i) {
    const auto id = pair.dialer.open(pair.now);
    if (!test.findings.expect(id.has_value(), "open() to give a stream")) return;
    pair.dialer.write(*id, all, true);
    ids.push_back(*id);
  }
  pair.run();
  if (!test.findings.expect_equal(std::size_t{3}, pair.listener.inbound.size(), "streams that came in")) return;
  const auto in = pair.listener.inbound;
  for (const std::size_t i : {1, 2}) {
    test.findings.expect_bytes(all, pair.listener.at(in[i]).data, "what a stream beside a slow reader's carries");
    pair.listener.close_write(in[i]);
  }
  auto& lazy = pair.listener.at(slow);
  if (test.options.flow_control) {
    test.findings.expect(lazy.data.size() < all.size(), "a reader who takes nothing to hold its stream back");
    test.findings.expect(!pair.dialer.at(ids[0]).to_write.empty(), "the writer's queue to fill behind a slow reader");
    for (int rounds = 0; rounds < 10'000 && !lazy.over() && !lazy.they_ended; ++rounds) {
      pair.listener.consume(slow, 16 * 1024);
      pair.run();
    }
    pair.listener.consume_all();
    pair.run();
    test.findings.expect_bytes(all, lazy.data, "what a slow reader gets in the end");
    pair.listener.close_write(slow);
  } else {
    test.findings.expect_equal(1, lazy.resets, "on_reset of a stream whose reader takes nothing");
    test.findings.expect_equal(1, pair.dialer.at(ids[0]).resets, "on_reset at its writer");
  }
  pair.run();
  expect_no_streams(pair);
}

void receive_memory(Case test) {
  StreamLimits limits;
  limits.max_receive_memory = 600'000;
  MuxerPair pair(test.kind, test.findings, test.options.seed, limits);
  pair.listener.read_at_once = false;
  const Bytes all = suite_pattern(250'000, test.options.seed);
  for (int i = 0; i < 6; ++i) {
    const auto id = pair.dialer.open(pair.now);
    if (!test.findings.expect(id.has_value(), "open() to give a stream")) return;
    pair.dialer.write(*id, all, true);
  }
  pair.run();  // the recorder holds the listener to the bound
  std::size_t reset = 0;
  for (const auto& [id, seen] : pair.listener.streams) reset += seen.resets > 0 ? 1 : 0;
  test.findings.expect(reset > 0, "a stream to be reset that the memory has no room for");
  test.findings.expect(!pair.dialer.failure && !pair.listener.failure, "the connection to live on");
  pair.listener.consume_all();
  pair.listener.read_at_once = true;
  pair.run();
  pair.listener.inbound.clear();
  const auto late = pair.dialer.open(pair.now);
  if (!test.findings.expect(late.has_value(), "open() to give a stream")) return;
  pair.dialer.write(*late, all, true);
  pair.run();
  if (!test.findings.expect_equal(std::size_t{1}, pair.listener.inbound.size(), "streams that came in later")) return;
  test.findings.expect_bytes(all, pair.listener.at(pair.listener.inbound[0]).data,
                             "what comes once memory is free again");
  for (const auto& [id, seen] : pair.listener.streams)
    if (!seen.over()) pair.listener.close_write(id);
  pair.run();
  expect_no_streams(pair);
}

void fairness(Case test) {
  MuxerPair pair(test.kind, test.findings, test.options.seed);
  pair.room = kRoom;
  constexpr std::size_t kStreams = 8, kEach = 200'000;
  const Bytes all = suite_pattern(kEach, test.options.seed);
  std::map<StreamId, std::size_t> got;
  std::size_t most_apart = 0;
  std::optional<std::size_t> late_after;  // bytes of the others that had come when the latecomer's had
  const Bytes late_message = suite_pattern(100, 1);
  std::size_t before_late = 0;
  std::optional<StreamId> late;
  pair.listener.data_hook = [&](StreamId id, ByteView data) {
    got[id] += data.size();
    const bool is_late = late && id == pair.listener.inbound.back();
    if (is_late && !late_after && got[id] == late_message.size()) late_after = pair.listener.received() - before_late;
    if (is_late || pair.listener.inbound.size() < kStreams) return;
    std::size_t least = kEach, most = 0;
    for (std::size_t i = 0; i < kStreams; ++i) {
      least = std::min(least, got[pair.listener.inbound[i]]);
      most = std::max(most, got[pair.listener.inbound[i]]);
    }
    if (most < kEach) most_apart = std::max(most_apart, most - least);
  };
  for (std::size_t i = 0; i < kStreams; ++i) {
    const auto id = pair.dialer.open(pair.now);
    if (!test.findings.expect(id.has_value(), "open() to give a stream")) return;
    pair.dialer.write(*id, all);
  }
  pair.run_until([&] { return pair.listener.received() > kStreams * kEach / 3; });
  before_late = pair.listener.received() + pair.listener.wire.size() - pair.listener.wire_begin;
  late = pair.dialer.open(pair.now);
  if (!test.findings.expect(late.has_value(), "open() to give a stream")) return;
  pair.dialer.write(*late, late_message);
  pair.run();
  test.findings.expect(most_apart <= 4 * kRoom,
                       "busy streams at most four writes (" + std::to_string(4 * kRoom) + " bytes) apart",
                       std::to_string(most_apart));
  const std::size_t bound = (kStreams + 3) * kRoom;
  if (test.findings.expect(late_after.has_value(), "a latecomer's message to come"))
    test.findings.expect(*late_after <= bound,
                         "a latecomer's message within one turn (" + std::to_string(bound) + " bytes)",
                         std::to_string(*late_after));
  for (MuxerEnd* end : {&pair.dialer, &pair.listener})
    for (const auto& [id, seen] : end->streams) end->close_write(id);
  pair.run();
  expect_no_streams(pair);
}

void least_room(Case test) {
  MuxerPair pair(test.kind, test.findings, test.options.seed);
  pair.room = kLeastMuxerRoom;
  pair.most_cut = 3;
  pair.listener.echo = true;
  const Bytes all = suite_pattern(2000, test.options.seed);
  std::vector<StreamId> ids;
  for (int i = 0; i < 3; ++i) {
    const auto id = pair.dialer.open(pair.now);
    if (!test.findings.expect(id.has_value(), "open() to give a stream")) return;
    pair.dialer.write(*id, all, true);
    ids.push_back(*id);
  }
  pair.run();
  for (const StreamId id : ids)
    test.findings.expect_bytes(all, pair.dialer.at(id).data, "the echo through the least room");
  expect_no_streams(pair);
}

void stream_limits(Case test) {
  StreamLimits limits;
  limits.max_inbound_streams = 5;
  limits.max_outbound_streams = 8;
  MuxerPair pair(test.kind, test.findings, test.options.seed, limits);
  pair.listener.echo = true;
  std::vector<StreamId> ids;
  for (int i = 0; i < 8; ++i) {
    const auto id = pair.dialer.open(pair.now);
    if (!test.findings.expect(id.has_value(), "open() below the bound to give a stream")) return;
    pair.dialer.write(*id, as_bytes("?"));
    ids.push_back(*id);
  }
  test.findings.expect_error(Errc::exhausted, pair.dialer.muxer().open(pair.now), "open() above max_outbound_streams");
  pair.run();
  test.findings.expect_equal(std::size_t{5}, pair.listener.inbound.size(),
                             "streams of a peer that opens more than it may");
  std::size_t reset = 0, whole = 0;
  for (const StreamId id : ids) {
    reset += pair.dialer.at(id).resets > 0 ? 1 : 0;
    whole += equal(pair.dialer.at(id).data, as_bytes("?")) ? 1 : 0;
  }
  test.findings.expect_equal(std::size_t{3}, reset, "streams above the bound that were reset");
  test.findings.expect_equal(std::size_t{5}, whole, "streams below the bound that work");
  // A place that is free is a place.
  for (const StreamId id : ids)
    if (!pair.dialer.at(id).over()) pair.dialer.close_write(id);
  pair.run();
  const auto again = pair.dialer.open(pair.now);
  if (!test.findings.expect(again.has_value(), "open() to give a stream once others have ended")) return;
  pair.dialer.write(*again, as_bytes("!"), true);
  pair.run();
  test.findings.expect_bytes(as_bytes("!"), pair.dialer.at(*again).data,
                             "the echo of a stream in a place that became free");
  expect_no_streams(pair);
}

}  // namespace libp2p::muxer_cases
