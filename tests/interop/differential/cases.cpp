#include "cases.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "libp2p/base/crc32c.hpp"
#include "libp2p/multiformats/varint.hpp"
#include "opstack/encoding/snappy_block.hpp"
#include "opstack/encoding/snappy_frame.hpp"

namespace differential {

using namespace libp2p;

namespace {

const std::map<Format, std::string> kCorpora = {
    {Format::snappy_block, "snappy"},     {Format::snappy_frames, "snappy"},    {Format::gossip_frames, "rpc"},
    {Format::multistream, "negotiator"},  {Format::identify, "identify"},       {Format::rpc, "rpc"},
    {Format::peer_record, "peer_record"}, {Format::payload_ssz, "payload_ssz"}, {Format::snappy_length, "snappy"},
};

constexpr std::uint8_t kOdd[] = {0x00, 0x01, 0x02, 0x7e, 0x7f, 0x80, 0x81, 0xfe, 0xff};

}  // namespace

CaseMaker::CaseMaker(std::uint64_t seed, const std::string& corpora) : rng_(seed) {
  for (const auto& [format, folder] : kCorpora) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(corpora) / folder))
      files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const auto& file : files) {
      std::ifstream in(file, std::ios::binary);
      Bytes bytes(std::istreambuf_iterator<char>(in), {});
      if (bytes.size() <= 4096) seeds_[format].push_back(std::move(bytes));
    }
  }
  for (const auto type : {crypto::KeyType::ed25519, crypto::KeyType::secp256k1, crypto::KeyType::ed25519})
    identities_.push_back(crypto::PrivateKey::generate(type, rng_).value());
}

const Bytes& CaseMaker::seed(Format format) {
  const auto& list = seeds_.at(format);
  return list[below(list.size())];
}

Bytes CaseMaker::random_bytes(std::size_t size) {
  Bytes out(size);
  rng_.fill(out);
  return out;
}

// Compresses well in places.
Bytes CaseMaker::repetitive(std::size_t size) {
  Bytes out;
  while (out.size() < size) {
    if (out.empty() || chance(40)) {
      append(out, random_bytes(1 + below(70)));
    } else {
      const std::size_t from = below(out.size());
      const Bytes piece(out.begin() + static_cast<std::ptrdiff_t>(from),
                        out.begin() + static_cast<std::ptrdiff_t>(std::min(out.size(), from + 1 + below(80))));
      for (std::size_t i = 1 + below(3); i > 0; --i) append(out, piece);
    }
  }
  out.resize(size);
  return out;
}

// Makes a number at a byte longer without changing it; any byte below 0x80 may be the end of one.
void CaseMaker::pad_number(Bytes& bytes, std::size_t at) {
  if (bytes[at] >= 0x80) return;
  bytes[at] |= 0x80;
  Bytes more(below(9), 0x80);
  more.push_back(chance(90) ? 0x00 : byte());
  bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at) + 1, more.begin(), more.end());
}

void CaseMaker::damage_once(Bytes& bytes) {
  const std::size_t at = below(bytes.size() + 1);
  const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
  const auto end_of = [&](std::size_t most) {
    return bytes.begin() + static_cast<std::ptrdiff_t>(std::min(bytes.size(), at + 1 + below(most)));
  };
  switch (below(10)) {
    case 0:
      if (at < bytes.size()) bytes[at] ^= static_cast<std::uint8_t>(1u << below(8));
      return;
    case 1:
      if (at < bytes.size()) bytes[at] = kOdd[below(std::size(kOdd))];
      return;
    case 2:
      if (at < bytes.size()) bytes[at] = byte();
      return;
    case 3: {
      const Bytes more = random_bytes(1 + below(4));
      bytes.insert(place, more.begin(), more.end());
      return;
    }
    case 4: bytes.erase(place, end_of(6)); return;
    case 5: {
      const Bytes piece(place, end_of(24));
      bytes.insert(place, piece.begin(), piece.end());
      return;
    }
    case 6: bytes.resize(at); return;
    case 7: append(bytes, random_bytes(1 + below(4))); return;
    case 8:
      if (at < bytes.size()) bytes[at] = static_cast<std::uint8_t>(bytes[at] + (chance(50) ? 1 : 255));
      return;
    default:
      if (at < bytes.size()) pad_number(bytes, at);
      return;
  }
}

void CaseMaker::damage(Bytes& bytes, std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) damage_once(bytes);
}

void CaseMaker::damage_some(Bytes& bytes, unsigned percent) {
  if (chance(percent)) damage(bytes, 1 + below(3));
}

void CaseMaker::append_minimal(Bytes& out, std::uint64_t value) { multiformats::append_varint(out, value); }

// `percent_odd` of the numbers are padded, and few of these are too long.
void CaseMaker::append_number(Bytes& out, std::uint64_t value, unsigned percent_odd) {
  append_minimal(out, value);
  if (!chance(percent_odd)) return;
  const std::size_t room = 10 - multiformats::varint_size(value);
  if (room == 0 && chance(90)) return;
  std::size_t more = 1 + below(std::max<std::size_t>(room, 1));
  if (chance(3)) more = 10;
  out.back() |= 0x80;
  for (; more > 1; --more) out.push_back(0x80);
  out.push_back(chance(95) ? 0x00 : byte());
}

Bytes CaseMaker::number_case() {
  Bytes out;
  std::uint64_t value = rng_.next_u64() >> below(64);
  if (chance(20)) value = (std::uint64_t{1} << below(64)) - below(2);
  append_number(out, value, 40);
  if (chance(15)) out.back() = static_cast<std::uint8_t>(out.back() | 0x80);
  if (chance(10)) out = Bytes(below(13), chance(50) ? 0x80 : 0xff);
  damage_some(out, 25);
  if (chance(30)) append(out, random_bytes(below(4)));
  return out;
}

// Elements of a snappy block, most of them possible, and how much they give.
Bytes CaseMaker::elements() {
  Bytes body;
  std::uint64_t given = 0;
  for (std::size_t count = below(8); count > 0; --count) {
    const std::uint64_t back = given == 0 || chance(4) ? below(70'000) : 1 + below(static_cast<std::size_t>(given));
    switch (below(5)) {
      case 0: {
        const std::size_t length = 1 + below(chance(90) ? 70 : 400);
        if (length <= 60 && chance(70)) {
          body.push_back(static_cast<std::uint8_t>((length - 1) << 2));
        } else {
          const std::size_t extra = length > 256 ? 2 + below(3) : 1 + below(4);
          body.push_back(static_cast<std::uint8_t>((59 + extra) << 2));
          for (std::size_t i = 0; i < extra; ++i) body.push_back(static_cast<std::uint8_t>((length - 1) >> (8 * i)));
        }
        append(body, random_bytes(length));
        given += length;
        break;
      }
      case 1: {
        const std::uint64_t offset = std::min<std::uint64_t>(back, 2047);
        const std::size_t length = 4 + below(8);
        body.push_back(static_cast<std::uint8_t>(1 | (length - 4) << 2 | offset >> 8 << 5));
        body.push_back(static_cast<std::uint8_t>(offset));
        given += length;
        break;
      }
      case 2:
      case 3: {
        const std::size_t length = 1 + below(64);
        body.push_back(static_cast<std::uint8_t>(2 | (length - 1) << 2));
        body.push_back(static_cast<std::uint8_t>(back));
        body.push_back(static_cast<std::uint8_t>(back >> 8));
        given += length;
        break;
      }
      default: {
        const std::size_t length = 1 + below(64);
        body.push_back(static_cast<std::uint8_t>(3 | (length - 1) << 2));
        for (int i = 0; i < 4; ++i) body.push_back(static_cast<std::uint8_t>(back >> (8 * i)));
        given += length;
      }
    }
  }
  if (chance(4)) append(body, Bytes{63 << 2, 0xff, 0xff, 0xff, 0xff});
  Bytes out;
  append_number(out, chance(95) ? given : below(300), 30);
  append(out, body);
  return out;
}

Bytes CaseMaker::snappy_block() {
  Bytes out;
  if (chance(40)) {
    out = elements();
  } else if (chance(85)) {
    const Bytes plain = opstack::encoding::snappy_compress(repetitive(below(chance(97) ? 300 : 70'000)));
    const auto header = multiformats::read_varint(plain).value();
    append_number(out, chance(97) ? header.value : header.value + below(3), 35);
    append(out, ByteView(plain).subspan(header.size));
  } else {
    out = seed(Format::snappy_block);
  }
  damage_some(out, 40);
  return out;
}

Bytes CaseMaker::snappy_frames() {
  if (chance(10)) {
    Bytes out = seed(Format::snappy_frames);
    damage_some(out, 50);
    return out;
  }
  Bytes out;
  const auto chunk = [&](std::uint8_t type, ByteView body) {
    out.push_back(type);
    for (int i = 0; i < 3; ++i) out.push_back(static_cast<std::uint8_t>(body.size() >> (8 * i)));
    append(out, body);
  };
  if (chance(97)) chunk(0xff, as_bytes("sNaPpY"));
  for (std::size_t count = below(4); count > 0; --count) {
    switch (below(8)) {
      case 0: chunk(0xff, as_bytes("sNaPpY")); break;
      case 1:
        chunk(static_cast<std::uint8_t>(chance(90) ? 0x80 + below(127) : below(256)), random_bytes(below(20)));
        break;
      case 2: chunk(0xfe, random_bytes(below(10))); break;
      default: {
        const bool large = chance(1);
        const Bytes contents = repetitive(large ? 65'530 + below(12) : below(200));
        const bool compressed = chance(60);
        Bytes body(4);
        store_le32(body.data(), libp2p::masked_crc32c(libp2p::crc32c(contents)));
        Bytes inner = contents;
        if (compressed) {
          const Bytes plain = opstack::encoding::snappy_compress(contents);
          const auto header = multiformats::read_varint(plain).value();
          inner.clear();
          append_number(inner, header.value, 30);
          append(inner, ByteView(plain).subspan(header.size));
        }
        append(body, inner);
        chunk(compressed ? 0 : 1, body);
      }
    }
  }
  damage_some(out, 30);
  return out;
}

Bytes CaseMaker::frames() {
  Bytes out;
  for (std::size_t count = below(4); count > 0; --count) {
    const Bytes body = chance(80) ? random_bytes(below(chance(97) ? 40 : 400)) : message(0);
    append_number(out, rng_.below(1000) > 0 ? body.size() : (10u << 20) + below(3), 6);
    append(out, body);
  }
  damage_some(out, 35);
  return out;
}

Bytes CaseMaker::tokens() {
  static constexpr std::string_view kTexts[] = {
      "na", "ls", "/multistream/1.0.0", "/meshsub/1.2.0", "/ipfs/id/1.0.0", "", "a\n", "/"};
  if (chance(5)) {
    Bytes out = seed(Format::multistream);
    damage_some(out, 50);
    return out;
  }
  Bytes out;
  for (std::size_t count = below(5); count > 0; --count) {
    std::string text(kTexts[below(std::size(kTexts))]);
    if (chance(3)) text.assign(1020 + below(6), 'x');
    append_number(out, text.size() + 1, 6);
    append(out, as_bytes(text));
    out.push_back(chance(98) ? '\n' : byte());
  }
  damage_some(out, 35);
  return out;
}

Bytes CaseMaker::make(Format format) {
  switch (format) {
    case Format::snappy_length: return chance(80) ? number_case() : snappy_block();
    case Format::snappy_block: return snappy_block();
    case Format::snappy_frames: return snappy_frames();
    case Format::multiformats_varint:
    case Format::protobuf_varint: return number_case();
    case Format::gossip_frames: return frames();
    case Format::multistream: return tokens();
    case Format::identify: return identify();
    case Format::rpc: return rpc();
    case Format::older_message: {
      Bytes out = message(2);
      damage_some(out, 20);
      return out;
    }
    case Format::peer_record: return record();
    case Format::payload_ssz: return ssz();
    case Format::block_signature: return signature();
    case Format::message_id: return message_id();
    case Format::gossip_block: return block();
  }
  return {};
}

}  // namespace differential
