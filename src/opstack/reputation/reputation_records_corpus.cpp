#include "opstack/reputation/records.hpp"
#include "testing/corpus.hpp"

namespace libp2p::fuzzing {

void make_corpus(Corpus& corpus) {
  namespace reputation = opstack::reputation;
  reputation::ScoreEntry scores;
  scores.last_update = from_unix_seconds(1'796'102'941);
  scores.scores.gossip = {-123.456, 86'400, 1e-7, 1.5e22, 3, -35, 0.1};
  scores.scores.req_resp = {1, 2, 3};
  corpus.save("scores", reputation::encode_scores(scores));
  corpus.save("ban", reputation::encode_ban({from_unix_seconds(1'796'106'541), scores.last_update}));
  corpus.save("metadata", reputation::encode_metadata({scores.last_update, {"enr:-<&>", UINT64_MAX}}));
  corpus.save("ip", std::string_view("2001:db8::1"));
  corpus.save("key", reputation::ip_ban_key("192.0.2.7").value());
  corpus.save("merged",
              std::string_view(R"({"PeerScores":{"gossip":{"total":1}},"peerscores":{"gossip":null,"x":[{}]}})"));
}

}  // namespace libp2p::fuzzing
