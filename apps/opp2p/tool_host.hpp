// A host for commands that talk to one peer and end: a fresh identity, identify and the real runtime, with SIGINT and
// SIGTERM caught. Made, used and destroyed on the thread that runs it. Bounds: those of a Host.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "network/host.hpp"
#include "runtime/asio/asio_runtime.hpp"
#include "services/identify_service.hpp"

namespace opp2p {

class ToolHost {
 public:
  // `spin`: as for AsioRuntime.
  explicit ToolHost(libp2p::Nanos spin = libp2p::Nanos(0));
  ~ToolHost();
  ToolHost(const ToolHost&) = delete;
  ToolHost& operator=(const ToolHost&) = delete;

  libp2p::runtime::AsioRuntime& runtime() { return runtime_; }
  libp2p::network::Host& host() { return *host_; }

  // Runs `main` until it ends, a signal comes, or `limit` has passed (zero: no limit). The task is destroyed when this
  // returns.
  enum class End { finished, signalled, timed_out };
  End run(libp2p::runtime::Task<void> main, libp2p::Nanos limit = libp2p::Nanos(0));
  // Runs until a signal comes.
  void run_until_signal();
  // Says good-bye to the peers; at most `limit`.
  void close(libp2p::Nanos limit);

 private:
  class Signals;
  libp2p::runtime::AsioRuntime runtime_;
  std::unique_ptr<Signals> signals_;
  std::unique_ptr<libp2p::network::Host> host_;
  std::unique_ptr<libp2p::services::IdentifyService> identify_;
};

// The address of a peer as a command was given it. A text that is none is reported: nothing.
std::optional<libp2p::Multiaddr> parse_multiaddr(const std::string& text);
// A duration such as 50us, given for `option`; likewise.
std::optional<libp2p::Nanos> parse_time(const std::string& option, const std::string& text);

}  // namespace opp2p
