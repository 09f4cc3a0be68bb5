// Both ways between values and bytes. A script makes values of every kind, which must come back from their encodings
// unchanged; and what any bytes decode to must encode to something that decodes to the same.
#include "libp2p/multiformats/ip_text.hpp"
#include "libp2p/multiformats/multibase.hpp"
#include "libp2p/multiformats/multihash.hpp"
#include "libp2p/multiformats/peer_record.hpp"
#include "libp2p/multiformats/varint.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using namespace libp2p;
using namespace libp2p::multiformats;
using fuzzing::require;
using fuzzing::Script;

constexpr Base kBases[] = {Base::identity,         Base::base2,      Base::base10,           Base::base16,
                           Base::base16_upper,     Base::base32,     Base::base32_upper,     Base::base32_pad,
                           Base::base32_pad_upper, Base::base32_hex, Base::base32_hex_upper, Base::base36,
                           Base::base36_upper,     Base::base58btc,  Base::base58flickr,     Base::base64,
                           Base::base64_pad,       Base::base64_url, Base::base64_url_pad};

std::uint64_t number(Script& script) {
  std::uint64_t out = 0;
  for (std::size_t bytes = script.below(9); bytes > 0; --bytes) out = out << 8 | script.next();
  return out;
}

void varints(Script& script) {
  const std::uint64_t value = number(script) >> 1;  // 63 bits
  Bytes encoded;
  append_varint(encoded, value);
  require(encoded.size() == varint_size(value) && encoded.size() <= kMaxVarintSize);
  const auto read = read_varint(encoded);
  require(read && read->value == value && read->size == encoded.size());
  for (std::size_t cut = 0; cut < encoded.size(); ++cut) require(!read_varint(ByteView(encoded).first(cut)));

  const ByteView any = script.take(10);
  const auto other = read_varint(any);
  const auto general = read_long_varint(any);  // reads short ones too
  require(other.has_value() == general.has_value());
  if (!other) return;
  require(other->value == general->value && other->size == general->size);
  Bytes again;
  append_varint(again, other->value);
  require(equal(again, any.first(other->size)));
}

void texts(Script& script) {
  const Base base = kBases[script.below(std::size(kBases))];
  Bytes bytes{script.next()};  // no bytes are no text in the bases that are numbers
  append(bytes, script.take(script.below(40)));
  const auto decoded = decode_multibase(encode_multibase(base, bytes));
  require(decoded && decoded->base == base && decoded->bytes == bytes);
  require(*from_base58(to_base58(bytes)) == bytes);

  require(from_hex(to_hex(bytes)) == bytes && from_hex(to_hex0x(bytes)) == bytes);

  const ByteView any = script.take(30);
  if (const auto read = from_hex(as_text(any))) require(from_hex(to_hex(*read)) == read);
  if (const auto four = parse_ip4(as_text(any))) require(parse_ip4(ip4_text(*four)) == four);
  if (const auto sixteen = parse_ip6(as_text(any))) require(parse_ip6(ip6_text(*sixteen)) == sixteen);
  if (const auto either = parse_ip(as_text(any)))
    require(parse_ip(either->size() == 4 ? ip4_text(*either) : ip6_text(*either)) == either);
  ByteArray<16> ip{};
  const ByteView part = script.take(16);
  std::copy(part.begin(), part.end(), ip.begin());
  require(parse_ip6(ip6_text(ip)) == ip && parse_ip4(ip4_text(ByteView(ip).first(4))).has_value());
}

void hashes(Script& script) {
  const std::uint64_t code = number(script) >> 1;
  const Bytes digest = to_bytes(script.take(script.below(70)));
  const auto decoded = decode_multihash(encode_multihash(code, digest));
  require(decoded && decoded->code == code && decoded->digest == digest);
  const ByteView any = script.take(40);
  if (const auto hash = decode_multihash(any)) require(equal(encode_multihash(hash->code, hash->digest), any));
}

crypto::PrivateKey key_of(Script& script) {
  SeededRng rng(script.next());
  const auto type = script.flip() ? crypto::KeyType::ed25519 : crypto::KeyType::secp256k1;
  return crypto::PrivateKey::generate(type, rng).value();
}

void keys(Script& script) {
  const auto key = key_of(script);
  const auto read = crypto::PrivateKey::from_protobuf(key.to_protobuf());
  require(read && read->public_key() == key.public_key() && equal(read->raw(), key.raw()));
  require(crypto::PublicKey::from_protobuf(key.public_key().to_protobuf()).value() == key.public_key());
  const auto id = PeerId::from_public_key(key.public_key());
  require(PeerId::from_bytes(id.bytes()).value() == id && PeerId::from_text(id.to_base58()).value() == id);
  require(PeerId::from_text(id.to_cid()).value() == id && id.matches(key.public_key()) &&
          id.public_key() == key.public_key());
  const Bytes message = to_bytes(script.take(40));
  Bytes signature = key.sign(message).value();
  require(key.public_key().verify(message, signature).has_value());
  signature[script.below(signature.size())] ^= static_cast<std::uint8_t>(1U << script.below(8));
  require(!key.public_key().verify(message, signature));
}

Multiaddr address_of(Script& script) {
  std::string text;
  const std::string port = std::to_string(script.next16());
  switch (script.below(6)) {
    case 0: text = "/ip4/" + ip4_text(ByteArray<4>{script.next(), script.next(), script.next(), script.next()}); break;
    case 1: {
      ByteArray<16> ip{};
      for (auto& byte : ip) byte = script.next();
      text = "/ip6/" + ip6_text(ip);
      break;
    }
    case 2: text = "/dns4/host" + port + ".example"; break;
    case 3: text = "/dnsaddr/x"; break;
    case 4: text = "/ip6zone/eth" + port + "/ip6/fe80::1"; break;
    default: text = "/memory/" + std::to_string(number(script)); break;
  }
  const char* const transports[] = {"/tcp/", "/udp/", "/sctp/"};
  text += transports[script.below(3)] + port;
  const char* const upper[] = {"", "/quic-v1", "/ws", "/tls/ws", "/p2p-circuit"};
  text += upper[script.below(5)];
  const auto address = Multiaddr::from_text(text);
  require(address.has_value() && address->text() == text);
  require(Multiaddr::from_bytes(address->bytes()).value() == *address);
  return *address;
}

void records(Script& script) {
  const auto key = key_of(script);
  PeerRecord record;
  record.peer_id = PeerId::from_public_key(key.public_key());
  record.seq = number(script);
  for (std::size_t left = script.below(5); left > 0; --left) {
    record.addresses.push_back(address_of(script));
    const auto with_id = record.addresses.back().with_peer_id(record.peer_id);
    require(with_id.peer_id() == record.peer_id && with_id.without_peer_id() == record.addresses.back());
  }
  const auto same = [&](const Result<PeerRecord>& read) {
    return read && read->peer_id == record.peer_id && read->seq == record.seq && read->addresses == record.addresses;
  };
  require(same(PeerRecord::decode(record.encode())));
  Bytes sealed = record.seal(key).value();
  require(same(PeerRecord::open(sealed)));
  // One other bit anywhere: it no longer opens, or means the same (an encoding that protobuf allows as well).
  sealed[script.below(sealed.size())] ^= static_cast<std::uint8_t>(1U << script.below(8));
  const auto damaged = PeerRecord::open(sealed);
  require(!damaged || same(damaged));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Script script({data, std::min<std::size_t>(size, 2000)});
  while (!script.done()) {
    switch (script.next() % 5) {
      case 0: varints(script); break;
      case 1: texts(script); break;
      case 2: hashes(script); break;
      case 3: keys(script); break;
      default: records(script); break;
    }
  }
  return 0;
}
