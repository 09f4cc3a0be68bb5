#include "opstack/sync/engine/sync_events.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace opstack::sync {
namespace {

// Metrics name faults by these: whoever changes one breaks what reads them. A new kind adds a line.
TEST(SyncFaultKind, its_ids_are_stable) {
  const std::vector<std::string_view> ids = {"malformed", "wrong_number", "bad_hash", "altered"};
  ASSERT_EQ(ids.size(), kSyncFaultKinds);
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(fault_id(static_cast<SyncFaultKind>(i)), ids[i]);
  EXPECT_EQ(fault_id(SyncFaultKind::altered), "altered");
}

// As the scores of op-node have it: an answer that cannot be read is an error, a payload that is refused is rejected.
TEST(SyncFaultKind, what_decodes_and_is_refused_is_a_rejected_payload) {
  EXPECT_EQ(merit_of(SyncFaultKind::malformed), PeerMerit::error_response);
  for (const auto kind : {SyncFaultKind::wrong_number, SyncFaultKind::bad_hash, SyncFaultKind::altered})
    EXPECT_EQ(merit_of(kind), PeerMerit::rejected_payload) << fault_id(kind);
}

TEST(SyncFaultKind, each_has_words_for_the_log) {
  for (std::size_t i = 0; i < kSyncFaultKinds; ++i)
    EXPECT_NE(to_string(static_cast<SyncFaultKind>(i)), "unknown") << fault_id(static_cast<SyncFaultKind>(i));
}

TEST(SyncTraceKind, each_has_words_for_the_log) {
  for (auto kind = SyncTraceKind::range_requested; kind <= SyncTraceKind::peer_paused;
       kind = static_cast<SyncTraceKind>(static_cast<int>(kind) + 1))
    EXPECT_NE(to_string(kind), "unknown") << static_cast<int>(kind);
}

}  // namespace
}  // namespace opstack::sync
