// The cases that are blocks: bodies, signatures, message ids and whole messages.
#include <algorithm>

#include "cases.hpp"
#include "libp2p/multiformats/varint.hpp"
#include "opstack/encoding/snappy_block.hpp"
#include "opstack/rules/block_message.hpp"
#include "testing/blocks.hpp"

namespace differential {

using namespace libp2p;
using opstack::payload::Version;

namespace {

constexpr std::uint64_t kNow = 1'700'000'000;
// The order of secp256k1's group.
constexpr std::string_view kOrder = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

Version version_of(unsigned index) { return static_cast<Version>(index + 1); }

}  // namespace

Bytes CaseMaker::ssz_body(unsigned version) {
  auto envelope = testing_blocks::block(version_of(version), 7, kNow, byte());
  auto& payload = envelope.payload;
  payload.extra_data = random_bytes(below(34));
  payload.transactions.clear();
  for (std::size_t count = below(5); count > 0; --count) payload.transactions.push_back(random_bytes(below(20)));
  if (payload.withdrawals && chance(20)) payload.withdrawals->resize(below(18));
  if (payload.blob_gas_used && chance(10)) payload.blob_gas_used = below(2);
  if (payload.excess_blob_gas && chance(5)) payload.excess_blob_gas = 1;
  if (chance(10)) payload.timestamp = kNow - 63 + below(72);
  if (chance(95)) envelope = testing_blocks::sealed(std::move(envelope));
  return opstack::payload::encode_envelope(version_of(version), envelope);
}

Bytes CaseMaker::ssz() {
  if (chance(5)) {
    Bytes out = seed(Format::payload_ssz);
    damage_some(out, 50);
    return out;
  }
  const auto version = static_cast<unsigned>(below(4));
  Bytes body = ssz_body(version);
  const std::size_t front = version >= 2 ? 32 : 0;
  const std::size_t fixed = front + opstack::payload::fixed_size(version_of(version));
  if (chance(60)) {  // at an offset
    const std::size_t places[] = {front + 436, front + 504, front + 508, fixed + below(40), fixed + 4 * below(9)};
    const std::size_t at = places[below(std::size(places))];
    if (at + 4 <= body.size()) {
      const std::uint32_t value = load_le32(body.data() + at);
      const std::uint32_t choices[] = {value + 1,
                                       value - 1,
                                       value + 4,
                                       value - 4,
                                       0,
                                       static_cast<std::uint32_t>(body.size()),
                                       static_cast<std::uint32_t>(below(700)),
                                       0xffffffff};
      store_le32(body.data() + at, choices[below(std::size(choices))]);
    }
  }
  if (chance(10)) body.resize(below(body.size() + 1));
  damage_some(body, 20);
  Bytes out{static_cast<std::uint8_t>(chance(97) ? version : below(4))};
  append(out, body);
  return out;
}

Bytes CaseMaker::signature() {
  const Bytes body = random_bytes(below(60));
  auto signed_with = opstack::rules::sign_body(testing_blocks::sequencer_key(), kChain, body);
  const Bytes order = *from_hex(kOrder);
  const auto half = [&] { return signed_with.begin() + (chance(50) ? 0 : 32); };
  switch (below(8)) {
    case 0: signed_with[64] = static_cast<std::uint8_t>(below(chance(50) ? 5 : 256)); break;
    case 1: rng_.fill(MutableBytes(signed_with).first(64)); break;
    case 2: std::copy(order.begin(), order.end(), half()); break;
    case 3: std::fill_n(half(), 32, chance(50) ? 0 : 0xff); break;
    case 4: {  // the other s
      unsigned borrow = 0;
      for (std::size_t i = 32; i-- > 0;) {
        const unsigned take = signed_with[32 + i] + borrow;
        borrow = order[i] < take ? 1 : 0;
        signed_with[32 + i] = static_cast<std::uint8_t>(order[i] - take);
      }
      if (chance(70)) signed_with[64] ^= 1;
      break;
    }
    case 5: signed_with[below(65)] ^= static_cast<std::uint8_t>(1u << below(8)); break;
    case 6:  // near the order, where r may have one above it
      std::copy(order.begin(), order.end(), signed_with.begin());
      signed_with[31] = static_cast<std::uint8_t>(signed_with[31] - 2 + below(5));
      signed_with[64] = static_cast<std::uint8_t>(below(4));
      break;
    default: break;
  }
  if (chance(3)) std::fill_n(signed_with.begin(), 31, std::uint8_t{0});
  Bytes out = to_bytes(signed_with);
  append(out, body);
  if (chance(3)) out.resize(below(out.size()));
  return out;
}

Bytes CaseMaker::message_id() {
  static constexpr std::string_view kTopics[] = {"/optimism/10/0/blocks", "/optimism/10/3/blocks", "", "t"};
  const auto topic = kTopics[below(std::size(kTopics))];
  Bytes out{static_cast<std::uint8_t>(topic.size())};
  append(out, as_bytes(topic));
  append(out, snappy_block());
  if (chance(6)) out.resize(below(topic.size() + 1));
  return out;
}

Bytes CaseMaker::block() {
  const auto version = static_cast<unsigned>(below(4));
  Bytes body = ssz_body(version);
  damage_some(body, 5);
  const auto& key = chance(95) ? testing_blocks::sequencer_key() : testing_blocks::other_key();
  const Bytes plain = opstack::rules::compress_message(opstack::rules::sign_body(key, kChain, body), body);
  const auto header = multiformats::read_varint(plain).value();
  Bytes out{static_cast<std::uint8_t>(chance(98) ? version : below(4))};
  out.resize(9);
  store_le64(out.data() + 1, kNow);
  append(out,
         chance(97) ? crypto::secp256k1::address_of(testing_blocks::sequencer_key()) : crypto::secp256k1::Address{});
  append_number(out, header.value, 40);
  Bytes rest = to_bytes(ByteView(plain).subspan(header.size));
  damage_some(rest, 15);
  append(out, rest);
  return out;
}

}  // namespace differential
