// The datastore suite can fail: each way in which a datastore may be broken here is reported by the case that is named
// for it.
#include "libp2p/testing/datastore_suite.hpp"

#include <gmock/gmock.h>

#include "libp2p/storage/memory_datastore.hpp"

namespace libp2p {
namespace {

using storage::Change;

enum class StoreDefect : std::uint8_t {
  keeps_what_is_erased,
  first_change_counts,
  applies_a_part,
  cuts_long_values,
  scans_without_an_end,
  scans_one_below,
  forgets,
};

class BrokenDatastore final : public storage::Datastore {
 public:
  explicit BrokenDatastore(StoreDefect defect) : defect_(defect) {}

  Result<std::optional<Bytes>> get(std::string_view key) const override {
    auto out = store_.get(key);
    if (defect_ == StoreDefect::cuts_long_values && *out && (*out)->size() > 5000) (*out)->resize(5000);
    return out;
  }
  using Datastore::scan;
  Result<void> scan(std::string_view prefix, const Visit& visit, const OnDamaged&) const override {
    const bool below = defect_ == StoreDefect::scans_one_below && !prefix.empty();
    const auto looked = below ? prefix.substr(0, prefix.size() - 1) : prefix;
    return store_.scan(looked, [&](std::string_view key, ByteView value) {
      return visit(key, value) || defect_ == StoreDefect::scans_without_an_end;
    });
  }
  Result<void> apply(std::span<const Change> changes) override {
    std::vector<Change> taken;
    for (const Change& change : changes) {
      if (defect_ == StoreDefect::keeps_what_is_erased && !change.value) continue;
      const bool again =
          std::any_of(taken.begin(), taken.end(), [&](const Change& other) { return other.key == change.key; });
      if (defect_ == StoreDefect::first_change_counts && again) continue;
      taken.push_back(change);
    }
    if (defect_ != StoreDefect::applies_a_part) return store_.apply(taken);
    for (const Change& change : taken) OPP2P_TRYV(store_.apply(std::span(&change, 1)));
    return {};
  }

 private:
  const StoreDefect defect_;
  storage::MemoryDatastore store_;
};

struct BrokenStore {
  std::string name;
  StoreDefect defect;
};

void PrintTo(const BrokenStore& one, std::ostream* out) { *out << one.name; }

class DatastoreSuite : public ::testing::TestWithParam<BrokenStore> {};

TEST_P(DatastoreSuite, reports_a_datastore_that_is_broken_there) {
  const DatastoreFactory factory{"broken", [] { return std::make_unique<BrokenDatastore>(GetParam().defect); }, true};
  const auto failures = run_datastore_case(GetParam().name, factory);
  ASSERT_FALSE(failures.empty());
  EXPECT_THAT(failures.front(), ::testing::StartsWith("broken " + GetParam().name + ": expected "));
}

INSTANTIATE_TEST_SUITE_P(Broken, DatastoreSuite,
                         ::testing::Values(BrokenStore{"put_get_erase", StoreDefect::keeps_what_is_erased},
                                           BrokenStore{"the_last_change_counts", StoreDefect::first_change_counts},
                                           BrokenStore{"all_or_none", StoreDefect::applies_a_part},
                                           BrokenStore{"bounds", StoreDefect::cuts_long_values},
                                           BrokenStore{"scan_below_a_prefix", StoreDefect::scans_one_below},
                                           BrokenStore{"scan_ends_when_told", StoreDefect::scans_without_an_end},
                                           BrokenStore{"model", StoreDefect::cuts_long_values},
                                           BrokenStore{"opened_anew", StoreDefect::forgets}));

TEST(DatastoreSuite, says_that_it_has_no_such_case) {
  EXPECT_EQ(run_datastore_case("none", {}), Failures{"the suite has no case none"});
}

TEST(DatastoreSuite, says_that_a_datastore_does_not_open) {
  const DatastoreFactory closed{
      "closed", []() -> Result<std::unique_ptr<storage::Datastore>> { return fail(Errc::io, "no disk"); }, true};
  EXPECT_EQ(run_datastore_case("bounds", closed),
            Failures{"closed bounds: expected a datastore that opens; came input/output: no disk"});
}

}  // namespace
}  // namespace libp2p
