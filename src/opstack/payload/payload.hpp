// The OP Stack's execution payload: a block as it travels between nodes. One struct serves all four versions; what a
// version does not have is absent. Values are held in host order; hashes and addresses as their bytes. Source:
// specs/protocol/rollup-node-p2p.md, "Block encoding"; field presence by fork as op-node has it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/shared_slice.hpp"
#include "libp2p/crypto/hash.hpp"
#include "libp2p/crypto/secp256k1.hpp"
#include "opstack/payload/transactions.hpp"

namespace opstack::payload {

using libp2p::MutableBytes;
using libp2p::Result;
using libp2p::SharedSlice;
using Hash = libp2p::crypto::Hash256;
using Address = libp2p::crypto::secp256k1::Address;
using Uint256 = libp2p::ByteArray<32>;  // big-endian

// V1 Bedrock, V2 Canyon, V3 Ecotone, V4 Isthmus and later.
enum class Version : std::uint8_t { v1 = 1, v2 = 2, v3 = 3, v4 = 4 };

struct Withdrawal {
  std::uint64_t index = 0;
  std::uint64_t validator_index = 0;
  Address address{};
  std::uint64_t amount = 0;
  friend bool operator==(const Withdrawal&, const Withdrawal&) = default;
};

struct ExecutionPayload {
  Hash parent_hash{};
  Address fee_recipient{};
  Hash state_root{};
  Hash receipts_root{};
  libp2p::ByteArray<256> logs_bloom{};
  Hash prev_randao{};
  std::uint64_t block_number = 0;
  std::uint64_t gas_limit = 0;
  std::uint64_t gas_used = 0;
  std::uint64_t timestamp = 0;  // seconds since 1970
  Bytes extra_data;
  Uint256 base_fee_per_gas{};
  Hash block_hash{};
  Transactions transactions;
  std::optional<std::vector<Withdrawal>> withdrawals;  // V2+
  std::optional<std::uint64_t> blob_gas_used;          // V3+
  std::optional<std::uint64_t> excess_blob_gas;        // V3+
  std::optional<Hash> withdrawals_root;                // V4

  friend bool operator==(const ExecutionPayload&, const ExecutionPayload&) = default;
};

// A payload with what stands outside of it. V3 and V4 carry the parent beacon block root in front of the payload's SSZ.
struct Envelope {
  std::optional<Hash> parent_beacon_block_root;
  ExecutionPayload payload;
  friend bool operator==(const Envelope&, const Envelope&) = default;
};
using SharedEnvelope = std::shared_ptr<const Envelope>;

// SSZ of the payload alone. Decoding refuses what op-node refuses, with the byte at which it is wrong. The transactions
// stay in the bytes of a slice; those of a view are copied.
Result<ExecutionPayload> decode_payload(Version version, const SharedSlice& ssz);
Result<ExecutionPayload> decode_payload(Version version, ByteView ssz);
// What `version` has and the payload lacks is encoded as zero or empty; see check_encodable().
Bytes encode_payload(Version version, const ExecutionPayload& payload);

// The body that is signed, gossiped and sent: payload SSZ (V1, V2), or beacon root and payload SSZ (V3, V4).
Result<Envelope> decode_envelope(Version version, const SharedSlice& body);
Result<Envelope> decode_envelope(Version version, ByteView body);
Bytes encode_envelope(Version version, const Envelope& envelope);
// The same into `out`, which has encoded_envelope_size() bytes.
void write_envelope(Version version, const Envelope& envelope, MutableBytes out);

// How long encode_payload() and encode_envelope() are. An encoding may not exceed 2^32-1 bytes: SSZ's offsets end
// there.
std::size_t encoded_payload_size(Version version, const ExecutionPayload& payload);
std::size_t encoded_envelope_size(Version version, const Envelope& envelope);

// Errc::invalid_argument when the envelope lacks what `version` has or holds what it has not, so that its encoding
// would not decode to the same envelope; Errc::too_large when the encoding would not fit SSZ's offsets.
Result<void> check_encodable(Version version, const Envelope& envelope);

constexpr bool has_withdrawals(Version version) { return version >= Version::v2; }
constexpr bool has_blob_gas(Version version) { return version >= Version::v3; }
constexpr bool has_parent_beacon_block_root(Version version) { return version >= Version::v3; }
constexpr bool has_withdrawals_root(Version version) { return version >= Version::v4; }
// Bytes of extra data: MAX_EXTRA_DATA_BYTES of the consensus specs.
inline constexpr std::size_t kMaxExtraData = 32;
// Bytes of the fixed part of a payload's SSZ.
constexpr std::size_t fixed_size(Version version) {
  constexpr std::size_t sizes[] = {508, 512, 528, 560};
  return sizes[static_cast<std::size_t>(version) - 1];
}

// keccak256 of the header, which is the RLP that the envelope describes by the presence of its fields (op-node surface,
// "Block hash"); and that RLP, for who has the root of the transactions.
Hash compute_block_hash(const Envelope& envelope);
Bytes encode_header(const Envelope& envelope, const Hash& transactions_root);
// The header, and the hash that it gives the block.
struct HashedHeader {
  Bytes rlp;
  Hash hash{};
};
HashedHeader make_header(const Envelope& envelope);
// Whether the payload holds or lacks withdrawals without its hash saying so: where there is a withdrawals root the
// header commits to that, and the list beside it, which must be empty, is whatever the sender made of it.
bool has_uncovered_withdrawals(const ExecutionPayload& payload);
Hash transactions_root(const Transactions& transactions);
Hash withdrawals_root(const std::vector<Withdrawal>& withdrawals);

}  // namespace opstack::payload
