// The four block topics of a chain and the payload version that each carries. All four are joined whatever the forks;
// what is published goes to the topic of the block's own time. Pure. Source: op-node surface, 5.2.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "opstack/chain/chain_id.hpp"
#include "opstack/payload/payload.hpp"

namespace opstack::rules {

using payload::Version;

inline constexpr std::array<Version, 4> kVersions = {Version::v1, Version::v2, Version::v3, Version::v4};

// "/optimism/<chain id>/<version - 1>/blocks"
std::string blocks_topic(const chain::ChainId& chain_id, Version version);
std::array<std::string, 4> blocks_topics(const chain::ChainId& chain_id);

struct BlocksTopic {
  chain::ChainId chain_id;
  Version version;
};
// Nothing for what is not exactly the text that blocks_topic() gives.
std::optional<BlocksTopic> parse_blocks_topic(std::string_view topic);

}  // namespace opstack::rules
