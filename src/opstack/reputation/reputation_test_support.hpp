// For the tests of the reputation system: peers by number, times by seconds, and faults by their messages.
#pragma once

#include <string>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "opstack/reputation/fault.hpp"

namespace opstack::reputation::test {

inline libp2p::PeerId peer(std::uint8_t n) { return libp2p::PeerId::from_bytes(libp2p::Bytes{0x00, 0x01, n}).value(); }
inline libp2p::MonoTime mono(std::int64_t seconds) { return libp2p::MonoTime(libp2p::Seconds(seconds)); }
inline UnixTime wall(std::int64_t seconds) { return libp2p::from_unix_seconds(seconds); }

inline Fault fault(FaultKind kind, std::string message_id) {
  Fault out;
  out.kind = kind;
  out.reason_id = fault_id(kind);
  out.message_id = std::move(message_id);
  return out;
}

}  // namespace opstack::reputation::test
