// The formats that two implementations must read alike, and what a reading is. The numbers are those of
// interop/go/judge.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "libp2p/base/bytes.hpp"
#include "opstack/chain/chain_id.hpp"

namespace differential {

using libp2p::Bytes;
using libp2p::ByteView;

enum class Format : std::uint8_t {
  snappy_length,
  snappy_block,
  snappy_frames,
  multiformats_varint,
  protobuf_varint,
  gossip_frames,
  multistream,
  identify,
  rpc,
  older_message,
  peer_record,
  payload_ssz,
  block_signature,
  message_id,
  gossip_block,
};

inline constexpr std::array<std::string_view, 15> kNames = {
    "snappy-length",   "snappy-block", "snappy-frames", "multiformats-varint", "protobuf-varint", "gossip-frames",
    "multistream",     "identify",     "rpc",           "older-message",       "peer-record",     "payload-ssz",
    "block-signature", "message-id",   "gossip-block"};

constexpr std::string_view name_of(Format format) { return kNames[static_cast<std::size_t>(format)]; }

inline const opstack::chain::ChainId kChain = 10;  // the one that blocks are signed for

// older_message: accept, op-node up to v1.19.2 takes and forwards it; other, only v1.19.6 takes it. gossip_block: other
// is an ignore.
enum class Verdict : std::uint8_t { refuse = 0, accept = 1, incomplete = 2, other = 3 };

struct Reading {
  Verdict verdict = Verdict::refuse;
  std::uint64_t digest = 0;
  std::string_view bound;  // the bound of our own that this case is beyond, where it is
  std::string text;        // why it was refused
};

// FNV-1a over a canonical form of what was read, as the judge has it.
class Digest {
 public:
  void raw(ByteView bytes) {
    for (const auto byte : bytes) sum_ = (sum_ ^ byte) * 1099511628211u;
  }
  void number(std::uint64_t value) {
    std::uint8_t raw_value[8];
    libp2p::store_le64(raw_value, value);
    raw(raw_value);
  }
  void flag(bool value) {
    const std::uint8_t byte = value ? 1 : 0;
    raw({&byte, 1});
  }
  void bytes(ByteView value) {
    number(value.size());
    raw(value);
  }
  void text(std::string_view value) { bytes(libp2p::as_bytes(value)); }
  void optional(const std::optional<ByteView>& value) {
    flag(value.has_value());
    if (value) bytes(*value);
  }
  void optional(const std::optional<Bytes>& value) {
    flag(value.has_value());
    if (value) bytes(*value);
  }
  void optional_text(const std::optional<std::string_view>& value) {
    flag(value.has_value());
    if (value) text(*value);
  }
  void optional_flag(const std::optional<bool>& value) {
    flag(value.has_value());
    if (value) flag(*value);
  }
  std::uint64_t sum() const { return sum_; }

 private:
  std::uint64_t sum_ = 14695981039346656037u;
};

// How our decoders read a case.
Reading read_here(Format format, ByteView input);
// An RPC that older op-nodes forward, which has to be read whatever it came from.
Reading read_forwarded(ByteView rpc);

}  // namespace differential
