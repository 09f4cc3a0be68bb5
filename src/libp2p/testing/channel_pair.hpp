// Two secure channels that are connected to each other, for the secure channel suite (secure_channel_suite.hpp). It
// moves handshake messages and sealed messages over a wire that splits them as told, and checks the contract of
// libp2p/seams/secure_channel.hpp. Installed header without GoogleTest. Owner: a test. Thread: one. Bounds: the bytes
// that were sent and not yet read.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/base/rng.hpp"
#include "libp2p/seams/secure_channel.hpp"
#include "libp2p/testing/suite.hpp"

namespace libp2p {

// One end: its channel, the bytes on their way to it, and what has come of them.
struct ChannelEnd {
  std::unique_ptr<SecureChannel> channel;
  Bytes wire;
  Bytes plain;
  bool ended = false;
  std::optional<Error> failure;
  bool established() const { return channel && !failure && channel->established(); }
};

// What the two ends of a pair are. Kinds outlive the pair.
struct ChannelPairOptions {
  std::optional<PeerId> expected;  // whom the dialer wants to reach
  std::vector<std::string> dialer_muxers;
  std::vector<std::string> listener_muxers;
};

class ChannelPair {
 public:
  ChannelPair(const SecurityKind& dialer, const SecurityKind& listener, Findings& findings, Rng& rng,
              ChannelPairOptions options = {});

  // Moves handshake messages until both rest; `cut` says how many of the bytes that wait are presented at first (all of
  // them in the end). Whether both are established.
  using Cut = std::function<std::size_t(std::size_t waiting)>;
  bool shake(const Cut& cut = {});
  // The handshake, and a failure when it does not succeed.
  bool connect();

  // What the channel itself has to say goes first, then the message.
  void send(ChannelEnd& from, ByteView plain);
  // The sealed message alone, on no wire.
  Bytes seal(ChannelEnd& from, ByteView plain);
  void flush(ChannelEnd& from);
  // Opens what is there of `to.wire`, up to `most` bytes of it.
  void receive(ChannelEnd& to, std::size_t most = SIZE_MAX);
  // Takes handshake messages off the end's wire, at most `most` of its bytes; answers how many were taken.
  std::size_t read_handshake(ChannelEnd& to, std::size_t most = SIZE_MAX);
  void take_output(ChannelEnd& from);

  ChannelEnd& other(const ChannelEnd& end) { return &end == &dialer ? listener : dialer; }

  ChannelEnd dialer;
  ChannelEnd listener;

 private:
  Findings& findings_;
};

}  // namespace libp2p
