#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "libp2p/testing/transport_suite_cases.hpp"

namespace libp2p::transport_cases {

void echo(Case& test) {
  Host& a = test.add();
  Host& b = test.add();
  if (!test.connect(a, b)) return;
  test.expect_echo(a, b, 500'000, "an echo for who has dialled");
  test.expect_echo(b, a, 500'000, "an echo for who was dialled");
  test.expect_echo(a, b, 1, "an echo of one byte");
}

void half_close(Case& test) {
  Host& a = test.add();
  Host& b = test.add();
  if (!test.connect(a, b)) return;
  const Bytes message = suite_pattern(200'000, test.options.seed);
  const auto answer = test.ask(a, b, "/suite/late-echo", message);
  if (test.findings.expect(answer.has_value(), "an answer after our end", answer ? "" : answer.error().message()))
    test.findings.expect_bytes(message, *answer, "an answer after our end");
}

void reset(Case& test) {
  Host& a = test.add();
  Host& b = test.add();
  if (!test.connect(a, b)) return;
  const auto answer = test.ask(a, b, "/suite/reset", suite_pattern(100, 1));
  test.findings.expect_error(Errc::reset, answer, "what a reader gets whose peer resets");
  test.expect_echo(a, b, 100'000, "another stream of the connection to live");
  test.findings.expect_equal(std::size_t{1}, a.connections().size(), "connections");
}

void many_streams(Case& test) {
  Host& a = test.add();
  Host& b = test.add();
  if (!test.connect(a, b)) return;
  const Bytes message = suite_pattern(100, test.options.seed);
  std::size_t whole = 0, most = 0;
  runtime::TaskScope scope(a.runtime());
  for (std::size_t i = 0; i < test.options.at_once; ++i)
    scope.spawn(ask_often(a, b.id(), "/suite/echo", &message, test.options.streams / test.options.at_once, &whole));
  test.wait(
      [&] {
        const auto open = a.connections();
        if (!open.empty()) most = std::max(most, open.front().streams);
        return scope.running() == 0;
      },
      "all streams to end");
  test.findings.expect_equal(test.options.streams / test.options.at_once * test.options.at_once, whole,
                             "streams that came back whole");
  test.findings.expect_equal(test.options.at_once, most, "streams at once");
  test.wait([&] { return !b.connections().empty() && b.connections().front().streams == 0; },
            "no stream to be left at the peer");
  test.findings.expect_equal(std::size_t{1}, a.connections().size(), "connections");
}

void back_pressure(Case& test) {
  Host& a = test.add();
  Host& b = test.add();
  if (!test.connect(a, b)) return;
  std::size_t poured = 0;
  std::optional<Error> end;
  runtime::TaskScope scope(a.runtime());
  scope.spawn(pour_task(a, b.id(), "/suite/hold", &poured, &end));
  std::size_t before = 0;
  for (int i = 0; i < 50 && (before == 0 || before != poured); ++i) {
    before = poured;
    test.settle();
  }
  test.findings.expect(poured > 0, "a writer to write");
  test.findings.expect(before == poured, "a writer to stop whose reader takes nothing",
                       std::to_string(poured) + " bytes and more");
  test.findings.expect(poured < 4'000'000, "less than 4 MB to be taken for a reader who takes nothing",
                       std::to_string(poured));
  test.findings.expect(!end, "the stream to wait", end ? end->message() : "");
  test.expect_echo(a, b, 200'000, "another stream of the connection to move");
}

void slow_reader(Case& test) {
  Host& a = test.add();
  Host& b = test.add();
  if (!test.connect(a, b)) return;
  const Bytes message = suite_pattern(800'000, test.options.seed);
  Answer slow;
  runtime::TaskScope scope(a.runtime());
  scope.spawn(ask_slowly(a, b.id(), "/suite/late-echo", &message, &slow));
  test.expect_echo(a, b, 1'000'000, "another stream beside a slow reader");
  test.findings.expect(!slow, "the other stream to end before the slow one");
  if (!test.wait([&] { return slow.has_value(); }, "a slow reader to reach the end")) return;
  if (test.findings.expect(slow->has_value(), "all for a slow reader", *slow ? "" : slow->error().message()))
    test.findings.expect_bytes(message, **slow, "what a slow reader gets");
}

// No busy stream of a connection starves beside others, and a latecomer with little to say gets its turn. The bounds
// are wide: windows grow at different times, and what the buffers of a real socket hold, megabytes, is before the
// latecomer.
void fairness(Case& test) {
  constexpr std::size_t kStreams = 8, kEach = 2'000'000;
  Host& a = test.add();
  Host& b = test.add();
  if (!test.connect(a, b)) return;
  std::array<std::size_t, kStreams> poured{};
  std::array<std::optional<Error>, kStreams> ends;
  runtime::TaskScope scope(a.runtime());
  for (std::size_t i = 0; i < kStreams; ++i) scope.spawn(pour_task(a, b.id(), "/suite/drain", &poured[i], &ends[i]));
  const auto all = [&] { return std::accumulate(poured.begin(), poured.end(), std::size_t{0}); };
  if (!test.wait([&] { return all() > kStreams * kEach; }, "busy streams to move")) return;
  const std::size_t least = *std::min_element(poured.begin(), poured.end()),
                    most = *std::max_element(poured.begin(), poured.end());
  test.findings.expect(least >= most / 8,
                       "each of " + std::to_string(kStreams) + " busy streams to get an eighth of what another gets",
                       std::to_string(least) + " and " + std::to_string(most) + " bytes");
  test.expect_echo(a, b, 100, "a latecomer's echo beside busy streams");
  const std::size_t meanwhile = all() - kStreams * kEach;
  test.findings.expect(meanwhile < 5 * kStreams * kEach, "a latecomer's echo before five times as much has gone",
                       std::to_string(meanwhile) + " bytes have");
}

// What was written before the host closes arrives.
void last_words(Case& test) {
  Host& a = test.add();
  Host& b = test.add();
  if (!test.connect(a, b)) return;
  const Bytes message = suite_pattern(150'000, test.options.seed);
  Answer answer;
  runtime::TaskScope scope(a.runtime());
  scope.spawn(ask_task(a, b.id(), "/suite/late-echo", &message, &answer));
  test.wait([&] { return !b.connections().empty() && b.connections().front().bytes_out > message.size(); },
            "the answer to be written");
  test.findings.expect(test.run(b, close_task(b)), "close() to end within its limit");
  if (!test.wait([&] { return answer.has_value(); }, "the stream to end")) return;
  if (test.findings.expect(answer->has_value(), "what was written before closing",
                           *answer ? "" : answer->error().message()))
    test.findings.expect_bytes(message, **answer, "what was written before closing");
  test.wait([&] { return a.connections().empty(); }, "no connection to a host that has closed", kSoon);
}

void abrupt_loss(Case& test) {
  for (const bool cut : {true, false}) {
    Host& a = test.add();
    Host& b = test.add();
    if (!test.connect(a, b)) return;
    std::size_t poured = 0, poured_back = 0;
    std::optional<Error> end, end_there;
    runtime::TaskScope scope(a.runtime());
    scope.spawn(pour_task(a, b.id(), "/suite/hold", &poured, &end));
    runtime::TaskScope there(b.runtime());
    there.spawn(pour_task(b, a.id(), "/suite/hold", &poured_back, &end_there));
    if (!test.wait([&] { return poured > 100'000 && poured_back > 100'000; }, "streams to move before the loss"))
      return;
    if (!cut || !test.bed.cut(test.node_of(a), test.node_of(b))) {
      there.cancel();
      test.held.clear();
      test.remove(b);
      test.wait([&] { return a.connections().empty(); },
                "the end of a connection whose far end is destroyed to be noticed", kSoon);
      test.wait([&] { return end.has_value(); }, "a writer to be told of the loss", kSoon);
      test.wait([&] { return there.running() == 0; }, "the lost host's writer to be told");
      continue;
    }
    test.wait([&] { return end.has_value() && end_there.has_value(); }, "both writers to be told of the loss", kSoon);
    test.wait([&] { return a.connections().empty() && b.connections().empty(); }, "both hosts to notice the loss",
              kSoon);
    test.held.clear();
    if (!test.connect(a, b)) return;
    test.expect_echo(a, b, 1000, "a new connection after a loss to work");
  }
}

}  // namespace libp2p::transport_cases
