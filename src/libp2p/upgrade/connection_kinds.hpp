// What a host speaks below its streams: its security protocols and its multiplexers, each in order of preference. Made
// once for a host and shared by its connections, which keep it alive. A value that does not change; no thread, no IO.
// Bounds: kMost of each. Specification: connections.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/result.hpp"
#include "libp2p/base/rng.hpp"
#include "libp2p/crypto/keys.hpp"
#include "libp2p/seams/secure_channel.hpp"
#include "libp2p/seams/stream_mux.hpp"

namespace libp2p {

struct ConnectionKinds {
  static constexpr std::size_t kMost = 16;  // what a Noise handshake may list

  std::vector<SecurityKind> securities;
  std::vector<MuxerKind> muxers;

  // Makes each security for `identity`. Errc::invalid_argument for a list that is empty or too long, two kinds with one
  // id, or an id that nobody can propose; otherwise the factory's own error, with the id of the kind.
  static Result<std::shared_ptr<const ConnectionKinds>> make(const std::vector<SecurityFactory>& securities,
                                                             std::vector<MuxerKind> muxers,
                                                             const crypto::PrivateKey& identity, Rng& rng);

  // Null when it is not among them.
  const SecurityKind* find_security(std::string_view id) const;
  const MuxerKind* find_muxer(std::string_view id) const;
  std::vector<std::string> security_ids() const;
  std::vector<std::string> muxer_ids() const;
};

}  // namespace libp2p
