// A chain's rollup configuration: the JSON file that op-node reads with --rollup.config, its checks, and the times and
// block numbers that follow from it. A value that does not change after start-up, so any thread may read it. Source:
// op-node surface, 12; specs/protocol/superchain-configuration.md.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "opstack/chain/chain_id.hpp"
#include "opstack/chain/fork.hpp"
#include "opstack/payload/payload.hpp"

namespace opstack::chain {

using libp2p::ByteArray;
using libp2p::Result;
using payload::Address;
using payload::Hash;

struct BlockId {
  Hash hash{};
  std::uint64_t number = 0;
  friend bool operator==(const BlockId&, const BlockId&) = default;
};

struct SystemConfig {
  Address batcher_addr{};
  ByteArray<32> overhead{};
  ByteArray<32> scalar{};
  std::uint64_t gas_limit = 0;
  ByteArray<8> eip1559_params{};
  ByteArray<32> operator_fee_params{};
  std::uint64_t min_base_fee = 0;
  std::uint16_t da_footprint_gas_scalar = 0;
  friend bool operator==(const SystemConfig&, const SystemConfig&) = default;
};

struct Genesis {
  BlockId l1;
  BlockId l2;
  std::uint64_t l2_time = 0;
  SystemConfig system_config;
  friend bool operator==(const Genesis&, const Genesis&) = default;
};

struct ChainOpConfig {
  std::uint64_t eip1559_elasticity = 0;
  std::uint64_t eip1559_denominator = 0;
  std::optional<std::uint64_t> eip1559_denominator_canyon;
  friend bool operator==(const ChainOpConfig&, const ChainOpConfig&) = default;
};

struct AltDaConfig {
  Address da_challenge_contract_address{};
  std::string da_commitment_type;
  std::optional<std::uint64_t> da_max_input_size;
  std::uint64_t da_challenge_window = 0;
  std::uint64_t da_resolve_window = 0;
  friend bool operator==(const AltDaConfig&, const AltDaConfig&) = default;
};

struct RollupConfig {
  Genesis genesis;
  std::uint64_t block_time = 0;  // seconds between L2 blocks
  std::uint64_t max_sequencer_drift = 0;
  std::uint64_t seq_window_size = 0;
  std::uint64_t channel_timeout = 0;
  std::uint64_t l1_chain_id = 0;
  std::uint64_t l2_chain_id = 0;
  // By Fork; the first entry is not used, as Bedrock is always active.
  std::array<std::optional<std::uint64_t>, kForkCount> fork_times{};
  bool keep_karst_upgrade_gas = false;
  Address batch_inbox_address{};
  Address deposit_contract_address{};
  Address l1_system_config_address{};
  std::optional<ChainOpConfig> chain_op_config;
  std::optional<AltDaConfig> alt_da;
  std::optional<std::uint64_t> pectra_blob_schedule_time;

  // Reads and checks. Unknown keys are ignored; errors name the key, its value and what to do.
  static Result<RollupConfig> from_text(std::string_view json_text);
  static Result<RollupConfig> from_json(const boost::json::value& json);
  // op-node's checks of a configuration.
  Result<void> check() const;
  // op-node's shape, as `optimism_rollupConfig` answers it: its order of keys, what is not set left out.
  boost::json::object to_json() const;

  std::optional<std::uint64_t> activation_time(Fork fork) const {
    return fork == Fork::bedrock ? std::uint64_t{0} : fork_times[static_cast<std::size_t>(fork)];
  }
  void set_activation_time(Fork fork, std::optional<std::uint64_t> time) {
    fork_times[static_cast<std::size_t>(fork)] = time;
  }
  bool is_active(Fork fork, std::uint64_t timestamp) const {
    const auto time = activation_time(fork);
    return time && timestamp >= *time;
  }
  // The latest fork that is active at a block's time.
  Fork fork_at(std::uint64_t timestamp) const;
  // The version in which a block of this time is published and served.
  payload::Version payload_version(std::uint64_t timestamp) const;

  // When block `number` is due. Blocks before genesis count as genesis; a time beyond 64 bits as the last one.
  std::uint64_t timestamp_for_block(std::uint64_t number) const;
  // The number of the block that is due at `now` (seconds since 1970), rounded down; Errc::invalid_argument before
  // genesis. A number beyond 64 bits counts as the last one.
  Result<std::uint64_t> target_block_number(std::uint64_t now) const;

  friend bool operator==(const RollupConfig&, const RollupConfig&) = default;
};

}  // namespace opstack::chain
