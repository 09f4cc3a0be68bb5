#include "opstack/reputation/records.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <cmath>

#include "libp2p/base/json_number.hpp"
#include "libp2p/storage/records/gater_records.hpp"
#include "libp2p/storage/records/record_time.hpp"
#include "opstack/reputation/json_leaves.hpp"

namespace opstack::reputation {

using libp2p::Bytes;
using libp2p::ByteView;
using libp2p::Errc;
using libp2p::fail;
using libp2p::Result;
using libp2p::unix_seconds;
using libp2p::UnixTime;

namespace {

// Members in the order in which they are written. A name stands with its quotes and the colon.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_.push_back('{'); }

  std::string& name(std::string_view text) {
    if (!first_) out_.push_back(',');
    first_ = false;
    return out_.append("\"").append(text).append("\":");
  }
  ObjectWriter& add(std::string_view text, double number) {
    libp2p::append_json_number(name(text), std::isfinite(number) ? number : 0);
    return *this;
  }
  ObjectWriter& add(std::string_view text, UnixTime time) {
    name(text).append(std::to_string(unix_seconds(time)));
    return *this;
  }
  void end() { out_.push_back('}'); }

 private:
  std::string& out_;
  bool first_ = true;
};

void write_gossip(std::string& out, const GossipScores& scores) {
  ObjectWriter gossip(out);
  gossip.add("total", scores.total);
  ObjectWriter(gossip.name("blocks"))
      .add("timeInMesh", scores.time_in_mesh)
      .add("firstMessageDeliveries", scores.first_message_deliveries)
      .add("meshMessageDeliveries", scores.mesh_message_deliveries)
      .add("invalidMessageDeliveries", scores.invalid_message_deliveries)
      .end();
  gossip.add("IPColocationFactor", scores.ip_colocation_factor)
      .add("behavioralPenalty", scores.behavioural_penalty)
      .end();
}

// In quotes, with the characters of HTML escaped, as Go does.
std::string quoted(const std::string& text) {
  const std::string plain = boost::json::serialize(boost::json::string(text));
  std::string out;
  for (const char c : plain) {
    switch (c) {
      case '<': out += "\\u003c"; break;
      case '>': out += "\\u003e"; break;
      case '&': out += "\\u0026"; break;
      default: out.push_back(c);
    }
  }
  return out;
}

Result<JsonLeaves> read_object(ByteView bytes) {
  if (bytes.size() > kMaxRecord)
    return fail(Errc::too_large, "record has " + std::to_string(bytes.size()) + " bytes, at most " +
                                     std::to_string(kMaxRecord) + " are allowed");
  return JsonLeaves::from_text(libp2p::as_text(bytes));
}

Result<void> read_time(const JsonLeaves& leaves, std::string_view path, UnixTime& out) {
  std::int64_t seconds = 0;
  OPP2P_TRYV(leaves.assign(path, seconds));
  out = libp2p::storage::saturated_unix_time(seconds);
  return {};
}

}  // namespace

Bytes encode_scores(const ScoreEntry& entry) {
  std::string out;
  ObjectWriter record(out);
  record.add("lastUpdate", entry.last_update);
  ObjectWriter scores(record.name("peerScores"));
  write_gossip(scores.name("gossip"), entry.scores.gossip);
  ObjectWriter(scores.name("reqResp"))
      .add("validResponses", entry.scores.req_resp.valid_responses)
      .add("errorResponses", entry.scores.req_resp.error_responses)
      .add("rejectedPayloads", entry.scores.req_resp.rejected_payloads)
      .end();
  scores.end();
  record.end();
  return libp2p::to_bytes(out);
}

Bytes encode_ban(const BanEntry& entry) {
  std::string out;
  ObjectWriter(out).add("expiry", entry.expiry).add("lastUpdate", entry.last_update).end();
  return libp2p::to_bytes(out);
}

Bytes encode_metadata(const MetadataEntry& entry) {
  std::string out;
  ObjectWriter record(out);
  record.add("lastUpdate", entry.last_update);
  ObjectWriter metadata(record.name("peerMetadata"));
  metadata.name("enr").append(quoted(entry.metadata.enr));
  metadata.name("opStackID").append(std::to_string(entry.metadata.op_stack_id));
  metadata.end();
  record.end();
  return libp2p::to_bytes(out);
}

Result<ScoreEntry> decode_scores(ByteView bytes) {
  OPP2P_TRY(const auto leaves, read_object(bytes));
  return read_scores(leaves, "");
}

Result<ScoreEntry> read_scores(const JsonLeaves& leaves, std::string_view parent) {
  const auto path_of = [parent](std::string_view path) { return std::string(parent).append(path); };
  ScoreEntry out;
  OPP2P_TRYV(read_time(leaves, path_of("lastUpdate"), out.last_update));
  auto& gossip = out.scores.gossip;
  auto& req_resp = out.scores.req_resp;
  const std::pair<std::string_view, double*> numbers[] = {
      {"peerScores.gossip.total", &gossip.total},
      {"peerScores.gossip.blocks.timeInMesh", &gossip.time_in_mesh},
      {"peerScores.gossip.blocks.firstMessageDeliveries", &gossip.first_message_deliveries},
      {"peerScores.gossip.blocks.meshMessageDeliveries", &gossip.mesh_message_deliveries},
      {"peerScores.gossip.blocks.invalidMessageDeliveries", &gossip.invalid_message_deliveries},
      {"peerScores.gossip.IPColocationFactor", &gossip.ip_colocation_factor},
      {"peerScores.gossip.behavioralPenalty", &gossip.behavioural_penalty},
      {"peerScores.reqResp.validResponses", &req_resp.valid_responses},
      {"peerScores.reqResp.errorResponses", &req_resp.error_responses},
      {"peerScores.reqResp.rejectedPayloads", &req_resp.rejected_payloads},
  };
  for (const auto& [path, number] : numbers) OPP2P_TRYV(leaves.assign(path_of(path), *number));
  return out;
}

Result<BanEntry> decode_ban(ByteView bytes) {
  OPP2P_TRY(const auto leaves, read_object(bytes));
  BanEntry out;
  OPP2P_TRYV(read_time(leaves, "expiry", out.expiry));
  OPP2P_TRYV(read_time(leaves, "lastUpdate", out.last_update));
  return out;
}

Result<MetadataEntry> decode_metadata(ByteView bytes) {
  OPP2P_TRY(const auto leaves, read_object(bytes));
  MetadataEntry out;
  OPP2P_TRYV(read_time(leaves, "lastUpdate", out.last_update));
  OPP2P_TRYV(leaves.assign("peerMetadata.enr", out.metadata.enr));
  OPP2P_TRYV(leaves.assign("peerMetadata.opStackID", out.metadata.op_stack_id));
  return out;
}

Result<std::string> ip_ban_key(std::string_view ip) {
  OPP2P_TRY(const auto text, libp2p::storage::ip_record_text(ip));
  return std::string(kIpBanBase) + text;
}

Result<std::string> read_ip_ban_key(std::string_view key) {
  if (!key.starts_with(kIpBanBase)) return fail(Errc::malformed, "key does not begin with " + std::string(kIpBanBase));
  const auto ip = key.substr(kIpBanBase.size());
  OPP2P_TRY(auto text, libp2p::storage::ip_record_text(ip));
  if (text != ip) return fail(Errc::malformed, "address in the key is not in its only form, " + text);
  return text;
}

}  // namespace opstack::reputation
