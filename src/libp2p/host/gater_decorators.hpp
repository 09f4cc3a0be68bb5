// Gaters that wrap another one. GaterDecorator passes everything on; derive from it and override what you add to, also
// permits() where a rule is about connections that are open. op-node's decorators ask the inner gater first, then their
// own rule; its stack is metering, ban expiry, blocking, from the outside (S§3). MeteringGater tells an observer what
// was asked and answered.
//
// Owner: the application, as of any gater; a decorator shares the inner one. Thread: the network thread. Re-entrancy:
// the observer is called inside the host's work and must not call the host.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "libp2p/host/gater.hpp"

namespace libp2p {

class GaterDecorator : public Gater {
 public:
  explicit GaterDecorator(std::shared_ptr<Gater> inner);  // throws std::invalid_argument for none

  Result<void> intercept_peer_dial(const PeerId& peer) override;
  Result<void> intercept_addr_dial(const PeerId& peer, const Multiaddr& address) override;
  Result<void> intercept_accept(const Multiaddr& remote) override;
  Result<void> intercept_secured(Direction direction, const PeerId& peer, const Multiaddr& remote) override;
  Result<void> intercept_upgraded(Direction direction, const PeerId& peer, const Multiaddr& remote) override;
  Result<void> permits(const PeerId& peer, const Multiaddr& remote) const override;
  EventSource<GaterStricter>& stricter() final { return inner_->stricter(); }

 protected:
  Gater& inner() const { return *inner_; }

 private:
  const std::shared_ptr<Gater> inner_;
};

enum class GaterHook : std::uint8_t { peer_dial, addr_dial, accept, secured, upgraded };
std::string_view gater_hook_name(GaterHook hook);  // "InterceptPeerDial", as go-libp2p names it

// One question and its answer. The pointers are valid during the call alone; null where the hook has no such thing.
struct GaterAnswer {
  GaterHook hook;
  const PeerId* peer;
  const Multiaddr* remote;
  const Result<void>* answer;
  bool allowed() const { return answer->has_value(); }
};

// op-node's metering (S§3): dials{allow} counts peer_dial and addr_dial, accepts{allow} counts accept and secured in
// either direction, so that one outbound dial is at least two dials and an accept.
class MeteringGater final : public GaterDecorator {
 public:
  using Observer = std::function<void(const GaterAnswer&)>;
  // Throws std::invalid_argument for an empty observer.
  MeteringGater(std::shared_ptr<Gater> inner, Observer observer);

  Result<void> intercept_peer_dial(const PeerId& peer) override;
  Result<void> intercept_addr_dial(const PeerId& peer, const Multiaddr& address) override;
  Result<void> intercept_accept(const Multiaddr& remote) override;
  Result<void> intercept_secured(Direction direction, const PeerId& peer, const Multiaddr& remote) override;
  Result<void> intercept_upgraded(Direction direction, const PeerId& peer, const Multiaddr& remote) override;

 private:
  Result<void> told(GaterHook hook, const PeerId* peer, const Multiaddr* remote, Result<void> answer) const;
  const Observer observer_;
};

}  // namespace libp2p
