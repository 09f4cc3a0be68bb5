#include <string>

#include "libp2p/base/assert.hpp"
#include "opstack/encoding/ssz.hpp"
#include "opstack/payload/payload.hpp"

namespace opstack::payload {
namespace {

using libp2p::Errc;
using libp2p::Error;
using libp2p::load_le32;
using opstack::encoding::SszReader;
using opstack::encoding::SszWriter;

constexpr std::size_t kMaxTransactions = std::size_t{1} << 20;  // MAX_TRANSACTIONS_PER_PAYLOAD of the consensus specs
constexpr std::size_t kMaxWithdrawals = 16;                     // MAX_WITHDRAWALS_PER_PAYLOAD
constexpr std::size_t kWithdrawalSize = 44;

// Where the offsets stand in the fixed part.
constexpr std::size_t kExtraDataOffsetAt = 436;
constexpr std::size_t kTransactionsOffsetAt = 504;
constexpr std::size_t kWithdrawalsOffsetAt = 508;

Error wrong(std::size_t at, const std::string& text) { return Error::at(at, Errc::malformed, text); }

std::string number(std::size_t n) { return std::to_string(n); }

// The three variable parts as [extra data, transactions), [transactions, withdrawals), [withdrawals, end).
struct Layout {
  std::size_t extra_data;
  std::size_t transactions;
  std::size_t withdrawals;
};

Result<Layout> read_layout(Version version, ByteView ssz) {
  const std::size_t fixed = fixed_size(version);
  if (ssz.size() < fixed)
    return Error::at(ssz.size(), Errc::truncated,
                     "payload: " + number(ssz.size()) + " bytes, the fixed part of version " +
                         number(static_cast<std::size_t>(version)) + " alone takes " + number(fixed));
  const Layout out{load_le32(ssz.data() + kExtraDataOffsetAt), load_le32(ssz.data() + kTransactionsOffsetAt),
                   has_withdrawals(version) ? load_le32(ssz.data() + kWithdrawalsOffsetAt) : ssz.size()};
  if (out.extra_data != fixed)
    return wrong(kExtraDataOffsetAt,
                 "payload: the extra data's offset is " + number(out.extra_data) + " instead of " + number(fixed));
  if (out.transactions < out.extra_data)
    return wrong(kTransactionsOffsetAt, "payload: the transactions' offset " + number(out.transactions) +
                                            " is before the extra data's " + number(out.extra_data));
  if (out.withdrawals < out.transactions)
    return wrong(has_withdrawals(version) ? kWithdrawalsOffsetAt : kTransactionsOffsetAt,
                 has_withdrawals(version) ? "payload: the withdrawals' offset " + number(out.withdrawals) +
                                                " is before the transactions' " + number(out.transactions)
                                          : "payload: the transactions' offset " + number(out.transactions) +
                                                " is behind the end at " + number(ssz.size()));
  if (out.withdrawals > ssz.size())
    return wrong(kWithdrawalsOffsetAt, "payload: the withdrawals' offset " + number(out.withdrawals) +
                                           " is behind the end at " + number(ssz.size()));
  if (out.transactions - out.extra_data > kMaxExtraData)
    return wrong(kTransactionsOffsetAt, "payload: extra data of " + number(out.transactions - out.extra_data) +
                                            " bytes, at most 32 are allowed");
  return out;
}

// `base` is where the list stands in the payload, for the offsets in errors. `owner` has the bytes of the list; null:
// they are copied once all is checked.
Result<Transactions> decode_transactions(ByteView list, std::size_t base, SharedBytes owner) {
  if (list.empty()) return Transactions();
  if (list.size() < 4)
    return wrong(base,
                 "payload: a list of transactions of " + number(list.size()) + " bytes has no room for an offset");
  const std::size_t first = load_le32(list.data());
  if (first % 4 != 0)
    return wrong(base, "payload: the first transaction's offset " + number(first) + " is no multiple of 4");
  if (first > list.size())
    return wrong(base, "payload: the first transaction's offset " + number(first) + " is behind the list's end at " +
                           number(list.size()));
  if (first == 0) return wrong(base, "payload: the first transaction's offset is 0 in a list that is not empty");
  const std::size_t count = first / 4;
  if (count > kMaxTransactions)
    return wrong(base,
                 "payload: " + number(count) + " transactions, at most " + number(kMaxTransactions) + " are allowed");
  // All offsets are checked before anything is allocated.
  for (std::size_t i = 1, before = first; i < count; ++i) {
    const std::size_t next = load_le32(list.data() + 4 * i);
    if (next < before || next > list.size())
      return wrong(base + 4 * i, "payload: the offset of transaction " + number(i) + " is " + number(next) +
                                     ", outside of " + number(before) + " to " + number(list.size()));
    before = next;
  }
  if (!owner) {
    owner = libp2p::share(libp2p::to_bytes(list));
    list = *owner;
  }
  std::vector<ByteView> out;
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = load_le32(list.data() + 4 * i);
    const std::size_t end = i + 1 < count ? load_le32(list.data() + 4 * (i + 1)) : list.size();
    out.push_back(list.subspan(begin, end - begin));
  }
  return Transactions::within(std::move(owner), std::move(out));
}

Result<std::vector<Withdrawal>> decode_withdrawals(ByteView list, std::size_t base) {
  if (list.size() % kWithdrawalSize != 0)
    return wrong(base, "payload: withdrawals of " + number(list.size()) + " bytes, which is no multiple of 44");
  const std::size_t count = list.size() / kWithdrawalSize;
  if (count > kMaxWithdrawals) return wrong(base, "payload: " + number(count) + " withdrawals, at most 16 are allowed");
  std::vector<Withdrawal> out(count);
  SszReader in(list);
  for (auto& withdrawal : out) {
    withdrawal.index = in.u64();
    withdrawal.validator_index = in.u64();
    withdrawal.address = in.fixed<20>();
    withdrawal.amount = in.u64();
  }
  return out;
}

void decode_fixed_part(Version version, ByteView ssz, ExecutionPayload& out) {
  SszReader in(ssz);
  out.parent_hash = in.fixed<32>();
  out.fee_recipient = in.fixed<20>();
  out.state_root = in.fixed<32>();
  out.receipts_root = in.fixed<32>();
  out.logs_bloom = in.fixed<256>();
  out.prev_randao = in.fixed<32>();
  out.block_number = in.u64();
  out.gas_limit = in.u64();
  out.gas_used = in.u64();
  out.timestamp = in.u64();
  in.offset();
  out.base_fee_per_gas = in.uint256();
  out.block_hash = in.fixed<32>();
  in.offset();
  if (has_withdrawals(version)) in.offset();
  if (has_blob_gas(version)) {
    out.blob_gas_used = in.u64();
    out.excess_blob_gas = in.u64();
  }
  if (has_withdrawals_root(version)) out.withdrawals_root = in.fixed<32>();
}

std::size_t transactions_size(const ExecutionPayload& payload) {
  std::size_t size = 4 * payload.transactions.size();
  for (const auto& transaction : payload.transactions) size += transaction.size();
  return size;
}

void write_payload(Version version, const ExecutionPayload& payload, MutableBytes out_bytes) {
  const std::size_t extra_data = fixed_size(version);
  const std::size_t transactions = extra_data + payload.extra_data.size();
  SszWriter out(out_bytes);
  out.bytes(payload.parent_hash).bytes(payload.fee_recipient).bytes(payload.state_root).bytes(payload.receipts_root);
  out.bytes(payload.logs_bloom).bytes(payload.prev_randao);
  out.u64(payload.block_number).u64(payload.gas_limit).u64(payload.gas_used).u64(payload.timestamp);
  out.offset(extra_data).uint256(payload.base_fee_per_gas).bytes(payload.block_hash).offset(transactions);
  if (has_withdrawals(version)) out.offset(transactions + transactions_size(payload));
  if (has_blob_gas(version)) out.u64(payload.blob_gas_used.value_or(0)).u64(payload.excess_blob_gas.value_or(0));
  if (has_withdrawals_root(version)) out.bytes(payload.withdrawals_root.value_or(Hash{}));
  out.bytes(payload.extra_data);
  std::size_t offset = 4 * payload.transactions.size();
  for (const auto& transaction : payload.transactions) {
    out.offset(offset);
    offset += transaction.size();
  }
  for (const auto& transaction : payload.transactions) out.bytes(transaction);
  if (!has_withdrawals(version) || !payload.withdrawals) return;
  for (const auto& withdrawal : *payload.withdrawals)
    out.u64(withdrawal.index).u64(withdrawal.validator_index).bytes(withdrawal.address).u64(withdrawal.amount);
}

Error not_encodable(Version version, const char* what) {
  return Error(Errc::invalid_argument,
               "payload: " + std::string(what) + " version " + number(static_cast<std::size_t>(version)));
}

// `owner` has the bytes of `ssz`, or is null.
Result<ExecutionPayload> decode_payload(Version version, ByteView ssz, const SharedBytes& owner) {
  OPP2P_TRY(const auto layout, read_layout(version, ssz));
  ExecutionPayload out;
  decode_fixed_part(version, ssz, out);
  out.extra_data = libp2p::to_bytes(ssz.subspan(layout.extra_data, layout.transactions - layout.extra_data));
  OPP2P_TRY(out.transactions,
            decode_transactions(ssz.subspan(layout.transactions, layout.withdrawals - layout.transactions),
                                layout.transactions, owner));
  if (has_withdrawals(version)) {
    OPP2P_TRY(out.withdrawals, decode_withdrawals(ssz.subspan(layout.withdrawals), layout.withdrawals));
  }
  return out;
}

Result<Envelope> decode_envelope(Version version, ByteView body, const SharedBytes& owner) {
  Envelope out;
  if (!has_parent_beacon_block_root(version)) {
    OPP2P_TRY(out.payload, decode_payload(version, body, owner));
    return out;
  }
  if (body.size() < 32)
    return Error::at(body.size(), Errc::truncated,
                     "envelope: " + number(body.size()) + " bytes, the parent beacon block root alone takes 32");
  out.parent_beacon_block_root = SszReader(body).fixed<32>();
  auto payload = decode_payload(version, body.subspan(32), owner);
  if (!payload) {
    const Error& error = payload.error();
    return Error::at(error.offset().value_or(0) + 32, error.code(), error.text());
  }
  out.payload = std::move(*payload);
  return out;
}

}  // namespace

Result<ExecutionPayload> decode_payload(Version version, const SharedSlice& ssz) {
  return decode_payload(version, ssz, ssz.owner());
}
Result<ExecutionPayload> decode_payload(Version version, ByteView ssz) { return decode_payload(version, ssz, nullptr); }

Result<Envelope> decode_envelope(Version version, const SharedSlice& body) {
  return decode_envelope(version, body, body.owner());
}
Result<Envelope> decode_envelope(Version version, ByteView body) { return decode_envelope(version, body, nullptr); }

std::size_t encoded_payload_size(Version version, const ExecutionPayload& payload) {
  std::size_t size = fixed_size(version) + payload.extra_data.size() + transactions_size(payload);
  if (has_withdrawals(version) && payload.withdrawals) size += kWithdrawalSize * payload.withdrawals->size();
  return size;
}

std::size_t encoded_envelope_size(Version version, const Envelope& envelope) {
  return (has_parent_beacon_block_root(version) ? 32 : 0) + encoded_payload_size(version, envelope.payload);
}

Bytes encode_payload(Version version, const ExecutionPayload& payload) {
  Bytes out(encoded_payload_size(version, payload));
  write_payload(version, payload, out);
  return out;
}

Bytes encode_envelope(Version version, const Envelope& envelope) {
  Bytes out(encoded_envelope_size(version, envelope));
  write_envelope(version, envelope, out);
  return out;
}

void write_envelope(Version version, const Envelope& envelope, MutableBytes out) {
  OPP2P_ASSERT(out.size() == encoded_envelope_size(version, envelope), "the room is as long as the encoding",
               out.size());
  MutableBytes rest = out;
  if (has_parent_beacon_block_root(version)) {
    SszWriter(rest).bytes(envelope.parent_beacon_block_root.value_or(Hash{}));
    rest = rest.subspan(32);
  }
  write_payload(version, envelope.payload, rest);
}

Result<void> check_encodable(Version version, const Envelope& envelope) {
  const auto& payload = envelope.payload;
  if (payload.withdrawals.has_value() != has_withdrawals(version))
    return not_encodable(version,
                         has_withdrawals(version) ? "withdrawals are missing for" : "there are no withdrawals in");
  if (payload.blob_gas_used.has_value() != has_blob_gas(version))
    return not_encodable(version, has_blob_gas(version) ? "blobGasUsed is missing for" : "there is no blobGasUsed in");
  if (payload.excess_blob_gas.has_value() != has_blob_gas(version))
    return not_encodable(version,
                         has_blob_gas(version) ? "excessBlobGas is missing for" : "there is no excessBlobGas in");
  if (envelope.parent_beacon_block_root.has_value() != has_parent_beacon_block_root(version))
    return not_encodable(version, has_parent_beacon_block_root(version) ? "parentBeaconBlockRoot is missing for"
                                                                        : "there is no parentBeaconBlockRoot in");
  if (payload.withdrawals_root.has_value() != has_withdrawals_root(version))
    return not_encodable(
        version, has_withdrawals_root(version) ? "withdrawalsRoot is missing for" : "there is no withdrawalsRoot in");
  if (payload.extra_data.size() > kMaxExtraData) return not_encodable(version, "extra data of more than 32 bytes in");
  if (payload.transactions.size() > kMaxTransactions) return not_encodable(version, "more than 2^20 transactions in");
  if (payload.withdrawals && payload.withdrawals->size() > kMaxWithdrawals)
    return not_encodable(version, "more than 16 withdrawals in");
  if (encoded_payload_size(version, payload) > 0xffffffff)
    return Error(Errc::too_large, "payload: its encoding is longer than the 2^32-1 bytes that SSZ's offsets reach");
  return {};
}

}  // namespace opstack::payload
