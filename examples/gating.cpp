// Who may connect: the lists of an operator, kept in a datastore, and a rule of one's own on top. Three hosts in one
// process on a virtual clock; the first has the gaters. `gating` prints what happens to the two others.
#include <cstdio>
#include <string>

#include "libp2p/host/blocking_gater.hpp"
#include "libp2p/host/gater_decorators.hpp"
#include "libp2p/storage/batch_writer.hpp"
#include "libp2p/storage/memory_datastore.hpp"
#include "libp2p/testing/sim_hosts.hpp"

using namespace libp2p;

// Nobody connects while it is closed, and whoever is connected goes when it closes.
class DoorKeeper final : public GaterDecorator {
 public:
  using GaterDecorator::GaterDecorator;

  void close() {
    closed_ = true;
    stricter().emit(GaterStricter());
  }
  Result<void> intercept_accept(const Multiaddr& remote) override {
    if (closed_) return fail(Errc::denied, "the door is closed");
    return GaterDecorator::intercept_accept(remote);
  }
  Result<void> permits(const PeerId& peer, const Multiaddr& remote) const override {
    if (closed_) return fail(Errc::denied, "the door is closed");
    return GaterDecorator::permits(peer, remote);
  }

 private:
  bool closed_ = false;
};

HostConfig config_of(std::uint64_t seed) {
  SeededRng rng(seed);
  return HostConfig(crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng).value());
}

int main() {
  SimHosts world(1);
  runtime::SimNode node = world.world().add_node();
  storage::BatchWriter writer(node.runtime(), std::make_shared<storage::MemoryDatastore>());
  const auto lists = std::make_shared<BlockingGater>();
  lists->keep_in(writer).value();  // an LmdbDatastore instead, and the lists survive the process
  const auto door = std::make_shared<DoorKeeper>(lists);

  HostConfig config = config_of(1);
  config.gater = door;
  Host host(node.runtime(), std::move(config));
  host.listen(Multiaddr::from_text("/ip4/" + node.ip4() + "/tcp/9222").value()).value();
  const auto told = host.subscribe([](const HostEvent& event) {
    if (const auto* closed = std::get_if<ConnectionClosed>(&event))
      std::printf("closed: %s\n", closed->why.text().c_str());
    if (const auto* refused = std::get_if<ConnectionRefused>(&event))
      std::printf("refused: %s\n", refused->why.text().c_str());
  });

  const Multiaddr here = host.listen_addresses().front().with_peer_id(host.id());
  Host& first = world.add();
  Host& second = world.add();
  for (std::size_t i = 0; i < 2; ++i) (void)world.run(i, world.host(i).connect(here));
  world.run_for(Seconds(1));
  std::printf("%zu are connected\n", host.connected_peers().size());

  // Closes what is open; `done` comes when the rule is durable.
  const std::string address = world.node(0).ip4();
  lists->block_ip(address, [](const Result<void>& done) { std::printf("durable: %s\n", done ? "yes" : "no"); }).value();
  world.run_for(Seconds(1));
  (void)world.run(0, first.connect(here));
  std::printf("%zu is connected\n", host.connected_peers().size());

  door->close();
  world.run_for(Seconds(1));
  std::printf("%zu are connected; the second %s\n", host.connected_peers().size(),
              second.connected(host.id()) ? "is" : "is not");
}
