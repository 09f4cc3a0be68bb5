#include "opstack/reputation/ban.hpp"

#include <array>

#include "libp2p/base/assert.hpp"

namespace opstack::reputation {
namespace {

constexpr std::array<std::string_view, kBanRules> kRuleIds = {"score_threshold", "blamed_messages", "operator_request",
                                                              "unknown"};

}  // namespace

std::string_view ban_rule_id(BanRule rule) {
  const auto at = static_cast<std::size_t>(rule);
  OPP2P_ASSERT(at < kRuleIds.size(), "a rule is one of the enum", at);
  return kRuleIds[at];
}

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

}  // namespace opstack::reputation
