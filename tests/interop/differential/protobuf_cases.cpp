// The cases that are protobuf: messages drawn from the schemas of pubsub, identify, the signed envelope and its record.
#include <algorithm>

#include "cases.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/multiformats/peer_record.hpp"
#include "libp2p/multiformats/signed_envelope.hpp"

namespace differential {

using namespace libp2p;

namespace {

// What a field holds: bytes, a number, or the message of a schema.
constexpr int kBytes = -1;
constexpr int kNumber = -2;

struct Known {
  std::uint64_t number;
  int holds;
};

enum Schema : int {
  kRpc,
  kSubscription,
  kMessage,
  kControl,
  kIHave,
  kIds,
  kGraft,
  kPrune,
  kExtensions,
  kPartial,
  kTest,
  kPeerInfo,
  kIdentify,
  kRecord,
  kAddress,
  kSchemas
};

const std::vector<Known>& fields_of(int schema) {
  static const std::vector<Known> kFields[kSchemas] = {
      {{1, kSubscription}, {2, kMessage}, {2, kMessage}, {3, kControl}, {10, kPartial}, {6492434, kTest}},
      {{1, kNumber}, {2, kBytes}, {3, kNumber}, {4, kNumber}},
      {{1, kBytes}, {2, kBytes}, {2, kBytes}, {3, kBytes}, {4, kBytes}, {4, kBytes}, {5, kBytes}, {6, kBytes}},
      {{1, kIHave}, {2, kIds}, {3, kGraft}, {4, kPrune}, {5, kIds}, {6, kExtensions}},
      {{1, kBytes}, {2, kBytes}},
      {{1, kBytes}},
      {{1, kBytes}},
      {{1, kBytes}, {2, kPeerInfo}, {3, kNumber}},
      {{10, kNumber}, {6492434, kNumber}},
      {{1, kBytes}, {2, kBytes}, {3, kBytes}, {4, kBytes}},
      {{1, kBytes}},
      {{1, kBytes}, {2, kBytes}},
      {{1, kBytes}, {2, kBytes}, {3, kBytes}, {4, kBytes}, {5, kBytes}, {6, kBytes}, {8, kBytes}},
      {{1, kBytes}, {2, kNumber}, {3, kAddress}},
      {{1, kBytes}},
  };
  return kFields[schema];
}

constexpr std::uint64_t kUnknownNumbers[] = {7,    9,      11,     15,     16,        100,         2047,
                                             2048, 18'999, 19'000, 19'999, 6'492'434, 536'870'910, 536'870'911};
constexpr std::uint64_t kImpossibleNumbers[] = {
    0, 536'870'912, 0x7fff'ffff, 0x8000'0000, 0x1'0000'0001, 0x1'0000'0009, std::uint64_t{1} << 60};

}  // namespace

Bytes CaseMaker::field_value(int depth) {
  if (chance(3)) return message(kMessage, depth + 1);
  return random_bytes(below(chance(97) ? 12 : 200));
}

void CaseMaker::append_group(Bytes& out, std::uint64_t number, int depth) {
  std::size_t levels = 1 + below(3);
  if (chance(3)) levels = 60 + below(80);
  if (rng_.below(3000) == 0) levels = 9'998 + below(6);
  std::vector<std::uint64_t> open;
  for (std::size_t i = 0; i < levels; ++i) {
    open.push_back(i == 0 ? number : 1 + below(chance(98) ? 200 : 0x7fff'ffff));
    append_number(out, open.back() << 3 | 3, i < 4 ? 6 : 0);
    if (i < 4 && chance(40)) append_unknown(out, depth + 1);
  }
  if (chance(4)) open.pop_back();
  for (; !open.empty(); open.pop_back()) append_number(out, (open.back() + (rng_.below(200) == 0 ? 1 : 0)) << 3 | 4, 3);
}

void CaseMaker::append_unknown(Bytes& out, int depth) {
  std::uint64_t number = kUnknownNumbers[below(std::size(kUnknownNumbers))];
  if (chance(4)) number = kImpossibleNumbers[below(std::size(kImpossibleNumbers))];
  std::uint64_t type = below(6);
  if (chance(2)) type = 6 + below(2);
  if (type == 3 && depth < 6) return append_group(out, number, depth);
  if (type == 4 && chance(90)) type = 0;
  append_number(out, number << 3 | type);
  switch (type) {
    case 0:
      append_number(out, rng_.next_u64() >> below(64), 10);
      if (chance(4)) append(out, Bytes{0xff, 0xff});
      return;
    case 1: return append(out, random_bytes(8));
    case 2: {
      const Bytes value = field_value(depth);
      append_number(out, value.size());
      return append(out, value);
    }
    case 5: return append(out, random_bytes(4));
    default: return;
  }
}

void CaseMaker::append_field(Bytes& out, int schema, int depth) {
  if (chance(10)) return append_unknown(out, depth);
  const auto& fields = fields_of(schema);
  const auto field = fields[below(fields.size())];
  if (chance(2)) {  // another wire type
    append_number(out, field.number << 3 | (chance(50) ? 0u : 5u));
    return append(out, Bytes{1, 2, 3, 4});
  }
  if (field.holds == kNumber) {
    append_number(out, field.number << 3);
    return append_number(out, chance(70) ? below(3) : rng_.next_u64() >> below(64));
  }
  Bytes value = field.holds == kBytes ? field_value(depth) : message(field.holds, depth + 1);
  if (field.number == 2 && schema == kMessage && rng_.below(400) == 0) value = random_bytes(3000);
  append_number(out, field.number << 3 | 2);
  append_number(out, value.size());
  append(out, value);
}

Bytes CaseMaker::message(int schema, int depth) {
  Bytes out;
  for (std::size_t count = below(depth == 0 ? 6 : 4); count > 0; --count) append_field(out, schema, depth);
  return out;
}

Bytes CaseMaker::identify() {
  if (chance(5)) {
    Bytes out = seed(Format::identify);
    damage_some(out, 50);
    return out;
  }
  Bytes out;
  const std::size_t parts = chance(90) ? below(4) : 7 + below(5);
  for (std::size_t i = 0; i < parts; ++i) {
    Bytes part = chance(50) && parts > 4 ? Bytes() : message(kIdentify);
    if (rng_.below(300) == 0) part = Bytes{0x0a, 0xfd, 0x3f}, part.resize(8189 + below(6));
    append_number(out, part.size(), 3);
    append(out, part);
  }
  if (chance(5)) append_number(out, 1 + below(9000));
  damage_some(out, 20);
  return out;
}

Bytes CaseMaker::rpc() {
  if (chance(5)) {
    Bytes out = seed(Format::rpc);
    damage_some(out, 50);
    return out;
  }
  if (rng_.below(1500) == 0) {  // at the bound on control
    Bytes out{0x1a};
    const std::size_t size = (512u << 10) - 4 - 6 + below(4);
    append_minimal(out, size);
    out.push_back(0x1a);
    append_minimal(out, size - 4);
    out.push_back(0x0a);
    append_minimal(out, size - 8);
    out.resize(out.size() + size - 8);
    append(out, message(kRpc));
    return out;
  }
  Bytes out = message(kRpc);
  damage_some(out, 20);
  return out;
}

Bytes CaseMaker::record() {
  const auto& key = identities_[below(identities_.size())];
  const auto& subject = chance(97) ? key : identities_[below(identities_.size())];
  Bytes record;
  const auto add = [&](Bytes& to, std::uint64_t number, ByteView value) {
    append_number(to, number << 3 | 2, 3);
    append_number(to, value.size(), 3);
    append(to, value);
    if (chance(6)) append_unknown(to, 0);
  };
  add(record, 1, multiformats::PeerId::from_public_key(subject.public_key()).bytes());
  if (chance(90)) {
    append_number(record, 2 << 3, 3);
    append_number(record, rng_.next_u64() >> below(64), 3);
  }
  static constexpr std::string_view kAddresses[] = {"/ip4/192.0.2.1/tcp/9222", "/ip6/2001:db8::1/udp/4001/quic-v1",
                                                    "/dns4/example.org/tcp/443/wss", "/ip4/127.0.0.1/tcp/0"};
  for (std::size_t count = below(4); count > 0; --count) {
    Bytes address =
        to_bytes(multiformats::Multiaddr::from_text(kAddresses[below(std::size(kAddresses))]).value().bytes());
    damage_some(address, 10);
    Bytes info;
    add(info, 1, address);
    add(record, 3, info);
  }
  if (chance(20)) append(record, message(kRecord, 1));
  damage_some(record, 8);
  const Bytes type = chance(97) ? to_bytes(multiformats::kPeerRecordType) : random_bytes(1 + below(2));
  const auto sealed = multiformats::SignedEnvelope::seal(key, multiformats::kPeerRecordDomain, type, record);
  const Bytes public_key = key.public_key().to_protobuf();
  Bytes out;
  if (chance(90)) {
    add(out, 1, public_key);
  } else {  // in two parts
    const Bytes first(public_key.begin(), public_key.begin() + 2);
    const Bytes second(public_key.begin() + 2, public_key.end());
    add(out, 1, chance(50) ? first : Bytes{0x08, 0x00});
    add(out, 1, chance(50) ? second : public_key);
  }
  add(out, 2, type);
  add(out, 3, record);
  Bytes signature = to_bytes(sealed.value().signature());
  damage_some(signature, 8);
  add(out, 5, signature);
  damage_some(out, 10);
  return out;
}

}  // namespace differential
