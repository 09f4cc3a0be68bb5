#include "libp2p/host/archived_peer.hpp"

#include <algorithm>
#include <protozero/pbf_writer.hpp>

#include "libp2p/base/protobuf.hpp"
#include "libp2p/multiformats/peer_record.hpp"
#include "libp2p/storage/records/address_record.hpp"
#include "libp2p/storage/records/metadata_value.hpp"
#include "libp2p/storage/records/peer_keys.hpp"
#include "libp2p/storage/records/record_time.hpp"

namespace libp2p {
namespace {

using storage::AddressRecord;
using storage::StoredAddress;

constexpr Nanos kLongestLatency = std::chrono::hours(1);
enum OwnField : protozero::pbf_tag_type { kLatency = 1, kProvenAt = 2, kDialled = 3 };

std::size_t index(PeerPart part) { return static_cast<std::size_t>(part); }

// How long an address that was stored is good from now on; 0 or less when it is not. A clock that stands in the past
// makes it no longer than its TTL.
Nanos life_of(const StoredAddress& stored, UnixTime now) {
  const Nanos ttl = std::min(stored.ttl, kLongestLife);
  if (stored.expiry <= now) return Nanos(0);
  const auto left = std::chrono::floor<Seconds>(stored.expiry.time_since_epoch()) -
                    std::chrono::floor<Seconds>(now.time_since_epoch());  // of any two moments, without overflow
  return left >= kLongestLife ? ttl : std::min<Nanos>(left, ttl);
}

// ---- writing ----

StoredAddress stored(const KnownAddress& known, Now now) {
  const Nanos life = known.expires == MonoTime::max() ? kLongestLife : known.expires - now.mono;
  StoredAddress out;
  out.address = known.address;
  out.ttl = std::min(known.ttl, kLongestLife);
  out.expiry = now.wall + std::clamp(life, Nanos(0), kLongestLife);
  return out;
}

std::optional<Bytes> encode_addresses(const PeerId& peer, const PeerFacts& facts, Now now) {
  AddressRecord record;
  record.peer = peer;
  for (const KnownAddress& known : facts.addresses)
    if (known.expires > now.mono) record.addresses.push_back(stored(known, now));
  const auto envelope = facts.values.find(std::string(kPeerRecordValue));
  const auto seq = facts.values.find(std::string(kPeerRecordSeqValue));
  if (envelope != facts.values.end() && !envelope->second.empty() && seq != facts.values.end() &&
      seq->second.size() == 8)
    record.signed_record = {load_be64(as_bytes(seq->second).data()), to_bytes(envelope->second)};
  if (record.addresses.empty() && !record.signed_record) return std::nullopt;
  return encode_address_record(record);
}

std::optional<Bytes> encode_own(const PeerFacts& facts, Now now) {
  std::string out;
  protozero::pbf_writer writer(out);
  if (facts.latency) writer.add_uint64(kLatency, static_cast<std::uint64_t>(facts.latency->count()));
  // By the hour, so that the record does not change with every look.
  const std::int64_t hour = unix_seconds(now.wall) / 3600 * 3600;
  if (facts.proven) writer.add_int64(kProvenAt, hour);
  for (const KnownAddress& known : facts.addresses) {
    const ByteView bytes = known.address.bytes();
    if (known.dialled && known.expires > now.mono)
      writer.add_bytes(kDialled, reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  if (out.empty()) return std::nullopt;
  return to_bytes(out);
}

std::optional<Bytes> encode_text(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(storage::encode_metadata_value(text));
}

// ---- reading ----

class PartsReader {
 public:
  PartsReader(const PeerId& peer, const PeerstoreLimits& limits, Now now) : peer_(peer), limits_(limits), now_(now) {}

  DecodedPeer read(const PeerParts& parts) {
    read_one(parts, PeerPart::addresses, [this](ByteView value) { return read_addresses(value); });
    read_one(parts, PeerPart::key, [this](ByteView value) { return read_key(value); });
    read_one(parts, PeerPart::agent, [this](ByteView value) { return read_text(value, out_.facts.agent); });
    read_one(parts, PeerPart::protocol_version,
             [this](ByteView value) { return read_text(value, out_.facts.protocol_version); });
    read_one(parts, PeerPart::protocols, [this](ByteView value) { return read_protocols(value); });
    read_one(parts, PeerPart::own, [this](ByteView value) { return read_own(value); });
    fit();
    return std::move(out_);
  }

 private:
  template <class Read>
  void read_one(const PeerParts& parts, PeerPart part, const Read& read) {
    const auto& value = parts[index(part)];
    if (!value) return;
    if (const Result<void> outcome = read(*value); !outcome) skip(part, outcome.error());
  }
  void skip(PeerPart part, const Error& why) {
    ++out_.skipped;
    if (!out_.first_skipped) out_.first_skipped = part_key(peer_, part) + ": " + why.message();
  }

  Result<void> read_addresses(ByteView value) {
    OPP2P_TRY(auto record, storage::decode_address_record(value));
    if (record.peer != peer_) return fail(Errc::mismatch, "it is the record of " + record.peer.to_base58());
    for (const StoredAddress& stored : record.addresses) add_address(stored);
    // The latest first: what is beyond the bound is the least worth.
    auto& known = out_.facts.addresses;
    std::stable_sort(known.begin(), known.end(),
                     [](const KnownAddress& a, const KnownAddress& b) { return a.expires > b.expires; });
    if (known.size() > limits_.addresses_per_peer) known.resize(limits_.addresses_per_peer);
    if (record.signed_record) return read_signed(*record.signed_record);
    return {};
  }

  void add_address(const StoredAddress& stored) {
    const Nanos life = life_of(stored, now_.wall);
    const auto named = stored.address.peer_id();
    if (life <= Nanos(0)) {
      ++out_.expired;
      return;
    }
    if (stored.address.bytes().size() > limits_.text_bytes || (named && *named != peer_)) return;
    const KnownAddress known{stored.address.without_peer_id(), now_.mono + life, false,
                             std::min(stored.ttl, kLongestLife)};
    if (known.address.empty() || known.address.peer_id()) return;
    auto& all = out_.facts.addresses;
    const auto same =
        std::find_if(all.begin(), all.end(), [&](const KnownAddress& a) { return a.address == known.address; });
    if (same == all.end()) {
      all.push_back(known);
    } else if (same->expires < known.expires) {
      *same = known;
    }
    out_.latest = std::max(out_.latest.value_or(UnixTime::min()), now_.wall + life);
  }

  Result<void> read_signed(const storage::StoredPeerRecord& stored) {
    OPP2P_TRY(const auto record, multiformats::PeerRecord::open(stored.envelope));
    if (record.peer_id != peer_) return fail(Errc::mismatch, "the signed record is of another peer");
    if (stored.envelope.size() > limits_.value_bytes) return {};
    std::uint8_t number[8];
    store_be64(number, record.seq);
    out_.facts.values[std::string(kPeerRecordSeqValue)] = as_text(number);
    out_.facts.values[std::string(kPeerRecordValue)] = as_text(stored.envelope);
    return {};
  }

  Result<void> read_key(ByteView value) {
    OPP2P_TRY(const auto key, crypto::PublicKey::from_protobuf(value));
    if (!peer_.matches(key)) return fail(Errc::mismatch, "it is the key of another peer");
    out_.facts.key = key;
    return {};
  }

  Result<void> read_text(ByteView value, std::string& out) const {
    OPP2P_TRY(auto decoded, storage::decode_metadata_value(value));
    auto* text = std::get_if<std::string>(&decoded);
    if (text == nullptr) return fail(Errc::malformed, "it is no text");
    if (text->size() <= limits_.text_bytes) out = std::move(*text);
    return {};
  }

  Result<void> read_protocols(ByteView value) {
    OPP2P_TRY(auto decoded, storage::decode_metadata_value(value));
    auto* protocols = std::get_if<storage::StoredProtocols>(&decoded);
    if (protocols == nullptr) return fail(Errc::malformed, "it is no set of protocols");
    std::erase_if(protocols->ids, [this](const std::string& id) { return id.size() > limits_.text_bytes; });
    if (protocols->ids.size() > limits_.protocols_per_peer) protocols->ids.resize(limits_.protocols_per_peer);
    out_.facts.protocols = std::move(protocols->ids);
    return {};
  }

  Result<void> read_own(ByteView value) {
    ProtobufReader reader(value, "record of a peer");
    for (ProtobufField field;;) {
      OPP2P_TRY(const bool more, reader.next(field));
      if (!more) return {};
      if (field.number == kLatency && field.is_varint() &&
          field.value <= static_cast<std::uint64_t>(kLongestLatency.count()))
        out_.facts.latency = Nanos(static_cast<std::int64_t>(field.value));
      if (field.number == kProvenAt && field.is_varint()) {
        const auto at = storage::saturated_unix_time(static_cast<std::int64_t>(field.value));
        out_.facts.proven = at <= now_.wall && life_of({{}, at + kForgetProof, kForgetProof}, now_.wall) > Nanos(0);
      }
      if (field.number == kDialled && field.is_bytes()) {
        for (KnownAddress& known : out_.facts.addresses)
          known.dialled = known.dialled || equal(known.address.bytes(), field.bytes);
      }
    }
  }

  // What is too large for one record goes, the least useful first.
  void fit() {
    PeerFacts& facts = out_.facts;
    while (Peerstore::cost_of(facts) > limits_.record_bytes) {
      if (!facts.protocols.empty()) {
        facts.protocols.resize(facts.protocols.size() / 2);
      } else if (!facts.values.empty()) {
        facts.values.clear();
      } else if (!facts.addresses.empty()) {
        facts.addresses.pop_back();
      } else {
        facts.agent.clear();
        facts.protocol_version.clear();
        return;
      }
    }
  }

  const PeerId& peer_;
  const PeerstoreLimits& limits_;
  const Now now_;
  DecodedPeer out_;
};

}  // namespace

std::string part_key(const PeerId& peer, PeerPart part) {
  using namespace storage;
  switch (part) {
    case PeerPart::addresses: return peer_key(kAddressBase, peer);
    case PeerPart::key: return peer_key(kKeyBase, peer, kPublicKeyName);
    case PeerPart::agent: return peer_key(kMetadataBase, peer, kAgentName);
    case PeerPart::protocol_version: return peer_key(kMetadataBase, peer, kProtocolVersionName);
    case PeerPart::protocols: return peer_key(kMetadataBase, peer, kProtocolsName);
    case PeerPart::own: break;
  }
  return peer_key(kOwnPeerBase, peer);
}

PeerParts encode_parts(const PeerId& peer, const PeerFacts& facts, Now now) {
  PeerParts out;
  out[index(PeerPart::addresses)] = encode_addresses(peer, facts, now);
  if (facts.key) out[index(PeerPart::key)] = facts.key->to_protobuf();
  out[index(PeerPart::agent)] = encode_text(facts.agent);
  out[index(PeerPart::protocol_version)] = encode_text(facts.protocol_version);
  if (!facts.protocols.empty())
    out[index(PeerPart::protocols)] = storage::encode_metadata_value(storage::StoredProtocols{facts.protocols});
  out[index(PeerPart::own)] = encode_own(facts, now);
  return out;
}

DecodedPeer decode_parts(const PeerId& peer, const PeerParts& parts, const PeerstoreLimits& limits, Now now) {
  return PartsReader(peer, limits, now).read(parts);
}

Result<std::optional<UnixTime>> latest_expiry(const PeerId& peer, ByteView address_record, UnixTime now) {
  OPP2P_TRY(const auto record, storage::decode_address_record(address_record));
  if (record.peer != peer) return fail(Errc::mismatch, "it is the record of " + record.peer.to_base58());
  std::optional<UnixTime> latest;
  for (const StoredAddress& stored : record.addresses) {
    const Nanos life = life_of(stored, now);
    if (life > Nanos(0)) latest = std::max(latest.value_or(UnixTime::min()), now + life);
  }
  return latest;
}

}  // namespace libp2p
