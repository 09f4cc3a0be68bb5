// Attacks on the GossipSub service by peers that speak the protocol by hand, each beside honest peers whose messages
// have to arrive in time.
#include <gtest/gtest.h>

#include <deque>

#include "libp2p/multiformats/varint.hpp"
#include "libp2p/services/gossipsub/gossipsub_peers_test.hpp"

namespace libp2p {
namespace {

constexpr Nanos kBlockTime = Seconds(2);

// Node 0 is attacked, node 1 is honest; the others begin frames of 10 MiB, each as far and as fast as it is told.
class Hoarders : public testing::Test {
 protected:
  explicit Hoarders(GossipsubConfig config = gossip_config()) {
    for (int i = 0; i < 2; ++i) {
      net_.add();
      honest_.push_back(std::make_unique<Gossiper>(net_.host(net_.size() - 1), i == 0 ? config : gossip_config()));
      honest_.back()->join();
    }
    EXPECT_TRUE(net_.connect(1, 0));
    net_.run_for(Seconds(2));
  }
  void attack(std::size_t hoarders) {
    for (std::size_t i = 0; i < hoarders; ++i) {
      const std::size_t node = net_.size();
      net_.add();
      raw_.push_back(std::make_unique<RawGossiper>(net_.host(node)));
      ASSERT_TRUE(net_.connect(node, 0));
      auto stream = net_.run(node, RawGossiper::open(net_.host(node), net_.host(0).id()));
      streams_.push_back(std::move(stream.value().value()));
      Bytes begin;
      multiformats::append_varint(begin, kFrame);
      ASSERT_TRUE(send(i, std::move(begin)));
    }
  }
  bool send(std::size_t hoarder, Bytes bytes) {
    const auto wrote = net_.run(2 + hoarder, RawGossiper::write(streams_[hoarder], std::move(bytes)), Seconds(5));
    return wrote && wrote->has_value();
  }
  // The honest peer publishes a block of 100 KB and one of 1 MB, each of which has one block time to arrive.
  std::size_t blocks_through(std::size_t count) {
    std::size_t arrived = 0;
    for (std::size_t i = 0; i < count; ++i) {
      std::string block(i % 2 == 0 ? 100'000 : 1'000'000, 'x');
      block += std::to_string(++published_);
      EXPECT_TRUE(honest_[1]->publish(block).has_value());
      net_.run_for(kBlockTime);
      arrived += honest_[0]->count(block);
    }
    return arrived;
  }

  static constexpr std::size_t kFrame = (10U << 20) - 1;
  SimHosts net_{31};
  std::vector<std::unique_ptr<Gossiper>> honest_;
  std::vector<std::unique_ptr<RawGossiper>> raw_;
  std::vector<Stream> streams_;
  std::size_t published_ = 0;
};

TEST_F(Hoarders, of_thirteen_frames_that_never_end_stop_no_block) {
  attack(13);
  // All but the last bytes, so that 13 of them hold just less than the 128 MiB of all.
  for (std::size_t i = 0; i < 13; ++i) send(i, Bytes(kFrame - 167'000));
  EXPECT_GT(honest_[0]->service->unfinished_bytes(), 120U << 20);
  EXPECT_EQ(blocks_through(20), 20U);
  EXPECT_EQ(honest_[0]->service->router().mesh(kTopic).size(), 1U) << "the honest peer's stream was reset";
  EXPECT_EQ(honest_[0]->service->unfinished_bytes(), 0U) << "30 s have passed";
  EXPECT_EQ(honest_[0]->service->counters().frames_timed_out + honest_[0]->service->counters().frames_evicted, 13U);
}

// 4 MiB for all, so that eight of them fill it at the rate that is not slow.
class FastHoarders : public Hoarders {
 protected:
  FastHoarders() : Hoarders(small()) {}
  static GossipsubConfig small() {
    GossipsubConfig config = gossip_config();
    config.unfinished_bytes = 4U << 20;
    return config;
  }
};

TEST_F(FastHoarders, that_move_just_fast_enough_and_come_back_stop_no_block) {
  attack(8);
  std::size_t arrived = 0;
  for (std::size_t second = 0; second < 60; ++second) {
    for (std::size_t i = 0; i < 8; ++i) {
      if (send(i, Bytes(70'000))) continue;
      auto stream = net_.run(2 + i, RawGossiper::open(net_.host(2 + i), net_.host(0).id()));
      streams_[i] = std::move(stream.value().value());
      Bytes begin;
      multiformats::append_varint(begin, kFrame);
      send(i, std::move(begin));
    }
    if (second % 2 == 0) arrived += blocks_through(1);
  }
  EXPECT_EQ(arrived, 30U);
  EXPECT_GT(honest_[0]->service->counters().frames_evicted, 5U) << "the room was never full";
}

TEST_F(FastHoarders, lose_their_largest_frame_and_no_other_when_the_room_is_full) {
  attack(2);
  const std::size_t largest = net_.host(2).id() < net_.host(3).id() ? 0 : 1;  // the other one is looked at later
  ASSERT_TRUE(send(largest, Bytes(3'000'000)));
  send(1 - largest, Bytes(2'000'000));
  net_.run_for(Seconds(1));
  EXPECT_FALSE(streams_[largest].alive());
  EXPECT_TRUE(streams_[1 - largest].alive());
  EXPECT_EQ(honest_[0]->service->counters().frames_evicted, 1U);
}

TEST_F(Hoarders, that_send_a_byte_now_and_then_are_reset_thirty_seconds_after_the_first) {
  attack(1);
  std::size_t seconds = 0;
  for (; seconds < 60 && send(0, Bytes(1)); ++seconds) net_.run_for(Seconds(1));
  EXPECT_GE(seconds, 29U);
  EXPECT_LE(seconds, 32U);
  EXPECT_EQ(honest_[0]->service->counters().frames_timed_out, 1U);
  ASSERT_EQ(honest_[0]->troubles.size(), 1U);
  EXPECT_NE(honest_[0]->troubles[0].find("30 s after its first byte"), std::string::npos);
}

// Node 0 has a validator that judges 10,000 messages a second; what begins with "block" is right. Flooders send it
// 50,000 small messages a second together, the honest node a block every 100 ms.
class Flooders : public testing::Test {
 protected:
  void start(std::size_t flooders) {
    for (int i = 0; i < 2; ++i) {
      net_.add();
      honest_.push_back(std::make_unique<Gossiper>(net_.host(net_.size() - 1)));
    }
    honest_[0]->join([this](const gossipsub::Validate& message, GossipsubService::Done done) {
      const bool block = as_text(message.data.view()).starts_with("block");
      waiting_.emplace_back(block ? ValidationResult::accept : ValidationResult::reject, std::move(done));
    });
    honest_[1]->join();
    ASSERT_TRUE(net_.connect(1, 0));
    for (std::size_t node = 2; node < 2 + flooders; ++node) {
      net_.add();
      raw_.push_back(std::make_unique<RawGossiper>(net_.host(node)));
      ASSERT_TRUE(net_.connect(node, 0));
      auto stream = net_.run(node, RawGossiper::open(net_.host(node), net_.host(0).id()));
      streams_.push_back(std::move(stream.value().value()));
    }
    net_.run_for(Seconds(2));
  }
  std::size_t blocks_through(std::size_t blocks) {
    for (std::size_t step = 0; step < 10 * blocks; ++step) {
      for (std::size_t i = 0; i < streams_.size(); ++i) {
        net_.run(2 + i, RawGossiper::write(streams_[i], junk(500 / streams_.size())), Seconds(1));
      }
      if (step % 10 == 5) {
        EXPECT_TRUE(honest_[1]->publish("block " + std::to_string(step)).has_value());
      }
      net_.run_for(Millis(10));
      for (int judged = 0; judged < 100 && !waiting_.empty(); ++judged) {
        auto [verdict, done] = std::move(waiting_.front());
        waiting_.pop_front();
        done(verdict);
      }
    }
    for (; !waiting_.empty(); waiting_.pop_front()) waiting_.front().second(waiting_.front().first);
    net_.run_for(Millis(100));
    return honest_[0]->heard.size();
  }
  Bytes junk(std::size_t messages) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < messages; ++i) texts.push_back("junk " + std::to_string(next_++));
    gossipsub::Rpc rpc;
    for (const auto& text : texts) {
      gossipsub::Message message;
      message.topic = kTopic;
      message.data = as_bytes(text);
      rpc.publish.push_back(message);
    }
    return *gossipsub::encode_frame(rpc);
  }

  SimHosts net_{32};
  std::vector<std::unique_ptr<Gossiper>> honest_;
  std::vector<std::unique_ptr<RawGossiper>> raw_;
  std::vector<Stream> streams_;
  std::deque<std::pair<ValidationResult, GossipsubService::Done>> waiting_;
  std::size_t next_ = 0;
};

TEST_F(Flooders, of_whom_there_are_two_keep_no_block_out) {
  start(2);
  EXPECT_EQ(blocks_through(25), 25U);
  EXPECT_GT(honest_[0]->service->router().counters().dropped_refused_often, 50'000U) << "they did not flood";
}

TEST_F(Flooders, of_whom_there_are_four_keep_no_block_out) {
  start(4);
  EXPECT_EQ(blocks_through(25), 25U);
}

}  // namespace
}  // namespace libp2p
