#include "opstack/gossip/validation_pipeline.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "libp2p/runtime/sim/sim_world.hpp"
#include "opstack/rules/block_rules.hpp"
#include "testing/block_rule_parts.hpp"

namespace opstack::gossip {
namespace {

using libp2p::Bytes;
using libp2p::Millis;
using rules::Reason;

constexpr std::uint64_t kTime = 1'700'000'000;

class ValidationPipelineTest : public testing::Test {
 protected:
  ValidationPipelineTest() {
    signers_.current = libp2p::crypto::secp256k1::address_of(testing_blocks::sequencer_key());
    // One that counts, so that the next signature is expected to count too.
    EXPECT_EQ(rules_.judge(message_of(1, 100), signers_, wall_).reason, Reason::valid);
  }

  static rules::BlockRulesConfig v3_config() {
    rules::BlockRulesConfig out;
    out.chain_id = 901;
    out.version = payload::Version::v3;
    return out;
  }
  Bytes message_of(std::uint64_t number, std::size_t transactions_bytes,
                   const rules::Secret& key = testing_blocks::sequencer_key()) const {
    auto envelope = testing_blocks::block(config_.version, number, kTime);
    libp2p::SeededRng rng(number);
    for (std::size_t left = transactions_bytes / 200; left > 0; --left) {
      Bytes transaction(200);
      rng.fill(transaction);
      envelope.payload.transactions.push_back(std::move(transaction));
    }
    return testing_blocks::message(config_.chain_id, config_.version, testing_blocks::sealed(std::move(envelope)), key);
  }
  // A message on its way, as the subscriber has it.
  struct Job {
    Bytes message;
    std::optional<Reason> reason;
  };
  std::shared_ptr<Job> examine(Bytes message) {
    auto job = std::make_shared<Job>(Job{std::move(message), std::nullopt});
    jobs_.push_back(job);
    const auto contents = rules::read_message("topic", job->message).decompressed;
    auto done = [this, job](rules::Examination examined) { job->reason = rules_.conclude(examined, signers_)->reason; };
    accepted_ = pipeline_->examine(rules_.begin(job->message, contents, signers_, wall_), job->message.size(), done);
    pipeline_->queue().check();
    return job;
  }
  void run() {
    world_.run_for(Millis(20));
    if (pipeline_) pipeline_->queue().check();
  }

  libp2p::runtime::SimWorld world_{3};
  libp2p::runtime::SimNode node_ = world_.add_node();
  std::unique_ptr<ValidationPipeline> pipeline_ =
      std::make_unique<ValidationPipeline>(node_.runtime(), ValidationQueueLimits{});
  rules::BlockRulesConfig config_ = v3_config();
  rules::SignerState signers_;
  libp2p::UnixTime wall_ = libp2p::from_unix_seconds(kTime);
  rules::BlockRules rules_{config_};
  std::vector<std::shared_ptr<Job>> jobs_;
  bool accepted_ = false;
};

TEST_F(ValidationPipelineTest, examines_a_small_message_inside_the_call) {
  EXPECT_EQ(examine(message_of(2, 200))->reason, Reason::valid);
  EXPECT_TRUE(accepted_);
}

TEST_F(ValidationPipelineTest, examines_a_large_block_that_comes_alone_in_two_parts) {
  const auto job = examine(message_of(2, 100'000));
  EXPECT_EQ(pipeline_->queue().items(), 2u);
  EXPECT_EQ(pipeline_->queue().bytes(), job->message.size()) << "the bytes are counted once";
  EXPECT_FALSE(job->reason);
  run();
  EXPECT_EQ(job->reason, Reason::valid);
  EXPECT_EQ(pipeline_->queue().items(), 0u);
}

TEST_F(ValidationPipelineTest, takes_a_small_message_with_large_contents_for_a_large_block) {
  auto envelope = testing_blocks::block(config_.version, 2, kTime);
  envelope.payload.transactions.push_back(Bytes(100'000));  // zeros
  const auto job = examine(testing_blocks::message(
      config_.chain_id, config_.version, testing_blocks::sealed(std::move(envelope)), testing_blocks::sequencer_key()));
  EXPECT_LT(job->message.size(), ValidationQueueLimits{}.small);
  EXPECT_EQ(pipeline_->queue().items(), 2u) << "two workers, and the network thread does neither part";
  EXPECT_FALSE(job->reason);
  run();
  EXPECT_EQ(job->reason, Reason::valid);
}

TEST_F(ValidationPipelineTest, examines_large_blocks_that_come_together_in_one_part_each) {
  const auto first = examine(message_of(2, 100'000));
  const auto second = examine(message_of(3, 100'000));
  EXPECT_EQ(pipeline_->queue().items(), 3u);
  run();
  EXPECT_EQ(first->reason, Reason::valid);
  EXPECT_EQ(second->reason, Reason::valid);
}

TEST_F(ValidationPipelineTest, looks_at_the_signature_of_a_large_block_first_where_it_is_not_expected_to_count) {
  examine(message_of(2, 100'000, testing_blocks::other_key()));
  run();
  EXPECT_EQ(jobs_.back()->reason, Reason::invalid_signature);
  examine(message_of(3, 100'000));
  EXPECT_EQ(pipeline_->queue().items(), 1u);
  run();
  EXPECT_EQ(jobs_.back()->reason, Reason::valid);
}

TEST_F(ValidationPipelineTest, refuses_what_the_queue_has_no_room_for_but_not_what_needs_no_work) {
  ValidationQueueLimits limits;
  limits.max_items = 1;
  limits.small = 0;
  pipeline_ = std::make_unique<ValidationPipeline>(node_.runtime(), limits);
  const auto first = examine(message_of(2, 100'000));
  EXPECT_TRUE(accepted_);
  EXPECT_EQ(pipeline_->queue().items(), 1u) << "there is no room for two parts";
  examine(message_of(3, 200));
  EXPECT_FALSE(accepted_);
  EXPECT_EQ(examine(Bytes(100, 0xff))->reason, Reason::invalid_snappy_length);
  EXPECT_TRUE(accepted_);
  run();
  EXPECT_EQ(first->reason, Reason::valid);
  EXPECT_FALSE(jobs_[1]->reason);
}

TEST_F(ValidationPipelineTest, leaves_nothing_behind_when_it_goes_with_both_parts_on_the_pool) {
  const auto job = examine(message_of(2, 100'000));
  std::weak_ptr<Job> left = job;
  pipeline_.reset();
  run();
  EXPECT_FALSE(job->reason);
  jobs_.clear();
  EXPECT_EQ(left.use_count(), 1) << "nobody else holds the message";
}

}  // namespace
}  // namespace opstack::gossip
