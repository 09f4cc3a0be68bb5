// Two connected hosts over the memory transport on a virtual clock: the shortest way to test a protocol.
// examples/two_hosts.cpp shows it.
//
// Installed header without GoogleTest. Owner: a test. Thread: one. Bounds: those of the hosts.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "libp2p/host/host.hpp"
#include "libp2p/runtime/run_task.hpp"
#include "libp2p/runtime/sim/sim_world.hpp"
#include "libp2p/transports/memory/memory_transport.hpp"

namespace libp2p {

class ConnectedHosts {
 public:
  // Keys and times come from the seed. Throws std::runtime_error when the two do not connect.
  explicit ConnectedHosts(std::uint64_t seed = 1) : world_(seed), node_(world_.add_node()) {
    a_ = make(seed * 2);
    b_ = make(seed * 2 + 1);
    const auto peer = run(a_->connect(b_->listen_addresses().front().with_peer_id(b_->id())));
    const auto both = [this] { return b_->connected(a_->id()); };
    if (!peer || !*peer || !world_.run_until(both, Seconds(10)))
      throw std::runtime_error("the two hosts do not connect: " +
                               (peer && !*peer ? peer->error().message() : std::string("no answer")));
  }

  Host& a() { return *a_; }
  Host& b() { return *b_; }
  runtime::SimWorld& world() { return world_; }
  void run_for(Nanos duration) { world_.run_for(duration); }

  // Runs a task to its end; nothing when `limit` of virtual time passes first.
  template <class T>
  std::optional<T> run(runtime::Task<T> task, Nanos limit = Seconds(120)) {
    std::optional<T> result;
    runtime::run_task(world_, node_.runtime(), keep(std::move(task), result), limit);
    return result;
  }
  // The same for a task that answers nothing; whether it has ended.
  bool run(runtime::Task<void> task, Nanos limit = Seconds(120)) {
    return runtime::run_task(world_, node_.runtime(), std::move(task), limit);
  }

 private:
  template <class T>
  static runtime::Task<void> keep(runtime::Task<T> task, std::optional<T>& result) {
    T value = co_await task;
    result.emplace(std::move(value));
  }
  std::unique_ptr<Host> make(std::uint64_t seed) {
    SeededRng rng(seed);
    HostConfig config(crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng).value());
    config.transports = {memory::transport(net_)};
    auto host = std::make_unique<Host>(node_.runtime(), std::move(config));
    host->listen(Multiaddr::from_text("/memory/0").value()).value();
    return host;
  }

  runtime::SimWorld world_;
  runtime::SimNode node_;
  memory::MemoryNet net_;
  std::unique_ptr<Host> a_;
  std::unique_ptr<Host> b_;
};

}  // namespace libp2p
