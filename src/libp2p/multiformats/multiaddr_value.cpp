#include "libp2p/multiformats/multiaddr_value.hpp"

#include <algorithm>
#include <charconv>

#include "libp2p/multiformats/ip_text.hpp"
#include "libp2p/multiformats/multibase.hpp"
#include "libp2p/multiformats/multihash.hpp"
#include "libp2p/multiformats/peer_id.hpp"

namespace libp2p::multiformats {
namespace {

constexpr ProtocolEntry kProtocols[] = {
    {Protocol::ip4, "ip4", ValueKind::ip4},
    {Protocol::tcp, "tcp", ValueKind::port},
    {Protocol::dccp, "dccp", ValueKind::port},
    {Protocol::ip6, "ip6", ValueKind::ip6},
    {Protocol::ip6zone, "ip6zone", ValueKind::zone},
    {Protocol::ipcidr, "ipcidr", ValueKind::prefix_length},
    {Protocol::dns, "dns", ValueKind::name},
    {Protocol::dns4, "dns4", ValueKind::name},
    {Protocol::dns6, "dns6", ValueKind::name},
    {Protocol::dnsaddr, "dnsaddr", ValueKind::name},
    {Protocol::sctp, "sctp", ValueKind::port},
    {Protocol::udp, "udp", ValueKind::port},
    {Protocol::p2p_webrtc_direct, "p2p-webrtc-direct", ValueKind::none},
    {Protocol::webrtc_direct, "webrtc-direct", ValueKind::none},
    {Protocol::webrtc, "webrtc", ValueKind::none},
    {Protocol::p2p_circuit, "p2p-circuit", ValueKind::none},
    {Protocol::udt, "udt", ValueKind::none},
    {Protocol::utp, "utp", ValueKind::none},
    {Protocol::unix_path, "unix", ValueKind::path},
    {Protocol::p2p, "p2p", ValueKind::peer},
    {Protocol::p2p, "ipfs", ValueKind::peer},  // the old name, read but never written
    {Protocol::https, "https", ValueKind::none},
    {Protocol::onion, "onion", ValueKind::onion},
    {Protocol::onion3, "onion3", ValueKind::onion3},
    {Protocol::garlic64, "garlic64", ValueKind::garlic64},
    {Protocol::garlic32, "garlic32", ValueKind::garlic32},
    {Protocol::tls, "tls", ValueKind::none},
    {Protocol::sni, "sni", ValueKind::name},
    {Protocol::noise, "noise", ValueKind::none},
    {Protocol::quic, "quic", ValueKind::none},
    {Protocol::quic_v1, "quic-v1", ValueKind::none},
    {Protocol::webtransport, "webtransport", ValueKind::none},
    {Protocol::certhash, "certhash", ValueKind::cert_hash},
    {Protocol::ws, "ws", ValueKind::none},
    {Protocol::wss, "wss", ValueKind::none},
    {Protocol::http, "http", ValueKind::none},
    {Protocol::http_path, "http-path", ValueKind::http_path},
    {Protocol::memory, "memory", ValueKind::number},
    {Protocol::plaintextv2, "plaintextv2", ValueKind::none},
};

constexpr std::size_t kOnionHost = 10;
constexpr std::size_t kOnion3Host = 35;
constexpr std::size_t kMinGarlic64 = 386;

Error bad_value(std::string_view what) { return fail(Errc::malformed, std::string(what)); }

// Decimal digits only; leading zeros are fine, as in the reference.
template <std::size_t N>
Result<Bytes> unsigned_from_text(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    return bad_value("value is no decimal number in range");
  if (N < 8 && value >> (8 * (N % 8)) != 0)
    return bad_value("number is above " + std::to_string((std::uint64_t{1} << (8 * (N % 8))) - 1));
  Bytes out(N);
  for (std::size_t i = 0; i < N; ++i) out[i] = static_cast<std::uint8_t>(value >> (8 * (N - 1 - i)));
  return out;
}

std::string unsigned_to_text(ByteView value) {
  std::uint64_t number = 0;
  for (const auto byte : value) number = number << 8 | byte;
  return std::to_string(number);
}

// The reference reads both families in both places: /ip4/::ffff:1.2.3.4 and /ip6/1.2.3.4 are addresses to it.
Result<Bytes> ip_from_text(ValueKind kind, std::string_view text) {
  auto four = parse_ip4(text);
  auto six = four ? map_ip4(*four) : parse_ip6(text);
  if (kind == ValueKind::ip6 && six) return to_bytes(*six);
  if (kind == ValueKind::ip4 && six) four = unmap_ip4(*six);
  if (kind == ValueKind::ip4 && four) return to_bytes(*four);
  return bad_value(kind == ValueKind::ip4 ? "value is no IPv4 address" : "value is no IPv6 address");
}

Result<Bytes> onion_from_text(std::string_view text, std::size_t host_size) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return bad_value("onion address has no port");
  const auto host_text = text.substr(0, colon);
  if (host_text.size() != host_size * 8 / 5) return bad_value("onion address has the wrong length");
  OPP2P_TRY(auto host, decode_multibase("b" + std::string(host_text)));
  OPP2P_TRY(const auto port, unsigned_from_text<2>(text.substr(colon + 1)));
  append(host.bytes, port);
  return std::move(host.bytes);
}

std::string onion_to_text(ByteView value, std::size_t host_size) {
  return encode_multibase(Base::base32, value.first(host_size)).substr(1) + ":" +
         unsigned_to_text(value.subspan(host_size));
}

// I2P's base 64 has '-' and '~' where others have '+' and '/'.
Result<Bytes> garlic64_from_text(std::string_view text) {
  if (text.find_first_of("+/") != std::string_view::npos) return bad_value("value is no I2P address in base 64");
  std::string common = "M" + std::string(text);
  std::replace(common.begin(), common.end(), '-', '+');
  std::replace(common.begin(), common.end(), '~', '/');
  OPP2P_TRY(auto decoded, decode_multibase(common));
  return std::move(decoded.bytes);
}

std::string garlic64_to_text(ByteView value) {
  auto text = encode_multibase(Base::base64_pad, value).substr(1);
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '~');
  return text;
}

Result<Bytes> garlic32_from_text(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
    return bad_value("an I2P address in base 32 has lower-case letters only");
  std::string padded = "c" + std::string(text);
  padded.resize(1 + (text.size() + 7) / 8 * 8, '=');
  OPP2P_TRY(auto decoded, decode_multibase(padded));
  return std::move(decoded.bytes);
}

std::string garlic32_to_text(ByteView value) { return encode_multibase(Base::base32, value).substr(1); }

// The escaping of a URL's query, which the reference took for paths: '+' is a space.
Result<Bytes> unescape(std::string_view text) {
  Bytes out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(static_cast<std::uint8_t>(text[i] == '+' ? ' ' : text[i]));
      continue;
    }
    const auto digits = text.substr(i + 1, 2);
    const bool prefixed = digits == "0x" || digits == "0X";  // from_hex would take it for a prefix
    const auto byte = prefixed ? std::nullopt : from_hex(digits);
    if (!byte || byte->size() != 1) return bad_value("a '%' in a path is followed by two hexadecimal digits");
    out.push_back(byte->front());
    i += 2;
  }
  return out;
}

std::string escape(ByteView bytes) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const auto byte : bytes) {
    const char c = static_cast<char>(byte);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain) {
      out.push_back(c);
    } else if (c == ' ') {
      out.push_back('+');
    } else {
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 0xf]);
    }
  }
  return out;
}

Result<void> check_peer(ByteView value) {
  OPP2P_TRY(const auto parts, decode_multihash(value));
  const bool sha = parts.code == static_cast<std::uint64_t>(HashCode::sha2_256);
  const bool identity = parts.code == static_cast<std::uint64_t>(HashCode::identity);
  if (!identity && !(sha && parts.digest.size() == 32))
    return bad_value("a peer id is an identity or a sha2-256 multihash");
  return {};
}

Result<void> check_path(ByteView value) {
  if (value.size() < 2 || value.front() != '/' || value.back() == '/')
    return bad_value("a path begins with '/', names something and does not end in '/'");
  return {};
}

Result<void> check_port(ByteView value) {
  const auto port = value.last(2);
  if (port[0] == 0 && port[1] == 0) return bad_value("an onion address has no port 0");
  return {};
}

}  // namespace

const ProtocolEntry* find_protocol(std::uint64_t code) {
  const auto* found = std::find_if(std::begin(kProtocols), std::end(kProtocols), [code](const ProtocolEntry& entry) {
    return static_cast<std::uint64_t>(entry.protocol) == code;
  });
  return found == std::end(kProtocols) ? nullptr : found;
}

const ProtocolEntry* find_protocol(std::string_view name) {
  const auto* found = std::find_if(std::begin(kProtocols), std::end(kProtocols),
                                   [name](const ProtocolEntry& entry) { return entry.name == name; });
  return found == std::end(kProtocols) ? nullptr : found;
}

std::size_t value_size(ValueKind kind) {
  switch (kind) {
    case ValueKind::none: return 0;
    case ValueKind::prefix_length: return 1;
    case ValueKind::port: return 2;
    case ValueKind::ip4: return 4;
    case ValueKind::number: return 8;
    case ValueKind::ip6: return 16;
    case ValueKind::onion: return kOnionHost + 2;
    case ValueKind::onion3: return kOnion3Host + 2;
    default: return kVariableSize;
  }
}

Result<Bytes> value_from_text(ValueKind kind, std::string_view text) {
  switch (kind) {
    case ValueKind::none: return Bytes();
    case ValueKind::ip4:
    case ValueKind::ip6: return ip_from_text(kind, text);
    case ValueKind::prefix_length: return unsigned_from_text<1>(text);
    case ValueKind::port: return unsigned_from_text<2>(text);
    case ValueKind::number: return unsigned_from_text<8>(text);
    case ValueKind::zone:
    case ValueKind::name:
    case ValueKind::path: return to_bytes(text);
    case ValueKind::peer: return multihash_from_peer_text(text);
    case ValueKind::http_path: return unescape(text);
    case ValueKind::onion: return onion_from_text(text, kOnionHost);
    case ValueKind::onion3: return onion_from_text(text, kOnion3Host);
    case ValueKind::garlic64: return garlic64_from_text(text);
    case ValueKind::garlic32: return garlic32_from_text(text);
    case ValueKind::cert_hash: {
      OPP2P_TRY(auto decoded, decode_multibase(text));
      return std::move(decoded.bytes);
    }
  }
  return bad_value("protocol is not known");
}

std::string value_to_text(ValueKind kind, ByteView value) {
  switch (kind) {
    case ValueKind::none: return {};
    case ValueKind::ip4: return ip4_text(value);
    case ValueKind::ip6: return ip6_text(value);
    case ValueKind::prefix_length:
    case ValueKind::port:
    case ValueKind::number: return unsigned_to_text(value);
    case ValueKind::zone:
    case ValueKind::name:
    case ValueKind::path: return std::string(as_text(value));
    case ValueKind::peer: return to_base58(value);
    case ValueKind::http_path: return escape(value);
    case ValueKind::onion: return onion_to_text(value, kOnionHost);
    case ValueKind::onion3: return onion_to_text(value, kOnion3Host);
    case ValueKind::garlic64: return garlic64_to_text(value);
    case ValueKind::garlic32: return garlic32_to_text(value);
    case ValueKind::cert_hash: return encode_multibase(Base::base64_url, value);
  }
  return {};
}

Result<void> check_value(ValueKind kind, ByteView value) {
  const auto wanted = value_size(kind);
  if (wanted != kVariableSize && value.size() != wanted)
    return bad_value("value has " + std::to_string(value.size()) + " bytes, not " + std::to_string(wanted));
  if (wanted == kVariableSize && value.empty()) return bad_value("value is empty");
  switch (kind) {
    case ValueKind::zone:
    case ValueKind::name:
      if (std::find(value.begin(), value.end(), '/') != value.end()) return bad_value("value holds a '/'");
      return {};
    case ValueKind::peer: return check_peer(value);
    case ValueKind::path: return check_path(value);
    case ValueKind::onion:
    case ValueKind::onion3: return check_port(value);
    case ValueKind::garlic64:
      if (value.size() < kMinGarlic64) return bad_value("an I2P destination has at least 386 bytes");
      return {};
    case ValueKind::garlic32:
      if (value.size() != 32 && value.size() < 35) return bad_value("an I2P hash has 32 or at least 35 bytes");
      return {};
    case ValueKind::cert_hash:
      if (auto parts = decode_multihash(value); !parts) return parts.error().within("certificate hash");
      return {};
    default: return {};
  }
}

}  // namespace libp2p::multiformats
