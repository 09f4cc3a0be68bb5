// The JSON of bans, faults, scores and timelines (opp2p_bans, opp2p_peerScore, opp2p_peerEvents, opp2p_blockEvents).
// A member whose name ends with Ms is in milliseconds (since 1970, or of a duration); other times are in seconds, as a
// ban's record has them. Texts of
// peers are made readable by who noted them. Pure functions. docs/rpc.md has the fields.
#pragma once

#include <boost/json.hpp>

#include "opp2p/observe/why.hpp"
#include "opp2p/rpc/api_ports.hpp"

namespace opp2p {

boost::json::object fault_json(const opstack::reputation::Fault& fault);
boost::json::object ban_json(const opstack::reputation::Ban& ban);
// op-node's shape of scores: {"gossip":{…},"reqResp":{…}}.
boost::json::object score_record_json(const opstack::reputation::PeerScoreRecord& scores);
boost::json::object standing_json(const ScoreStandingSnapshot& standing);
boost::json::object timeline_json(const PeerTimeline& timeline);
boost::json::object block_record_json(const BlockRecord& record);

}  // namespace opp2p
