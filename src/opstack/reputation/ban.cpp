#include "opstack/reputation/ban.hpp"

#include <array>

#include "libp2p/base/assert.hpp"
#include "opstack/reputation/reputation_event.hpp"

namespace opstack::reputation {
namespace {

constexpr std::array<std::string_view, kBanRules> kRuleIds = {"score_threshold", "blamed_messages", "operator_request",
                                                              "unknown"};
constexpr std::array<std::string_view, kGateRules> kGateRuleIds = {"peer_ban", "ip_ban", "score", "unreadable"};

template <class Enum, std::size_t N>
std::string_view id_in(const std::array<std::string_view, N>& ids, Enum value) {
  const auto at = static_cast<std::size_t>(value);
  OPP2P_ASSERT(at < N, "a value is one of its enum", at);
  return ids[at];
}

}  // namespace

std::string_view ban_rule_id(BanRule rule) { return id_in(kRuleIds, rule); }

std::optional<BanRule> ban_rule_of(std::string_view id) {
  for (std::size_t at = 0; at < kRuleIds.size(); ++at)
    if (kRuleIds[at] == id) return static_cast<BanRule>(at);
  return std::nullopt;
}

std::string_view ban_end_id(BanEnd end) {
  switch (end) {
    case BanEnd::expired: return "expired";
    case BanEnd::undone: return "undone";
    case BanEnd::forgiven: return "forgiven";
    case BanEnd::overflow: break;
  }
  return "overflow";
}

std::string_view gate_rule_id(GateRule rule) { return id_in(kGateRuleIds, rule); }

}  // namespace opstack::reputation
