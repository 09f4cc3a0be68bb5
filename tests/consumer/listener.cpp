// libp2p alone: listens on a port of loopback and prints the address.
#include <cstdio>
#include <string>

#include "base/bytes.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/runtime/asio/asio_runtime.hpp"

int main() {
  libp2p::runtime::AsioRuntime rt;
  auto key = libp2p::crypto::PrivateKey::generate(libp2p::crypto::KeyType::secp256k1, rt.rng()).value();
  libp2p::Host host(rt, libp2p::HostConfig(std::move(key)));
  const auto address = "/ip4/127.0.0.1/tcp/" + std::to_string(consumer::kPort);
  if (!host.listen(libp2p::Multiaddr::from_text(address).value())) return 1;
  std::printf("%s\n", host.listen_addresses().front().with_peer_id(host.id()).text().c_str());
}
