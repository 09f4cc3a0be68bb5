// The datastore in LMDB on the disk of these tests (store_test_disk.hpp): each call that it makes of the disk fails,
// one after the other, and the power is cut after each.
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "libp2p/storage/lmdb/lmdb_datastore.hpp"
#include "opp2p/store/store_test_disk.hpp"
#include "opp2p/store/store_test_support.hpp"

namespace opp2p {
namespace {

using namespace testing_store;
using libp2p::storage::Change;
using libp2p::storage::LmdbDatastore;

constexpr std::uint32_t kGroups = 14;

// Group `number` of changes: its number, a value that grows, and one that is erased.
std::vector<Change> group_of(std::uint32_t number) {
  Bytes text(4);
  libp2p::store_le32(text.data(), number);
  std::vector<Change> out = {{"/number", text}};
  out.push_back({"/a/" + std::to_string(number % 5), Bytes(3000 * number, static_cast<std::uint8_t>(number))});
  out.push_back({"/a/" + std::to_string((number + 2) % 5), std::nullopt});
  return out;
}

std::map<std::string, Bytes> state_after(std::uint32_t number) {
  std::map<std::string, Bytes> out;
  for (std::uint32_t i = 1; i <= number; ++i)
    for (const Change& change : group_of(i)) {
      if (change.value)
        out[change.key] = *change.value;
      else
        out.erase(change.key);
    }
  return out;
}

struct DatastoreRun {
  std::vector<std::size_t> durable;  // the position in the events of the disk when a group was answered for
  std::uint32_t tried = 0;
  std::vector<Error> errors;
  std::uint32_t durable_at(std::size_t cut) const {
    return static_cast<std::uint32_t>(
        std::count_if(durable.begin(), durable.end(), [&](auto at) { return at <= cut; }));
  }
};

// What fails is tried once more.
DatastoreRun run_groups(const fs::path& folder) {
  DatastoreRun out;
  std::unique_ptr<LmdbDatastore> store;
  for (int i = 0; i < 2 && !store; ++i) {
    auto opened = LmdbDatastore::open(folder);
    if (opened)
      store = std::move(*opened);
    else
      out.errors.push_back(opened.error());
  }
  while (store && out.tried < kGroups) {
    const auto changes = group_of(++out.tried);
    libp2p::Result<void> outcome;
    for (int i = 0; i < 2; ++i) {
      outcome = store->apply(changes);
      if (outcome) break;
      out.errors.push_back(outcome.error());
    }
    if (!outcome) break;
    out.durable.push_back(Disk::instance().position());
  }
  return out;
}

// The number of the last group, with an error when it is not the state after one of the groups that it may be.
Result<std::uint32_t> look(const fs::path& folder, std::uint32_t least, std::uint32_t most) {
  OPP2P_TRY(const auto store, LmdbDatastore::open(folder));
  std::map<std::string, Bytes> found;
  OPP2P_TRYV(store->scan("", [&](std::string_view key, ByteView value) {
    found[std::string(key)] = libp2p::to_bytes(value);
    return true;
  }));
  for (std::uint32_t number = least; number <= most; ++number)
    if (state_after(number) == found) return number;
  return Error(Errc::mismatch, std::to_string(found.size()) + " entries are not what groups " + std::to_string(least) +
                                   " to " + std::to_string(most) + " leave");
}

Result<std::uint32_t> look_at(const DiskImage& image, std::uint32_t least, std::uint32_t most) {
  const Folder folder(memory_folder());
  std::ofstream(folder.path() / (image.named ? "data.mdb" : "data.mdb.new"), std::ios::binary)
      << libp2p::as_text(image.data);
  return look(folder.path(), least, most);
}

class DatastoreDisk : public testing::TestWithParam<Fault> {};

TEST_P(DatastoreDisk, whichever_call_fails_it_goes_on_and_loses_nothing) {
  std::size_t calls = 1;
  std::size_t errors = 0;
  for (std::size_t call = 0; call < 2 * calls; ++call) {
    const Folder folder(memory_folder());
    Disk::instance().start(folder.path());
    const bool lasting = call >= calls && calls > 1;
    const std::size_t first = lasting ? call - calls : call;
    if (call > 0) Disk::instance().fail(first, GetParam(), lasting);  // the first run only counts
    const auto run = run_groups(folder.path());
    const auto events = Disk::instance().stop();
    if (call == 0) calls = Disk::instance().calls();
    SCOPED_TRACE((lasting ? "from call " : "call ") + std::to_string(first) + " of " + std::to_string(calls));
    errors += run.errors.size();
    if (!lasting) {
      ASSERT_EQ(run.durable.size(), kGroups);
    }
    for (const Error& error : run.errors) ASSERT_NE(error.text().find("datastore in "), std::string::npos);
    const auto left = look(folder.path(), static_cast<std::uint32_t>(run.durable.size()), run.tried);
    ASSERT_TRUE(left) << left.error().message();
    libp2p::SeededRng rng(call);
    for (std::size_t cut = first; cut <= std::min(events.size(), first + 4); ++cut) {
      const auto image = look_at(disk_after(events, cut, rng), run.durable_at(cut), run.tried);
      ASSERT_TRUE(image) << "power lost after " << cut << " events: " << image.error().message();
    }
  }
  EXPECT_GT(calls, 30u) << "the writes of LMDB did not pass through this test";
  EXPECT_GT(errors, calls / 2);
}

INSTANTIATE_TEST_SUITE_P(Faults, DatastoreDisk,
                         testing::Values(Fault::io_error, Fault::disk_full, Fault::done_but_denied, Fault::half));

TEST(DatastorePowerCut, no_cut_loses_a_change_that_was_answered_for) {
  const Folder folder(memory_folder());
  Disk::instance().start(folder.path());
  const auto run = run_groups(folder.path());
  const auto events = Disk::instance().stop();
  ASSERT_EQ(run.durable.size(), kGroups);
  libp2p::SeededRng rng(1);
  for (std::size_t cut = 0; cut <= events.size(); ++cut)
    for (int variant = 0; variant < 4; ++variant) {
      const auto left = look_at(disk_after(events, cut, rng), run.durable_at(cut), kGroups);
      ASSERT_TRUE(left) << "cut after " << cut << " of " << events.size() << " events: " << left.error().message();
    }
}

}  // namespace
}  // namespace opp2p
