#include "apps/devnet/replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "libp2p/runtime/entropy.hpp"
#include "opp2p/base/json_text.hpp"
#include "opstack/payload/payload_json.hpp"
#include "opstack/rules/block_rules.hpp"
#include "sim/sim_network.hpp"

namespace opp2p::devnet {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace secp256k1 = libp2p::crypto::secp256k1;

namespace {

using libp2p::Errc;
using libp2p::fail;
using libp2p::Result;
using libp2p::Seconds;
using opstack::payload::Version;

constexpr auto kMeeting = Seconds(4);  // for handshakes and the mesh
constexpr auto kSpreading = Seconds(5);
constexpr std::size_t kJovianExtraData = 17;  // op-node surface, 6.4

// The version that the fields of an envelope stand for.
opstack::payload::Version version_of(const Envelope& envelope) {
  if (envelope.payload.withdrawals_root) return opstack::payload::Version::v4;
  if (envelope.payload.blob_gas_used) return opstack::payload::Version::v3;
  return envelope.payload.withdrawals ? opstack::payload::Version::v2 : opstack::payload::Version::v1;
}

Result<RecordedBlock> recording(std::string name, const json::value& value) {
  auto envelope = opstack::payload::envelope_from_json(value);
  if (!envelope) return envelope.error().within(name);
  RecordedBlock out;
  out.name = std::move(name);
  out.envelope = std::move(*envelope);
  out.version = version_of(out.envelope);
  return out;
}

// Of a file with cases those count that say that they were taken from a chain; the others are made up.
bool was_recorded(const json::value& item) {
  const auto* kind = item.is_object() ? item.get_object().if_contains("kind") : nullptr;
  if (kind == nullptr || !kind->is_string()) return false;
  const auto text = std::string_view(kind->get_string());
  return text.starts_with("real") || text.starts_with("derived");
}

Result<void> read_file(const fs::path& path, std::vector<RecordedBlock>& out) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream content;
  content << in.rdbuf();
  boost::system::error_code error;
  const auto value = json::parse(content.str(), error);
  if (error || !value.is_object()) return fail(Errc::malformed, path.string() + " is not a JSON object");
  const auto& object = value.get_object();
  if (object.contains("executionPayload")) {
    OPP2P_TRY(auto block, recording(path.filename().string(), value));
    out.push_back(std::move(block));
    return {};
  }
  const auto* cases = object.if_contains("cases");
  if (cases == nullptr || !cases->is_array()) return {};  // another kind of file
  for (const auto& item : cases->get_array()) {
    if (!was_recorded(item)) continue;
    const auto* decoded = item.is_object() ? item.get_object().if_contains("decoded") : nullptr;
    if (decoded == nullptr || !decoded->is_object() || !decoded->get_object().contains("executionPayload")) continue;
    const auto* name = item.get_object().if_contains("name");
    const auto label =
        name != nullptr && name->is_string() ? std::string(name->get_string()) : path.filename().string();
    OPP2P_TRY(auto block, recording(label, *decoded));
    out.push_back(std::move(block));
  }
  return {};
}

// A chain on which the block is what its fields say.
Result<opstack::chain::RollupConfig> chain_for(const RecordedBlock& block) {
  libp2p::SeededRng rng(1);
  opstack::testing::ChainOptions options;
  const bool jovian = block.envelope.payload.extra_data.size() == kJovianExtraData;
  options.fork = block.version == opstack::payload::Version::v1   ? opstack::chain::Fork::bedrock
                 : block.version == opstack::payload::Version::v2 ? opstack::chain::Fork::canyon
                 : block.version == opstack::payload::Version::v3 ? opstack::chain::Fork::ecotone
                 : jovian                                         ? opstack::chain::Fork::jovian
                                                                  : opstack::chain::Fork::isthmus;
  options.genesis_time = 1;
  OPP2P_TRY(auto rollup,
            opstack::chain::RollupConfig::from_json(opstack::testing::ChainBuilder(options, rng).rollup_config()));
  // The block counts only if its time is the one of its number.
  const auto& payload = block.envelope.payload;
  rollup.genesis.l2.number = payload.block_number > 0 ? payload.block_number - 1 : 0;
  rollup.genesis.l2_time = payload.timestamp - std::min(payload.timestamp, rollup.block_time);
  return rollup;
}

struct Replayed {
  std::size_t accepted = 0;  // followers
  std::string problem;
};

Result<Replayed> replay(const RecordedBlock& block, std::size_t followers, std::uint64_t seed) {
  OPP2P_TRY(const auto rollup, chain_for(block));
  // The bytes on the wire cannot say all that a file can.
  if (const auto fields = opstack::rules::check_block_fields(rollup, block.envelope);
      fields.verdict != opstack::rules::Verdict::accept)
    return Replayed{0, fields.text()};
  libp2p::SeededRng rng(seed);
  const auto signer = secp256k1::generate(rng);
  const auto time = libp2p::from_unix_seconds(static_cast<std::int64_t>(block.envelope.payload.timestamp));
  sim::SimNetwork network(seed, rollup, signer, time - kMeeting);
  sim::SimMemberOptions options;
  options.sequencer = true;
  OPP2P_TRYV(network.add(options));
  options.sequencer = false;
  for (std::size_t i = 0; i < followers; ++i) {
    options.dials.push_back(i);
    OPP2P_TRYV(network.add(options));
  }
  network.world().run_for(kMeeting);
  Replayed out;
  // The sequencer's own chain does not connect to the block, so what counts is what the followers make of it.
  network.node(0).publish(std::make_shared<const Envelope>(block.envelope), [&out](const Result<void>& sent) {
    if (!sent) out.problem = sent.error().text();
  });
  network.world().run_for(kSpreading);
  for (std::size_t i = 1; i < network.size(); ++i) {
    out.accepted += network.node(i).stats().accepted;
    network.node(i).stats().rejected.each([&out](opstack::rules::Reason reason, std::uint64_t) {
      out.problem = "rejected: " + std::string(to_string(reason));
    });
  }
  return out;
}

void show(Output& out, const RecordedBlock& block, const Replayed& result, std::size_t followers, bool as_json) {
  const auto& payload = block.envelope.payload;
  const bool ok = result.accepted == followers;
  if (as_json) {
    out.write(fmt::format("{}\n", json_text(json::object{{"type", "replayed"},
                                                         {"name", block.name},
                                                         {"version", static_cast<int>(block.version)},
                                                         {"number", payload.block_number},
                                                         {"timestamp", payload.timestamp},
                                                         {"transactions", payload.transactions.size()},
                                                         {"accepted", result.accepted},
                                                         {"followers", followers},
                                                         {"problem", result.problem}})));
  } else {
    out.write(fmt::format("{:<34} v{} block {:>10} at {} with {:>4} transactions: {} of {} followers accepted{}\n",
                          block.name, static_cast<int>(block.version), payload.block_number, payload.timestamp,
                          payload.transactions.size(), result.accepted, followers, ok ? "" : " — " + result.problem));
  }
}

}  // namespace

Result<std::vector<RecordedBlock>> read_recordings(const std::string& folder) {
  std::error_code error;
  std::vector<fs::path> paths;
  for (auto at = fs::recursive_directory_iterator(folder, error); !error && at != fs::recursive_directory_iterator();
       at.increment(error))
    if (at->path().extension() == ".json") paths.push_back(at->path());
  if (error) return fail(Errc::io, "--replay: cannot read the folder " + folder + ": " + error.message());
  std::sort(paths.begin(), paths.end());
  std::vector<RecordedBlock> out;
  for (const auto& path : paths) OPP2P_TRYV(read_file(path, out));
  if (out.empty()) return fail(Errc::not_found, "--replay: no recorded payload found in " + folder);
  return out;
}

Result<int> run_replay(const std::string& folder, const DevnetOptions& options, Output& out) {
  OPP2P_TRY(const auto blocks, read_recordings(folder));
  libp2p::runtime::SystemRng rng;
  const auto seed = rng.next_u64();
  std::size_t in_order = 0;
  for (const auto& block : blocks) {
    OPP2P_TRY(const auto result, replay(block, options.followers, seed));
    show(out, block, result, options.followers, options.json);
    if (out.failed()) return 1;
    if (result.accepted == options.followers) ++in_order;
  }
  const bool ok = in_order == blocks.size();
  if (options.json)
    out.write(fmt::format(
        "{}\n",
        json_text(json::object{
            {"type", "summary"}, {"ok", ok}, {"blocks", blocks.size()}, {"accepted", in_order}, {"seed", seed}})));
  else
    out.write(
        fmt::format("\n{} of {} blocks were accepted by every follower (seed {})\n", in_order, blocks.size(), seed));
  return ok ? 0 : 1;
}

}  // namespace opp2p::devnet
