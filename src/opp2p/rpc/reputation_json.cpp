#include "opp2p/rpc/reputation_json.hpp"

#include <cmath>

#include "libp2p/base/seconds.hpp"
#include "opp2p/rpc/p2p_json.hpp"

namespace opp2p {
namespace json = boost::json;
namespace reputation = opstack::reputation;
namespace {

std::int64_t unix_ms(libp2p::UnixTime time) {
  return std::chrono::floor<libp2p::Millis>(time.time_since_epoch()).count();
}

template <class T>
json::value or_null(const std::optional<T>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::object part_json(const libp2p::gossipsub::ScorePart& part) {
  json::object out;
  out["value"] = part.value;
  out["weighted"] = part.weighted;
  return out;
}

json::object topic_json(const std::string& name, const libp2p::gossipsub::TopicScoreParts& topic) {
  json::object mesh;
  mesh["value"] = libp2p::seconds_of(topic.time_in_mesh);
  mesh["weighted"] = topic.time_in_mesh_weighted;
  json::object out;
  out["topic"] = name;
  out["inMesh"] = topic.in_mesh;
  out["P1"] = std::move(mesh);
  out["P2"] = part_json(topic.first_deliveries);
  out["P3"] = part_json(topic.mesh_deliveries);
  out["P3b"] = part_json(topic.mesh_failures);
  out["P4"] = part_json(topic.invalid_deliveries);
  out["total"] = topic.total;
  return out;
}

json::value live_json(const ScoreStandingSnapshot& standing) {
  if (!standing.live) return nullptr;
  const auto& live = *standing.live;
  json::array topics;
  for (std::size_t i = 0; i < live.topics.size(); ++i)
    topics.push_back(topic_json(i < standing.topics.size() ? standing.topics[i] : std::string(), live.topics[i]));
  json::object out;
  out["total"] = live.score;
  out["topicsTotal"] = live.topics_total;
  out["topics"] = std::move(topics);
  out["P5"] = part_json(live.application);
  out["P6"] = part_json(live.ip_colocation);
  out["P7"] = part_json(live.behaviour);
  return out;
}

// The id of the lowest threshold that the score is below; null without a score.
json::value standing_id(const ScoreStandingSnapshot& standing) {
  if (!standing.live) return nullptr;
  const double score = standing.live->score;
  if (score < standing.thresholds.graylist) return "below_graylist";
  if (score < standing.thresholds.publish) return "below_publish";
  if (score < standing.thresholds.gossip) return "below_gossip";
  return score < 0 ? "below_zero" : "good";
}

std::string_view source_id(BlockRecord::Source source) {
  switch (source) {
    case BlockRecord::Source::gossip: return "gossip";
    case BlockRecord::Source::fetched: return "fetched";
    case BlockRecord::Source::own: return "own";
    case BlockRecord::Source::unknown: return "posted";
  }
  return {};
}

}  // namespace

namespace {

void add_fault(json::object& out, const reputation::Fault& fault) {
  out["kind"] = fault.reason_id;
  out["text"] = fault.text;
  out["messageID"] = fault.message_id.empty() ? json::value(nullptr) : json::value(fault.message_id);
  out["blockNumber"] = or_null(fault.block_number);
  out["blockHash"] = fault.block_hash ? json::value(libp2p::to_hex0x(*fault.block_hash)) : json::value(nullptr);
}

// The record of a ban has seconds.
json::object evidence_json(const reputation::Fault& fault) {
  json::object out;
  out["time"] = libp2p::unix_seconds(fault.at);
  add_fault(out, fault);
  return out;
}

}  // namespace

json::object fault_json(const reputation::Fault& fault) {
  json::object out;
  out["timeMs"] = unix_ms(fault.at);
  add_fault(out, fault);
  return out;
}

json::object score_record_json(const reputation::PeerScoreRecord& scores) {
  json::object blocks;
  blocks["timeInMesh"] = scores.gossip.time_in_mesh;
  blocks["firstMessageDeliveries"] = scores.gossip.first_message_deliveries;
  blocks["meshMessageDeliveries"] = scores.gossip.mesh_message_deliveries;
  blocks["invalidMessageDeliveries"] = scores.gossip.invalid_message_deliveries;
  json::object gossip;
  gossip["total"] = scores.gossip.total;
  gossip["blocks"] = std::move(blocks);
  gossip["IPColocationFactor"] = scores.gossip.ip_colocation_factor;
  gossip["behavioralPenalty"] = scores.gossip.behavioural_penalty;
  json::object req_resp;
  req_resp["validResponses"] = scores.req_resp.valid_responses;
  req_resp["errorResponses"] = scores.req_resp.error_responses;
  req_resp["rejectedPayloads"] = scores.req_resp.rejected_payloads;
  json::object out;
  out["gossip"] = std::move(gossip);
  out["reqResp"] = std::move(req_resp);
  return out;
}

json::object ban_json(const reputation::Ban& ban) {
  json::array evidence;
  for (const auto& fault : ban.evidence) evidence.push_back(evidence_json(fault));
  json::object out;
  out["since"] = libp2p::unix_seconds(ban.since);
  out["until"] = libp2p::unix_seconds(ban.until);
  out["rule"] = json::string(ban_rule_id(ban.rule));
  out["text"] = ban.text;
  out["score"] = ban.score;
  out["scores"] = score_record_json(ban.scores);
  out["evidence"] = std::move(evidence);
  return out;
}

json::object standing_json(const ScoreStandingSnapshot& standing) {
  json::object thresholds;
  thresholds["gossip"] = standing.thresholds.gossip;
  thresholds["publish"] = standing.thresholds.publish;
  thresholds["graylist"] = standing.thresholds.graylist;
  thresholds["ban"] = or_null(standing.ban_threshold);
  thresholds["gater"] = or_null(standing.gater_min_score);
  json::object out;
  out["scored"] = standing.is_scored;
  out["standing"] = standing_id(standing);
  out["live"] = live_json(standing);
  out["stored"] = standing.stored ? json::value(score_record_json(*standing.stored)) : json::value(nullptr);
  out["thresholds"] = std::move(thresholds);
  return out;
}

json::object timeline_json(const PeerTimeline& timeline) {
  json::object tally;
  tally["connections"] = timeline.tally.connections;
  tally["blocksAccepted"] = timeline.tally.accepted;
  tally["blocksRejected"] = timeline.tally.rejected;
  tally["blocksIgnored"] = timeline.tally.ignored;
  tally["blocksFetched"] = timeline.tally.fetched;
  tally["copies"] = timeline.tally.copies;
  tally["faults"] = timeline.tally.faults;
  tally["bans"] = timeline.tally.bans;
  json::array events;
  for (const auto& event : timeline.events) {
    json::object one;
    one["timeMs"] = unix_ms(event.at);
    one["event"] = json::string(event_id(event.kind));
    one["text"] = event.text;
    one["count"] = event.count;
    one["lastTimeMs"] = unix_ms(event.last);
    one["score"] = or_null(event.score);
    events.push_back(std::move(one));
  }
  json::object out;
  out["connections"] = timeline.connections;
  out["userAgent"] = timeline.agent;
  out["firstSeenMs"] = unix_ms(timeline.first_seen);
  out["lastSeenMs"] = unix_ms(timeline.last_seen);
  out["end"] = or_null(timeline.end);
  out["endMs"] = timeline.ended ? json::value(unix_ms(*timeline.ended)) : json::value(nullptr);
  out["score"] = or_null(timeline.score);
  out["counts"] = std::move(tally);
  out["dropped"] = timeline.dropped;
  out["events"] = std::move(events);
  return out;
}

json::object block_record_json(const BlockRecord& record) {
  json::object out;
  out["number"] = record.number;
  out["hash"] = libp2p::to_hex0x(record.hash);
  out["parentHash"] = libp2p::to_hex0x(record.parent_hash);
  out["timestamp"] = record.timestamp;
  out["source"] = json::string(source_id(record.source));
  out["from"] = record.from.empty() ? json::value(nullptr) : json::value(record.from.to_base58());
  out["firstSeenMs"] = unix_ms(record.first_seen);
  out["lateMs"] = record.late / libp2p::Millis(1);
  out["verdict"] = record.verdict ? json::value(json::string(to_string(*record.verdict))) : json::value(nullptr);
  out["reasonID"] = record.verdict ? json::value(json::string(reason_id(record.reason))) : json::value(nullptr);
  out["reason"] = record.verdict ? json::value(json::string(to_string(record.reason))) : json::value(nullptr);
  out["detail"] = record.detail;
  out["signer"] = record.signer ? json::value(libp2p::to_hex0x(*record.signer)) : json::value(nullptr);
  out["copies"] = record.copies;
  out["storedMs"] = record.stored ? json::value(unix_ms(*record.stored)) : json::value(nullptr);
  out["canonical"] = record.canonical;
  out["orphanReason"] = record.orphan_reason.empty() ? json::value(nullptr) : json::value(record.orphan_reason);
  out["storeError"] = record.store_error.empty() ? json::value(nullptr) : json::value(record.store_error);
  return out;
}

}  // namespace opp2p
