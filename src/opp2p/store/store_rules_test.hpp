// The fixture of tests that hold both stores to the same rules. After each test the tables of the store must agree.
#pragma once

#include <gtest/gtest.h>

#include "opp2p/store/lmdb_store.hpp"
#include "opp2p/store/memory_store.hpp"
#include "opp2p/store/store_test_support.hpp"

namespace opp2p::testing_store {

// The parameter: LmdbStore if true, else MemoryStore.
class StoreRules : public testing::TestWithParam<bool> {
 protected:
  using Numbers = std::vector<std::uint64_t>;
  explicit StoreRules(std::uint64_t max_size = 0) : max_size_(max_size) {}

  void SetUp() override { open(); }
  void TearDown() override {
    if (!store_) return;
    expect_sound();
    store_->close();
  }
  void open() {
    calls_.reset();
    if (GetParam()) {
      store_.reset();  // which has the lock
      auto config = config_in(folder_.path());
      config.max_size = max_size_;
      config.wall = [this] { return now_; };
      auto opened = LmdbStore::open(config, mailbox_.post());
      ASSERT_TRUE(opened) << opened.error().message();
      store_ = std::move(*opened);
    } else if (store_) {
      dynamic_cast<MemoryStore&>(*store_).reopen();
    } else {
      store_ = std::make_unique<MemoryStore>(mailbox_.post(), max_size_, [this] { return now_; });
    }
    calls_ = std::make_unique<Calls>(*store_, mailbox_);
  }
  void reopen() {
    store_->close();
    open();
  }
  void expect_sound() {
    const auto found = store_->check(CheckDepth{});
    ASSERT_TRUE(found) << found.error().message();
    EXPECT_EQ(found->defect_count, 0u) << found->defects.front();
  }

  Numbers numbers(std::uint64_t from, std::uint64_t to, bool heads, std::size_t most = 1000) {
    Numbers out;
    const auto visit = [&](const StoredBlock& block) {
      EXPECT_EQ(block.number, out.empty() ? block.number : out.back() + 1);
      EXPECT_TRUE(heads || !block.body.empty());
      out.push_back(block.number);
      return out.size() < most;
    };
    EXPECT_TRUE(heads ? store_->for_each_head(from, to, visit) : store_->for_each(from, to, visit));
    return out;
  }
  Numbers numbers(std::uint64_t from, std::uint64_t to) {
    const auto out = numbers(from, to, true);
    EXPECT_EQ(numbers(from, to, false), out);
    return out;
  }
  // "1-10 20-22" for two segments.
  std::string segments() {
    std::string out;
    for (const auto& each : store_->view(0).value().segments) {
      EXPECT_EQ(each.is_base, out.empty()) << "the lowest one is the base";
      out += (out.empty() ? "" : " ") + std::to_string(each.lowest.number) + "-" + std::to_string(each.highest);
    }
    return out;
  }
  // Of a block that is stored.
  std::optional<OrphanReason> orphan(std::uint64_t number, std::uint8_t fork = 0) {
    const auto found = store_->by_hash(hash_of(number, fork)).value();
    EXPECT_TRUE(found) << number << " of branch " << unsigned{fork} << " is not there";
    return found ? found->orphan : std::nullopt;
  }
  bool is_stored(std::uint64_t number, std::uint8_t fork = 0) {
    return store_->by_hash(hash_of(number, fork)).value().has_value();
  }
  std::uint8_t fork_at(std::uint64_t number) {
    const auto block = store_->by_number(number).value();
    return block ? block->hash[31] : std::uint8_t{0xff};
  }

  const std::uint64_t max_size_;
  UnixTime now_ = libp2p::from_unix_seconds(1'000'000);
  Folder folder_;
  Mailbox mailbox_;
  std::unique_ptr<BlockStore> store_;
  std::unique_ptr<Calls> calls_;
};

inline std::string name_of_store(const testing::TestParamInfo<bool>& info) { return info.param ? "Lmdb" : "Memory"; }

}  // namespace opp2p::testing_store
