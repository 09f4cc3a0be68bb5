// What `opp2p peerstore show` prints of a peerstore: sentences for people, or one JSON object. Pure functions of the
// view and the present time; texts of peers are made readable.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "opp2p/peerstore/peerstore_view.hpp"

namespace opp2p {

boost::json::object peerstore_json(const PeerstoreView& view, libp2p::UnixTime now);
boost::json::object peer_json(const libp2p::PeerId& id, const PeerView& peer, libp2p::UnixTime now);
// The first line is a sentence that says the most important.
std::vector<std::string> peerstore_lines(const PeerstoreView& view, const std::string& folder, libp2p::UnixTime now);
std::vector<std::string> peer_lines(const libp2p::PeerId& id, const PeerView& peer, libp2p::UnixTime now);

}  // namespace opp2p
