#include "libp2p/host/stream_acceptors.hpp"

#include <stdexcept>

#include "libp2p/protocols/multistream/negotiator.hpp"

namespace libp2p {

bool StreamAcceptors::set(std::string protocol, StreamAcceptor acceptor) {
  if (!acceptor) {
    throw std::invalid_argument("the stream handler of '" + protocol +
                                "' is empty; remove_stream_handler() stops serving a protocol");
  }
  const bool fits = !protocol.empty() && protocol.size() < multistream::kMaxMessage;
  if (!fits || protocol.find('\n') != std::string::npos) {
    throw std::invalid_argument("'" + protocol + "' cannot be proposed: a protocol has 1 to " +
                                std::to_string(multistream::kMaxMessage - 1) + " bytes and no line break");
  }
  return acceptors_.insert_or_assign(std::move(protocol), std::move(acceptor)).second;
}

bool StreamAcceptors::remove(std::string_view protocol) {
  const auto found = acceptors_.find(protocol);
  if (found == acceptors_.end()) return false;
  acceptors_.erase(found);
  return true;
}

const StreamAcceptor* StreamAcceptors::find(std::string_view protocol) const {
  const auto found = acceptors_.find(protocol);
  return found == acceptors_.end() ? nullptr : &found->second;
}

std::vector<std::string> StreamAcceptors::protocols() const {
  std::vector<std::string> out;
  for (const auto& [protocol, acceptor] : acceptors_) out.push_back(protocol);
  return out;
}

}  // namespace libp2p
