#include "opstack/reputation/ban_json.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "libp2p/base/json_number.hpp"
#include "libp2p/base/peer_text.hpp"
#include "libp2p/protocols/gossipsub/message_id.hpp"
#include "libp2p/storage/records/record_time.hpp"
#include "opstack/reputation/json_leaves.hpp"
#include "opstack/reputation/records.hpp"

namespace opstack::reputation {

namespace json = boost::json;
using libp2p::Bytes;
using libp2p::ByteView;
using libp2p::Errc;
using libp2p::fail;
using libp2p::Result;

namespace {

json::object fault_object(const Fault& fault) {
  json::object out;
  out["at"] = libp2p::unix_seconds(fault.at);
  out["kind"] = fault_id(fault.kind);
  if (!fault.message_id.empty()) out["messageId"] = fault.message_id;
  if (fault.block_number) out["blockNumber"] = *fault.block_number;
  if (fault.block_hash) out["blockHash"] = libp2p::to_hex0x(*fault.block_hash);
  out["text"] = ban_record_text(fault.text);
  return out;
}

// The members of an object, each of the type that is asked for.
class Reader {
 public:
  explicit Reader(const json::value& value) : object_(value.if_object()) {}

  Result<void> moment(std::string_view name, UnixTime& out) const {
    OPP2P_TRY(const json::value* const value, find(name));
    if (!value->is_int64()) return wrong(name, "a whole number of seconds");
    out = libp2p::storage::saturated_unix_time(value->get_int64());
    return {};
  }
  Result<void> text(std::string_view name, std::string& out) const {
    OPP2P_TRY(const json::value* const value, find(name));
    if (!value->is_string()) return wrong(name, "a text");
    out = std::string(value->get_string());
    if (ban_record_text(out) != out) return wrong(name, "a readable text of at most 700 bytes");
    return {};
  }
  Result<const json::value*> find(std::string_view name) const {
    if (object_ == nullptr) return fail(Errc::malformed, "a ban or a fault is no JSON object");
    const json::value* const value = object_->if_contains(name);
    if (value == nullptr) return fail(Errc::malformed, "the member " + std::string(name) + " is missing");
    return value;
  }
  const json::value* find_optional(std::string_view name) const {
    return object_ == nullptr ? nullptr : object_->if_contains(name);
  }
  static libp2p::Error wrong(std::string_view name, std::string_view what) {
    return fail(Errc::malformed, "the member " + std::string(name) + " is not " + std::string(what));
  }

 private:
  const json::object* object_;
};

Result<void> read_message(const Reader& reader, Fault& out) {
  if (const json::value* const id = reader.find_optional("messageId")) {
    if (!id->is_string()) return Reader::wrong("messageId", "a text");
    const std::string text(id->get_string());
    const auto bytes = libp2p::from_hex(text);
    if (!bytes || bytes->size() > libp2p::gossipsub::kMaxMessageIdSize || libp2p::to_hex(*bytes) != text)
      return Reader::wrong("messageId", "a message id in hex");
    out.message_id = text;
  }
  if (const json::value* const number = reader.find_optional("blockNumber")) {
    boost::system::error_code error;
    const auto value = number->to_number<std::uint64_t>(error);
    if (error || number->is_double()) return Reader::wrong("blockNumber", "a block number");
    out.block_number = value;
  }
  if (const json::value* const hash = reader.find_optional("blockHash")) {
    Hash value{};
    if (!hash->is_string()) return Reader::wrong("blockHash", "a text");
    const auto bytes = libp2p::from_hex(std::string_view(hash->get_string()));
    if (!bytes || bytes->size() != value.size()) return Reader::wrong("blockHash", "a block hash in hex");
    std::copy(bytes->begin(), bytes->end(), value.begin());
    out.block_hash = value;
  }
  return {};
}

Result<Fault> read_fault(const json::value& value) {
  const Reader reader(value);
  Fault out;
  OPP2P_TRYV(reader.moment("at", out.at));
  std::string kind;
  OPP2P_TRYV(reader.text("kind", kind));
  const auto known = fault_of(kind);
  if (!known) return fail(Errc::unsupported, "no kind of fault is called '" + kind + "'");
  out.kind = *known;
  out.reason_id = fault_id(*known);
  OPP2P_TRYV(read_message(reader, out));
  OPP2P_TRYV(reader.text("text", out.text));
  return out;
}

}  // namespace

// A text that was written before stays as it is.
std::string ban_record_text(std::string_view text) {
  std::string out = libp2p::peer_text(text, kMaxBanText);
  return out == text ? out : libp2p::peer_text(text, kMaxBanText / 2);
}

Bytes encode_ban_reason(const Ban& ban) {
  json::object out;
  out["since"] = libp2p::unix_seconds(ban.since);
  out["until"] = libp2p::unix_seconds(ban.until);
  out["rule"] = ban_rule_id(ban.rule);
  out["text"] = ban_record_text(ban.text);
  json::array faults;
  const std::size_t left_out = ban.evidence.size() - std::min(ban.evidence.size(), kMostEvidence);
  for (std::size_t at = left_out; at < ban.evidence.size(); ++at) faults.push_back(fault_object(ban.evidence[at]));
  out["evidence"] = std::move(faults);
  // Numbers in the text of our own writer, which reads back exactly. Both objects have members.
  std::string text = json::serialize(out);
  text.pop_back();
  text += ",\"score\":";
  libp2p::append_json_number(text, std::isfinite(ban.score) ? ban.score : 0);
  text += ",\"scores\":";
  text += libp2p::as_text(encode_scores({ban.since, ban.scores}));
  text += "}";
  return libp2p::to_bytes(text);
}

Result<Ban> decode_ban_reason(ByteView bytes) {
  if (bytes.size() > kMaxRecord)
    return fail(Errc::too_large, "record has " + std::to_string(bytes.size()) + " bytes, at most " +
                                     std::to_string(kMaxRecord) + " are allowed");
  boost::system::error_code error;
  const json::value value = json::parse(libp2p::as_text(bytes), error);
  if (error) return fail(Errc::malformed, "the reason of a ban is no JSON: " + error.message());
  const Reader reader(value);
  Ban out;
  OPP2P_TRYV(reader.moment("since", out.since));
  OPP2P_TRYV(reader.moment("until", out.until));
  std::string rule;
  OPP2P_TRYV(reader.text("rule", rule));
  const auto known = ban_rule_of(rule);
  if (!known) return fail(Errc::unsupported, "no rule of bans is called '" + rule + "'");
  out.rule = *known;
  // Not from the parser's values, which are rounded.
  OPP2P_TRY(const auto leaves, JsonLeaves::from_text(libp2p::as_text(bytes)));
  OPP2P_TRYV(leaves.assign("score", out.score));
  OPP2P_TRY(const auto entry, read_scores(leaves, "scores."));
  out.scores = entry.scores;
  OPP2P_TRYV(reader.text("text", out.text));
  OPP2P_TRY(const json::value* const evidence, reader.find("evidence"));
  if (!evidence->is_array()) return Reader::wrong("evidence", "a list");
  for (const json::value& fault : evidence->get_array()) {
    if (out.evidence.size() == kMostEvidence) break;
    OPP2P_TRY(auto read, read_fault(fault));
    out.evidence.push_back(std::move(read));
  }
  return out;
}

}  // namespace opstack::reputation
