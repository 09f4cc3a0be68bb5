#include "opp2p/store/store_operations.hpp"

#include <gtest/gtest.h>
#include <lmdb.h>

#include <fstream>

#include "opp2p/store/store_test_format1.hpp"

namespace opp2p {
namespace {

using namespace testing_store;
using libp2p::storage::as_value;

class StoreOperations : public testing::Test {
 protected:
  void fill(std::uint64_t blocks) {
    const auto store = LmdbStore::open(config_in(folder_.path()), mailbox_.post()).value();
    Calls calls(*store, mailbox_);
    for (std::uint64_t n = 1; n <= blocks; ++n) {
      chain_.push_back(real_block(n, n == 1 ? Hash{} : chain_.back().hash));
      ASSERT_TRUE(calls.extend(chain_.back()));
    }
  }
  static std::string text(const StoreReport& report) {
    std::string out;
    for (const auto& line : report.lines) out += line + "\n";
    return out;
  }
  // Changes a table of the database behind its back.
  void damage(const std::function<void(MDB_txn*)>& change) const {
    MDB_env* env = nullptr;
    MDB_txn* txn = nullptr;
    ASSERT_EQ(mdb_env_create(&env), 0);
    ASSERT_EQ(mdb_env_set_maxdbs(env, 16), 0);
    ASSERT_EQ(mdb_env_open(env, folder_.path().c_str(), 0, 0600), 0);
    ASSERT_EQ(mdb_txn_begin(env, nullptr, 0, &txn), 0);
    change(txn);
    ASSERT_EQ(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
  }
  static void erase(MDB_txn* txn, const char* table, ByteView key) {
    MDB_dbi handle = 0;
    MDB_val at = as_value(key);
    ASSERT_EQ(mdb_dbi_open(txn, table, 0, &handle), 0);
    ASSERT_EQ(mdb_del(txn, handle, &at, nullptr), 0);
  }
  static void put(MDB_txn* txn, const char* table, ByteView key, ByteView value) {
    MDB_dbi handle = 0;
    MDB_val at = as_value(key);
    MDB_val data = as_value(value);
    ASSERT_EQ(mdb_dbi_open(txn, table, 0, &handle), 0);
    ASSERT_EQ(mdb_put(txn, handle, &at, &data, 0), 0);
  }
  BlockKey key_of(std::uint64_t number) const { return block_key({number, chain_[number - 1].hash}); }
  std::string defects() const {
    const auto report = check_store(folder_.path());
    EXPECT_TRUE(report) << report.error().message();
    EXPECT_FALSE(report->is_sound);
    return text(*report);
  }

  Folder folder_;
  Mailbox mailbox_;
  std::vector<StoredBlock> chain_;
};

TEST_F(StoreOperations, checking_a_sound_store_says_what_it_read) {
  fill(5);
  const auto report = check_store(folder_.path());
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_TRUE(report->is_sound);
  EXPECT_NE(text(*report).find("5 blocks, 1 to 5, head 0x"), std::string::npos) << text(*report);
  EXPECT_NE(text(*report).find("no defect found"), std::string::npos) << text(*report);
}

// A key of a page changes its number, so that the page is not in order: a walk over it may come back to where it was.
TEST_F(StoreOperations, checking_a_store_whose_pages_are_not_in_order_comes_to_an_end) {
  fill(40);
  const auto file = folder_.path() / "data.mdb";
  std::ifstream in(file, std::ios::binary);
  const std::string sound((std::istreambuf_iterator<char>(in)), {});
  std::size_t failed = 0;
  for (const std::uint64_t to : {0, 3, 39, 1000}) {
    for (std::uint64_t number = 10; number <= 30; number += 5) {
      std::string content = sound;
      const auto key = key_of(number);
      const auto other = number_key(to);
      for (auto at = content.find(libp2p::as_text(key)); at != std::string::npos;
           at = content.find(libp2p::as_text(key), at + 1))
        content.replace(at, other.size(), libp2p::as_text(other));
      std::ofstream(file, std::ios::binary) << content;
      const auto report = check_store(folder_.path());
      if (!report || !report->is_sound) ++failed;
    }
  }
  EXPECT_EQ(failed, 20u);
}

TEST_F(StoreOperations, checking_finds_what_was_damaged) {
  fill(100);
  damage([&](MDB_txn* txn) { put(txn, "signatures", block_key({7, hash_of(7)}), encode_attestation({})); });
  EXPECT_NE(defects().find("block 7 " + libp2p::to_hex0x(hash_of(7)) + " has a signature and is not there"),
            std::string::npos);
  damage([&](MDB_txn* txn) { erase(txn, "signatures", block_key({7, hash_of(7)})); });
  damage([&](MDB_txn* txn) { put(txn, "waiting", key_of(9), chain_[7].hash); });
  EXPECT_NE(defects().find("is listed in the wrong table"), std::string::npos) << defects();
  damage([&](MDB_txn* txn) { erase(txn, "waiting", key_of(9)); });
  EXPECT_TRUE(check_store(folder_.path()).value().is_sound);
  damage([&](MDB_txn* txn) { put(txn, "hashes", chain_[9].hash, number_key(11)); });
  EXPECT_NE(defects().find("is not found by its hash"), std::string::npos) << defects();
  damage([&](MDB_txn* txn) { put(txn, "hashes", chain_[9].hash, number_key(10)); });
  // A record that is sound by itself, of a body that belongs to another block.
  auto other = chain_[19];
  other.body = chain_[20].body;
  Bytes record(record_size(other));
  write_record(other, record);
  damage([&](MDB_txn* txn) { put(txn, "blocks", key_of(20), record); });
  EXPECT_NE(defects().find("has the body of another block"), std::string::npos) << defects();
  record[kRecordHead + 3] ^= 1;
  damage([&](MDB_txn* txn) { put(txn, "blocks", key_of(20), record); });
  EXPECT_NE(defects().find("its checksum does not fit"), std::string::npos) << defects();
}

TEST_F(StoreOperations, checking_finds_an_orphan_with_two_ages_and_entries_that_cannot_be_read) {
  fill(10);
  ASSERT_TRUE(rewind_store(folder_.path(), 6, std::nullopt));
  const auto age = age_key(libp2p::from_unix_seconds(77), {8, chain_[7].hash});
  damage([&](MDB_txn* txn) { put(txn, "orphan_ages", age, {}); });
  EXPECT_NE(defects().find("block 8 " + libp2p::to_hex0x(chain_[7].hash) + " has the age of an orphan that it is not"),
            std::string::npos)
      << defects();
  damage([&](MDB_txn* txn) { erase(txn, "orphan_ages", age); });
  damage([&](MDB_txn* txn) { put(txn, "eras", key_of(3), chain_[0].hash); });
  EXPECT_NE(defects().find("1 defect"), std::string::npos) << defects();
}

TEST_F(StoreOperations, rewinding_says_from_where_to_where_and_how_many) {
  fill(10);
  const auto report = rewind_store(folder_.path(), 6, chain_[6].hash);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_NE(text(*report).find("the head was 10 " + libp2p::to_hex0x(chain_[9].hash)), std::string::npos);
  EXPECT_NE(text(*report).find("the head is  6 " + libp2p::to_hex0x(chain_[5].hash)), std::string::npos);
  EXPECT_NE(text(*report).find("4 blocks are not canonical"), std::string::npos);
  EXPECT_NE(text(*report).find("denied from now on: " + libp2p::to_hex0x(chain_[6].hash)), std::string::npos);
  EXPECT_TRUE(rewind_store(folder_.path(), 9, std::nullopt).error() == Errc::not_found);
  EXPECT_TRUE(check_store(folder_.path()).value().is_sound);
  const auto store = LmdbStore::open(config_in(folder_.path()), mailbox_.post()).value();
  EXPECT_TRUE(Calls(*store, mailbox_).extend(chain_[6]).error() == Errc::denied);
}

TEST_F(StoreOperations, rewinding_without_a_denial_says_what_brings_the_blocks_back) {
  fill(10);
  const auto report = rewind_store(folder_.path(), 6, std::nullopt);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_NE(text(*report).find("a signed block that stands on them brings them back"), std::string::npos);
  EXPECT_EQ(text(*report).find("denied from now on"), std::string::npos);
}

TEST_F(StoreOperations, denying_a_block_that_is_not_there_is_done_with_a_warning) {
  fill(10);
  const auto report = rewind_store(folder_.path(), 6, hash_of(77));
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_NE(text(*report).find("warning: the denied block is not in the store"), std::string::npos) << text(*report);
  EXPECT_EQ(list_denied(folder_.path())->lines, std::vector<std::string>{libp2p::to_hex0x(hash_of(77))});
}

TEST_F(StoreOperations, a_denial_is_listed_and_can_be_taken_back_once) {
  fill(10);
  EXPECT_EQ(text(*list_denied(folder_.path())), "no block is denied\n");
  ASSERT_TRUE(rewind_store(folder_.path(), 6, chain_[6].hash));
  EXPECT_EQ(text(*list_denied(folder_.path())), libp2p::to_hex0x(chain_[6].hash) + "\n");
  EXPECT_TRUE(allow_block(folder_.path(), chain_[7].hash).error() == Errc::not_found);
  const auto allowed = allow_block(folder_.path(), chain_[6].hash);
  ASSERT_TRUE(allowed) << allowed.error().message();
  EXPECT_NE(text(*allowed).find("0 blocks are still denied"), std::string::npos) << text(*allowed);
  EXPECT_TRUE(allow_block(folder_.path(), chain_[6].hash).error() == Errc::not_found);
  EXPECT_TRUE(check_store(folder_.path()).value().is_sound);
  const auto store = LmdbStore::open(config_in(folder_.path()), mailbox_.post()).value();
  Calls calls(*store, mailbox_);
  EXPECT_TRUE(calls.extend(chain_[6])) << "it is taken again";
  HeadMove move;
  move.to = chain_[9].ref();
  EXPECT_TRUE(calls.move_head(move)) << "and what was above it is there still";
}

TEST_F(StoreOperations, a_block_is_shown_whether_it_is_canonical_or_not) {
  fill(10);
  auto shown = show_block(folder_.path(), chain_[8].hash);
  ASSERT_TRUE(shown) << shown.error().message();
  EXPECT_NE(text(*shown).find("number: 9\nhash: " + libp2p::to_hex0x(chain_[8].hash) +
                              "\nparent: " + libp2p::to_hex0x(chain_[7].hash) + "\ntimestamp: 1018\ncanonical: yes\n"),
            std::string::npos)
      << text(*shown);
  EXPECT_NE(text(*shown).find("signature: none\nsize: "), std::string::npos) << text(*shown);
  ASSERT_TRUE(rewind_store(folder_.path(), 6, chain_[7].hash));
  shown = show_block(folder_.path(), chain_[8].hash);
  EXPECT_NE(text(*shown).find("canonical: no\norphan: rewound since "), std::string::npos) << text(*shown);
  const auto gone = show_block(folder_.path(), chain_[7].hash);
  ASSERT_FALSE(gone);
  EXPECT_NE(gone.error().text().find("it is denied by the operator"), std::string::npos) << gone.error().text();
  {
    const auto store = LmdbStore::open(config_in(folder_.path()), mailbox_.post()).value();
    ASSERT_TRUE(Calls(*store, mailbox_).keep(block_at(30), attestation_of(7, 3, 5000)));
  }
  shown = show_block(folder_.path(), hash_of(30));
  EXPECT_NE(text(*shown).find("signer: 0x" + std::string("0707070707070707070707070707070707070707")),
            std::string::npos);
  EXPECT_NE(text(*shown).find("era: 3\narrived: 5000\nsize: 300 bytes\n"), std::string::npos) << text(*shown);
}

TEST_F(StoreOperations, a_store_in_use_and_one_that_is_not_there_are_errors) {
  const auto store = LmdbStore::open(config_in(folder_.path()), mailbox_.post()).value();
  EXPECT_TRUE(check_store(folder_.path()).error() == Errc::denied);
  EXPECT_TRUE(check_store(folder_.path() / "none").error() == Errc::not_found);
  EXPECT_FALSE(fs::exists(folder_.path() / "none"));
}

TEST_F(StoreOperations, an_old_format_is_only_migrated_when_asked) {
  write_format_1(folder_.path(), blocks_at(1, 30, 300));
  const auto refused = check_store(folder_.path());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("opp2p db migrate"), std::string::npos) << refused.error().text();
  std::vector<std::uint64_t> told;
  const auto report = migrate_store(folder_.path(), 0, [&](const auto& progress) { told.push_back(progress.done); });
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(told, std::vector<std::uint64_t>{30});
  EXPECT_NE(text(*report).find("migrated from format 1 (30 blocks)"), std::string::npos) << text(*report);
  EXPECT_NE(text(*migrate_store(folder_.path(), 0, nullptr)).find("has the present format"), std::string::npos);
}

}  // namespace
}  // namespace opp2p
