// Envelopes as JSON in the Engine API's shape: what `admin_postUnsafePayload` takes and what people are shown.
// Quantities are 0x-hex without leading zeros, bytes 0x-hex, keys of absent fields are left out. Pure; no thread.
// Source: op-node surface, "Payloads" (end of 6.4); Engine API common definitions.
#pragma once

#include <boost/json.hpp>

#include "opstack/payload/payload.hpp"

namespace opstack::payload {

// {"parentBeaconBlockRoot"?, "executionPayload": {…}}
boost::json::object to_json(const Envelope& envelope);
boost::json::object to_json(const ExecutionPayload& payload);

// Unknown keys are ignored, as the reference does; a missing or wrong one is Errc::malformed with its path and what was
// expected there. Absent and null mean the same for fields that not every version has.
Result<Envelope> envelope_from_json(const boost::json::value& json);

// 0x-hex quantity of a 64-bit and of a 256-bit integer.
std::string to_quantity(std::uint64_t value);
std::string to_quantity(const Uint256& value);

}  // namespace opstack::payload
