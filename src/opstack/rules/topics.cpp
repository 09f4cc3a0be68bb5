#include "opstack/rules/topics.hpp"

namespace opstack::rules {

std::string blocks_topic(const chain::ChainId& chain_id, Version version) {
  return "/optimism/" + chain_id.to_decimal() + "/" + std::to_string(static_cast<int>(version) - 1) + "/blocks";
}

std::array<std::string, 4> blocks_topics(const chain::ChainId& chain_id) {
  std::array<std::string, 4> out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = blocks_topic(chain_id, kVersions[i]);
  return out;
}

std::optional<BlocksTopic> parse_blocks_topic(std::string_view topic) {
  constexpr std::string_view prefix = "/optimism/";
  if (!topic.starts_with(prefix)) return std::nullopt;
  const std::string_view rest = topic.substr(prefix.size());
  const auto chain_id = chain::ChainId::from_decimal(rest.substr(0, rest.find('/')));
  if (!chain_id) return std::nullopt;
  for (const Version version : kVersions)
    if (blocks_topic(*chain_id, version) == topic) return BlocksTopic{*chain_id, version};
  return std::nullopt;
}

}  // namespace opstack::rules
