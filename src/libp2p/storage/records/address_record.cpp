#include "libp2p/storage/records/address_record.hpp"

#include <algorithm>
#include <protozero/pbf_writer.hpp>

#include "libp2p/base/protobuf.hpp"
#include "libp2p/storage/records/record_time.hpp"

namespace libp2p::storage {
namespace {

constexpr std::string_view kContext = "address record";
enum RecordField : protozero::pbf_tag_type { kId = 1, kAddresses = 2, kSigned = 3 };
enum AddressField : protozero::pbf_tag_type { kAddress = 1, kExpiry = 2, kTtl = 3 };
enum SignedField : protozero::pbf_tag_type { kSeq = 1, kEnvelope = 2 };

void add_bytes(protozero::pbf_writer& writer, protozero::pbf_tag_type tag, ByteView value) {
  writer.add_bytes(tag, reinterpret_cast<const char*>(value.data()), value.size());
}

// Nothing for an address that is not understood here.
Result<std::optional<StoredAddress>> read_address(ByteView message, ByteView record) {
  ByteView address;
  StoredAddress out;
  ProtobufReader reader(message, kContext, record.data());
  for (ProtobufField field;;) {
    OPP2P_TRY(const bool more, reader.next(field));
    if (!more) break;
    if (field.number == kAddress && field.is_bytes()) address = field.bytes;
    if (field.number == kExpiry && field.is_varint())
      out.expiry = saturated_unix_time(static_cast<std::int64_t>(field.value));
    if (field.number == kTtl && field.is_varint()) out.ttl = Nanos(static_cast<std::int64_t>(field.value));
  }
  auto parsed = Multiaddr::from_bytes(address);
  if (!parsed) return std::optional<StoredAddress>();
  out.address = std::move(*parsed);
  return std::optional(std::move(out));
}

Result<void> read_signed(ByteView message, ByteView record, StoredPeerRecord& out) {
  ProtobufReader reader(message, kContext, record.data());
  for (ProtobufField field;;) {
    OPP2P_TRY(const bool more, reader.next(field));
    if (!more) return {};
    if (field.number == kSeq && field.is_varint()) out.seq = field.value;
    if (field.number == kEnvelope && field.is_bytes()) out.envelope = to_bytes(field.bytes);
  }
}

Error too_large(const std::string& what, std::size_t most, std::string_view unit) {
  return fail(Errc::too_large, "address record " + what + ", at most " + std::to_string(most) + " " +
                                   std::string(unit) + " are allowed");
}

}  // namespace

Bytes encode_address_record(const AddressRecord& record) {
  std::vector<const StoredAddress*> sorted;
  for (const auto& address : record.addresses) sorted.push_back(&address);
  std::stable_sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return a->expiry < b->expiry; });
  std::string out;
  protozero::pbf_writer writer(out);
  add_bytes(writer, kId, record.peer.bytes());
  for (const auto* one : sorted) {
    protozero::pbf_writer entry(writer, kAddresses);
    add_bytes(entry, kAddress, one->address.bytes());
    if (const auto expiry = unix_seconds(one->expiry); expiry != 0) entry.add_int64(kExpiry, expiry);
    if (one->ttl != Nanos(0)) entry.add_int64(kTtl, one->ttl.count());
  }
  if (record.signed_record) {
    protozero::pbf_writer entry(writer, kSigned);
    if (record.signed_record->seq != 0) entry.add_uint64(kSeq, record.signed_record->seq);
    if (!record.signed_record->envelope.empty()) add_bytes(entry, kEnvelope, record.signed_record->envelope);
  }
  return to_bytes(out);
}

Result<AddressRecord> decode_address_record(ByteView bytes) {
  if (bytes.size() > kMaxAddressRecord)
    return too_large("has " + std::to_string(bytes.size()) + " bytes", kMaxAddressRecord, "bytes");
  AddressRecord out;
  ByteView id;
  std::size_t count = 0;
  ProtobufReader reader(bytes, kContext);
  for (ProtobufField field;;) {
    OPP2P_TRY(const bool more, reader.next(field));
    if (!more) break;
    if (!field.is_bytes()) continue;
    if (field.number == kId) id = field.bytes;
    if (field.number == kAddresses) {
      if (++count > kMaxStoredAddresses) return too_large("has too many addresses", kMaxStoredAddresses, "addresses");
      OPP2P_TRY(auto address, read_address(field.bytes, bytes));
      if (address)
        out.addresses.push_back(std::move(*address));
      else
        ++out.skipped_addresses;
    }
    if (field.number == kSigned) {
      if (!out.signed_record) out.signed_record.emplace();  // protobuf merges a message that is there twice
      OPP2P_TRYV(read_signed(field.bytes, bytes, *out.signed_record));
    }
  }
  auto peer = PeerId::from_bytes(id);
  if (!peer) return peer.error().within("address record's peer id");
  out.peer = *peer;
  return out;
}

}  // namespace libp2p::storage
