// Hosts in a simulation, for tests of protocols and services: any number of hosts that listen, dial each other and run
// coroutines on a virtual clock. A test does not sleep and does not depend on the machine; the same seed gives the same
// run. add() creates a host. connect(1, 0) lets host 1 dial host 0. run(1, task) runs a coroutine of host 1 to its end
// and returns its result.
//
// Installed header without GoogleTest. connected_hosts.hpp is shorter for two connected hosts. Owner: a test. Thread:
// one. Bounds: those of the hosts.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libp2p/host/host.hpp"
#include "libp2p/host/peerstore.hpp"
#include "libp2p/runtime/sim/sim_world.hpp"

namespace libp2p {

class SimHosts {
 public:
  explicit SimHosts(std::uint64_t seed) : world_(seed) {}
  SimHosts(std::uint64_t seed, std::unique_ptr<runtime::LinkModel> links)
      : world_(seed, runtime::SimWorld::Options(), std::move(links)) {}

  // A new node that listens.
  Host& add(const std::string& agent = "test", Limits limits = {}) {
    nodes_.push_back(world_.add_node());
    SeededRng rng(1000 + nodes_.size());
    HostConfig config(crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng).value());
    config.user_agent = agent;
    config.limits = limits;
    // Tests of services have more peers than a node of a real network keeps.
    config.connection_manager.high = 1000;
    hosts_.push_back(std::make_unique<Host>(nodes_.back().runtime(), std::move(config)));
    Host& host = *hosts_.back();
    world_.check_after_events(nodes_.back().index(), [this, i = hosts_.size() - 1] {
      if (i < hosts_.size()) hosts_[i]->check();
    });
    host.listen(Multiaddr::from_text("/ip4/" + nodes_.back().ip4() + "/tcp/9222").value()).value();
    return host;
  }

  runtime::SimWorld& world() { return world_; }
  Host& host(std::size_t i) { return *hosts_.at(i); }
  const runtime::SimNode& node(std::size_t i) const { return nodes_.at(i); }
  std::size_t size() const { return hosts_.size(); }
  void run_for(Nanos duration) { world_.run_for(duration); }

  Multiaddr address(std::size_t i) { return host(i).listen_addresses().front().with_peer_id(host(i).id()); }

  // Runs a task of node `i` to its end; nothing when `limit` of virtual time passes first.
  template <class T>
  std::optional<T> run(std::size_t i, runtime::Task<T> task, Nanos limit = Seconds(120)) {
    std::optional<T> result;
    runtime::TaskScope scope(nodes_.at(i).runtime());
    scope.spawn(keep(std::move(task), result));
    world_.run_until([&result] { return result.has_value(); }, limit);
    return result;
  }
  // The same for a task that answers nothing; whether it has ended.
  bool run(std::size_t i, runtime::Task<void> task, Nanos limit = Seconds(120)) {
    bool done = false;
    runtime::TaskScope scope(nodes_.at(i).runtime());
    scope.spawn(note(std::move(task), done));
    world_.run_until([&done] { return done; }, limit);
    return done;
  }

  // Node `from` dials node `to`; whether they are connected.
  bool connect(std::size_t from, std::size_t to) {
    const auto peer = run(from, host(from).connect(address(to)));
    return peer && peer->has_value();
  }
  std::size_t disconnect(std::size_t a, std::size_t b) {
    return world_.disconnect(nodes_.at(a).index(), nodes_.at(b).index());
  }

  // Ends the hosts in order; for tests that count what is left.
  void close() {
    for (std::size_t i = 0; i < hosts_.size(); ++i) run(i, hosts_[i]->close(Seconds(5)));
    hosts_.clear();
  }

 private:
  template <class T>
  static runtime::Task<void> keep(runtime::Task<T> task, std::optional<T>& result) {
    T value = co_await task;
    result.emplace(std::move(value));
  }
  static runtime::Task<void> note(runtime::Task<void> task, bool& done) {
    co_await task;
    done = true;
  }

  runtime::SimWorld world_;
  std::vector<runtime::SimNode> nodes_;
  std::vector<std::unique_ptr<Host>> hosts_;
};

}  // namespace libp2p
