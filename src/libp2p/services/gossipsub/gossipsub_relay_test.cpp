// Relayed topics and blacklisted peers, between hosts.
#include <gmock/gmock.h>

#include "libp2p/services/gossipsub/gossipsub_peers_test.hpp"

namespace libp2p {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Three nodes in a row.
class RelayHosts : public testing::Test {
 protected:
  RelayHosts() {
    for (int i = 0; i < 3; ++i) gossipers_.push_back(std::make_unique<Gossiper>(net_.add()));
    for (std::size_t i = 1; i < 3; ++i) EXPECT_TRUE(net_.connect(i - 1, i));
    at(0).join();
    at(2).join();
  }
  Gossiper& at(std::size_t i) { return *gossipers_.at(i); }
  void publish(std::size_t from, std::string_view text) {
    ASSERT_TRUE(at(from).publish(text).has_value());
    net_.run_for(Seconds(1));
  }

  SimHosts net_{81};
  std::vector<std::unique_ptr<Gossiper>> gossipers_;
};

TEST_F(RelayHosts, a_relay_passes_on_what_its_validator_accepts_until_it_leaves) {
  const auto judge = [](const gossipsub::Validate& message, const GossipsubService::Done& done) {
    const bool good = as_text(message.data.view()).starts_with("good");
    done(good ? ValidationResult::accept : ValidationResult::reject);
  };
  ASSERT_TRUE(at(1).service->relay(std::string(kTopic), judge).has_value());
  EXPECT_EQ(at(1).service->join(std::string(kTopic), nullptr, nullptr).error(), Errc::invalid_argument);
  net_.run_for(Seconds(2));
  publish(0, "good");
  publish(0, "bad");
  EXPECT_THAT(at(2).heard, ElementsAre("good"));
  EXPECT_EQ(at(1).service->router().counters().relayed, 1u);
  at(1).service->leave(std::string(kTopic));
  EXPECT_THAT(at(1).service->router().topics(), IsEmpty());
  net_.run_for(Seconds(1));
  publish(0, "good again");
  EXPECT_THAT(at(2).heard, ElementsAre("good"));
}

TEST_F(RelayHosts, who_is_blacklisted_is_not_heard_until_the_time_is_over) {
  at(1).join();
  net_.run_for(Seconds(2));
  at(1).service->blacklist(net_.host(0).id(), Seconds(10));
  publish(0, "not heard");
  EXPECT_THAT(at(1).heard, IsEmpty());
  publish(2, "heard, and not passed on");
  EXPECT_THAT(at(0).heard, IsEmpty());
  EXPECT_TRUE(net_.host(1).connected(net_.host(0).id()));
  net_.run_for(Seconds(70));  // the backoff
  publish(0, "heard again");
  EXPECT_THAT(at(1).heard, ElementsAre("heard, and not passed on", "heard again"));
  at(1).service->blacklist(net_.host(0).id(), Nanos::max());
  at(1).service->pardon(net_.host(0).id());
  net_.run_for(Seconds(70));
  publish(0, "pardoned");
  EXPECT_EQ(at(1).count("pardoned"), 1u);
}

}  // namespace
}  // namespace libp2p
