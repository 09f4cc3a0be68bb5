// What the commands on a running node print for people: a sentence first, then a table or a timeline. Pure functions
// over the RPC's answers. What a peer says of itself is made readable by the node.
#pragma once

#include <boost/json.hpp>
#include <set>
#include <string>
#include <string_view>

#include "libp2p/base/time.hpp"

namespace opp2p {

// The peers in a list of ids, or of objects with the member "peer". Views into the list.
std::set<std::string_view> peers_in(const boost::json::value& listed);

// opp2p_peers, in lines of at most `columns` characters. `bans`: opp2p_bans, or null; its peers are marked, and those
// that the operator blocks, which the dump has.
inline constexpr std::size_t kWidePeerColumns = 120;  // from here on ids are printed in full
std::string peers_text(const boost::json::value& dump, std::size_t columns, const boost::json::value& bans = nullptr);
// opp2p_peerEvents.
std::string timeline_text(const boost::json::value& answer, std::size_t columns);
// opp2p_bans.
std::string bans_text(const boost::json::value& bans, libp2p::UnixTime now);
// The member `why`, or the whole answer where there is none.
std::string why_text(const boost::json::value& answer);

// "16Uiu2HA…SyvEZj9t".
std::string short_peer(std::string_view id);
// Cut behind at most `columns` characters, with "…".
std::string fitted(const std::string& line, std::size_t columns);

}  // namespace opp2p
