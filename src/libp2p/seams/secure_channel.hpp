// The security protocol of one connection. A handshake proves the peer's identity; after it, messages are sealed and
// opened in place. This is the interface between the connection engine and Noise, TLS or plaintext. Owner: the
// connection engine. No thread and no IO. Bounds: those of the protocol.
//
// A SecurityKind is a security protocol that a host offers. It owns the data that its channels share (for Noise the
// static key with its signature) and outlives them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/rng.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/crypto/keys.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/seams/stream_mux.hpp"

namespace libp2p {

class SecureChannel {
 public:
  virtual ~SecureChannel() = default;
  virtual std::string_view protocol() const = 0;

  // Takes at most one handshake message from the front; 0: it is not whole, or the handshake is over.
  virtual Result<std::size_t> on_handshake(ByteView in) = 0;
  // Bytes of the handshake that are to be sent; leaves none.
  virtual Bytes take_handshake_output() = 0;
  virtual bool established() const = 0;

  // Valid once established.
  virtual const crypto::PublicKey& remote_key() const = 0;
  // The muxer that the handshake settled; empty when it is still to be negotiated.
  virtual const std::string& early_muxer() const = 0;

  // A sealed message is header_size() bytes, then the plain text in place, then what else the protocol needs:
  // overhead() in all, for at most max_plain() bytes.
  virtual std::size_t header_size() const = 0;
  virtual std::size_t overhead() const = 0;
  virtual std::size_t max_plain() const = 0;
  // The most bytes at the front of the input that may be no whole message yet, in the handshake and after it.
  virtual std::size_t max_unread() const = 0;
  // Seals the plain_size bytes that stand behind the header's room; answers the size of the sealed message.
  virtual Result<std::size_t> seal(MutableBytes message, std::size_t plain_size) = 0;

  struct Opened {
    std::size_t taken = 0;  // 0: the message at the front is not whole
    MutableBytes plain;     // inside the input; empty with taken > 0: a message of the protocol's own (a ticket)
    bool ended = false;     // the peer has ended the channel in order; nothing follows
  };
  virtual Result<Opened> open(MutableBytes in) = 0;

  // What the protocol itself has to say once established (alerts, tickets, key updates), sealed by itself: asked before
  // each seal.
  virtual std::size_t poll_output(MutableBytes /*out*/) { return 0; }
  virtual bool wants_output() const { return false; }
  // We send no more: the end, where the protocol has one, is what poll_output gives next.
  virtual void close() {}
  // Ends the process when an invariant is violated (libp2p/base/assert.hpp). For simulations, fuzzers and tests.
  virtual void check() const {}
};

// What a channel begins with.
struct ChannelStart {
  Role role = Role::dialer;
  std::optional<PeerId> expected;   // whom a dialer wants to reach; another one is Errc::mismatch
  std::vector<std::string> muxers;  // ids to offer inside the handshake, in order of preference, where it can
  UnixTime now{};                   // for what is valid for a time
};

// A security protocol that a host may speak. `begin` starts the handshake of one connection.
struct SecurityKind {
  std::string_view id;  // "/noise"
  std::function<Result<std::unique_ptr<SecureChannel>>(ChannelStart start, Rng& rng)> begin;
};

// Makes a kind for one identity; a host makes each of its kinds once. An error names what is wrong with the key.
struct SecurityFactory {
  std::string_view id;
  std::function<Result<SecurityKind>(const crypto::PrivateKey& identity, Rng& rng)> make;
};

}  // namespace libp2p
