#include "opstack/reputation/score_book.hpp"

#include <gtest/gtest.h>

#include <map>

#include "opstack/reputation/reputation_test_support.hpp"

namespace opstack::reputation {
namespace {

using libp2p::Errc;
using libp2p::Seconds;
using test::peer;
using test::wall;

PeerScoreRecord record(double total) {
  PeerScoreRecord out;
  out.gossip.total = total;
  return out;
}

class ScoreBookTest : public ::testing::Test {
 protected:
  std::optional<double> total(std::uint8_t n, std::int64_t at) {
    const auto known = book.get(peer(n), wall(at));
    if (!*known) return std::nullopt;
    return (*known)->gossip.total;
  }
  bool set(std::uint8_t n, double total, std::int64_t at) {
    const auto changed = book.set(peer(n), record(total), wall(at));
    if (changed) store[peer(n)] = *changed;
    return changed.has_value();
  }
  std::map<libp2p::PeerId, StoredScore> store;
  std::size_t reads = 0;
  bool broken = false;
  ScoreBook::Read read = [this](const libp2p::PeerId& who) -> Result<std::optional<StoredScore>> {
    ++reads;
    if (broken) return libp2p::fail(Errc::io, "the disk does not read");
    const auto found = store.find(who);
    return found == store.end() ? std::optional<StoredScore>() : std::optional(found->second);
  };
  ScoreBook book{Seconds(1200), read, 2};
};

TEST_F(ScoreBookTest, asks_the_cache_and_then_the_store) {
  store[peer(1)] = {record(-5), wall(100)};
  EXPECT_EQ(total(1, 100), -5);
  EXPECT_EQ(total(1, 101), -5);
  EXPECT_EQ(reads, 1U);
  EXPECT_EQ(total(2, 101), std::nullopt);
  EXPECT_EQ(total(2, 102), std::nullopt) << "that it is unknown is known too";
  EXPECT_EQ(reads, 2U);
  book.check();
}

TEST_F(ScoreBookTest, a_record_of_the_end_of_time_is_one_of_the_future) {
  for (const auto updated : {libp2p::UnixTime::max(), libp2p::UnixTime::max() - Seconds(1)}) {
    store[peer(1)] = {record(-5), updated};
    ScoreBook anew(Seconds(1200), read, 2);
    EXPECT_FALSE(anew.is_expired(updated, wall(100)));
    EXPECT_EQ((*anew.get(peer(1), wall(100)))->gossip.total, -5);
    EXPECT_TRUE(anew.set(peer(1), record(-5), wall(200))) << "it is written with the time of now";
  }
  store[peer(1)] = {record(-5), libp2p::UnixTime::min()};
  EXPECT_EQ(total(1, 100), std::nullopt);
  EXPECT_TRUE(set(1, -5, 100));
}

TEST_F(ScoreBookTest, knows_nothing_of_a_record_that_has_expired_in_the_cache_too) {
  store[peer(1)] = {record(-5), wall(100)};
  EXPECT_EQ(total(1, 1300), -5) << "op-node: last update + retention < now";
  EXPECT_EQ(total(1, 1301), std::nullopt);
  set(2, -7, 2000);
  EXPECT_EQ(total(2, 3200), -7);
  EXPECT_EQ(total(2, 3201), std::nullopt);
}

TEST_F(ScoreBookTest, writes_what_has_changed_and_else_only_before_it_expires) {
  EXPECT_TRUE(set(1, -5, 1000));
  EXPECT_FALSE(set(1, -5, 1015));
  EXPECT_TRUE(set(1, -4, 1030));
  int writes = 0;
  for (std::int64_t at = 1045; at <= 1030 + 3600; at += 15) writes += set(1, -4, at) ? 1 : 0;
  EXPECT_EQ(writes, 12) << "every 300 s, a quarter of the retention";
  for (const auto& [who, stored] : store) EXPECT_FALSE(book.is_expired(stored.updated, wall(1030 + 3600)));
  EXPECT_EQ(total(1, 4630), -4);
}

TEST_F(ScoreBookTest, writes_again_when_the_clock_went_back) {
  EXPECT_TRUE(set(1, -5, 1'000'000));
  EXPECT_TRUE(set(1, -5, 1000));
}

TEST_F(ScoreBookTest, stamps_whole_seconds) {
  const auto changed = book.set(peer(1), record(1), wall(7) + libp2p::Millis(900));
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->updated, wall(7));
}

TEST_F(ScoreBookTest, reads_zero_without_retention) {
  ScoreBook none(Nanos(0), read);
  store[peer(1)] = {record(-500), wall(100)};
  EXPECT_FALSE(none.set(peer(1), record(-500), wall(100)));
  EXPECT_FALSE(none.get(peer(1), wall(100)).value());
  EXPECT_EQ(reads, 0U);
}

TEST_F(ScoreBookTest, says_that_the_store_cannot_be_read_and_asks_again) {
  store[peer(1)] = {record(-5), wall(100)};
  broken = true;
  EXPECT_EQ(book.get(peer(1), wall(100)).error(), Errc::io);
  broken = false;
  EXPECT_EQ(total(1, 100), -5);
}

TEST_F(ScoreBookTest, forgets_the_least_recently_used_of_its_cache_and_reads_it_again) {
  set(1, -1, 10);
  set(2, -2, 10);
  set(3, -3, 10);
  EXPECT_EQ(book.cached(), 2U);
  EXPECT_EQ(total(1, 11), -1);
  EXPECT_EQ(reads, 1U);
  book.check();
}

TEST_F(ScoreBookTest, erases) {
  set(1, -1, 10);
  book.erase(peer(1));
  EXPECT_EQ(total(1, 11), std::nullopt);
  EXPECT_TRUE(set(1, -1, 12)) << "it is not in the store any more";
}

}  // namespace
}  // namespace opstack::reputation
