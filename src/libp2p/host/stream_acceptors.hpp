// The protocols that a host serves, and the acceptor of each.
//
// Owner: HostState. Thread: the network thread. Bounds: what the application sets.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/host/stream_acceptor.hpp"

namespace libp2p {

class StreamAcceptors {
 public:
  // True for a protocol that had none. Throws std::invalid_argument for an empty acceptor, and for a name that nobody
  // can propose.
  bool set(std::string protocol, StreamAcceptor acceptor);
  // False when the protocol had none.
  bool remove(std::string_view protocol);
  bool contains(std::string_view protocol) const { return acceptors_.contains(protocol); }
  // Null when the protocol has none.
  const StreamAcceptor* find(std::string_view protocol) const;
  std::vector<std::string> protocols() const;

 private:
  std::map<std::string, StreamAcceptor, std::less<>> acceptors_;
};

}  // namespace libp2p
