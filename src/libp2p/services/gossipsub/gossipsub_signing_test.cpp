// Signed topics between hosts: the service signs with the host's key.
#include <gmock/gmock.h>

#include "libp2p/services/gossipsub/gossipsub_peers_test.hpp"

namespace libp2p {
namespace {

using gossipsub::SignaturePolicy;
using testing::ElementsAre;
using testing::IsEmpty;

GossipsubConfig signing_config(SignaturePolicy policy) {
  GossipsubConfig config;
  config.router.policies.standard = policy;
  return config;
}

// Three nodes in a row: what node 0 publishes, node 1 forwards to node 2.
class SigningHosts : public testing::Test {
 protected:
  void start(std::initializer_list<SignaturePolicy> policies) {
    for (const SignaturePolicy policy : policies) {
      gossipers_.push_back(std::make_unique<Gossiper>(net_.add(), signing_config(policy)));
      Gossiper& gossiper = *gossipers_.back();
      const auto heard = [this, n = gossipers_.size() - 1](const gossipsub::Deliver& message) {
        heard_[n].emplace_back(as_text(message.data.view()));
        authors_[n].push_back(message.author);
      };
      gossiper.service->join(std::string(kTopic), nullptr, heard).value();
    }
    for (std::size_t i = 1; i < gossipers_.size(); ++i) EXPECT_TRUE(net_.connect(i - 1, i));
    net_.run_for(Seconds(2));
  }
  void publish(std::size_t from, std::string_view text) {
    ASSERT_TRUE(gossipers_[from]->publish(text).has_value());
    net_.run_for(Seconds(1));
  }
  PeerId peer(std::size_t i) { return net_.host(i).id(); }
  const gossipsub::Counters& counters(std::size_t i) { return gossipers_[i]->service->router().counters(); }

  SimHosts net_{71};
  std::vector<std::unique_ptr<Gossiper>> gossipers_;
  std::map<std::size_t, std::vector<std::string>> heard_;
  std::map<std::size_t, std::vector<PeerId>> authors_;
};

TEST_F(SigningHosts, tell_who_has_published_however_far_it_came) {
  start({SignaturePolicy::strict_sign, SignaturePolicy::strict_sign, SignaturePolicy::strict_sign});
  publish(0, "twice");
  publish(0, "twice");
  EXPECT_THAT(heard_[2], ElementsAre("twice", "twice"));
  EXPECT_THAT(authors_[2], ElementsAre(peer(0), peer(0)));
}

TEST_F(SigningHosts, take_nothing_that_breaks_their_policy) {
  start({SignaturePolicy::strict_no_sign, SignaturePolicy::strict_sign, SignaturePolicy::strict_no_sign});
  publish(0, "not signed");
  publish(1, "signed");
  EXPECT_THAT(heard_[1], IsEmpty());
  EXPECT_THAT(heard_[0], IsEmpty());
  EXPECT_THAT(heard_[2], IsEmpty());
  EXPECT_EQ(counters(1).missing_signature, 1u);
  EXPECT_EQ(counters(0).unexpected_author, 1u);
}

TEST_F(SigningHosts, lax_ones_take_both) {
  start({SignaturePolicy::strict_sign, SignaturePolicy::lax_no_sign, SignaturePolicy::strict_no_sign});
  publish(0, "signed");
  publish(2, "not signed");
  EXPECT_THAT(heard_[1], ElementsAre("signed", "not signed"));
  EXPECT_THAT(authors_[1], ElementsAre(peer(0), PeerId()));
}

}  // namespace
}  // namespace libp2p
