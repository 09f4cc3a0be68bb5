// All three components: two hosts of a simulated world gossip on the block topic of a chain.
#include "opstack/rules/topics.hpp"

#include <cstdio>
#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "libp2p/services/gossipsub/gossipsub_service.hpp"
#include "libp2p/services/identify/identify_service.hpp"
#include "libp2p/testing/sim_hosts.hpp"
#include "opstack/encoding/snappy_block.hpp"
#include "opstack/gossip/block_gossip.hpp"

struct Member {
  Member(libp2p::Host& host, const opstack::chain::ChainId& chain)
      : identify(host), gossip(host, opstack::gossip::block_gossip_config(chain, {}), scores) {}
  libp2p::IdentifyService identify;
  libp2p::gossipsub::NeutralScores scores;
  libp2p::GossipsubService gossip;
};

int main() {
  const auto chain = opstack::chain::ChainId::from_decimal("10").value();
  const auto topic = opstack::rules::blocks_topics(chain).front();
  libp2p::SimHosts hosts(7);
  std::vector<std::unique_ptr<Member>> members;
  std::size_t received = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    members.push_back(std::make_unique<Member>(hosts.add(), chain));
    if (!members[i]->gossip.join(topic, nullptr, [&received](const libp2p::gossipsub::Deliver&) { ++received; }))
      return 1;
  }
  if (!hosts.connect(0, 1)) return 1;
  hosts.run_for(libp2p::Seconds(5));
  const auto message = opstack::encoding::snappy_compress(libp2p::Bytes(100, 1));
  if (!members[0]->gossip.publish(topic, message, libp2p::gossipsub::LocalCheck::already_valid)) return 1;
  hosts.run_for(libp2p::Seconds(5));
  std::printf("%s: %zu\n", topic.c_str(), received);
  for (auto& member : members) member.reset();
}
