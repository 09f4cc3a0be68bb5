#include "opstack/sync/engine/sync_events.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace opstack::sync {
namespace {

// Metrics name faults by these: whoever changes one breaks what reads them. A new kind adds a line.
TEST(SyncFaultKind, its_ids_are_stable) {
  const std::vector<std::string_view> ids = {"malformed", "wrong_number", "bad_hash", "altered", "unlinked"};
  ASSERT_EQ(ids.size(), kSyncFaultKinds);
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(fault_id(static_cast<SyncFaultKind>(i)), ids[i]);
  EXPECT_EQ(fault_id(SyncFaultKind::unlinked), "unlinked");
}

TEST(SyncFaultKind, each_has_words_for_the_log) {
  for (std::size_t i = 0; i < kSyncFaultKinds; ++i)
    EXPECT_NE(to_string(static_cast<SyncFaultKind>(i)), "unknown") << fault_id(static_cast<SyncFaultKind>(i));
}

}  // namespace
}  // namespace opstack::sync
