// The named upgrades of the OP Stack, in order. Only some change what travels between nodes: Canyon, Ecotone and
// Isthmus the payload's version, Jovian the meaning of its blob gas. A value. Source: op-node surface, 6.4 and 12.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace opstack::chain {

enum class Fork : std::uint8_t {
  bedrock,
  regolith,
  canyon,
  delta,
  ecotone,
  fjord,
  granite,
  holocene,
  isthmus,
  jovian,
  karst,
  lagoon,
};
inline constexpr std::size_t kForkCount = 12;

inline constexpr std::array<std::string_view, kForkCount> kForkNames = {"bedrock", "regolith", "canyon",  "delta",
                                                                        "ecotone", "fjord",    "granite", "holocene",
                                                                        "isthmus", "jovian",   "karst",   "lagoon"};

constexpr std::string_view to_string(Fork fork) { return kForkNames[static_cast<std::size_t>(fork)]; }

constexpr std::optional<Fork> fork_from_string(std::string_view name) {
  for (std::size_t i = 0; i < kForkCount; ++i)
    if (kForkNames[i] == name) return static_cast<Fork>(i);
  return std::nullopt;
}

}  // namespace opstack::chain
