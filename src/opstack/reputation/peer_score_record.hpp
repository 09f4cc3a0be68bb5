// What is remembered of a peer's scores: those of GossipSub as they last were, and those of the application. The names
// and units are op-node's, which writes the same values as JSON. Plain values; thread: any. Source: op-node surface,
// section 4.
#pragma once

namespace opstack::reputation {

struct GossipScores {
  double total = 0;
  double time_in_mesh = 0;  // seconds; the longest of the blocks' topics. The next three are sums over them
  double first_message_deliveries = 0;
  double mesh_message_deliveries = 0;
  double invalid_message_deliveries = 0;
  double ip_colocation_factor = 0;
  double behavioural_penalty = 0;
  friend bool operator==(const GossipScores&, const GossipScores&) = default;
};

struct ReqRespScores {
  double valid_responses = 0;
  double error_responses = 0;
  double rejected_payloads = 0;
  friend bool operator==(const ReqRespScores&, const ReqRespScores&) = default;
};

struct PeerScoreRecord {
  GossipScores gossip;
  ReqRespScores req_resp;
  friend bool operator==(const PeerScoreRecord&, const PeerScoreRecord&) = default;
};

}  // namespace opstack::reputation
