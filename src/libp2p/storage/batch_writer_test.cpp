#include "libp2p/storage/batch_writer.hpp"

#include <gmock/gmock.h>

#include "libp2p/base/rng.hpp"
#include "libp2p/runtime/run_task.hpp"
#include "libp2p/runtime/sim/sim_world.hpp"
#include "libp2p/storage/faulty_datastore_test.hpp"

namespace libp2p::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class BatchWriterTest : public ::testing::Test {
 protected:
  BatchWriterTest() { open({}); }
  ~BatchWriterTest() override {
    writer_.reset();
    world_.run_for(Seconds(1));
  }

  void open(const BatchWriterConfig& config) {
    writer_ = std::make_unique<BatchWriter>(runtime_, store_, config);
    told_ = writer_->subscribe([this](const BatchWriterEvent& event) {
      if (const auto* failing = std::get_if<WritesFailing>(&event))
        events_.push_back("failing with " + std::to_string(failing->changes) + ": " + failing->error.text());
      if (const auto* recovered = std::get_if<WritesRecovered>(&event))
        events_.push_back("recovered with " + std::to_string(recovered->changes) + ", refused " +
                          std::to_string(recovered->refused));
    });
  }
  Result<void> put(std::string key, std::string_view value) { return writer_->put({std::move(key), to_bytes(value)}); }
  BatchWriter::Done answer(std::string name) {
    return [this, name = std::move(name)](const Result<void>& outcome) {
      answers_.push_back(name + (outcome ? " ok" : " " + std::string(to_string(outcome.error().code()))));
    };
  }
  std::string seen(std::string_view key) {
    const auto found = writer_->get(key);
    if (!found) return std::string(to_string(found.error().code()));
    return *found ? std::string(as_text(**found)) : "none";
  }
  void run_for(Nanos time) {
    world_.run_for(time);
    writer_->check();
  }

  runtime::SimWorld world_{1};
  runtime::Runtime& runtime_ = world_.add_node().runtime();
  const std::shared_ptr<FaultyDatastore> store_ = std::make_shared<FaultyDatastore>();
  std::unique_ptr<BatchWriter> writer_;
  Subscription told_;
  std::vector<std::string> events_;
  std::vector<std::string> answers_;
};

TEST_F(BatchWriterTest, gathers_changes_and_writes_the_newest_of_each_key_once) {
  ASSERT_TRUE(put("/a", "1"));
  run_for(Seconds(2));
  ASSERT_TRUE(put("/b", "1"));
  ASSERT_TRUE(put("/a", "2"));
  ASSERT_TRUE(writer_->erase("/c"));
  EXPECT_EQ(writer_->changes(), 3u);
  EXPECT_TRUE(store_->batches.empty()) << "nothing is written before its time";
  run_for(Seconds(1) + Millis(10));
  ASSERT_EQ(store_->batches.size(), 1u);
  EXPECT_EQ(store_->batches[0].size(), 3u);
  EXPECT_EQ(store_->text("/a"), "2");
  EXPECT_EQ(store_->text("/b"), "1");
  EXPECT_EQ(writer_->changes(), 0u);
  EXPECT_EQ(writer_->bytes(), 0u);
  EXPECT_EQ(writer_->counters().superseded, 1u);
  EXPECT_EQ(writer_->counters().written, 3u);
  run_for(Seconds(60));
  EXPECT_EQ(store_->batches.size(), 1u) << "nothing is left to write";
}

TEST_F(BatchWriterTest, writes_at_once_what_may_not_wait_and_says_when_it_is_durable) {
  ASSERT_TRUE(put("/a", "1"));
  writer_->put_now({"/ban", to_bytes("b")}, answer("ban"));
  EXPECT_TRUE(answers_.empty());
  run_for(Millis(10));
  EXPECT_THAT(answers_, ElementsAre("ban ok"));
  EXPECT_EQ(store_->text("/ban"), "b");
  EXPECT_EQ(store_->text("/a"), "1") << "what waits goes along";
}

TEST_F(BatchWriterTest, has_one_batch_in_flight) {
  writer_->put_now({"/a", to_bytes("1")}, answer("first"));
  writer_->put_now({"/a", to_bytes("2")}, answer("second"));
  writer_->put_now({"/b", to_bytes("2")}, answer("third"));
  EXPECT_EQ(writer_->changes(), 3u) << "one is being written, two wait";
  writer_->check();
  run_for(Millis(20));
  EXPECT_THAT(answers_, ElementsAre("first ok", "second ok", "third ok"));
  ASSERT_EQ(store_->batches.size(), 2u);
  EXPECT_EQ(store_->text("/a"), "2");
}

TEST_F(BatchWriterTest, reads_see_what_was_put_whether_it_is_written_or_not) {
  EXPECT_EQ(seen("/a"), "none");
  ASSERT_TRUE(put("/a", "1"));
  EXPECT_EQ(seen("/a"), "1");
  writer_->flush(nullptr);
  EXPECT_EQ(seen("/a"), "1") << "while it is being written";
  EXPECT_EQ(seen("/0"), "none");
  EXPECT_EQ(seen("/b"), "none");
  ASSERT_TRUE(put("/a", "2"));
  EXPECT_EQ(seen("/a"), "2");
  run_for(Seconds(10));
  EXPECT_EQ(seen("/a"), "2");
  ASSERT_TRUE(writer_->erase("/a"));
  EXPECT_EQ(seen("/a"), "none");
  EXPECT_EQ(store_->text("/a"), "2") << "not erased yet";
  store_->reads_fail = true;
  EXPECT_EQ(seen("/a"), "none") << "no read of the disk is needed";
  EXPECT_EQ(seen("/b"), "input/output");
}

TEST_F(BatchWriterTest, keeps_a_batch_that_fails_tries_it_again_with_back_off_and_tells_it_once) {
  store_->failures = 4;
  ASSERT_TRUE(put("/a", "1"));
  ASSERT_TRUE(put("/b", "1"));
  run_for(Seconds(3) + Millis(10));
  EXPECT_EQ(store_->batches.size(), 1u);
  EXPECT_EQ(writer_->changes(), 2u);
  EXPECT_EQ(seen("/b"), "1");
  ASSERT_TRUE(put("/a", "2"));
  run_for(Seconds(1) + Millis(10));
  EXPECT_EQ(store_->batches.size(), 2u);
  run_for(Seconds(2) + Millis(10));
  EXPECT_EQ(store_->batches.size(), 3u);
  run_for(Seconds(3));
  EXPECT_EQ(store_->batches.size(), 3u) << "the fourth comes after 4 s";
  EXPECT_THAT(events_, ElementsAre("failing with 2: the disk is full"));
  run_for(Seconds(12));
  EXPECT_THAT(events_, ElementsAre("failing with 2: the disk is full", "recovered with 2, refused 0"));
  EXPECT_EQ(store_->batches.size(), 5u);
  EXPECT_EQ(store_->text("/a"), "2");
  EXPECT_EQ(store_->text("/b"), "1");
  EXPECT_EQ(writer_->counters().failed_batches, 4u);

  store_->failures = 1;
  ASSERT_TRUE(put("/a", "3"));
  run_for(Seconds(3) + Millis(10));
  EXPECT_EQ(events_.size(), 3u) << "told anew";
  run_for(Seconds(1) + Millis(10));
  EXPECT_EQ(store_->text("/a"), "3") << "the back-off begins anew";
}

TEST_F(BatchWriterTest, waits_no_longer_than_the_last_back_off) {
  store_->failures = 1000;
  ASSERT_TRUE(put("/a", "1"));
  run_for(std::chrono::hours(1));
  EXPECT_GE(store_->batches.size(), 60u);
  EXPECT_LE(store_->batches.size(), 70u);
}

TEST_F(BatchWriterTest, says_at_the_first_failure_that_what_was_asked_for_is_not_durable) {
  store_->failures = 1;
  writer_->put_now({"/ban", to_bytes("b")}, answer("ban"));
  run_for(Millis(10));
  EXPECT_THAT(answers_, ElementsAre("ban input/output"));
  EXPECT_EQ(store_->text("/ban"), "none");
  run_for(Seconds(2));
  EXPECT_EQ(store_->text("/ban"), "b") << "it was kept";
  EXPECT_THAT(answers_, ElementsAre("ban input/output"));
}

TEST_F(BatchWriterTest, tries_at_once_what_may_not_wait_while_it_backs_off) {
  store_->failures = 6;
  ASSERT_TRUE(put("/a", "1"));
  run_for(Seconds(40));
  EXPECT_EQ(store_->batches.size(), 6u);
  writer_->put_now({"/ban", to_bytes("b")}, answer("ban"));
  run_for(Millis(10));
  EXPECT_THAT(answers_, ElementsAre("ban ok"));
  EXPECT_EQ(store_->text("/a"), "1");
}

TEST_F(BatchWriterTest, writes_what_only_erases_by_itself_while_the_datastore_is_full) {
  const std::vector<Change> before = {{"/old", to_bytes("1")}, {"/pair/a", to_bytes("1")}, {"/pair/b", to_bytes("1")}};
  ASSERT_TRUE(store_->store.apply(before));
  store_->is_full = true;
  ASSERT_TRUE(put("/new", "1"));
  ASSERT_TRUE(writer_->put(std::vector<Change>{{"/pair/a", to_bytes("2")}, {"/pair/b", std::nullopt}}));
  ASSERT_TRUE(writer_->erase("/old"));
  run_for(Seconds(4));
  EXPECT_EQ(store_->text("/old"), "none");
  EXPECT_EQ(store_->text("/pair/b"), "1") << "the changes of one call stay together";
  EXPECT_THAT(events_, ElementsAre("failing with 4: the datastore is full"));
  writer_->put_now(Change{"/pair/c", std::nullopt}, answer("erasure"));
  writer_->put_now(Change{"/pair/d", to_bytes("1")}, answer("value"));
  run_for(Seconds(1));
  EXPECT_THAT(answers_, ::testing::UnorderedElementsAre("erasure ok", "value exhausted"));
  const auto tried = store_->batches.size();
  run_for(Seconds(60));
  EXPECT_LT(store_->batches.size(), tried + 10) << "it backs off";
  store_->is_full = false;
  run_for(Seconds(61));
  EXPECT_EQ(store_->text("/new"), "1");
  EXPECT_EQ(store_->text("/pair/a"), "2");
  EXPECT_EQ(store_->text("/pair/b"), "none");
  EXPECT_EQ(writer_->changes(), 0u);
  EXPECT_EQ(events_.size(), 2u) << "once that it fails, and once that it goes again";
}

TEST_F(BatchWriterTest, flush_answers_when_everything_is_durable) {
  writer_->flush(answer("empty"));
  EXPECT_TRUE(answers_.empty()) << "not within the call";
  run_for(Millis(10));
  ASSERT_TRUE(put("/a", "1"));
  writer_->flush(answer("one"));
  writer_->flush(answer("in flight"));
  run_for(Millis(10));
  EXPECT_THAT(answers_, ElementsAre("empty ok", "one ok", "in flight ok"));
  store_->failures = 1;
  ASSERT_TRUE(put("/a", "2"));
  writer_->flush(answer("failing"));
  run_for(Millis(10));
  EXPECT_EQ(answers_.back(), "failing input/output");
}

TEST_F(BatchWriterTest, the_changes_of_one_call_are_written_together) {
  store_->failures = 1;
  ASSERT_TRUE(writer_->put({{"/a", to_bytes("1")}, {"/b", to_bytes("1")}}));
  writer_->flush(nullptr);
  ASSERT_TRUE(writer_->put({{"/a", to_bytes("2")}, {"/c", to_bytes("2")}}));
  run_for(Seconds(5));
  ASSERT_EQ(store_->batches.size(), 2u);
  EXPECT_EQ(store_->batches[1].size(), 3u);
}

TEST_F(BatchWriterTest, starts_early_when_half_of_its_bound_is_used) {
  open({.max_changes = 16});
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(put("/" + std::to_string(i), "x"));
  run_for(Millis(10));
  EXPECT_EQ(store_->batches.size(), 1u);
}

TEST_F(BatchWriterTest, refuses_the_newest_at_its_bound_and_keeps_an_eighth_for_what_may_not_wait) {
  open({.max_changes = 16});
  store_->failures = 1000;
  for (int i = 0; i < 14; ++i) ASSERT_TRUE(put("/" + std::to_string(i), "x"));
  const auto refused = put("/new", "x");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::exhausted);
  EXPECT_THAT(refused.error().text(), HasSubstr("14 changes"));
  run_for(Seconds(10));
  EXPECT_FALSE(put("/new", "x"));
  EXPECT_EQ(seen("/new"), "none");
  EXPECT_TRUE(put("/3", "y")) << "it takes the place of the one before";
  writer_->put_now({"/ban/1", to_bytes("b")}, answer("1"));
  writer_->put_now({"/ban/2", to_bytes("b")}, answer("2"));
  writer_->put_now({"/ban/3", to_bytes("b")}, answer("3"));
  run_for(Millis(20));
  EXPECT_THAT(answers_, ElementsAre("3 exhausted", "1 input/output", "2 input/output"));
  EXPECT_EQ(writer_->counters().refused, 3u);
  store_->failures = 0;
  run_for(Seconds(61));
  EXPECT_EQ(writer_->changes(), 0u);
  EXPECT_EQ(store_->text("/3"), "y");
  EXPECT_EQ(events_.back(), "recovered with 16, refused 2");
}

TEST_F(BatchWriterTest, is_bounded_in_bytes) {
  open({.max_bytes = 8000});
  ASSERT_TRUE(writer_->put({"/a", Bytes(6000)}));
  EXPECT_FALSE(writer_->put({"/b", Bytes(1000)}));
  EXPECT_TRUE(writer_->put({"/a", Bytes(6500)}));
  EXPECT_FALSE(writer_->put({"/a", Bytes(7000)})) << "the reserve is for what may not wait";
  writer_->put_now({"/a", Bytes(7000)}, answer("now"));
  writer_->check();
  run_for(Millis(10));
  EXPECT_THAT(answers_, ElementsAre("now ok"));
}

TEST_F(BatchWriterTest, bounds_those_who_wait_for_an_answer) {
  for (std::size_t i = 0; i <= BatchWriter::kMaxWaiting + 1; ++i)
    writer_->put_now({"/ban", Bytes{1}}, answer("n"));  // the first is being written
  run_for(Millis(20));
  EXPECT_EQ(answers_.size(), BatchWriter::kMaxWaiting + 2);
  EXPECT_EQ(std::count(answers_.begin(), answers_.end(), "n exhausted"), 1);
}

TEST_F(BatchWriterTest, refuses_what_no_datastore_takes) {
  EXPECT_EQ(put("", "x").error().code(), Errc::invalid_argument);
  EXPECT_EQ(writer_->put({"/a", Bytes(kMaxValue + 1)}).error().code(), Errc::too_large);
  writer_->put_now({std::string(kMaxKey + 1, 'k'), Bytes()}, answer("long"));
  run_for(Millis(10));
  EXPECT_THAT(answers_, ElementsAre("long invalid argument"));
  EXPECT_EQ(writer_->changes(), 0u);
}

TEST_F(BatchWriterTest, close_writes_what_is_left_and_takes_no_more) {
  ASSERT_TRUE(put("/a", "1"));
  writer_->put_now({"/b", to_bytes("1")}, nullptr);
  ASSERT_TRUE(put("/a", "2"));
  runtime::TaskScope scope(runtime_);
  std::optional<Result<void>> closed;
  scope.spawn([](BatchWriter& writer, std::optional<Result<void>>& out) -> runtime::Task<void> {
    auto outcome = co_await writer.close(Seconds(5));
    out = std::move(outcome);
  }(*writer_, closed));
  run_for(Millis(50));
  ASSERT_TRUE(closed.has_value());
  EXPECT_TRUE(*closed);
  EXPECT_EQ(store_->text("/a"), "2");
  EXPECT_EQ(put("/c", "1").error().code(), Errc::closed);
}

TEST_F(BatchWriterTest, close_says_what_it_could_not_write) {
  store_->failures = 100;
  ASSERT_TRUE(put("/a", "1"));
  ASSERT_TRUE(put("/b", "1"));
  runtime::TaskScope scope(runtime_);
  std::optional<Result<void>> closed;
  scope.spawn([](BatchWriter& writer, std::optional<Result<void>>& out) -> runtime::Task<void> {
    auto outcome = co_await writer.close(Seconds(5));
    out = std::move(outcome);
  }(*writer_, closed));
  run_for(Seconds(6));
  ASSERT_TRUE(closed.has_value());
  ASSERT_FALSE(*closed);
  EXPECT_EQ(closed->error().code(), Errc::io);
  EXPECT_THAT(closed->error().text(), HasSubstr("2 changes are not written"));
  EXPECT_THAT(closed->error().text(), HasSubstr("the disk is full"));
}

TEST_F(BatchWriterTest, may_be_destroyed_by_what_it_calls) {
  writer_->put_now({"/a", to_bytes("1")}, [this](const Result<void>&) { writer_.reset(); });
  writer_->put_now({"/b", to_bytes("1")}, answer("never"));
  world_.run_for(Seconds(1));
  EXPECT_EQ(writer_, nullptr);
  EXPECT_TRUE(answers_.empty());
  open({});
}

TEST_F(BatchWriterTest, may_be_destroyed_while_a_worker_writes) {
  writer_->put_now({"/a", to_bytes("1")}, answer("never"));
  writer_.reset();
  world_.run_for(Seconds(1));
  EXPECT_TRUE(answers_.empty());
  EXPECT_EQ(store_->text("/a"), "1");
  open({});
}

// Any order of puts, failures and waits: what is read is always what was put last, and so is what is written in the
// end.
TEST_F(BatchWriterTest, never_loses_the_last_value_of_a_key) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SeededRng rng(seed);
    std::map<std::string, std::string> model;
    for (int step = 0; step < 300; ++step) {
      const std::string key = "/" + std::to_string(seed) + "/" + std::to_string(rng.below(12));
      const std::string value = std::to_string(step);
      if (rng.below(4) == 0) {
        writer_->put_now({key, to_bytes(value)}, nullptr);
        model[key] = value;
      } else if (rng.below(4) == 0) {
        ASSERT_TRUE(writer_->erase(key));
        model[key] = "none";
      } else {
        ASSERT_TRUE(put(key, value));
        model[key] = value;
      }
      if (rng.below(10) == 0) store_->failures = rng.below(4);
      if (rng.below(3) == 0) run_for(Millis(static_cast<std::int64_t>(rng.below(2000))));
      ASSERT_EQ(seen(key), model[key]) << "seed " << seed << " step " << step;
    }
    store_->failures = 0;
    run_for(Seconds(61));
    for (const auto& [key, value] : model) ASSERT_EQ(store_->text(key), value) << "seed " << seed;
  }
}

}  // namespace
}  // namespace libp2p::storage
