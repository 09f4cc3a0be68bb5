#include "libp2p/transports/tcp/tcp_transport.hpp"

#include <gtest/gtest.h>

#include "libp2p/runtime/sim/sim_world.hpp"

namespace libp2p::tcp {
namespace {

TEST(TcpTransport, an_empty_function_is_told_to_who_gives_it_and_not_when_a_stranger_dials) {
  runtime::SimWorld world{1};
  auto node = world.add_node();
  TcpTransport transport(node.runtime());
  const auto any = Multiaddr::from_text("/ip4/0.0.0.0/tcp/0").value();
  EXPECT_THROW((void)transport.listen(any, nullptr), std::invalid_argument);
  EXPECT_THROW((void)transport.dial(any, nullptr), std::invalid_argument);
}

}  // namespace
}  // namespace libp2p::tcp
