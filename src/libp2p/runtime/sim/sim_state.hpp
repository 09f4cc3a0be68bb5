// The inside of SimWorld, shared by its sources: the nodes, their listeners and the pipes between them. Not for users.
// Thread: one. Bounds: see sim_world.hpp.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "libp2p/runtime/sim/event_queue.hpp"
#include "libp2p/runtime/sim/sim_world.hpp"

namespace libp2p::runtime {

class SimSocket;
class SimListener;

// One direction of a connection. Both ends and the events in flight hold it; the ends are null once their socket is
// gone.
struct SimPipe {
  NodeIndex from = 0;
  NodeIndex to = 0;
  LinkQuality quality;
  SimSocket* writer = nullptr;
  SimSocket* reader = nullptr;
  std::deque<Bytes> arrived;
  std::size_t front_offset = 0;  // bytes of arrived.front() that were read
  std::size_t unread = 0;        // bytes in `arrived`
  std::size_t outstanding = 0;   // sent and, as far as the writer knows, not read yet
  MonoTime link_free;            // when the last byte has left the writer's end
  MonoTime last_arrival;         // order is kept whatever the qualities are
  std::deque<Bytes> held;        // sent into a partition
  std::size_t held_credit = 0;   // bytes that the reader has taken, which the writer cannot hear of in a partition
  bool held_refusal = false;     // the same for the reader's end
  bool cut = false;              // one of the hosts lost its power: whatever is sent comes nowhere
  bool end_sent = false;
  bool end_held = false;
  bool end_arrived = false;
  bool refused = false;  // the writer knows that the reader is gone: writing meets a reset
};

// What the resolver knows of a name.
struct SimName {
  std::vector<std::string> addresses;
  std::optional<Nanos> takes;
  bool dead = false;  // its server does not answer
};

class SimWorld::State {
 public:
  State(std::uint64_t seed, Options options, std::unique_ptr<LinkModel> links);
  ~State();

  MonoTime now() const { return queue.now(); }
  bool reachable(NodeIndex a, NodeIndex b) const;
  // The node that has the address; `from` itself for a loopback address.
  std::optional<NodeIndex> node_of(const std::string& ip, NodeIndex from) const;
  SimListener* listener_at(NodeIndex node, const Endpoint& at) const;
  bool step(MonoTime limit);

  // Pipes.
  void send(const std::shared_ptr<SimPipe>& pipe, Bytes chunk);
  void send_end(const std::shared_ptr<SimPipe>& pipe);
  void refuse(const std::shared_ptr<SimPipe>& pipe);
  void give_credit(const std::shared_ptr<SimPipe>& pipe, std::size_t bytes);
  void release_held();
  // Both ends of the pipe's direction see a reset.
  static void tear_down(const SimPipe& pipe);
  // The far host does not know the connection: the writer sees a reset when the answer has come.
  void answer_with_reset(const std::shared_ptr<SimPipe>& pipe);
  // Every pipe that still has an end, in the order in which they were made.
  std::vector<std::shared_ptr<SimPipe>> open_pipes() const;

  Options options;
  EventQueue queue;
  std::unique_ptr<LinkModel> links;
  SeededRng rng;
  std::uint64_t seed;
  std::vector<std::unique_ptr<SimRuntime>> nodes;
  std::map<std::string, NodeIndex> addresses;
  std::map<std::string, SimName> names;
  std::vector<std::size_t> group;  // by node; empty: no partition
  std::set<NodeIndex> off;         // without power
  // Every connection's pipes by the order in which they were made.
  std::map<std::uint64_t, std::weak_ptr<SimPipe>> pipes;
  std::uint64_t next_pipe = 0;
  std::size_t sweep_pipes_at = 64;
  std::multimap<NodeIndex, std::function<void()>> checks;

 private:
  void run_checks() const;
  std::string scene() const;
  void arrive(const std::shared_ptr<SimPipe>& pipe, Bytes chunk);
  void arrive_end(const std::shared_ptr<SimPipe>& pipe);
  bool comes_nowhere(const std::shared_ptr<SimPipe>& pipe);
  void take_credit(SimPipe& pipe, std::size_t bytes);
  void take_refusal(SimPipe& pipe);
};

class SimSocket final : public Socket {
 public:
  SimSocket(SimWorld::State& world, NodeIndex node, std::shared_ptr<SimPipe> out, std::shared_ptr<SimPipe> in,
            Endpoint local, Endpoint remote);
  ~SimSocket() override;
  Result<std::size_t> read(MutableBytes into) override;
  Result<std::size_t> write(ByteView from) override;
  void shutdown_write() override;
  void when_readable(std::function<void()> wake) override;
  void when_writable(std::function<void()> wake) override;
  Endpoint local() const override { return local_; }
  Endpoint remote() const override { return remote_; }

  // The world's side.
  void wake_reader();
  void wake_writer();
  void tear_down();

 private:
  struct Wakes;  // outlives the socket while an event that calls it is queued
  bool readable() const;
  bool writable() const;
  SimWorld::State& world_;
  NodeIndex node_;
  std::shared_ptr<SimPipe> out_;
  std::shared_ptr<SimPipe> in_;
  Endpoint local_;
  Endpoint remote_;
  bool torn_ = false;
  MonoTime may_read_at_;  // of a slow reader: when what it has read is paid for
  std::shared_ptr<Wakes> wakes_;
};

class SimListener final : public Listener {
 public:
  SimListener(SimRuntime& runtime, Endpoint local, std::function<void(std::unique_ptr<Socket>)> on_accept);
  ~SimListener() override;
  Endpoint local() const override { return local_; }
  // Hands a connection over; the callback may destroy the listener.
  void accept(std::unique_ptr<Socket> socket) const;

 private:
  SimRuntime& runtime_;
  Endpoint local_;
  std::shared_ptr<const std::function<void(std::unique_ptr<Socket>)>> on_accept_;
};

class SimRuntime final : public Runtime {
 public:
  SimRuntime(SimWorld::State& world, NodeIndex index, Nanos wall_offset);
  ~SimRuntime() override;

  Now now() const override;
  Rng& rng() override { return rng_; }
  void post(std::function<void()> task) override;
  std::unique_ptr<Timer> make_timer(std::function<void()> on_fire) override;
  Result<std::unique_ptr<Listener>> listen(const Endpoint& at,
                                           std::function<void(std::unique_ptr<Socket>)> on_accept) override;
  std::unique_ptr<Operation> connect(const Endpoint& to,
                                     std::function<void(Result<std::unique_ptr<Socket>>)> done) override;
  std::unique_ptr<Operation> resolve(const std::string& host, Family family,
                                     std::function<void(Result<std::vector<std::string>>)> done) override;
  Result<std::vector<std::string>> interface_ips() const override { return std::vector<std::string>{ip4, ip6}; }
  void run_on_worker(std::function<void()> work, std::function<void()> done) override;
  Nanos run_here(const std::function<void()>& work) override;

  std::uint16_t free_port(const std::string& ip);

  SimWorld::State& world;
  const NodeIndex index;
  const std::string ip4;
  const std::string ip6;
  Nanos wall_offset;
  std::uint64_t read_rate = 0;  // bytes a second and socket; 0: as fast as they come
  std::map<Endpoint, SimListener*> listeners;
  LookupQueue lookups;

 private:
  SeededRng rng_;
  SeededRng cost_rng_;  // its own, so that what work costs does not change what else the node draws
  std::uint16_t next_port_ = 32768;
};

}  // namespace libp2p::runtime
