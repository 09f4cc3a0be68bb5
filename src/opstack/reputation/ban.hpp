// A ban of a peer or of an IP address: since when, until when, by which rule, and what it is founded on. Plain values;
// thread: any. Source: op-node surface, sections 3, 4 and 14.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/time.hpp"
#include "opstack/reputation/fault.hpp"
#include "opstack/reputation/peer_score_record.hpp"

namespace opstack::reputation {

// No ban is longer: op-node's records expire after this time.
inline constexpr libp2p::Nanos kLongestBan = libp2p::Seconds(7 * 24 * 3600);
// Of the faults on record when a peer is banned, the last ones are kept as evidence.
inline constexpr std::size_t kMostEvidence = 10;

// New ones at the end: records on disk name them by their ids.
enum class BanRule : std::uint8_t {
  score_threshold,   // the peer monitor found the score below the threshold
  blamed_messages,   // too many messages within ten minutes that the peer is blamed for
  operator_request,  // by RPC or command line
  unknown,           // read from a record without a reason, as op-node writes it
};
inline constexpr std::size_t kBanRules = static_cast<std::size_t>(BanRule::unknown) + 1;
std::string_view ban_rule_id(BanRule rule);  // "score_threshold"
std::optional<BanRule> ban_rule_of(std::string_view id);
using BanCounts = std::array<std::size_t, kBanRules>;  // by rule

struct Ban {
  UnixTime since{};
  UnixTime until{};
  BanRule rule = BanRule::unknown;
  double score = 0;             // that the rule compared, at that moment
  PeerScoreRecord scores;       // its parts
  std::vector<Fault> evidence;  // the oldest first
  std::string text;             // a sentence for people: why, with its numbers
  friend bool operator==(const Ban&, const Ban&) = default;
};

// Why a ban ended.
enum class BanEnd : std::uint8_t {
  expired,
  undone,    // by the operator
  forgiven,  // the faults that it was founded on turned out to be this node's own (common_faults.hpp)
  overflow,  // there were more bans than the book holds; the one that ends first goes
};
std::string_view ban_end_id(BanEnd end);  // "expired"

}  // namespace opstack::reputation
