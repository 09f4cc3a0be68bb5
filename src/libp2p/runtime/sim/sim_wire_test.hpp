// A connection in a simulated world, for its tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "libp2p/runtime/sim/sim_world.hpp"

namespace libp2p::runtime {

// Two connected sockets with what each has read.
struct Wire {
  Wire(SimWorld& world, SimNode from, SimNode to, std::uint16_t port = 9000) {
    auto listening = to.runtime().listen({to.ip4(), port}, [this](std::unique_ptr<Socket> s) { far = std::move(s); });
    listener = std::move(*listening);
    dial = from.runtime().connect({to.ip4(), port}, [this](Result<std::unique_ptr<Socket>> s) {
      if (s) {
        near = std::move(*s);
      } else {
        error = s.error();
      }
    });
    world.run_until([this] { return (near && far) || error; }, Seconds(300));
  }
  std::unique_ptr<Listener> listener;
  std::unique_ptr<Operation> dial;
  std::unique_ptr<Socket> near;
  std::unique_ptr<Socket> far;
  std::optional<Error> error;
};

inline std::string read_all(Socket& socket) {
  std::string out;
  Bytes buffer(4096);
  for (;;) {
    const auto n = socket.read(buffer);
    if (!n) return n.error() == Errc::would_block ? out : out + "<" + std::string(to_string(n.error().code())) + ">";
    if (*n == 0) return out + "<end>";
    out.append(as_text(ByteView(buffer).first(*n)));
  }
}

}  // namespace libp2p::runtime
