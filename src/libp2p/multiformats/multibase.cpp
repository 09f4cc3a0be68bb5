#include "libp2p/multiformats/multibase.hpp"

#include <algorithm>
#include <array>

namespace libp2p::multiformats {
namespace {

constexpr std::string_view kBase58Btc = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::string_view kBase58Flickr = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ";
constexpr std::string_view kBase36 = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kBase36Upper = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view kBase32Upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view kBase32Hex = "0123456789abcdefghijklmnopqrstuv";
constexpr std::string_view kBase32HexUpper = "0123456789ABCDEFGHIJKLMNOPQRSTUV";
constexpr std::string_view kBase16 = "0123456789abcdef";
constexpr std::string_view kBase16Upper = "0123456789ABCDEF";

// A base whose digits are whole bits (`bits` > 0), or one that writes the bytes as one large number (`bits` == 0).
struct Alphabet {
  std::string_view digits;
  unsigned bits = 0;
  bool padded = false;
  bool any_case = false;
};

Alphabet number(std::string_view digits, bool any_case) { return {.digits = digits, .any_case = any_case}; }

Result<Alphabet> alphabet_of(Base base) {
  switch (base) {
    case Base::base2: return Alphabet{"01", 1, false, false};
    case Base::base10: return number("0123456789", false);
    case Base::base16: return Alphabet{kBase16, 4, false, true};
    case Base::base16_upper: return Alphabet{kBase16Upper, 4, false, true};
    case Base::base32: return Alphabet{kBase32, 5, false, true};
    case Base::base32_upper: return Alphabet{kBase32Upper, 5, false, true};
    case Base::base32_pad: return Alphabet{kBase32, 5, true, true};
    case Base::base32_pad_upper: return Alphabet{kBase32Upper, 5, true, true};
    case Base::base32_hex: return Alphabet{kBase32Hex, 5, false, true};
    case Base::base32_hex_upper: return Alphabet{kBase32HexUpper, 5, false, true};
    case Base::base36: return number(kBase36, true);
    case Base::base36_upper: return number(kBase36Upper, true);
    case Base::base58btc: return number(kBase58Btc, false);
    case Base::base58flickr: return number(kBase58Flickr, false);
    case Base::base64: return Alphabet{kBase64, 6, false, false};
    case Base::base64_pad: return Alphabet{kBase64, 6, true, false};
    case Base::base64_url: return Alphabet{kBase64Url, 6, false, false};
    case Base::base64_url_pad: return Alphabet{kBase64Url, 6, true, false};
    case Base::identity: break;
  }
  return fail(Errc::unsupported, "no base has this multibase prefix");
}

// Digits of a group: the least number of digits that holds whole bytes.
std::size_t group_of(unsigned bits) { return bits == 6 ? 4 : bits == 5 || bits == 1 ? 8 : 2; }

using Values = std::array<std::int8_t, 256>;

Values values_of(const Alphabet& alphabet) {
  Values values;
  values.fill(-1);
  for (std::size_t i = 0; i < alphabet.digits.size(); ++i) {
    const char c = alphabet.digits[i];
    values[static_cast<unsigned char>(c)] = static_cast<std::int8_t>(i);
    if (!alphabet.any_case) continue;
    if (c >= 'a' && c <= 'z') values[static_cast<unsigned char>(c - 'a' + 'A')] = static_cast<std::int8_t>(i);
    if (c >= 'A' && c <= 'Z') values[static_cast<unsigned char>(c - 'A' + 'a')] = static_cast<std::int8_t>(i);
  }
  return values;
}

Error bad_digit(std::size_t at) { return Error::at(at, Errc::malformed, "character is no digit of the base"); }

// One large number: leading zero bytes are leading zero digits, the rest is divided by the base.
std::string encode_number(const Alphabet& alphabet, ByteView bytes) {
  const auto base = static_cast<std::uint32_t>(alphabet.digits.size());
  const auto zeros = static_cast<std::size_t>(
      std::find_if(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b != 0; }) - bytes.begin());
  std::vector<std::uint8_t> digits;  // least significant first
  for (const auto byte : bytes.subspan(zeros)) {
    std::uint32_t carry = byte;
    for (auto& digit : digits) {
      carry += std::uint32_t{digit} << 8;
      digit = static_cast<std::uint8_t>(carry % base);
      carry /= base;
    }
    for (; carry != 0; carry /= base) digits.push_back(static_cast<std::uint8_t>(carry % base));
  }
  std::string out(zeros, alphabet.digits[0]);
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) out.push_back(alphabet.digits[*digit]);
  return out;
}

Result<Bytes> decode_number(const Alphabet& alphabet, std::string_view text) {
  // No bytes are written as no digits, but the reference does not read that back.
  if (text.empty()) return Error::at(0, Errc::truncated, "text has no digits");
  // The work grows with the square of the length, so the length is bounded.
  if (text.size() > kMaxNumberText)
    return fail(Errc::too_large, "text of base " + std::to_string(alphabet.digits.size()) + " has " +
                                     std::to_string(text.size()) + " digits, at most " +
                                     std::to_string(kMaxNumberText) + " are allowed");
  const auto values = values_of(alphabet);
  const auto base = static_cast<std::uint32_t>(alphabet.digits.size());
  std::size_t zeros = 0;
  while (zeros < text.size() && text[zeros] == alphabet.digits[0]) ++zeros;
  std::vector<std::uint8_t> reversed;  // least significant first
  for (std::size_t i = zeros; i < text.size(); ++i) {
    const auto value = values[static_cast<unsigned char>(text[i])];
    if (value < 0) return bad_digit(i);
    auto carry = static_cast<std::uint32_t>(value);
    for (auto& byte : reversed) {
      carry += std::uint32_t{byte} * base;
      byte = static_cast<std::uint8_t>(carry);
      carry >>= 8;
    }
    for (; carry != 0; carry >>= 8) reversed.push_back(static_cast<std::uint8_t>(carry));
  }
  Bytes out(zeros, 0);
  out.insert(out.end(), reversed.rbegin(), reversed.rend());
  return out;
}

std::string encode_bits(const Alphabet& alphabet, ByteView bytes) {
  std::string out;
  out.reserve(bytes.size() * 8 / alphabet.bits + group_of(alphabet.bits));
  std::uint32_t buffer = 0;
  unsigned held = 0;
  for (const auto byte : bytes) {
    buffer = buffer << 8 | byte;
    held += 8;
    while (held >= alphabet.bits) {
      held -= alphabet.bits;
      out.push_back(alphabet.digits[buffer >> held & ((1U << alphabet.bits) - 1)]);
    }
    buffer &= (1U << held) - 1;
  }
  if (held > 0) out.push_back(alphabet.digits[buffer << (alphabet.bits - held) & ((1U << alphabet.bits) - 1)]);
  const std::size_t group = group_of(alphabet.bits);
  if (alphabet.padded) out.resize((out.size() + group - 1) / group * group, '=');
  return out;
}

// How many digits `rest` (below a whole group) leave no byte unfinished: 2, 4, 5, 7 of base 32; 2 and 3 of base 64.
bool ends_well(unsigned bits, std::size_t rest) { return rest * bits % 8 < bits; }

Result<Bytes> decode_bits(const Alphabet& alphabet, std::string_view text) {
  const std::size_t group = group_of(alphabet.bits);
  if (alphabet.padded) {
    if (text.size() % group != 0) return Error::at(text.size(), Errc::malformed, "padding is missing");
    // A group has at least two digits; a further '=' then is a bad digit.
    const std::size_t whole = text.size();
    while (!text.empty() && text.back() == '=' && whole - text.size() < group - 2) text.remove_suffix(1);
  }
  const std::size_t rest = text.size() % group;
  // The reference drops the last digits of base 32 when they cannot be whole bytes; all else is an error there too.
  const bool drop = alphabet.bits == 5 && !alphabet.padded && !ends_well(5, rest);
  if (!drop && !ends_well(alphabet.bits, rest))
    return Error::at(text.size(), Errc::malformed, "text ends inside a byte");
  const auto values = values_of(alphabet);
  Bytes out;
  out.reserve(text.size() * alphabet.bits / 8);
  std::uint32_t buffer = 0;
  unsigned held = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto value = values[static_cast<unsigned char>(text[i])];
    if (value < 0) return bad_digit(i);
    buffer = buffer << alphabet.bits | static_cast<std::uint32_t>(value);
    held += alphabet.bits;
    if (held < 8) continue;
    held -= 8;
    out.push_back(static_cast<std::uint8_t>(buffer >> held));
    buffer &= (1U << held) - 1;
  }
  if (drop) out.resize((text.size() - rest) * 5 / 8);
  return out;
}

}  // namespace

std::string to_base58(ByteView bytes) { return encode_number({kBase58Btc}, bytes); }
Result<Bytes> from_base58(std::string_view text) { return decode_number({kBase58Btc}, text); }

std::string encode_multibase(Base base, ByteView bytes) {
  std::string out(1, static_cast<char>(base));
  const auto alphabet = alphabet_of(base);
  if (!alphabet) return out.append(as_text(bytes));  // identity: the bytes themselves
  return out + (alphabet->bits == 0 ? encode_number(*alphabet, bytes) : encode_bits(*alphabet, bytes));
}

Result<MultibaseText> decode_multibase(std::string_view text) {
  if (text.empty()) return Error::at(0, Errc::truncated, "multibase text is empty");
  const auto base = static_cast<Base>(text.front());
  const auto digits = text.substr(1);
  if (base == Base::identity) return MultibaseText{base, to_bytes(digits)};
  OPP2P_TRY(const auto alphabet, alphabet_of(base));
  auto bytes = alphabet.bits == 0 ? decode_number(alphabet, digits) : decode_bits(alphabet, digits);
  if (!bytes) return std::move(bytes).error();
  return MultibaseText{base, std::move(*bytes)};
}

}  // namespace libp2p::multiformats
