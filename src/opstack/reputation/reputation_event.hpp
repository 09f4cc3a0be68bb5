// What the reputation system tells (Reputation::subscribe). An event and all that it refers to are valid until the
// listener returns. Thread: the network thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "libp2p/base/result.hpp"
#include "libp2p/host/gater_decorators.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "opstack/reputation/ban.hpp"

namespace opstack::reputation {

using libp2p::PeerId;

// A ban began, or the one that was there was replaced. Its connections are closed after that.
struct PeerBanned {
  const PeerId& peer;
  const Ban& ban;
};
// A ban ended, and the peer's scores were cleared. The end of a ban that nobody asks about is told late: expiry is
// looked at when a connection to or from the peer is made, and every two hours.
struct PeerUnbanned {
  const PeerId& peer;
  const Ban& ban;  // as it was
  BanEnd end{};
};
struct IpBanned {
  const std::string& ip;
  const Ban& ban;
};
struct IpUnbanned {
  const std::string& ip;
  const Ban& ban;
  BanEnd end{};
};
// A peer is blamed for a message or an answer. `blamed_messages`: how many different ones within ten minutes, with this
// one. A copy of a message that is on record is not told.
struct PeerBlamed {
  const PeerId& peer;
  const Fault& fault;
  std::size_t blamed_messages = 0;
};
// More than half of the peers that bring accepted blocks commit this fault: it is ours. What it cost was given back,
// and it costs nothing until an accepted block shows otherwise. Told once per finding.
struct CommonFaultFound {
  FaultKind kind{};
  std::size_t peers = 0;    // that commit it
  std::size_t of = 0;       // that were asked about
  const std::string& text;  // what the operator should look at
};
// It is the peers' again.
struct CommonFaultEnded {
  FaultKind kind{};
};

// Which rule refused a connection. The ids are stable: counters and metrics are named by them.
enum class GateRule : std::uint8_t {
  peer_ban,
  ip_ban,
  no_ip,       // the address has no IP, and bans of IPs could be evaded by it
  score,       // below the minimum
  unreadable,  // the store failed: what cannot be read denies
};
inline constexpr std::size_t kGateRules = static_cast<std::size_t>(GateRule::unreadable) + 1;
std::string_view gate_rule_id(GateRule rule);
struct GateRefused {
  libp2p::GaterHook hook{};
  GateRule rule{};
  const PeerId& peer;                // empty when it is not known
  const libp2p::Multiaddr& address;  // empty when it is not known
  const libp2p::Error& why;
  std::optional<double> score{};  // that was compared
};
// Why a peer is kept out by its score.
struct ScoreRefusal {
  GateRule rule = GateRule::score;  // or unreadable
  std::optional<double> score;      // when it could be read
  std::string why;
};
// The datastore did not read or write. What was to be written is kept and tried again.
struct ReputationStoreFailed {
  const libp2p::Error& why;
};

using ReputationEvent = std::variant<PeerBanned, PeerUnbanned, IpBanned, IpUnbanned, PeerBlamed, CommonFaultFound,
                                     CommonFaultEnded, GateRefused, ReputationStoreFailed>;

}  // namespace opstack::reputation
