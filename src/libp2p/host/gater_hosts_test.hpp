// Hosts with a gater, for its tests: one that blocks, one that writes down what it is asked, and places that take
// connections and say nothing.
#pragma once

#include "libp2p/host/blocking_gater.hpp"
#include "libp2p/host/gater_decorators.hpp"
#include "testing/host_fixture.hpp"

namespace libp2p {

class GaterTest : public HostTest {
 protected:
  std::unique_ptr<Host> guarded() {
    HostConfig config(test_key(nodes.size() + 1));
    config.gater = gater;
    return make_host(std::move(config));
  }
  // What the gater of `guarded()` is asked, one hook a line.
  std::unique_ptr<Host> metered() {
    HostConfig config(test_key(nodes.size() + 1));
    config.gater = std::make_shared<MeteringGater>(gater, [this](const GaterAnswer& answer) {
      hooks.push_back(std::string(answer.allowed() ? "" : "no ") + std::string(gater_hook_name(answer.hook)) +
                      (answer.remote != nullptr ? " " + answer.remote->text() : ""));
    });
    return make_host(std::move(config));
  }
  // A TCP connection to `to` that never says anything.
  std::unique_ptr<runtime::Socket> mute(const Host& to, runtime::SimNode node) {
    std::unique_ptr<runtime::Socket> socket;
    const auto ip = to.listen_addresses()[0].value_of(multiformats::Protocol::ip4).value();
    const auto operation = node.runtime().connect({ip, 9000}, [&socket](Result<std::unique_ptr<runtime::Socket>> s) {
      if (s) socket = std::move(*s);
    });
    world.run_for(Millis(100));
    EXPECT_NE(socket, nullptr);
    return socket;
  }
  // A node that takes connections and says nothing.
  Multiaddr silent_place(std::uint64_t seed) {
    nodes.push_back(world.add_node());
    const std::string ip = nodes.back().ip4();
    auto listener = nodes.back().runtime().listen(
        {ip, 9000}, [this](std::unique_ptr<runtime::Socket> socket) { taken.push_back(std::move(socket)); });
    EXPECT_TRUE(listener);
    listeners.push_back(std::move(*listener));
    return Multiaddr::from_text("/ip4/" + ip + "/tcp/9000").value().with_peer_id(id_of(seed));
  }
  static PeerId id_of(std::uint64_t seed) { return PeerId::from_public_key(test_key(seed).public_key()); }

  std::shared_ptr<BlockingGater> gater = std::make_shared<BlockingGater>();
  std::vector<std::string> hooks;
  std::vector<std::unique_ptr<runtime::Socket>> taken;
  std::vector<std::unique_ptr<runtime::Listener>> listeners;
};

}  // namespace libp2p
