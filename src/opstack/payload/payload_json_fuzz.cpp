// Any text as the JSON of an envelope: what is read is written to JSON that reads to the same envelope.
#include <cstdlib>

#include "opstack/payload/payload_json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace opstack::payload;
  boost::system::error_code error;
  const auto json = boost::json::parse({reinterpret_cast<const char*>(data), size}, error);
  if (error) return 0;
  const auto envelope = envelope_from_json(json);
  if (!envelope) {
    if (envelope.error().text().empty()) std::abort();
    return 0;
  }
  const auto again = envelope_from_json(to_json(*envelope));
  if (!again || *again != *envelope) std::abort();
  return 0;
}
