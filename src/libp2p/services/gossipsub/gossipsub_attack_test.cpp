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
      raw_.push_back(std::make_unique<RawPeer>(net_.host(node)));
      ASSERT_TRUE(net_.connect(node, 0));
      auto stream = net_.run(node, RawPeer::open(net_.host(node), net_.host(0).id()));
      streams_.push_back(std::move(stream.value().value()));
      Bytes begin;
      multiformats::append_varint(begin, kFrame);
      ASSERT_TRUE(send(i, std::move(begin)));
    }
  }
  bool send(std::size_t hoarder, Bytes bytes) {
    const auto wrote = net_.run(2 + hoarder, RawPeer::write(streams_[hoarder], std::move(bytes)), Seconds(5));
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
  std::vector<std::unique_ptr<RawPeer>> raw_;
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
      auto stream = net_.run(2 + i, RawPeer::open(net_.host(2 + i), net_.host(0).id()));
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
      const bool block = as_text(message.data.view).starts_with("block");
      waiting_.emplace_back(block ? ValidationResult::accept : ValidationResult::reject, std::move(done));
    });
    honest_[1]->join();
    ASSERT_TRUE(net_.connect(1, 0));
    for (std::size_t node = 2; node < 2 + flooders; ++node) {
      net_.add();
      raw_.push_back(std::make_unique<RawPeer>(net_.host(node)));
      ASSERT_TRUE(net_.connect(node, 0));
      auto stream = net_.run(node, RawPeer::open(net_.host(node), net_.host(0).id()));
      streams_.push_back(std::move(stream.value().value()));
    }
    net_.run_for(Seconds(2));
  }
  std::size_t blocks_through(std::size_t blocks) {
    for (std::size_t step = 0; step < 10 * blocks; ++step) {
      for (std::size_t i = 0; i < streams_.size(); ++i) {
        net_.run(2 + i, RawPeer::write(streams_[i], junk(500 / streams_.size())), Seconds(1));
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
  std::vector<std::unique_ptr<RawPeer>> raw_;
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

TEST(FrameProgress, is_slow_when_the_last_five_seconds_brought_less_than_64_kib_each) {
  FrameProgress frame;
  EXPECT_FALSE(frame.is_slow(MonoTime(Seconds(100))));
  frame.begin(MonoTime(Seconds(100)));
  EXPECT_FALSE(frame.is_slow(MonoTime(Millis(104'999)))) << "too young to say";
  EXPECT_TRUE(frame.is_slow(MonoTime(Seconds(105))));
  for (int second = 100; second < 130; ++second) {
    frame.note(64U << 10, MonoTime(Seconds(second)));
    EXPECT_FALSE(frame.is_slow(MonoTime(Seconds(second)))) << second;
  }
  frame.note(1, MonoTime(Seconds(134)));
  EXPECT_TRUE(frame.is_slow(MonoTime(Seconds(135)))) << "one byte is no progress";
  frame.end();
  EXPECT_FALSE(frame.is_slow(MonoTime(Seconds(140))));
}

TEST(UnfinishedFrames, bounds_all_frames_of_an_address_to_a_quarter) {
  const AddressBlocks one{{10, 0, 0, 1}, {}};
  const AddressBlocks other{{10, 0, 0, 2}, {}};
  UnfinishedFrames frames(1000, 100);
  for (std::uint64_t stream = 1; stream <= 3; ++stream) frames.add(stream, one);
  frames.add(4, other);
  frames.change(1, 0, 100);
  frames.change(2, 0, 100);
  frames.change(4, 0, 200);
  EXPECT_EQ(frames.exceeded(2), ShareFull::none);
  frames.change(3, 0, 100);
  EXPECT_EQ(frames.exceeded(3), ShareFull::narrow);
  EXPECT_EQ(frames.exceeded(4), ShareFull::none) << "the neighbour is not touched";
  EXPECT_TRUE(frames.shares(3, 1, ShareFull::narrow));
  EXPECT_FALSE(frames.shares(3, 4, ShareFull::narrow));
  EXPECT_EQ(frames.bytes(), 500U);
  for (std::uint64_t stream = 1; stream <= 4; ++stream) frames.remove(stream);
  EXPECT_EQ(frames.bytes(), 0U);
}

TEST(UnfinishedFrames, lets_the_slow_go_first_then_large_ones_of_strangers_and_small_ones_last) {
  const UnfinishedFrames frames(256'000, 100);
  using Claim = UnfinishedFrames::Claim;
  const std::vector<Claim> order = {{true, true, 20},     {true, false, 10},   {false, false, 2000},
                                    {false, false, 1001}, {false, true, 9000}, {false, false, 1000},
                                    {false, true, 10}};
  for (std::size_t i = 0; i + 1 < order.size(); ++i) {
    EXPECT_TRUE(frames.goes_before(order[i], order[i + 1])) << i;
    EXPECT_FALSE(frames.goes_before(order[i + 1], order[i])) << i;
  }
}

}  // namespace
}  // namespace libp2p
