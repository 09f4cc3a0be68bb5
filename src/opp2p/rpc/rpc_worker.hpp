// The thread that computes answers of the RPC: it parses requests, runs methods and makes JSON, so that neither the
// network thread nor the thread of the HTTP connections does. Tasks run in the order they came. Its priority is theirs:
// they share locks (queues, the allocator), and would wait for a thread of a lower one while that has no core.
//
// Owner: the daemon, which stops it before what its tasks use. Thread: post() from any. Bounds: its users' (one task
// for each request that is being answered, and one for each kind of snapshot).
#pragma once

#include <functional>
#include <memory>

#include "libp2p/base/time.hpp"

namespace opp2p {

class RpcWorker {
 public:
  RpcWorker();
  ~RpcWorker();
  RpcWorker(const RpcWorker&) = delete;
  RpcWorker& operator=(const RpcWorker&) = delete;

  // Dropped after stop().
  void post(std::function<void()> task);
  // Ends the task that runs and drops the others. The destructor does it too.
  void stop();
  static libp2p::MonoTime now();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace opp2p
