// Any text as a rollup configuration: what is accepted passes its own check and is written to JSON that reads to the
// same.
#include <algorithm>
#include <cstdlib>

#include "opstack/chain/rollup_config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using opstack::chain::RollupConfig;
  const auto config = RollupConfig::from_text({reinterpret_cast<const char*>(data), size});
  if (!config) {
    if (config.error().text().empty()) std::abort();
    return 0;
  }
  if (!config->check()) std::abort();
  const auto again = RollupConfig::from_text(boost::json::serialize(config->to_json()));
  if (!again || *again != *config) std::abort();
  const std::uint64_t first = config->genesis.l2.number;
  const std::uint64_t number = first + std::min<std::uint64_t>(size, ~first);
  const auto time = config->timestamp_for_block(number);
  const auto target = config->target_block_number(time);
  if (!target || *target < first || (time != ~std::uint64_t{0} && *target != number)) std::abort();
  return 0;
}
