// The dials that opp2p_connectPeer begins. A dial ends when its peer is connected or cannot be reached, after kLimit,
// or when its client has gone.
//
// Owner: the daemon. Thread: the network thread. Bounds: kMost at a time; more are refused at once. Re-entrancy: `done`
// runs inside dial() or in a turn of its own, and may dial, abandon and stop.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "libp2p/base/life_token.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "libp2p/runtime/task.hpp"

namespace opp2p {

class RpcDials {
 public:
  static constexpr libp2p::Nanos kLimit = libp2p::Seconds(30);  // op-node's
  static constexpr std::size_t kMost = 32;

  using Connect = std::function<libp2p::runtime::Task<libp2p::Result<void>>(libp2p::Multiaddr)>;
  using Done = std::function<void(libp2p::Result<void>)>;

  RpcDials(libp2p::runtime::Runtime& runtime, Connect connect);
  ~RpcDials();
  RpcDials(const RpcDials&) = delete;
  RpcDials& operator=(const RpcDials&) = delete;

  using Id = std::uint64_t;

  // `done` is called once, unless it is stopped or abandoned first. Nothing when it was refused.
  std::optional<Id> dial(const libp2p::Multiaddr& address, Done done);
  // Nobody waits for its outcome any more.
  void abandon(Id id);
  void stop();
  std::size_t under_way() const { return dials_.size(); }

 private:
  struct Dial {
    Done done;
    std::unique_ptr<libp2p::runtime::Timer> limit;
    std::unique_ptr<libp2p::runtime::TaskScope> scope;  // first to go: its coroutine uses the others
  };
  libp2p::runtime::Task<void> run(Id id, libp2p::Multiaddr address);
  std::optional<Done> take_out(Id id);
  void end(Id id, libp2p::Result<void> result);

  libp2p::runtime::Runtime& runtime_;
  Connect connect_;
  std::map<Id, Dial> dials_;
  std::vector<Dial> ended_;  // inside a call of their own; destroyed from the queue
  Id next_id_ = 1;
  bool stopped_ = false;
  libp2p::LifeToken life_;
};

}  // namespace opp2p
