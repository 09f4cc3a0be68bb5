// The options of the peer-to-peer part of a node, checked and resolved: a part of resolve() in config.hpp. An error
// says which option it is and what it wants. Reads no file, but looks whether the folder of the peerstore is one of
// op-node. Functions of their arguments. Source: op-node surface, 1.1 and 14.
#pragma once

#include <string_view>

#include "opp2p/config/config.hpp"

namespace opp2p {

// Needs the rollup configuration and the data folder of `out`.
libp2p::Result<void> resolve_p2p(const NodeOptions& options, NodeConfig& out);

// A time of an option: not negative, and at most a century, so that it can be added to now.
libp2p::Result<libp2p::Nanos> time_limit(std::string_view option, libp2p::Nanos value);

std::string_view trim(std::string_view text);
libp2p::Error about(std::string_view option, const libp2p::Error& error);
// A result whose error says which option it is about.
template <class T>
libp2p::Result<T> of(std::string_view option, libp2p::Result<T> result) {
  if (!result) return about(option, result.error());
  return result;
}

}  // namespace opp2p
