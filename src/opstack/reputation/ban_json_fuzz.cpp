// Any bytes as the reason of a ban: what is accepted keeps its bounds and is written to a record that reads to the same
// ban.
#include <cmath>
#include <cstdlib>

#include "opstack/reputation/ban_json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace opstack::reputation;
  auto ban = decode_ban_reason({data, size});
  if (!ban) {
    if (ban.error().text().empty()) std::abort();
    return 0;
  }
  if (ban->evidence.size() > kMostEvidence) std::abort();
  const auto again = decode_ban_reason(encode_ban_reason(*ban));
  if (!again) std::abort();
  const bool same = again->since == ban->since && again->until == ban->until && again->rule == ban->rule &&
                    again->text == ban->text && again->score == ban->score && again->scores == ban->scores &&
                    again->evidence == ban->evidence;
  if (!same || !std::isfinite(again->score)) std::abort();
  return 0;
}
