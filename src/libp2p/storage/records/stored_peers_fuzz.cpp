// Any bytes as a record of a peer, and any text as its key: what is taken is written to something that reads back as
// the same. Input: a text up to the first zero byte, then the value.
#include <algorithm>

#include "libp2p/storage/records/address_record.hpp"
#include "libp2p/storage/records/gater_records.hpp"
#include "libp2p/storage/records/metadata_value.hpp"
#include "libp2p/storage/records/peer_keys.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using namespace libp2p;
using namespace libp2p::storage;
using fuzzing::require;

void check_key(std::string_view key) {
  for (const auto base : {kAddressBase, kKeyBase, kMetadataBase}) {
    if (const auto read = read_peer_key(base, key)) require(peer_key(base, read->peer, read->name) == key);
  }
}

void check_rules(std::string_view text, ByteView value) {
  if (const auto record = blocked_ip_record(text)) {
    const auto ip = ip_record_text(text).value();
    require(decode_blocked_ip(record->value).value() == ip && record->key == std::string(kBlockedIpBase) + ip);
  }
  if (const auto record = blocked_subnet_record(text)) {
    const auto subnet = decode_blocked_subnet(record->value).value();
    require(blocked_subnet_record(subnet).value().value == record->value);
  }
  if (const auto ip = decode_blocked_ip(value))
    require(decode_blocked_ip(blocked_ip_record(*ip).value().value).value() == *ip);
  if (const auto subnet = decode_blocked_subnet(value))
    require(decode_blocked_subnet(as_bytes(*subnet)).value() == *subnet);
  if (const auto peer = decode_blocked_peer(value)) require(equal(blocked_peer_record(*peer).value, value));
}

void check_value(ByteView value) {
  if (auto record = decode_address_record(value)) {
    record->skipped_addresses = 0;  // they are not written
    auto again = decode_address_record(encode_address_record(*record));
    require(again.has_value());
    // Moments beyond the year 2262 are written as its last whole second, and addresses are sorted.
    for (auto* one : {&*record, &*again}) {
      for (auto& address : one->addresses) address.expiry = from_unix_seconds(unix_seconds(address.expiry));
      std::stable_sort(one->addresses.begin(), one->addresses.end(),
                       [](const auto& a, const auto& b) { return a.expiry < b.expiry; });
    }
    require(*again == *record);
  }
  if (const auto metadata = decode_metadata_value(value)) {
    const auto again = decode_metadata_value(encode_metadata_value(*metadata));
    require(again && *again == *metadata);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  const auto zero = static_cast<std::size_t>(std::find(input.begin(), input.end(), 0) - input.begin());
  const auto text = as_text(input.first(zero));
  const auto value = input.subspan(std::min(zero + 1, size));
  check_key(text);
  check_rules(text, value);
  check_value(value);
  return 0;
}
