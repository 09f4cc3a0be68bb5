#include "opstack/chain/rollup_config.hpp"

#include <limits>

namespace opstack::chain {
namespace {

using libp2p::Errc;
using libp2p::Error;

Error wrong(std::string_view key, const std::string& text) {
  return Error(Errc::invalid_argument, "rollup config: " + std::string(key) + " " + text);
}

template <class T>
bool is_zero(const T& bytes) {
  return bytes == T{};
}

Result<void> check_genesis(const Genesis& genesis) {
  if (is_zero(genesis.l1.hash))
    return wrong("genesis.l1.hash",
                 "is missing or zero: set it to the hash of the L1 block that the chain starts from");
  if (is_zero(genesis.l2.hash))
    return wrong("genesis.l2.hash", "is missing or zero: set it to the hash of the chain's first block");
  if (genesis.l1.hash == genesis.l2.hash)
    return wrong("genesis.l2.hash",
                 "is the same as genesis.l1.hash, " + libp2p::to_hex0x(genesis.l2.hash) + ": one of the two is wrong");
  if (genesis.l2_time == 0)
    return wrong("genesis.l2_time", "is missing or 0: set it to the timestamp of the chain's first block");
  const auto& system = genesis.system_config;
  if (is_zero(system.batcher_addr))
    return wrong("genesis.system_config.batcherAddr", "is missing or zero: set it to the batcher's address");
  if (is_zero(system.scalar))
    return wrong("genesis.system_config.scalar", "is missing or zero: set it to the L1 fee scalar at genesis");
  if (system.gas_limit == 0)
    return wrong("genesis.system_config.gasLimit", "is missing or 0: set it to the gas limit of blocks at genesis");
  return {};
}

Result<void> check_alt_da(const AltDaConfig& alt_da) {
  constexpr std::string_view keccak = "KeccakCommitment";
  constexpr std::string_view generic = "GenericCommitment";
  const bool is_generic = alt_da.da_commitment_type == generic;
  if (!is_generic && alt_da.da_commitment_type != keccak)
    return wrong("alt_da.da_commitment_type", "is '" + alt_da.da_commitment_type.substr(0, 64) +
                                                  "': it must be KeccakCommitment or GenericCommitment");
  if (is_generic && alt_da.da_max_input_size)
    return wrong("alt_da.da_max_input_size",
                 "is " + std::to_string(*alt_da.da_max_input_size) + ": leave it out for generic commitments");
  if (alt_da.da_max_input_size && *alt_da.da_max_input_size == 0)
    return wrong("alt_da.da_max_input_size", "is 0: set a size or leave it out");
  if (!is_generic && is_zero(alt_da.da_challenge_contract_address))
    return wrong("alt_da.da_challenge_contract_address", "is missing or zero: keccak commitments need it");
  if (is_generic && !is_zero(alt_da.da_challenge_contract_address))
    return wrong(
        "alt_da.da_challenge_contract_address",
        "is " + libp2p::to_hex0x(alt_da.da_challenge_contract_address) + ": it must be zero for generic commitments");
  return {};
}

// Later forks may be scheduled in any order, as with op-node.
Result<void> check_fork_order(const RollupConfig& config) {
  for (auto i = static_cast<std::size_t>(Fork::canyon); i <= static_cast<std::size_t>(Fork::isthmus); ++i) {
    const auto& before = config.fork_times[i - 1];
    const auto& time = config.fork_times[i];
    if (!time) continue;
    const std::string key = std::string(kForkNames[i]) + "_time";
    const std::string key_before = std::string(kForkNames[i - 1]) + "_time";
    if (!before)
      return wrong(
          key, "is " + std::to_string(*time) + ", but " + key_before + " is not set: set it to that time or before");
    if (*before > *time)
      return wrong(key, "is " + std::to_string(*time) + ", which is before " + key_before + " " +
                            std::to_string(*before) + ": forks activate in order");
  }
  return {};
}

Result<void> check_addresses(const RollupConfig& config) {
  if (is_zero(config.batch_inbox_address))
    return wrong("batch_inbox_address", "is missing or zero: set it to the address that batches are sent to");
  if (is_zero(config.deposit_contract_address))
    return wrong("deposit_contract_address", "is missing or zero: set it to the address of the OptimismPortal proxy");
  return {};
}

Result<void> check_chain_ids(const RollupConfig& config) {
  if (config.l1_chain_id == 0) return wrong("l1_chain_id", "is missing or 0: set it to the chain id of the L1");
  if (config.l2_chain_id == 0) return wrong("l2_chain_id", "is missing or 0: set it to the chain id of the L2");
  if (config.l1_chain_id == config.l2_chain_id)
    return wrong("l2_chain_id",
                 "is the same as l1_chain_id, " + std::to_string(config.l2_chain_id) + ": one of the two is wrong");
  return {};
}

}  // namespace

Result<void> RollupConfig::check() const {
  if (block_time == 0) return wrong("block_time", "is missing or 0: set it to the seconds between two blocks");
  if (channel_timeout == 0)
    return wrong("channel_timeout", "is missing or 0: set it to the number of L1 blocks after which a channel ends");
  if (seq_window_size < 2)
    return wrong("seq_window_size", "is " + std::to_string(seq_window_size) + ": at least 2 L1 blocks are needed");
  if (max_sequencer_drift == 0)
    return wrong("max_sequencer_drift", "is missing or 0: set it to the seconds that L2 time may be ahead of L1 time");
  OPP2P_TRYV(check_genesis(genesis));
  OPP2P_TRYV(check_addresses(*this));
  OPP2P_TRYV(check_chain_ids(*this));
  if (alt_da) OPP2P_TRYV(check_alt_da(*alt_da));
  return check_fork_order(*this);
}

Fork RollupConfig::fork_at(std::uint64_t timestamp) const {
  for (std::size_t i = kForkCount - 1; i > 0; --i)
    if (is_active(static_cast<Fork>(i), timestamp)) return static_cast<Fork>(i);
  return Fork::bedrock;
}

payload::Version RollupConfig::payload_version(std::uint64_t timestamp) const {
  if (is_active(Fork::isthmus, timestamp)) return payload::Version::v4;
  if (is_active(Fork::ecotone, timestamp)) return payload::Version::v3;
  if (is_active(Fork::canyon, timestamp)) return payload::Version::v2;
  return payload::Version::v1;
}

std::uint64_t RollupConfig::timestamp_for_block(std::uint64_t number) const {
  constexpr auto last = std::numeric_limits<std::uint64_t>::max();
  if (number <= genesis.l2.number) return genesis.l2_time;
  const std::uint64_t blocks = number - genesis.l2.number;
  if (block_time != 0 && blocks > (last - genesis.l2_time) / block_time) return last;
  return genesis.l2_time + blocks * block_time;
}

Result<std::uint64_t> RollupConfig::target_block_number(std::uint64_t now) const {
  if (now < genesis.l2_time)
    return Error(Errc::invalid_argument, "did not reach genesis time (" + std::to_string(genesis.l2_time) + ") yet");
  if (block_time == 0) return wrong("block_time", "is 0");
  const std::uint64_t blocks = (now - genesis.l2_time) / block_time;
  constexpr auto last = std::numeric_limits<std::uint64_t>::max();
  return blocks > last - genesis.l2.number ? last : genesis.l2.number + blocks;
}

}  // namespace opstack::chain
