#include "opstack/testing/chain_builder.hpp"

#include <algorithm>

#include "libp2p/crypto/hash.hpp"
#include "libp2p/multiformats/rlp.hpp"
#include "opstack/encoding/ordered_trie.hpp"

namespace opstack::testing {
namespace {

using libp2p::append;
using libp2p::as_bytes;
using libp2p::crypto::keccak256;
using libp2p::crypto::sha256;
using opstack::payload::Address;
using opstack::payload::Hash;
using opstack::payload::Uint256;
namespace secp256k1 = libp2p::crypto::secp256k1;

constexpr std::size_t kSenders = 8;
constexpr std::uint64_t kGasLimit = 400'000'000;
constexpr std::uint64_t kGenesisBaseFee = 1'000'000'000;
constexpr std::uint64_t kElasticity = 6;
constexpr std::uint64_t kDenominator = 50;
constexpr std::uint64_t kDenominatorCanyon = 250;
constexpr std::uint64_t kDepositGas = 46'000;
constexpr std::uint64_t kMaxFee = 1'000'000'000'000;
constexpr std::uint16_t kFootprintScalar = 10;  // Jovian: gas a byte of estimated data

Uint256 uint256(std::uint64_t value) {
  Uint256 out{};
  libp2p::store_be64(out.data() + 24, value);
  return out;
}

std::uint64_t low64(const Uint256& value) { return libp2p::load_be64(value.data() + 24); }

Bytes rlp_list(ByteView contents) {
  Bytes out;
  out.reserve(contents.size() + 9);
  libp2p::multiformats::append_rlp_list_header(out, contents.size());
  append(out, contents);
  return out;
}

Bytes typed(std::uint8_t type, ByteView rlp) {
  Bytes out;
  out.reserve(rlp.size() + 1);
  out.push_back(type);
  append(out, rlp);
  return out;
}

Address address(std::string_view hex) {
  Address out{};
  const auto raw = *libp2p::from_hex(hex);
  std::copy(raw.begin(), raw.end(), out.begin());
  return out;
}

void append_selector(Bytes& out, std::string_view signature) {
  const auto hash = keccak256(as_bytes(signature));
  out.insert(out.end(), hash.begin(), hash.begin() + 4);
}

template <class Integer>
void append_be(Bytes& out, Integer value) {
  for (int shift = static_cast<int>(sizeof(Integer)) * 8 - 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<std::uint8_t>(value >> shift));
}

// The L1 block that the deposit speaks of: one every twelve seconds, made up.
struct Origin {
  std::uint64_t number;
  std::uint64_t time;
  std::uint64_t sequence;  // L2 blocks since the first one of this origin
  Hash hash;
};

Origin origin_of(const ChainOptions& options, std::uint64_t timestamp) {
  const std::uint64_t since = timestamp - options.genesis_time;
  Origin out{};
  out.number = 1 + since / 12;
  out.time = options.genesis_time + since / 12 * 12;
  out.sequence = since % 12 / options.block_time;
  Bytes seed = libp2p::to_bytes("devnet L1 block ");
  append_be(seed, out.number);
  out.hash = keccak256(seed);
  return out;
}

// Calldata of the L1 attributes transaction. Source: specs/protocol/{deposits,ecotone,isthmus,jovian}/….md, "L1
// Attributes".
Bytes attributes_calldata(const ChainOptions& options, const Origin& origin) {
  Bytes out;
  const auto base_fee = uint256(10'000'000'000);
  const Hash batcher = keccak256(as_bytes("devnet batcher"));
  if (options.fork < Fork::ecotone) {
    append_selector(out, "setL1BlockValues(uint64,uint64,uint256,bytes32,uint64,bytes32,uint256,uint256)");
    append(out, uint256(origin.number));
    append(out, uint256(origin.time));
    append(out, base_fee);
    append(out, origin.hash);
    append(out, uint256(origin.sequence));
    append(out, batcher);
    append(out, uint256(188));
    append(out, uint256(684'000));
    return out;
  }
  append_selector(out, options.fork == Fork::ecotone   ? "setL1BlockValuesEcotone()"
                       : options.fork == Fork::isthmus ? "setL1BlockValuesIsthmus()"
                                                       : "setL1BlockValuesJovian()");
  append_be(out, std::uint32_t{1368});    // base fee scalar
  append_be(out, std::uint32_t{810949});  // blob base fee scalar
  append_be(out, origin.sequence);
  append_be(out, origin.time);
  append_be(out, origin.number);
  append(out, base_fee);
  append(out, uint256(1));  // blob base fee
  append(out, origin.hash);
  append(out, batcher);
  if (options.fork >= Fork::isthmus) {
    append_be(out, std::uint32_t{0});  // operator fee scalar
    append_be(out, std::uint64_t{0});  // operator fee constant
  }
  if (options.fork >= Fork::jovian) append_be(out, kFootprintScalar);
  return out;
}

std::uint64_t intrinsic_gas(const Fork fork, std::size_t data_size) {
  // The filler has hardly a zero byte; from Isthmus on (EIP-7623) data has a floor price of 40 a byte.
  return 21'000 + data_size * (fork >= Fork::isthmus ? 40 : 16);
}

// The base fee that follows from the block before (EIP-1559).
std::uint64_t next_base_fee(const ChainOptions& options, std::uint64_t base_fee, std::uint64_t gas_used) {
  __extension__ using Wide = unsigned __int128;
  const std::uint64_t denominator = options.fork >= Fork::canyon ? kDenominatorCanyon : kDenominator;
  const std::uint64_t target = kGasLimit / kElasticity;
  if (gas_used == target) return base_fee;
  const std::uint64_t distance = gas_used > target ? gas_used - target : target - gas_used;
  const auto change = static_cast<std::uint64_t>(Wide(base_fee) * distance / target / denominator);
  return gas_used > target ? base_fee + std::max<std::uint64_t>(change, 1) : base_fee - change;
}

Bytes extra_data(Fork fork) {
  Bytes out;
  if (fork < Fork::isthmus) return out;
  out.push_back(fork >= Fork::jovian ? 1 : 0);
  append_be(out, static_cast<std::uint32_t>(kDenominatorCanyon));
  append_be(out, static_cast<std::uint32_t>(kElasticity));
  if (fork >= Fork::jovian) append_be(out, std::uint64_t{0});  // least base fee
  return out;
}

Bytes receipt(const ChainOptions& options, bool deposit, std::uint64_t nonce, std::uint64_t cumulative_gas) {
  static constexpr libp2p::ByteArray<256> kNoLogs{};
  Bytes contents;
  libp2p::multiformats::append_rlp_uint(contents, 1);  // status: success
  libp2p::multiformats::append_rlp_uint(contents, cumulative_gas);
  libp2p::multiformats::append_rlp_string(contents, kNoLogs);
  libp2p::multiformats::append_rlp_list_header(contents, 0);
  if (deposit && options.fork >= Fork::canyon) {
    libp2p::multiformats::append_rlp_uint(contents, nonce);
    libp2p::multiformats::append_rlp_uint(contents, 1);  // deposit receipt version
  }
  return typed(deposit ? 0x7e : 0x02, rlp_list(contents));
}

Hash root_of(const std::vector<Bytes>& values) {
  const std::vector<ByteView> views(values.begin(), values.end());
  return opstack::encoding::ordered_trie_root(views);
}

}  // namespace

std::optional<Fork> block_fork_from_string(std::string_view name) {
  const auto fork = chain::fork_from_string(name);
  const bool has_form =
      fork && std::find(std::begin(kBlockForks), std::end(kBlockForks), *fork) != std::end(kBlockForks);
  return has_form ? fork : std::nullopt;
}

opstack::payload::Version version_of(Fork fork) {
  using opstack::payload::Version;
  if (fork >= Fork::isthmus) return Version::v4;
  if (fork >= Fork::ecotone) return Version::v3;
  return fork >= Fork::canyon ? Version::v2 : Version::v1;
}

ChainBuilder::ChainBuilder(ChainOptions options, libp2p::Rng& rng)
    : options_(options), nonces_(kSenders, 0), filler_(rng.next_u64()) {
  for (std::size_t i = 0; i < kSenders; ++i) {
    senders_.push_back(secp256k1::generate(rng));
    addresses_.push_back(secp256k1::address_of(senders_.back()));
  }
  auto& block = genesis_.payload;
  block.gas_limit = kGasLimit;
  block.timestamp = options_.genesis_time;
  block.base_fee_per_gas = uint256(kGenesisBaseFee);
  block.state_root = keccak256(as_bytes("devnet genesis state"));
  block.receipts_root = root_of({});
  block.extra_data = extra_data(options_.fork);
  seal(genesis_);
  head_ = genesis_;
}

// What the fork adds to a block, and its hash.
void ChainBuilder::seal(Envelope& envelope) const {
  auto& block = envelope.payload;
  if (options_.fork >= Fork::canyon) block.withdrawals.emplace();
  if (options_.fork >= Fork::ecotone) {
    std::uint64_t footprint = 0;
    if (options_.fork >= Fork::jovian)
      for (std::size_t i = 1; i < block.transactions.size(); ++i)
        footprint += std::max<std::size_t>(100, block.transactions[i].size()) * kFootprintScalar;
    block.blob_gas_used = footprint;
    block.excess_blob_gas = 0;
    envelope.parent_beacon_block_root = keccak256(origin_of(options_, block.timestamp).hash);
  }
  if (options_.fork >= Fork::isthmus)
    block.withdrawals_root = keccak256(as_bytes("devnet storage of the L2-to-L1 message passer"));
  block.block_hash = opstack::payload::compute_block_hash(envelope);
}

void ChainBuilder::diverge(std::uint64_t salt) { filler_ = libp2p::SeededRng(salt); }

Envelope ChainBuilder::next() {
  const auto& parent = head_.payload;
  Envelope envelope;
  auto& block = envelope.payload;
  block.parent_hash = parent.block_hash;
  block.fee_recipient = address("4200000000000000000000000000000000000011");
  block.block_number = parent.block_number + 1;
  block.timestamp = parent.timestamp + options_.block_time;
  block.gas_limit = kGasLimit;
  block.prev_randao = sha256(parent.prev_randao);
  block.base_fee_per_gas = uint256(next_base_fee(options_, low64(parent.base_fee_per_gas), parent.gas_used));
  block.extra_data = extra_data(options_.fork);
  fill(envelope);
  Bytes state = libp2p::to_bytes(parent.state_root);
  append(state, opstack::payload::transactions_root(block.transactions));
  block.state_root = keccak256(state);
  seal(envelope);
  head_ = envelope;
  return envelope;
}

void ChainBuilder::fill(Envelope& envelope) {
  auto& block = envelope.payload;
  std::vector<Bytes> receipts;
  block.transactions.push_back(deposit(envelope));
  block.gas_used = kDepositGas;
  receipts.push_back(receipt(options_, true, block.block_number - 1, block.gas_used));
  // Between a plain transfer with a note and, in large blocks, data of a thousandth of the block.
  const std::size_t data_size = std::max<std::size_t>(96, options_.block_size / 1000);
  const std::size_t whole = data_size + 120;
  const std::size_t count = std::max<std::size_t>(1, options_.block_size / whole);
  Bytes filler(data_size);
  for (std::size_t i = 0; i < count; ++i) {
    filler_.fill(filler);
    block.transactions.push_back(transfer(i % kSenders, data_size, filler));
    block.gas_used += intrinsic_gas(options_.fork, data_size);
    receipts.push_back(receipt(options_, false, 0, block.gas_used));
  }
  block.receipts_root = root_of(receipts);
}

// The deposit that opens every block. Source: specs/protocol/deposits.md, "The Deposited Transaction Type".
Bytes ChainBuilder::deposit(const Envelope& envelope) const {
  const auto origin = origin_of(options_, envelope.payload.timestamp);
  Bytes id = libp2p::to_bytes(origin.hash);
  append(id, uint256(origin.sequence));
  Bytes source = libp2p::to_bytes(uint256(1));  // domain of the L1 attributes
  append(source, keccak256(id));
  Bytes contents;
  libp2p::multiformats::append_rlp_string(contents, keccak256(source));
  libp2p::multiformats::append_rlp_string(contents, address("deaddeaddeaddeaddeaddeaddeaddeaddead0001"));
  libp2p::multiformats::append_rlp_string(contents, address("4200000000000000000000000000000000000015"));
  libp2p::multiformats::append_rlp_uint(contents, 0);          // mint
  libp2p::multiformats::append_rlp_uint(contents, 0);          // value
  libp2p::multiformats::append_rlp_uint(contents, 1'000'000);  // gas
  libp2p::multiformats::append_rlp_uint(contents, 0);          // no system transaction since Regolith
  libp2p::multiformats::append_rlp_string(contents, attributes_calldata(options_, origin));
  return typed(0x7e, rlp_list(contents));
}

// A signed EIP-1559 transaction from one of the senders to the next, with data.
Bytes ChainBuilder::transfer(std::size_t sender, std::size_t data_size, ByteView filler) {
  Bytes contents;
  contents.reserve(data_size + 200);
  libp2p::multiformats::append_rlp_uint(contents, options_.chain_id);
  libp2p::multiformats::append_rlp_uint(contents, nonces_[sender]++);
  libp2p::multiformats::append_rlp_uint(contents, 1'000'000);  // priority fee, wei
  libp2p::multiformats::append_rlp_uint(contents, kMaxFee);
  libp2p::multiformats::append_rlp_uint(contents, intrinsic_gas(options_.fork, data_size));
  libp2p::multiformats::append_rlp_string(contents, addresses_[(sender + 1) % kSenders]);
  libp2p::multiformats::append_rlp_uint(contents, 1);  // value, wei
  libp2p::multiformats::append_rlp_string(contents, filler);
  libp2p::multiformats::append_rlp_list_header(contents, 0);  // access list
  const auto signature = secp256k1::sign(senders_[sender], keccak256(typed(0x02, rlp_list(contents))));
  libp2p::multiformats::append_rlp_uint(contents, signature[64]);
  libp2p::multiformats::append_rlp_big_endian(contents, ByteView(signature).first(32));
  libp2p::multiformats::append_rlp_big_endian(contents, ByteView(signature).subspan(32, 32));
  return typed(0x02, rlp_list(contents));
}

boost::json::object ChainBuilder::rollup_config() const {
  namespace json = boost::json;
  const Hash l1_genesis = keccak256(as_bytes("devnet L1 genesis"));
  json::object config;
  config["genesis"] = {{"l1", {{"hash", libp2p::to_hex0x(l1_genesis)}, {"number", 0}}},
                       {"l2", {{"hash", libp2p::to_hex0x(genesis_.payload.block_hash)}, {"number", 0}}},
                       {"l2_time", options_.genesis_time},
                       {"system_config",
                        {{"batcherAddr", "0x1000000000000000000000000000000000000001"},
                         {"overhead", libp2p::to_hex0x(uint256(188))},
                         {"scalar", libp2p::to_hex0x(uint256(684'000))},
                         {"gasLimit", kGasLimit}}}};
  config["block_time"] = options_.block_time;
  config["max_sequencer_drift"] = 600;
  config["seq_window_size"] = 3600;
  config["channel_timeout"] = 300;
  config["l1_chain_id"] = 900;
  config["l2_chain_id"] = options_.chain_id;
  config["regolith_time"] = 0;
  struct Activation {
    const char* key;
    Fork with;
  };
  static constexpr Activation kActivations[] = {{"canyon_time", Fork::canyon},   {"delta_time", Fork::ecotone},
                                                {"ecotone_time", Fork::ecotone}, {"fjord_time", Fork::isthmus},
                                                {"granite_time", Fork::isthmus}, {"holocene_time", Fork::isthmus},
                                                {"isthmus_time", Fork::isthmus}, {"jovian_time", Fork::jovian}};
  for (const auto& activation : kActivations)
    if (options_.fork >= activation.with) config[activation.key] = 0;
  config["batch_inbox_address"] = "0xff00000000000000000000000000000000000901";
  config["deposit_contract_address"] = "0x1000000000000000000000000000000000000002";
  config["l1_system_config_address"] = "0x1000000000000000000000000000000000000003";
  config["chain_op_config"] = {{"eip1559Elasticity", kElasticity},
                               {"eip1559Denominator", kDenominator},
                               {"eip1559DenominatorCanyon", kDenominatorCanyon}};
  return config;
}

}  // namespace opstack::testing
