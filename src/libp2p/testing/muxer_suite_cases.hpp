// The cases of the muxer suite, in three files, for the table in muxer_suite.cpp. Private to the suite.
#pragma once

#include "libp2p/testing/muxer_pair.hpp"
#include "libp2p/testing/muxer_suite.hpp"

namespace libp2p::muxer_cases {

struct Case {
  const MuxerKind& kind;
  const MuxerSuiteOptions& options;
  Findings& findings;
};

// muxer_suite_streams.cpp: the life of streams.
void echo(Case test);
void half_close(Case test);
void reset(Case test);
void many_streams(Case test);
void shared_messages(Case test);
void stop_reading(Case test);
void streams_that_are_gone(Case test);
void calls_inside_events(Case test);

// muxer_suite_flow.cpp: bounds and fairness.
void back_pressure(Case test);
void slow_reader(Case test);
void receive_memory(Case test);
void fairness(Case test);
void least_room(Case test);
void stream_limits(Case test);

// muxer_suite_ends.cpp: how a connection lives and ends.
void abrupt_loss(Case test);
void go_away(Case test);
void garbage(Case test);
void keep_alive(Case test);
void silent_peer(Case test);

// A stream in order at both ends: nothing is left of it.
inline void expect_no_streams(MuxerPair& pair) {
  for (MuxerEnd* end : {&pair.dialer, &pair.listener}) {
    pair.findings.expect_equal(std::size_t{0}, end->muxer().stream_count(), "streams that are left");
    pair.findings.expect(!end->failure, "the connection to live", end->failure ? end->failure->message() : "");
  }
}

}  // namespace libp2p::muxer_cases
