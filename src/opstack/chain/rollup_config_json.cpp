#include <algorithm>
#include <limits>

#include "opstack/chain/rollup_config.hpp"

namespace opstack::chain {
namespace {

namespace json = boost::json;
using libp2p::Errc;
using libp2p::Error;
using libp2p::to_hex0x;

std::string shown(const json::value& value) {
  const std::string text = json::serialize(value);
  return text.size() <= 80 ? text : text.substr(0, 77) + "...";
}

// Reads the keys of one object; the first thing that is wrong stays. A key that is absent or null leaves its zero,
// which check() then judges: the same as with the reference's reader.
class Reader {
 public:
  Reader(const json::object& object, std::string prefix, std::optional<Error>& error)
      : object_(object), prefix_(std::move(prefix)), error_(error) {}

  template <class Integer>
    requires std::is_unsigned_v<Integer>
  void read(std::string_view key, Integer& out) {
    const auto* value = find(key);
    if (value == nullptr) return;
    boost::system::error_code code;
    const auto number = value->is_double() ? Integer{} : value->to_number<Integer>(code);
    if (value->is_double() || code)
      return fail(key, *value, "a whole number from 0 to " + std::to_string(std::numeric_limits<Integer>::max()));
    out = number;
  }
  void read(std::string_view key, std::optional<std::uint64_t>& out) {
    if (find(key) != nullptr) read(key, out.emplace());
  }
  void read(std::string_view key, bool& out) {
    const auto* value = find(key);
    if (value == nullptr) return;
    if (!value->is_bool()) return fail(key, *value, "true or false");
    out = value->get_bool();
  }
  void read(std::string_view key, std::string& out) {
    const auto* value = find(key);
    if (value == nullptr) return;
    if (!value->is_string()) return fail(key, *value, "a text");
    out = std::string(value->get_string());
  }
  template <std::size_t N>
  void read(std::string_view key, ByteArray<N>& out) {
    const auto* value = find(key);
    if (value == nullptr) return;
    const std::string expected = std::to_string(N) + " bytes as 0x-hex";
    if (!value->is_string()) return fail(key, *value, expected);
    const std::string_view text = value->get_string();
    const auto raw = text.starts_with("0x") || text.starts_with("0X")
                         ? libp2p::from_hex("0x" + std::string(text.substr(2)))
                         : std::nullopt;
    if (!raw || raw->size() != N) return fail(key, *value, expected);
    std::copy(raw->begin(), raw->end(), out.begin());
  }
  // Calls `read_object` with a reader of the object at `key`, if there is one.
  template <class Function>
  void object(std::string_view key, Function read_object) {
    const auto* value = find(key);
    if (value == nullptr) return;
    if (!value->is_object()) return fail(key, *value, "an object");
    Reader inner(value->get_object(), path(key) + ".", error_);
    read_object(inner);
  }

 private:
  const json::value* find(std::string_view key) const {
    const auto* value = object_.if_contains(key);
    return error_ || value == nullptr || value->is_null() ? nullptr : value;
  }
  std::string path(std::string_view key) const { return prefix_ + std::string(key); }
  void fail(std::string_view key, const json::value& value, const std::string& expected) {
    error_ = Error(Errc::malformed, "rollup config: " + path(key) + " is " + shown(value) + ": it must be " + expected);
  }

  const json::object& object_;
  std::string prefix_;
  std::optional<Error>& error_;
};

void read_block_id(Reader& in, BlockId& out) {
  in.read("hash", out.hash);
  in.read("number", out.number);
}

void read_genesis(Reader& in, Genesis& out) {
  in.object("l1", [&](Reader& block) { read_block_id(block, out.l1); });
  in.object("l2", [&](Reader& block) { read_block_id(block, out.l2); });
  in.read("l2_time", out.l2_time);
  in.object("system_config", [&](Reader& system) {
    system.read("batcherAddr", out.system_config.batcher_addr);
    system.read("overhead", out.system_config.overhead);
    system.read("scalar", out.system_config.scalar);
    system.read("gasLimit", out.system_config.gas_limit);
    system.read("eip1559Params", out.system_config.eip1559_params);
    system.read("operatorFeeParams", out.system_config.operator_fee_params);
    system.read("minBaseFee", out.system_config.min_base_fee);
    system.read("daFootprintGasScalar", out.system_config.da_footprint_gas_scalar);
  });
}

void read_options(Reader& in, RollupConfig& out) {
  in.object("chain_op_config", [&](Reader& op) {
    auto& config = out.chain_op_config.emplace();
    op.read("eip1559Elasticity", config.eip1559_elasticity);
    op.read("eip1559Denominator", config.eip1559_denominator);
    op.read("eip1559DenominatorCanyon", config.eip1559_denominator_canyon);
  });
  in.object("alt_da", [&](Reader& da) {
    auto& config = out.alt_da.emplace();
    da.read("da_challenge_contract_address", config.da_challenge_contract_address);
    da.read("da_commitment_type", config.da_commitment_type);
    da.read("da_max_input_size", config.da_max_input_size);
    da.read("da_challenge_window", config.da_challenge_window);
    da.read("da_resolve_window", config.da_resolve_window);
  });
}

void read_config(Reader& in, RollupConfig& out) {
  in.object("genesis", [&](Reader& genesis) { read_genesis(genesis, out.genesis); });
  in.read("block_time", out.block_time);
  in.read("max_sequencer_drift", out.max_sequencer_drift);
  in.read("seq_window_size", out.seq_window_size);
  in.read("channel_timeout", out.channel_timeout);
  in.read("l1_chain_id", out.l1_chain_id);
  in.read("l2_chain_id", out.l2_chain_id);
  for (std::size_t i = 1; i < kForkCount; ++i) in.read(std::string(kForkNames[i]) + "_time", out.fork_times[i]);
  in.read("keep_karst_upgrade_gas", out.keep_karst_upgrade_gas);
  in.read("batch_inbox_address", out.batch_inbox_address);
  in.read("deposit_contract_address", out.deposit_contract_address);
  in.read("l1_system_config_address", out.l1_system_config_address);
  read_options(in, out);
  in.read("pectra_blob_schedule_time", out.pectra_blob_schedule_time);
}

json::object block_id_to_json(const BlockId& id) { return {{"hash", to_hex0x(id.hash)}, {"number", id.number}}; }

json::object genesis_to_json(const Genesis& genesis) {
  const auto& system = genesis.system_config;
  json::object system_json;
  system_json["batcherAddr"] = to_hex0x(system.batcher_addr);
  system_json["overhead"] = to_hex0x(system.overhead);
  system_json["scalar"] = to_hex0x(system.scalar);
  system_json["gasLimit"] = system.gas_limit;
  system_json["eip1559Params"] = to_hex0x(system.eip1559_params);
  system_json["operatorFeeParams"] = to_hex0x(system.operator_fee_params);
  system_json["minBaseFee"] = system.min_base_fee;
  system_json["daFootprintGasScalar"] = system.da_footprint_gas_scalar;
  json::object out;
  out["l1"] = block_id_to_json(genesis.l1);
  out["l2"] = block_id_to_json(genesis.l2);
  out["l2_time"] = genesis.l2_time;
  out["system_config"] = std::move(system_json);
  return out;
}

void add(json::object& out, std::string_view key, const std::optional<std::uint64_t>& value) {
  if (value) out[key] = *value;
}

void add_options(json::object& out, const RollupConfig& config) {
  if (const auto& op = config.chain_op_config) {
    json::object inner;
    inner["eip1559Elasticity"] = op->eip1559_elasticity;
    inner["eip1559Denominator"] = op->eip1559_denominator;
    add(inner, "eip1559DenominatorCanyon", op->eip1559_denominator_canyon);
    out["chain_op_config"] = std::move(inner);
  }
  if (const auto& da = config.alt_da) {
    json::object inner;
    inner["da_challenge_contract_address"] = to_hex0x(da->da_challenge_contract_address);
    inner["da_commitment_type"] = da->da_commitment_type;
    add(inner, "da_max_input_size", da->da_max_input_size);
    inner["da_challenge_window"] = da->da_challenge_window;
    inner["da_resolve_window"] = da->da_resolve_window;
    out["alt_da"] = std::move(inner);
  }
}

}  // namespace

Result<RollupConfig> RollupConfig::from_text(std::string_view text) {
  json::stream_parser parser;
  boost::system::error_code code;
  const std::size_t read = parser.write_some(text.data(), text.size(), code);
  if (!code && read == text.size()) parser.finish(code);
  if (!code && read < text.size() && text.find_first_not_of(" \t\r\n", read) != std::string_view::npos)
    code = json::error::extra_data;
  if (code) return Error::at(read, Errc::malformed, "rollup config: the file is no JSON (" + code.message() + ")");
  return from_json(parser.release());
}

Result<RollupConfig> RollupConfig::from_json(const json::value& value) {
  if (!value.is_object()) return Error(Errc::malformed, "rollup config: the file must hold one JSON object");
  RollupConfig out;
  std::optional<Error> error;
  Reader reader(value.get_object(), "", error);
  read_config(reader, out);
  if (error) return *std::move(error);
  OPP2P_TRYV(out.check());
  return out;
}

json::object RollupConfig::to_json() const {
  json::object out;
  out["genesis"] = genesis_to_json(genesis);
  out["block_time"] = block_time;
  if (max_sequencer_drift != 0) out["max_sequencer_drift"] = max_sequencer_drift;
  out["seq_window_size"] = seq_window_size;
  out["channel_timeout"] = channel_timeout;
  out["l1_chain_id"] = l1_chain_id;
  out["l2_chain_id"] = l2_chain_id;
  for (std::size_t i = 1; i < kForkCount; ++i) {
    if (static_cast<Fork>(i) == Fork::lagoon && keep_karst_upgrade_gas) out["keep_karst_upgrade_gas"] = true;
    add(out, std::string(kForkNames[i]) + "_time", fork_times[i]);
  }
  out["batch_inbox_address"] = to_hex0x(batch_inbox_address);
  out["deposit_contract_address"] = to_hex0x(deposit_contract_address);
  out["l1_system_config_address"] = to_hex0x(l1_system_config_address);
  add_options(out, *this);
  add(out, "pectra_blob_schedule_time", pectra_blob_schedule_time);
  return out;
}

}  // namespace opstack::chain
