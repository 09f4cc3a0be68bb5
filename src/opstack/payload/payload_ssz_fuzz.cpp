// Any bytes as a body of each version: what decodes encodes to the same bytes, survives JSON, and has a block hash.
#include <cstdlib>

#include "opstack/payload/payload_json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace opstack::payload;
  const auto require = [](bool condition) {
    if (!condition) std::abort();
  };
  const ByteView body(data, size);
  for (const Version version : {Version::v1, Version::v2, Version::v3, Version::v4}) {
    const auto envelope = decode_envelope(version, body);
    if (!envelope) {
      require(envelope.error().offset() && *envelope.error().offset() <= size);
      continue;
    }
    require(libp2p::equal(encode_envelope(version, *envelope), body));
    require(check_encodable(version, *envelope).has_value());
    const auto again = envelope_from_json(to_json(*envelope));
    require(again && *again == *envelope);
    require(compute_block_hash(*envelope) == compute_block_hash(*again));
  }
  return 0;
}
