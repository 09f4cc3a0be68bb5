// Why a ban was made, as a record of its own beside op-node's (kBanReasonBase and kIpBanReasonBase): JSON with the
// rule, the scores and the evidence. Pure functions over bytes of a disk that may be damaged; any thread. Bounds:
// kMaxRecord, Errc::too_large beyond; kMostEvidence faults, the last ones; texts of kMaxBanText bytes, longer ones are
// cut.
#pragma once

#include <string_view>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "opstack/reputation/ban.hpp"

namespace opstack::reputation {

// Followed by the address, as behind kIpBanBase.
inline constexpr std::string_view kIpBanReasonBase = "/opp2p/ip_bans/";
inline constexpr std::size_t kMaxBanText = 700;

// The text of a fault or of a ban as it is written: readable (libp2p/base/peer_text.hpp) and not too long.
std::string ban_record_text(std::string_view text);

// Times are written as whole seconds.
libp2p::Bytes encode_ban_reason(const Ban& ban);
// A rule or a kind of fault that is not known is Errc::unsupported: a later version wrote it.
libp2p::Result<Ban> decode_ban_reason(libp2p::ByteView bytes);

}  // namespace opstack::reputation
