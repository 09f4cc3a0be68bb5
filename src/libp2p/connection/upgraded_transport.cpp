#include "libp2p/connection/upgraded_transport.hpp"

#include "libp2p/connection/socket_connection.hpp"

namespace libp2p {
namespace {

std::unique_ptr<SocketConnection> make_connection(const UpgradeSetup& setup, ConnectionOwner& owner, ConnectionId id,
                                                  Direction direction, RawEnd end, std::optional<PeerId> expected) {
  return std::make_unique<SocketConnection>(setup.runtime, setup.buffers, owner, id, direction, std::move(end),
                                            setup.config(std::move(expected)));
}

void accept(const UpgradeSetup& setup, ConnectionOwner& owner, RawEnd end) {
  const auto id = owner.admit(Direction::inbound, end.local, end.remote);
  if (!id) return;  // and the socket closes
  owner.on_half_open(make_connection(setup, owner, *id, Direction::inbound, std::move(end), std::nullopt));
}

}  // namespace

class UpgradedTransport::Dial final : public Dialling {
 public:
  Dial(const UpgradeSetup& setup, std::optional<PeerId> peer, ConnectionOwner& owner, Done<ConnectionId> done)
      : setup_(setup), peer_(std::move(peer)), owner_(owner), done_(std::move(done)) {}

  ~Dial() override {
    const auto handshake = handshake_.lock();
    if (!handshake) return;
    handshake->done = nullptr;
    handshake->connection.close(fail(Errc::cancelled, "nobody waits for the dial any more"), setup_.runtime.now().mono);
  }
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;

  void begin(SocketTransport& sockets, const Multiaddr& address) {
    connecting_ = sockets.dial(address, [this](Result<RawEnd> end) { on_answer(std::move(end)); });
  }
  void when_half_open(std::function<void()> call) override { half_open_ = std::move(call); }

 private:
  // What a dial and its half-open connection know of each other. The connection owns it, until it has told its outcome.
  struct Handshake {
    Handshake(SocketConnection& c, Done<ConnectionId> d) : connection(c), done(std::move(d)) {}
    SocketConnection& connection;
    Done<ConnectionId> done;
  };

  // Each path ends with the call that may destroy this.
  void on_answer(Result<RawEnd> end) {
    const Done<ConnectionId> done = std::move(done_);
    if (!end) return done(std::move(end).error());
    const auto id = owner_.admit(Direction::outbound, end->local, end->remote);
    if (!id) return done(id.error());
    auto connection = make_connection(setup_, owner_, *id, Direction::outbound, std::move(*end), std::move(peer_));
    auto handshake = std::make_shared<Handshake>(*connection, done);
    handshake_ = handshake;
    connection->on_outcome([handshake = std::move(handshake)](Result<ConnectionId> outcome) mutable {
      const auto told = std::move(handshake->done);
      handshake.reset();  // the dial has nothing to end any more
      if (told) told(std::move(outcome));
    });
    if (half_open_) half_open_();
    owner_.on_half_open(std::move(connection));
  }

  const UpgradeSetup& setup_;
  std::optional<PeerId> peer_;
  ConnectionOwner& owner_;
  Done<ConnectionId> done_;
  std::function<void()> half_open_;
  std::unique_ptr<runtime::Operation> connecting_;
  std::weak_ptr<Handshake> handshake_;
};

UpgradedTransport::UpgradedTransport(std::unique_ptr<SocketTransport> sockets, UpgradeSetup setup)
    : sockets_(std::move(sockets)), setup_(std::move(setup)) {}
UpgradedTransport::~UpgradedTransport() = default;

std::unique_ptr<Dialling> UpgradedTransport::dial(const Multiaddr& address, std::optional<PeerId> peer,
                                                  ConnectionOwner& owner, Done<ConnectionId> done) {
  auto made = std::make_unique<Dial>(setup_, std::move(peer), owner, std::move(done));
  made->begin(*sockets_, address);
  return made;
}

Result<std::unique_ptr<Listening>> UpgradedTransport::listen(const Multiaddr& address, ConnectionOwner& owner) {
  return sockets_->listen(address, [this, &owner](RawEnd end) { accept(setup_, owner, std::move(end)); });
}

}  // namespace libp2p
