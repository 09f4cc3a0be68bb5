// One connection to a peer, as the host sees it. It is a socket with security and a muxer (connection/), or QUIC. Its
// ConnectionOwner owns it from on_half_open on. Thread: the network thread. A connection tells its owner once that it
// is ready or has failed, and once that it has ended.
//
// Re-entrancy: every function may be called in a callback of ConnectionOwner about the same connection, but the
// connection must not be destroyed there. The owner destroys it from the runtime's queue.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/connection_id.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/crypto/keys.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/seams/stream_mux.hpp"

namespace libp2p {

struct StreamState;

// What does not change while a connection lives.
struct ConnectionFacts {
  ConnectionId id = 0;
  Direction direction = Direction::inbound;
  Multiaddr local;
  Multiaddr remote;  // without /p2p
  MonoTime opened;   // when the handshake began
  bool limited =
      false;  // for a relayed one: bounded in time and bytes, so services open streams on it only where they must
};

class Connection {
 public:
  virtual ~Connection() = default;

  virtual const ConnectionFacts& facts() const = 0;
  ConnectionId id() const { return facts().id; }
  Direction direction() const { return facts().direction; }

  // Begins the handshake. Called once, when the owner has it.
  virtual void start() = 0;
  virtual bool ready() const = 0;
  // Ready and not on its way out: new streams may be opened.
  virtual bool usable() const = 0;
  virtual bool closing() const = 0;
  // The peer as its key proves it, and what was agreed ("/noise", "/yamux/1.0.0"; empty where the transport has it
  // built in). Valid once ready.
  virtual const PeerId& peer() const = 0;
  virtual const crypto::PublicKey& peer_key() const = 0;
  virtual std::string_view security() const = 0;
  virtual std::string_view muxer() const = 0;

  // When the handshake last got a step further; a byte is none.
  virtual MonoTime progress() const = 0;
  virtual std::size_t streams() const = 0;
  virtual std::uint64_t bytes_in() const = 0;
  virtual std::uint64_t bytes_out() const = 0;
  virtual std::optional<Nanos> round_trip() const = 0;
  // Bytes that have arrived and that no reader has taken.
  virtual std::size_t unread() const = 0;
  // Resets the stream with the most unread bytes among those that nobody has read from for `stalled`. False when there
  // is none.
  virtual bool reset_largest_unread(Nanos stalled) = 0;

  // The stream may be used at once when a single protocol is offered; otherwise after wait_until_opened.
  virtual Result<std::shared_ptr<StreamState>> open_stream(std::vector<std::string> protocols) = 0;
  // Says good-bye after what can be sent has been sent, at the latest at `deadline`; then
  // ConnectionOwner::on_closed(why). `code` is what the peer is told.
  virtual void close(Error why, MonoTime deadline, CloseCode code = CloseCode::normal) = 0;
  // Ends the process when an invariant is violated (libp2p/base/assert.hpp). For simulations, fuzzers and tests.
  virtual void check() const {}
};

}  // namespace libp2p
