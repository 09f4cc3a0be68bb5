// Dials peers. There is one dial per peer at a time, however many ask for it. A dial tries its addresses one after
// another: it resolves the name that an address begins with and gives each IP to the transport that takes it. Each step
// has its own deadline; the whole dial has a minute.
//
// Owner: HostState. Thread: the network thread. Bounds: Limits::pending_dials. Re-entrancy: those who hear of dials are
// called inside dial(), on_connected() and the dial's coroutine, and must not destroy the dialer.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libp2p/base/life_token.hpp"
#include "libp2p/host/dial_job.hpp"
#include "libp2p/host/swarm.hpp"

namespace libp2p {

class Dialer {
 public:
  static constexpr Nanos kWholeDial = Seconds(60);
  static constexpr Nanos kPrivateAddress = Seconds(5);  // at most, for an address that is near
  static constexpr std::size_t kAddressesPerName = 8;

  Dialer(runtime::Runtime& runtime, const HostConfig& config, Swarm& swarm, Gater& gater, HostCounters& counters);
  ~Dialer();
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  // Starts a dial, or joins the one to the same peer (adding the addresses) or, with an unknown peer, to the same
  // address.
  std::shared_ptr<DialJob> dial(const PeerId& peer, const std::vector<Multiaddr>& addresses);
  // The peer has connected by itself: who waits for a dial to it has what it wanted, and the dial ends.
  void on_connected(const PeerId& peer);
  void cancel();
  // Ends the dials to peers, and the attempts at addresses, that the gater no longer permits; gives how many those
  // were. A dial goes on with its other addresses. Their coroutines resume from the runtime's queue.
  std::size_t end_not_permitted();
  std::size_t pending() const { return jobs_.size(); }
  // Hears which addresses a name in a multiaddr leads to; `peer` is empty where it is not known whose address it is.
  using ResolvedFn = std::function<void(const PeerId& peer, const std::vector<std::string>& ips)>;
  void on_resolved(ResolvedFn heard) { resolved_ = std::move(heard); }
  // Hears of each dial when it begins, and again when it has its outcome, but for those that cancel() ends. Of one that
  // the gater does not let begin it hears the outcome alone.
  void on_dial(std::function<void(const DialJob&)> heard) { on_dial_ = std::move(heard); }
  void check() const;

 private:
  // One dial and the scope that its coroutine runs in.
  struct Running {
    std::shared_ptr<DialJob> job;
    std::unique_ptr<runtime::TaskScope> scope;
  };

  // An attempt at one address: a dial of a transport, and the coroutine that waits for it.
  struct Attempt;

  static std::string key_of(const PeerId& peer) { return std::string(as_text(peer.bytes())); }
  void abandon(const std::string& key);
  bool end(const std::string& key, Result<PeerId> outcome);
  void free_ended();
  runtime::Task<void> run(std::shared_ptr<DialJob> job);
  runtime::Task<Result<PeerId>> try_address(PeerId peer, Multiaddr address, MonoTime end);
  runtime::Task<Result<PeerId>> try_resolved(PeerId peer, Multiaddr address, MonoTime end);
  runtime::Task<Result<std::vector<std::string>>> look_up(std::string host, runtime::Family family, MonoTime end);
  // Until the far end answers, by `end`; from there on until the handshake has ended.
  runtime::Task<Result<PeerId>> connect(PeerId peer, Multiaddr address, MonoTime end);

  runtime::Runtime& runtime_;
  const HostConfig& config_;
  Swarm& swarm_;
  Gater& gater_;
  HostCounters& counters_;
  ResolvedFn resolved_;
  std::function<void(const DialJob&)> on_dial_;
  LifeToken life_;  // for what is posted
  bool cancelled_ = false;
  std::vector<Attempt*> attempts_;  // in the frames of their coroutines; in the order of their beginning
  // Scopes of dials that have ended: freed from the runtime's queue, since a coroutine cannot destroy its own.
  std::vector<std::unique_ptr<runtime::TaskScope>> ended_;
  std::map<std::string, Running> jobs_;  // last: its coroutines use everything above
};

}  // namespace libp2p
