// A network inside one process: which host listens on which number. For tests, examples and programs with several
// hosts. The user creates it and gives it to the transports of the hosts (memory_transport.hpp); there is no global
// one. Owner: the user, who destroys it after the hosts. Thread: the network thread, which all hosts of a net share;
// each host may have its own runtime on it. Bounds: one entry per listener; dials are bounded by the dialling host.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "libp2p/base/result.hpp"
#include "libp2p/runtime/runtime.hpp"

namespace libp2p::memory {

// Somebody who listens. It gets its sockets from its own runtime's queue, until `on_socket` is emptied.
struct Listener {
  runtime::Runtime& runtime;
  std::function<void(std::unique_ptr<runtime::Socket>, std::uint64_t from)> on_socket;
};

class MemoryNet {
 public:
  // From here on the net gives numbers by itself; those below are the users'.
  static constexpr std::uint64_t kFirstFree = std::uint64_t{1} << 32;

  MemoryNet() = default;
  MemoryNet(const MemoryNet&) = delete;
  MemoryNet& operator=(const MemoryNet&) = delete;

  // A number at which nobody listens, never given before.
  std::uint64_t take_number();
  // False when somebody listens at it.
  bool add(std::uint64_t number, std::shared_ptr<Listener> listener) {
    return listeners_.emplace(number, std::move(listener)).second;
  }
  void remove(std::uint64_t number) { listeners_.erase(number); }
  std::shared_ptr<Listener> at(std::uint64_t number) const;

 private:
  std::map<std::uint64_t, std::shared_ptr<Listener>> listeners_;
  std::uint64_t next_ = kFirstFree;
};

}  // namespace libp2p::memory
