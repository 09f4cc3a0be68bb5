// Where a host that listens on every interface says it can be dialled.
#include "libp2p/host/host_test_support.hpp"
#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

using testing_host::address;

TEST_F(HostTest, an_address_of_any_interface_is_told_as_those_of_the_machine) {
  nodes.push_back(world.add_node());
  Host host(nodes[0].runtime(), HostConfig(test_key(1)));
  ASSERT_TRUE(host.listen(address("/ip4/0.0.0.0/tcp/9222")));
  ASSERT_TRUE(host.listen(address("/ip6/::/tcp/9223")));
  const std::vector<Multiaddr> bound = {address("/ip4/0.0.0.0/tcp/9222"), address("/ip6/::/tcp/9223")};
  EXPECT_EQ(host.bound_addresses(), bound);
  const std::vector<Multiaddr> own = {address("/ip4/" + nodes[0].ip4() + "/tcp/9222"),
                                      address("/ip6/" + nodes[0].ip6() + "/tcp/9223")};
  EXPECT_EQ(host.listen_addresses(), own);
}

}  // namespace
}  // namespace libp2p
