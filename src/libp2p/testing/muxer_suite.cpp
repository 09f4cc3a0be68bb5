#include "libp2p/testing/muxer_suite.hpp"

#include "libp2p/testing/muxer_suite_cases.hpp"

namespace libp2p {
namespace {

struct MuxerCase {
  std::string_view name;
  void (*run)(muxer_cases::Case);
};

constexpr MuxerCase kMuxerCases[] = {
    {"echo", muxer_cases::echo},
    {"half_close", muxer_cases::half_close},
    {"reset", muxer_cases::reset},
    {"many_streams", muxer_cases::many_streams},
    {"shared_messages", muxer_cases::shared_messages},
    {"stop_reading", muxer_cases::stop_reading},
    {"streams_that_are_gone", muxer_cases::streams_that_are_gone},
    {"calls_inside_events", muxer_cases::calls_inside_events},
    {"back_pressure", muxer_cases::back_pressure},
    {"slow_reader", muxer_cases::slow_reader},
    {"receive_memory", muxer_cases::receive_memory},
    {"fairness", muxer_cases::fairness},
    {"least_room", muxer_cases::least_room},
    {"stream_limits", muxer_cases::stream_limits},
    {"abrupt_loss", muxer_cases::abrupt_loss},
    {"go_away", muxer_cases::go_away},
    {"garbage", muxer_cases::garbage},
    {"keep_alive", muxer_cases::keep_alive},
    {"silent_peer", muxer_cases::silent_peer},
};

}  // namespace

std::vector<std::string> muxer_suite_cases() {
  std::vector<std::string> names;
  for (const auto& entry : kMuxerCases) names.emplace_back(entry.name);
  return names;
}

Failures run_muxer_case(std::string_view name, const MuxerKind& kind, const MuxerSuiteOptions& options) {
  for (const auto& entry : kMuxerCases) {
    if (entry.name != name) continue;
    Findings findings(std::string(kind.id) + " " + std::string(name));
    entry.run(muxer_cases::Case{kind, options, findings});
    return findings.take();
  }
  return unknown_case(name);
}

Failures run_muxer_suite(const MuxerKind& kind, const MuxerSuiteOptions& options) {
  Failures all;
  for (const auto& entry : kMuxerCases)
    for (auto& failure : run_muxer_case(entry.name, kind, options)) all.push_back(std::move(failure));
  return all;
}

}  // namespace libp2p
