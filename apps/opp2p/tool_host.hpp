// A host for commands that connect to one peer and end: a new identity, identify, ping, the real runtime, and the
// signals that end a command. Handlers must be set before the host listens or connects. A peer asks for the protocols
// once, when the connection opens, and rust-libp2p does not answer pings of a peer that refused its own.
//
// Owner and thread: the command; created, used and destroyed on one thread. Bounds: those of a Host.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "libp2p/host/host.hpp"
#include "libp2p/runtime/asio/asio_runtime.hpp"
#include "libp2p/services/identify/identify_service.hpp"
#include "libp2p/services/ping/ping_service.hpp"
#include "opp2p/base/output.hpp"

namespace opp2p {

class ToolHost {
 public:
  // What the command prints goes to `out`; when that fails, the command ends. `spin`: as for AsioRuntime.
  explicit ToolHost(opp2p::Output& out, libp2p::Nanos spin = libp2p::Nanos(0),
                    libp2p::PingConfig ping = libp2p::PingConfig());
  ~ToolHost();
  ToolHost(const ToolHost&) = delete;
  ToolHost& operator=(const ToolHost&) = delete;

  libp2p::runtime::AsioRuntime& runtime() { return runtime_; }
  libp2p::Host& host() { return *host_; }
  libp2p::PingService& pings() { return *pings_; }

  // Runs `main` until it ends, a signal comes, the output fails, or `limit` has passed (zero: no limit). The task is
  // destroyed when this returns.
  enum class End { finished, signalled, output_failed, timed_out };
  End run(libp2p::runtime::Task<void> main, libp2p::Nanos limit = libp2p::Nanos(0));
  // Runs until a signal comes, or the output fails.
  void run_until_signal();
  // Says good-bye to the peers; at most `limit`.
  void close(libp2p::Nanos limit);

 private:
  class Signals;
  opp2p::Output& out_;
  libp2p::runtime::AsioRuntime runtime_;
  std::unique_ptr<Signals> signals_;
  std::unique_ptr<libp2p::Host> host_;
  std::unique_ptr<libp2p::IdentifyService> identify_;
  std::unique_ptr<libp2p::PingService> pings_;
};

// The address of a peer as a command was given it. A text that is none is reported: nothing.
std::optional<libp2p::Multiaddr> parse_multiaddr(const std::string& text);
// What --spin was given, a duration such as 50us and at most 10ms, as the node's; likewise.
std::optional<libp2p::Nanos> parse_spin(const std::string& text);

}  // namespace opp2p
