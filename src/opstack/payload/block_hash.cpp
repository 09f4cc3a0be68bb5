#include "libp2p/multiformats/rlp.hpp"
#include "opstack/encoding/ordered_trie.hpp"
#include "opstack/payload/payload.hpp"

namespace opstack::payload {
namespace {

using libp2p::multiformats::append_rlp_big_endian;
using libp2p::multiformats::append_rlp_list_header;
using libp2p::multiformats::append_rlp_string;
using libp2p::multiformats::append_rlp_uint;

// keccak256 of the RLP of an empty list: a chain without uncles.
constexpr Hash kEmptyUnclesHash = {0x1d, 0xcc, 0x4d, 0xe8, 0xde, 0xc7, 0x5d, 0x7a, 0xab, 0x85, 0xb5,
                                   0x67, 0xb6, 0xcc, 0xd4, 0x1a, 0xd3, 0x12, 0x45, 0x1b, 0x94, 0x8a,
                                   0x74, 0x13, 0xf0, 0xa1, 0x42, 0xfd, 0x40, 0xd4, 0x93, 0x47};

// sha256 of nothing: the hash of an empty list of execution requests (EIP-7685).
constexpr Hash kEmptyRequestsHash = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
                                     0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
                                     0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};

Bytes encode_withdrawal(const Withdrawal& withdrawal) {
  Bytes fields;
  append_rlp_uint(fields, withdrawal.index);
  append_rlp_uint(fields, withdrawal.validator_index);
  append_rlp_string(fields, withdrawal.address);
  append_rlp_uint(fields, withdrawal.amount);
  Bytes out;
  append_rlp_list_header(out, fields.size());
  libp2p::append(out, fields);
  return out;
}

}  // namespace

Hash transactions_root(const Transactions& transactions) {
  return opstack::encoding::ordered_trie_root(transactions.views());
}

Hash withdrawals_root(const std::vector<Withdrawal>& withdrawals) {
  std::vector<Bytes> encoded;
  encoded.reserve(withdrawals.size());
  for (const auto& withdrawal : withdrawals) encoded.push_back(encode_withdrawal(withdrawal));
  const std::vector<ByteView> views(encoded.begin(), encoded.end());
  return opstack::encoding::ordered_trie_root(views);
}

bool has_uncovered_withdrawals(const ExecutionPayload& payload) {
  return payload.withdrawals_root && !(payload.withdrawals && payload.withdrawals->empty());
}

Hash compute_block_hash(const Envelope& envelope) { return make_header(envelope).hash; }

HashedHeader make_header(const Envelope& envelope) {
  HashedHeader out;
  out.rlp = encode_header(envelope, transactions_root(envelope.payload.transactions));
  out.hash = libp2p::crypto::keccak256(out.rlp);
  return out;
}

Bytes encode_header(const Envelope& envelope, const Hash& transactions_root) {
  const auto& p = envelope.payload;
  Bytes header;
  header.reserve(1024);
  append_rlp_string(header, p.parent_hash);
  append_rlp_string(header, kEmptyUnclesHash);
  append_rlp_string(header, p.fee_recipient);
  append_rlp_string(header, p.state_root);
  append_rlp_string(header, transactions_root);
  append_rlp_string(header, p.receipts_root);
  append_rlp_string(header, p.logs_bloom);
  append_rlp_uint(header, 0);  // difficulty
  append_rlp_uint(header, p.block_number);
  append_rlp_uint(header, p.gas_limit);
  append_rlp_uint(header, p.gas_used);
  append_rlp_uint(header, p.timestamp);
  append_rlp_string(header, p.extra_data);
  append_rlp_string(header, p.prev_randao);
  append_rlp_string(header, libp2p::ByteArray<8>{});  // nonce
  append_rlp_big_endian(header, p.base_fee_per_gas);
  // The rest is there or not by the presence of the fields, not by the time of a fork. From Isthmus on the header
  // commits to the storage root that the payload names instead of the (empty) list.
  if (p.withdrawals_root)
    append_rlp_string(header, *p.withdrawals_root);
  else if (p.withdrawals)
    append_rlp_string(header, withdrawals_root(*p.withdrawals));
  if (p.blob_gas_used) append_rlp_uint(header, *p.blob_gas_used);
  if (p.excess_blob_gas) append_rlp_uint(header, *p.excess_blob_gas);
  if (envelope.parent_beacon_block_root) append_rlp_string(header, *envelope.parent_beacon_block_root);
  if (p.withdrawals_root) append_rlp_string(header, kEmptyRequestsHash);
  Bytes list;
  list.reserve(header.size() + 4);
  append_rlp_list_header(list, header.size());
  libp2p::append(list, header);
  return list;
}

}  // namespace opstack::payload
