#include "inspect.hpp"

#include "libp2p/base/peer_text.hpp"
#include "libp2p/crypto/keys.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/multiformats/multiaddr_value.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "opstack/encoding/snappy_block.hpp"
#include "opstack/payload/payload_json.hpp"
#include "opstack/sync/wire/codec.hpp"

namespace opp2p::inspect {
namespace {

namespace json = boost::json;
namespace crypto = libp2p::crypto;
using libp2p::Bytes;
using libp2p::Errc;
using libp2p::Error;
using libp2p::Multiaddr;
using libp2p::PeerId;
using libp2p::to_hex0x;
using opstack::payload::Version;
using opstack::rules::kSignatureSize;
using opstack::rules::Outcome;

constexpr std::size_t kMaxShown = 1 << 16;  // of the text of an address, whose names may hold any bytes

// Hexadecimal text with what stands around it in files.
Result<Bytes> read_hex(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return Error(Errc::malformed, "the text is empty; write hexadecimal digits");
  text = text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
  auto out = libp2p::from_hex(text);
  if (out) return *std::move(out);
  const std::size_t digits = text.starts_with("0x") || text.starts_with("0X") ? 2 : 0;
  const auto wrong = text.find_first_not_of("0123456789abcdefABCDEF", digits);
  if (wrong != std::string_view::npos)
    return Error::at(first + wrong, Errc::malformed, "a character that is not a hexadecimal digit");
  return Error::at(first + text.size(), Errc::malformed, "an odd number of hexadecimal digits");
}

json::value or_null(const std::string& text, bool known) { return known ? json::value(text) : json::value(nullptr); }

// The block in a message, also of one that was rejected before it was decoded.
opstack::payload::SharedEnvelope envelope_in(Version version, const Outcome& outcome) {
  if (outcome.envelope != nullptr) return outcome.envelope;
  if (outcome.contents == nullptr || outcome.contents->size() < kSignatureSize) return nullptr;
  auto decoded = opstack::payload::decode_envelope(version, ByteView(*outcome.contents).subspan(kSignatureSize));
  if (!decoded) return nullptr;
  return std::make_shared<const opstack::payload::Envelope>(std::move(*decoded));
}

json::object describe_key(const crypto::PublicKey& key) {
  const PeerId id = PeerId::from_public_key(key);
  json::object out;
  out["key_type"] = std::string(crypto::to_string(key.type()));
  out["public_key"] = to_hex0x(key.raw());
  out["public_key_protobuf"] = to_hex0x(key.to_protobuf());
  out["peer_id"] = id.to_base58();
  out["peer_id_cid"] = id.to_cid();
  if (key.type() == crypto::KeyType::secp256k1) {
    if (const auto whole = crypto::secp256k1::decompress(key.raw()))
      out["ethereum_address"] = to_hex0x(crypto::secp256k1::address(*whole));
  }
  return out;
}

// A payload says its version by where its variable part begins.
std::optional<Version> version_by_layout(bool envelope, ByteView body) {
  const std::size_t at = 436 + (envelope ? 32 : 0);
  if (body.size() < at + 4) return std::nullopt;
  const std::size_t offset = libp2p::load_le32(body.data() + at);
  for (const Version version : {Version::v1, Version::v2, Version::v3, Version::v4})
    if (has_parent_beacon_block_root(version) == envelope && fixed_size(version) == offset) return version;
  return std::nullopt;
}

Result<PeerId> read_peer_id(std::string_view text) {
  if (!text.starts_with("0x")) return PeerId::from_text(text);
  OPP2P_TRY(const Bytes raw, read_hex(text));
  return PeerId::from_bytes(raw);
}

}  // namespace

GossipInspector::GossipInspector(std::string topic, opstack::rules::BlockRulesConfig config,
                                 opstack::rules::SignerState signers, libp2p::UnixTime now)
    : topic_(std::move(topic)), rules_(std::move(config)), signers_(std::move(signers)), now_(now) {}

json::object GossipInspector::line(ByteView raw_message) {
  const auto message = opstack::rules::read_message(topic_, raw_message);
  // A copy: the previous signer is within its grace for every message, whatever the current one has signed.
  auto signers = signers_;
  const Outcome outcome = rules_.judge(raw_message, signers, now_, message.decompressed);
  const auto block = envelope_in(rules_.config().version, outcome);
  json::object out;
  out["verdict"] = std::string(opstack::rules::to_string(outcome.verdict));
  out["reason"] = or_null(outcome.text(), outcome.reason != opstack::rules::Reason::valid);
  out["reason_id"] = std::string(opstack::rules::reason_id(outcome.reason));
  out["message_id"] = to_hex0x(message.id);
  out["signature_address"] = outcome.signer ? json::value(to_hex0x(*outcome.signer)) : json::value(nullptr);
  out["block_hash"] = block ? json::value(to_hex0x(block->payload.block_hash)) : json::value(nullptr);
  out["block_number"] = block ? json::value(block->payload.block_number) : json::value(nullptr);
  out["timestamp"] = block ? json::value(block->payload.timestamp) : json::value(nullptr);
  out["transactions"] = block ? json::value(block->payload.transactions.size()) : json::value(nullptr);
  return out;
}

Result<json::object> payload(Version version, ByteView body) {
  OPP2P_TRY(const auto envelope, opstack::payload::decode_envelope(version, body));
  json::object out = opstack::payload::to_json(envelope);
  out["computed_block_hash"] = to_hex0x(opstack::payload::compute_block_hash(envelope));
  return out;
}

Result<json::object> response(ByteView stream, std::optional<Version> version) {
  opstack::sync::wire::ResponseDecoder decoder;
  OPP2P_TRYV(decoder.push(stream));
  OPP2P_TRYV(decoder.finish());
  json::object out;
  out["code"] = *decoder.code();
  const bool reserved = *decoder.code() > 3;
  out["result"] = reserved ? std::string("error")
                           : std::string(to_string(static_cast<opstack::sync::wire::ResultCode>(*decoder.code())));
  if (decoder.refused()) return out;
  const bool envelope = *decoder.version() == opstack::sync::wire::ResponseVersion::envelope;
  out["version"] = static_cast<std::uint32_t>(*decoder.version());
  if (!version) version = version_by_layout(envelope, decoder.body());
  if (!version)
    return Error::at(5, Errc::malformed,
                     "the " + std::to_string(decoder.body().size()) +
                         " bytes of the payload have the layout of no version that response version " +
                         std::to_string(envelope ? 1 : 0) + " can carry");
  if (has_parent_beacon_block_root(*version) != envelope)
    return Error::at(1, Errc::mismatch,
                     "response version " + std::to_string(envelope ? 1 : 0) + " carries no payload of version " +
                         std::to_string(static_cast<int>(*version)));
  auto body = payload(*version, decoder.body());
  if (!body) return body.error().within("the decompressed payload");
  out["payload_version"] = static_cast<int>(*version);
  for (auto& field : *body) out[field.key()] = std::move(field.value());
  return out;
}

Result<json::object> peer_id(std::string_view text) {
  const auto read = read_peer_id(text);
  if (!read) return read.error().within("no peer id, which looks like 16Uiu2HAm…, 12D3KooW…, Qm…, bafz… or 0x…");
  const PeerId& id = *read;
  json::object out;
  out["peer_id"] = id.to_base58();
  out["cid"] = id.to_cid();
  out["multihash"] = to_hex0x(id.bytes());
  const auto key = id.public_key();
  out["key_type"] = key ? json::value(std::string(crypto::to_string(key->type()))) : json::value(nullptr);
  out["public_key"] = key ? json::value(to_hex0x(key->raw())) : json::value(nullptr);
  return out;
}

Result<json::object> multiaddr(std::string_view text) {
  Multiaddr address;
  if (text.starts_with("0x")) {
    OPP2P_TRY(const Bytes raw, read_hex(text));
    OPP2P_TRY(address, Multiaddr::from_bytes(raw));
  } else {
    OPP2P_TRY(address, Multiaddr::from_text(text));
  }
  json::array components;
  for (const auto& component : address.components()) {
    const auto code = static_cast<std::uint32_t>(component.protocol);
    const auto* entry = libp2p::multiformats::find_protocol(code);
    json::object part;
    part["code"] = code;
    part["protocol"] = entry != nullptr ? json::value(std::string(entry->name)) : json::value(nullptr);
    part["value"] = entry == nullptr || entry->kind == libp2p::multiformats::ValueKind::none
                        ? json::value(nullptr)
                        : json::value(libp2p::peer_text(
                              libp2p::multiformats::value_to_text(entry->kind, component.value), kMaxShown));
    part["bytes"] = to_hex0x(component.value);
    components.push_back(std::move(part));
  }
  const auto id = address.peer_id();
  json::object out;
  out["multiaddr"] = libp2p::peer_text(address.text(), kMaxShown);
  out["bytes"] = to_hex0x(address.bytes());
  out["components"] = std::move(components);
  out["peer_id"] = id ? json::value(id->to_base58()) : json::value(nullptr);
  return out;
}

Result<json::object> key(KeyForm form, std::string_view hex) {
  OPP2P_TRY(const Bytes raw, read_hex(hex));
  if (form == KeyForm::public_protobuf) {
    OPP2P_TRY(const auto key, crypto::PublicKey::from_protobuf(raw));
    return describe_key(key);
  }
  auto secret = form == KeyForm::private_protobuf ? crypto::PrivateKey::from_protobuf(raw)
                : form == KeyForm::ed25519_seed   ? crypto::PrivateKey::from_raw(crypto::KeyType::ed25519, raw)
                                                  : crypto::PrivateKey::from_raw(crypto::KeyType::secp256k1, raw);
  if (!secret) return secret.error();
  return describe_key(secret->public_key());
}

json::object message_id(std::string_view topic, ByteView raw_message) {
  const auto message = opstack::rules::read_message(topic, raw_message);
  json::object out;
  out["message_id"] = to_hex0x(message.id);
  out["valid_snappy"] = message.decompressed != nullptr;
  out["decompressed_length"] = message.decompressed ? json::value(message.decompressed->size()) : json::value(nullptr);
  return out;
}

}  // namespace opp2p::inspect
