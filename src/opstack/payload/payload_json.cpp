#include "opstack/payload/payload_json.hpp"

#include <algorithm>
#include <type_traits>

#include "libp2p/multiformats/rlp.hpp"

namespace opstack::payload {
namespace {

namespace json = boost::json;
using libp2p::Errc;
using libp2p::Error;
using libp2p::to_hex0x;

Error wrong(const std::string& path, const std::string& text) { return Error(Errc::malformed, path + " " + text); }

std::string shorten(std::string_view text) {
  return text.size() <= 48 ? std::string(text) : std::string(text.substr(0, 45)) + "...";
}

Result<std::string_view> as_hex_text(const json::value& value, const std::string& path) {
  if (!value.is_string()) return wrong(path, "must be 0x-hex text");
  const std::string_view text = value.get_string();
  if (!text.starts_with("0x")) return wrong(path, "must be 0x-hex text, but is \"" + shorten(text) + "\"");
  return text;
}

Result<Bytes> as_data(const json::value& value, const std::string& path) {
  OPP2P_TRY(const std::string_view text, as_hex_text(value, path));
  auto out = libp2p::from_hex(text);
  if (!out) return wrong(path, "is no whole number of hexadecimal bytes: \"" + shorten(text) + "\"");
  return *std::move(out);
}

// Up to 32 bytes, big-endian, with the zeros in front left out of the text.
Result<Uint256> as_quantity(const json::value& value, const std::string& path, std::size_t max_bytes) {
  OPP2P_TRY(const std::string_view text, as_hex_text(value, path));
  const std::string_view digits = text.substr(2);
  if (digits.empty()) return wrong(path, "is an empty quantity; zero is \"0x0\"");
  if (digits.size() > 1 && digits[0] == '0')
    return wrong(path, "is a quantity with leading zeros: \"" + shorten(text) + "\"");
  if (digits.size() > 2 * max_bytes)
    return wrong(path,
                 "is a quantity of more than " + std::to_string(8 * max_bytes) + " bits: \"" + shorten(text) + "\"");
  const auto raw = libp2p::from_hex((digits.size() % 2 == 0 ? "" : "0") + std::string(digits));
  if (!raw) return wrong(path, "is no hexadecimal quantity: \"" + shorten(text) + "\"");
  Uint256 out{};
  std::copy(raw->begin(), raw->end(), out.end() - static_cast<std::ptrdiff_t>(raw->size()));
  return out;
}

// Reads the fields of one object; the first thing that is wrong stays.
class Fields {
 public:
  Fields(const json::object& object, std::string path) : object_(object), path_(std::move(path)) {}

  const json::value* find(std::string_view key) const {
    const auto* value = object_.if_contains(key);
    return value == nullptr || value->is_null() ? nullptr : value;
  }
  std::string path(std::string_view key) const {
    return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  }

  template <std::size_t N>
  void read(std::string_view key, libp2p::ByteArray<N>& out) {
    if (const auto* value = required(key)) take<N>(*value, path(key), out);
  }
  template <std::size_t N>
  void read(std::string_view key, std::optional<libp2p::ByteArray<N>>& out) {
    if (const auto* value = find(key)) take<N>(*value, path(key), out.emplace());
  }
  void read(std::string_view key, std::uint64_t& out) {
    if (const auto* value = required(key)) take(*value, path(key), out);
  }
  void read(std::string_view key, std::optional<std::uint64_t>& out) {
    if (const auto* value = find(key)) take(*value, path(key), out.emplace());
  }
  void read_quantity(std::string_view key, Uint256& out) {
    if (const auto* value = required(key)) keep(as_quantity(*value, path(key), 32), out);
  }
  void read_data(std::string_view key, Bytes& out) {
    if (const auto* value = required(key)) keep(as_data(*value, path(key)), out);
  }
  const json::array* list(std::string_view key, bool must_be_there) {
    const auto* value = must_be_there ? required(key) : find(key);
    if (value == nullptr) return nullptr;
    if (!value->is_array()) fail(wrong(path(key), "must be a list"));
    return value->if_array();
  }
  void fail(Error error) {
    if (!error_) error_ = std::move(error);
  }
  template <class T>
  void keep(Result<T> result, T& out) {
    if (result)
      out = std::move(*result);
    else
      fail(std::move(result).error());
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  const json::value* required(std::string_view key) {
    const auto* value = find(key);
    if (value == nullptr) fail(wrong(path(key), "is missing"));
    return value;
  }
  template <std::size_t N>
  void take(const json::value& value, const std::string& where, libp2p::ByteArray<N>& out) {
    Bytes raw;
    keep(as_data(value, where), raw);
    if (error_) return;
    if (raw.size() != N)
      return fail(wrong(where, "has " + std::to_string(raw.size()) + " bytes instead of " + std::to_string(N)));
    std::copy(raw.begin(), raw.end(), out.begin());
  }
  void take(const json::value& value, const std::string& where, std::uint64_t& out) {
    Uint256 wide{};
    keep(as_quantity(value, where, 8), wide);
    out = libp2p::load_be64(wide.data() + 24);
  }

  const json::object& object_;
  std::string path_;
  std::optional<Error> error_;
};

Result<Withdrawal> withdrawal_from_json(const json::value& value, const std::string& path) {
  if (!value.is_object()) return wrong(path, "must be an object");
  Fields fields(value.get_object(), path);
  Withdrawal out;
  fields.read("index", out.index);
  fields.read("validatorIndex", out.validator_index);
  fields.read("address", out.address);
  fields.read("amount", out.amount);
  if (fields.error()) return *fields.error();
  return out;
}

void read_lists(Fields& fields, ExecutionPayload& out) {
  if (const auto* list = fields.list("transactions", true)) {
    out.transactions.reserve(list->size());
    for (std::size_t i = 0; i < list->size() && !fields.error(); ++i) {
      Bytes transaction;
      fields.keep(as_data((*list)[i], fields.path("transactions") + "[" + std::to_string(i) + "]"), transaction);
      out.transactions.push_back(std::move(transaction));
    }
  }
  if (const auto* list = fields.list("withdrawals", false)) {
    out.withdrawals.emplace(list->size());
    for (std::size_t i = 0; i < list->size() && !fields.error(); ++i)
      fields.keep(withdrawal_from_json((*list)[i], fields.path("withdrawals") + "[" + std::to_string(i) + "]"),
                  (*out.withdrawals)[i]);
  }
}

Result<ExecutionPayload> payload_from_json(const json::object& object, const std::string& path) {
  Fields fields(object, path);
  ExecutionPayload out;
  fields.read("parentHash", out.parent_hash);
  fields.read("feeRecipient", out.fee_recipient);
  fields.read("stateRoot", out.state_root);
  fields.read("receiptsRoot", out.receipts_root);
  fields.read("logsBloom", out.logs_bloom);
  fields.read("prevRandao", out.prev_randao);
  fields.read("blockNumber", out.block_number);
  fields.read("gasLimit", out.gas_limit);
  fields.read("gasUsed", out.gas_used);
  fields.read("timestamp", out.timestamp);
  fields.read_data("extraData", out.extra_data);
  if (out.extra_data.size() > kMaxExtraData)
    fields.fail(wrong(fields.path("extraData"),
                      "has " + std::to_string(out.extra_data.size()) + " bytes, at most 32 are allowed"));
  fields.read_quantity("baseFeePerGas", out.base_fee_per_gas);
  fields.read("blockHash", out.block_hash);
  read_lists(fields, out);
  fields.read("blobGasUsed", out.blob_gas_used);
  fields.read("excessBlobGas", out.excess_blob_gas);
  fields.read("withdrawalsRoot", out.withdrawals_root);
  if (fields.error()) return *fields.error();
  return out;
}

json::object to_json(const Withdrawal& withdrawal) {
  return {{"index", to_quantity(withdrawal.index)},
          {"validatorIndex", to_quantity(withdrawal.validator_index)},
          {"address", to_hex0x(withdrawal.address)},
          {"amount", to_quantity(withdrawal.amount)}};
}

}  // namespace

std::string to_quantity(const Uint256& value) {
  const std::string hex = libp2p::to_hex(value);
  const auto first = hex.find_first_not_of('0');
  return first == std::string::npos ? "0x0" : "0x" + hex.substr(first);
}

std::string to_quantity(std::uint64_t value) {
  Uint256 wide{};
  libp2p::store_be64(wide.data() + 24, value);
  return to_quantity(wide);
}

json::object to_json(const ExecutionPayload& payload) {
  json::object out;
  out["parentHash"] = to_hex0x(payload.parent_hash);
  out["feeRecipient"] = to_hex0x(payload.fee_recipient);
  out["stateRoot"] = to_hex0x(payload.state_root);
  out["receiptsRoot"] = to_hex0x(payload.receipts_root);
  out["logsBloom"] = to_hex0x(payload.logs_bloom);
  out["prevRandao"] = to_hex0x(payload.prev_randao);
  out["blockNumber"] = to_quantity(payload.block_number);
  out["gasLimit"] = to_quantity(payload.gas_limit);
  out["gasUsed"] = to_quantity(payload.gas_used);
  out["timestamp"] = to_quantity(payload.timestamp);
  out["extraData"] = to_hex0x(payload.extra_data);
  out["baseFeePerGas"] = to_quantity(payload.base_fee_per_gas);
  out["blockHash"] = to_hex0x(payload.block_hash);
  json::array transactions;
  transactions.reserve(payload.transactions.size());
  for (const auto& transaction : payload.transactions) transactions.emplace_back(to_hex0x(transaction));
  out["transactions"] = std::move(transactions);
  if (payload.withdrawals) {
    json::array withdrawals;
    for (const auto& withdrawal : *payload.withdrawals) withdrawals.emplace_back(to_json(withdrawal));
    out["withdrawals"] = std::move(withdrawals);
  }
  if (payload.blob_gas_used) out["blobGasUsed"] = to_quantity(*payload.blob_gas_used);
  if (payload.excess_blob_gas) out["excessBlobGas"] = to_quantity(*payload.excess_blob_gas);
  if (payload.withdrawals_root) out["withdrawalsRoot"] = to_hex0x(*payload.withdrawals_root);
  return out;
}

json::object to_json(const Envelope& envelope) {
  json::object out;
  if (envelope.parent_beacon_block_root) out["parentBeaconBlockRoot"] = to_hex0x(*envelope.parent_beacon_block_root);
  out["executionPayload"] = to_json(envelope.payload);
  return out;
}

Result<Envelope> envelope_from_json(const json::value& value) {
  if (!value.is_object()) return wrong("the envelope", "must be an object with \"executionPayload\"");
  Fields fields(value.get_object(), "");
  Envelope out;
  fields.read("parentBeaconBlockRoot", out.parent_beacon_block_root);
  if (fields.error()) return *fields.error();
  const auto* payload = fields.find("executionPayload");
  if (payload == nullptr || !payload->is_object())
    return wrong("executionPayload", payload == nullptr ? "is missing" : "must be an object");
  OPP2P_TRY(out.payload, payload_from_json(payload->get_object(), "executionPayload"));
  return out;
}

}  // namespace opstack::payload
