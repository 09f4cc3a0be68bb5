#include "opp2p/config/config.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>

#include "libp2p/multiformats/ip_text.hpp"
#include "opp2p/base/file_error.hpp"
#include "opp2p/base/secret_file.hpp"
#include "opp2p/config/p2p_options.hpp"

namespace opp2p {
namespace {

using libp2p::Errc;
using libp2p::Error;
using libp2p::fail;
using libp2p::Multiaddr;
using libp2p::Nanos;
using libp2p::Result;
namespace secp256k1 = libp2p::crypto::secp256k1;

constexpr std::size_t kMaxConfigFile = 1 << 20;  // bytes

Result<std::string> read_file(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return fail(Errc::io, "cannot read " + path + ": " + file_error(errno, path));
  if (S_ISDIR(info.st_mode)) return fail(Errc::io, path + " is a directory; give the file in it");
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Errc::io, "cannot read " + path + ": " + file_error(errno, path));
  std::string text(kMaxConfigFile + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return fail(Errc::io, "cannot read " + path + ": " + file_error(errno, path));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kMaxConfigFile)
    return fail(Errc::too_large,
                path + " is larger than " + std::to_string(kMaxConfigFile) + " bytes; is it a rollup configuration?");
  return text;
}

Error key_file_error(const std::string& path, std::string_view action, int code) {
  return fail(Errc::io, "--p2p.priv.path: the node key file " + path + " cannot be " + std::string(action) + ": " +
                            file_error(code, path));
}

}  // namespace

Result<std::size_t> parse_byte_count(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::size_t bytes;
  };
  static constexpr Unit kUnits[] = {
      {"", 1},           {"B", 1},          {"KB", 1000},     {"MB", 1000'000}, {"GB", 1000'000'000},
      {"KiB", 1u << 10}, {"MiB", 1u << 20}, {"GiB", 1u << 30}};
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto unit_text = text.substr(static_cast<std::size_t>(end - text.data()));
  const auto unit =
      std::find_if(std::begin(kUnits), std::end(kUnits), [&](const Unit& u) { return u.name == trim(unit_text); });
  std::size_t bytes = 0;
  if (error != std::errc() || unit == std::end(kUnits) || __builtin_mul_overflow(number, unit->bytes, &bytes))
    return fail(Errc::invalid_argument,
                go_quote(text) + " is not a size; write a number of bytes, or for example 64MiB");
  return bytes;
}

Result<secp256k1::Secret> parse_key(std::string_view text) {
  const auto raw = libp2p::from_hex(trim(text));
  if (!raw) return fail(Errc::malformed, "p2p priv key is not formatted in hex chars; write 64 hexadecimal digits");
  auto secret = secp256k1::parse_secret(*raw);
  if (!secret)
    return fail(Errc::malformed, "failed to parse priv key from " + std::to_string(raw->size()) +
                                     " bytes; it must be 32 " + "bytes below the order of secp256k1");
  return secret;
}

Result<secp256k1::Address> parse_address(std::string_view text) {
  const auto raw = libp2p::from_hex(trim(text));
  if (!raw || raw->size() != 20)
    return fail(Errc::malformed, go_quote(text) + " is not an address; write 20 bytes as 0x and 40 hexadecimal digits");
  secp256k1::Address out{};
  std::copy(raw->begin(), raw->end(), out.begin());
  return out;
}

Result<void> check_log_levels(std::string_view text) {
  do {
    const auto part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const auto level = part.substr(part.find('=') + 1);
    if (!parse_log_level(level))
      return fail(Errc::invalid_argument, "unknown level: " + std::string(level) +
                                              "; use trace, debug, info, warn, error or crit, or COMPONENT=LEVEL");
  } while (!text.empty());
  return {};
}

Result<LogFormat> parse_log_format(std::string_view text) {
  // logfmt and the terminal's form are text here; the variants with milliseconds too, because ours always has them.
  for (const std::string_view name : {"text", "terminal", "logfmt", "logfmtms"})
    if (text == name) return LogFormat::text;
  if (text == "json" || text == "jsonms") return LogFormat::json;
  return fail(Errc::invalid_argument, "unrecognized log-format: " + go_quote(text) +
                                          "; use text or json, or op-node's terminal, logfmt, logfmtms or jsonms");
}

Result<NodeKey> load_or_create_key(const std::string& path, libp2p::Rng& rng) {
  if (path.empty())
    return fail(Errc::invalid_argument, "no p2p private key path; give --p2p.priv.path or --p2p.priv.raw");
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno != ENOENT) return key_file_error(path, "read", errno);
    const auto key = secp256k1::generate(rng);
    if (const auto failed = write_secret_file(path, libp2p::to_hex(key)))
      return key_file_error(path, failed->action, failed->code);
    return NodeKey{key, path, true};
  }
  if (S_ISDIR(info.st_mode)) return key_file_error(path, "read", EISDIR);
  std::ifstream in(path, std::ios::binary);
  std::string text(4096, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad() || !in.is_open()) return key_file_error(path, "read", errno);
  text.resize(static_cast<std::size_t>(in.gcount()));
  const auto key = parse_key(text);
  if (!key)
    return fail(key.error().code(),
                "--p2p.priv.path: the node key file " + path + ": " + key.error().text() +
                    "; opp2p key generate --out FILE makes a key, and so does a start without the file");
  return NodeKey{*key, path, false};
}

Result<NodeKey> find_node_key(const std::optional<std::string>& path, const std::string& data_dir, libp2p::Rng& rng) {
  if (path) return load_or_create_key(*path, rng);
  struct stat info{};
  const std::string here(kNodeKeyFile);
  std::error_code error;
  if (::lstat(here.c_str(), &info) == 0) {
    auto key = load_or_create_key(std::filesystem::absolute(here, error).string(), rng);
    if (!key) return key.error().within("this node key file was found in the working folder");
    return key;
  }
  std::filesystem::create_directories(data_dir, error);
  if (error)
    return fail(Errc::io, "--data-dir: cannot create " + data_dir + ": " + file_error(error.value(), data_dir));
  return load_or_create_key((std::filesystem::path(data_dir) / here).string(), rng);
}

namespace {

// op-node takes a name. One alone is known without a look-up.
Result<std::string> server_address(const std::string& option, const std::string& text) {
  const std::string out = text == "localhost" ? "127.0.0.1" : text;
  if (libp2p::multiformats::parse_ip(out)) return out;
  return fail(Errc::invalid_argument, "--" + option + ": '" + out +
                                          "' is not an IP address; write 127.0.0.1 for this machine alone, the "
                                          "address of an interface, or 0.0.0.0 for all interfaces");
}

Result<std::uint16_t> server_port(const std::string& option, std::int64_t port) {
  if (port >= 0 && port < 65536) return static_cast<std::uint16_t>(port);
  return fail(Errc::invalid_argument, "--" + option + ": port out of range: " + std::to_string(port));
}

// As op-node: without metrics their address and port may be anything.
Result<void> resolve_metrics(const NodeOptions& options, NodeConfig& out) {
  out.metrics_enabled = options.metrics_enabled;
  if (!out.metrics_enabled) return {};
  OPP2P_TRY(out.metrics_addr, server_address("metrics.addr", options.metrics_addr));
  OPP2P_TRY(out.metrics_port, server_port("metrics.port", options.metrics_port));
  return {};
}

}  // namespace

Result<opstack::chain::RollupConfig> rollup_config(const NodeOptions& options) {
  if (options.rollup_config.empty() && !options.network.empty())
    return fail(Errc::invalid_argument, "--network " + options.network +
                                            ": no networks are built in. Write the chain's configuration to a file " +
                                            "with: op-node networks dump-rollup-config --network " + options.network +
                                            ", and give it with --rollup.config");
  if (options.rollup_config.empty())
    return fail(Errc::invalid_argument, "--rollup.config is missing; give the rollup configuration file of the chain");
  OPP2P_TRY(const auto text, of("rollup.config", read_file(options.rollup_config)));
  OPP2P_TRY(auto out, of("rollup.config " + options.rollup_config, opstack::chain::RollupConfig::from_text(text)));
  for (std::size_t i = 0; i < options.fork_times.size(); ++i)
    if (options.fork_times[i]) out.fork_times[i] = options.fork_times[i];
  if (options.pectra_blob_schedule_time) out.pectra_blob_schedule_time = options.pectra_blob_schedule_time;
  if (options.keep_karst_upgrade_gas) out.keep_karst_upgrade_gas = *options.keep_karst_upgrade_gas;
  OPP2P_TRYV(of("override.*", out.check()));
  return out;
}

Result<NodeConfig> resolve(const NodeOptions& options, libp2p::Rng& rng) {
  NodeConfig out;
  OPP2P_TRY(out.rollup, rollup_config(options));
  OPP2P_TRY(out.spin, time_limit("p2p.spin", options.spin));
  if (out.spin > libp2p::Millis(10))
    return fail(Errc::invalid_argument, "--p2p.spin must be at most 10ms; " + duration_text(options.spin) +
                                            " would keep a core busy. Try 100us");
  if (options.data_dir.empty()) return fail(Errc::invalid_argument, "--data-dir is empty; give a folder");
  out.data_dir = options.data_dir;
  out.p2p_disable = options.p2p_disable;
  // As op-node, which does not look at the other p2p options then.
  if (!out.p2p_disable) OPP2P_TRYV(resolve_p2p(options, out));
  if (!options.sequencer_key.empty()) {
    OPP2P_TRY(out.sequencer_key, of("p2p.sequencer.key", parse_key(options.sequencer_key)));
  }
  if (!options.unsafe_block_signer.empty()) {
    OPP2P_TRY(const auto signer, of("p2p.unsafe.block.signer", parse_address(options.unsafe_block_signer)));
    if (signer != secp256k1::Address{}) out.unsafe_block_signer = signer;
  }

  out.sync_req_resp = options.sync_req_resp;
  if (options.sync_server_limits != "default" && options.sync_server_limits != "off")
    return fail(Errc::invalid_argument,
                "--p2p.sync.server.limits must be 'default' or 'off', not '" + options.sync_server_limits + "'");
  out.sync_server_limits = options.sync_server_limits == "default";
  OPP2P_TRY(out.sync_memory, of("sync.memory", parse_byte_count(options.sync_memory)));
  OPP2P_TRY(out.sync_patience, time_limit("sync.patience", options.sync_patience));
  OPP2P_TRY(out.store_max_size, of("store.max-size", parse_byte_count(options.store_max_size)));
  constexpr std::size_t kLeastMemory = 1 << 20;
  if (out.sync_memory < kLeastMemory) return fail(Errc::invalid_argument, "--sync.memory must be at least 1MiB");
  if (out.store_max_size < kLeastStore) return fail(Errc::invalid_argument, "--store.max-size must be at least 16MiB");

  OPP2P_TRY(out.rpc_addr, server_address("rpc.addr", options.rpc_addr));
  OPP2P_TRY(out.rpc_port, server_port("rpc.port", options.rpc_port));
  out.rpc_enable_admin = options.rpc_enable_admin;
  OPP2P_TRY(out.rpc_cors, of("rpc.cors", BrowserRules::from_text(options.rpc_cors)));
  out.rpc_unsafe_open = options.rpc_unsafe_open;
  OPP2P_TRYV(resolve_metrics(options, out));

  if (out.p2p_disable) return out;
  // Last, because it may write a file.
  if (!options.priv_raw.empty()) {
    OPP2P_TRY(out.node_key, of("p2p.priv.raw", parse_key(options.priv_raw)));
  } else {
    OPP2P_TRY(auto key, find_node_key(options.priv_path, options.data_dir, rng));
    out.node_key = key.secret;
    out.node_key_file = std::move(key.file);
    out.node_key_is_new = key.is_new;
  }
  return out;
}

}  // namespace opp2p
