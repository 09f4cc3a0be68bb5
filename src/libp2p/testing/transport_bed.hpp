// The world in which the hosts of the transport suite run (transport_suite.hpp): a simulation on a virtual clock, or
// real sockets of this machine. Each case gets a new bed, which outlives the case's hosts. Installed header without
// GoogleTest. Thread: one. Bounds: those of the hosts.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libp2p/host/host.hpp"
#include "libp2p/runtime/asio/asio_runtime.hpp"
#include "libp2p/runtime/sim/sim_world.hpp"

namespace libp2p {

// What is to be tested: how a host gets the transport, and where it may listen.
struct TransportPlan {
  std::string name = "tcp";
  TransportFactory make;  // the only one of the hosts
  // An address with any free port, at a machine's IPv4 address where the transport has such.
  std::function<Multiaddr(const std::string& ip4)> any_address;
  // All hosts on one runtime, for a transport that stays within it.
  bool one_runtime = false;
  // An address that the transport does not take.
  std::string foreign_address = "/ip4/127.0.0.1/udp/4001/quic-v1";
};

TransportPlan tcp_plan();

class TransportBed {
 public:
  explicit TransportBed(TransportPlan plan) : plan_(std::move(plan)) {}
  virtual ~TransportBed() = default;
  const TransportPlan& plan() const { return plan_; }

  // A place for one host or several, 0, 1, 2 …
  virtual std::size_t add_node() = 0;
  virtual runtime::Runtime& runtime(std::size_t node) = 0;
  virtual std::string ip4(std::size_t node) const = 0;
  // Handles events until `done`, asked after each; false when `limit` passed first.
  virtual bool run_until(const std::function<bool()>& done, Nanos limit) = 0;
  // Longer than anything is on its way.
  virtual Nanos quiet() const = 0;
  // Tears down what connects the two nodes, as when the wire is cut; false where that cannot be done.
  virtual bool cut(std::size_t /*a*/, std::size_t /*b*/) { return false; }

 private:
  TransportPlan plan_;
};

class SimTransportBed final : public TransportBed {
 public:
  SimTransportBed(TransportPlan plan, std::uint64_t seed) : TransportBed(std::move(plan)), world_(seed) {}
  std::size_t add_node() override;
  runtime::Runtime& runtime(std::size_t node) override { return nodes_.at(node).runtime(); }
  std::string ip4(std::size_t node) const override { return nodes_.at(node).ip4(); }
  bool run_until(const std::function<bool()>& done, Nanos limit) override { return world_.run_until(done, limit); }
  Nanos quiet() const override { return Seconds(2); }
  bool cut(std::size_t a, std::size_t b) override {
    return world_.disconnect(nodes_.at(a).index(), nodes_.at(b).index()) > 0;
  }

 private:
  runtime::SimWorld world_;
  std::vector<runtime::SimNode> nodes_;
};

// On loopback, all hosts on one runtime.
class AsioTransportBed final : public TransportBed {
 public:
  explicit AsioTransportBed(TransportPlan plan) : TransportBed(std::move(plan)), runtime_(1) {}
  std::size_t add_node() override { return nodes_++; }
  runtime::Runtime& runtime(std::size_t) override { return runtime_; }
  std::string ip4(std::size_t) const override { return "127.0.0.1"; }
  bool run_until(const std::function<bool()>& done, Nanos limit) override { return runtime_.run_until(done, limit); }
  Nanos quiet() const override { return Millis(40); }

 private:
  runtime::AsioRuntime runtime_;
  std::size_t nodes_ = 0;
};

using MakeTransportBed = std::function<std::unique_ptr<TransportBed>(std::uint64_t seed)>;
MakeTransportBed sim_beds(TransportPlan plan);
MakeTransportBed asio_beds(TransportPlan plan);

}  // namespace libp2p
