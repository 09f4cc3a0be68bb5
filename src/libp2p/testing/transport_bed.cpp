#include "libp2p/testing/transport_bed.hpp"

#include "libp2p/transports/tcp/tcp_transport.hpp"

namespace libp2p {

TransportPlan tcp_plan() {
  TransportPlan plan;
  plan.make = tcp::transport();
  plan.any_address = [](const std::string& ip4) { return Multiaddr::from_text("/ip4/" + ip4 + "/tcp/0").value(); };
  return plan;
}

std::size_t SimTransportBed::add_node() {
  // With one runtime all places are the first.
  if (nodes_.empty() || !plan().one_runtime) {
    nodes_.push_back(world_.add_node());
  } else {
    nodes_.push_back(nodes_.front());
  }
  return nodes_.size() - 1;
}

MakeTransportBed sim_beds(TransportPlan plan) {
  return [plan](std::uint64_t seed) -> std::unique_ptr<TransportBed> {
    return std::make_unique<SimTransportBed>(plan, seed);
  };
}

MakeTransportBed asio_beds(TransportPlan plan) {
  return [plan](std::uint64_t) -> std::unique_ptr<TransportBed> { return std::make_unique<AsioTransportBed>(plan); };
}

}  // namespace libp2p
