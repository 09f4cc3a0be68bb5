#include "opp2p/config/config.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>

#include "libp2p/host/dial_target.hpp"
#include "libp2p/host/kinds.hpp"
#include "libp2p/multiformats/ip_text.hpp"
#include "libp2p/transports/tcp/tcp_address.hpp"
#include "opp2p/base/file_error.hpp"
#include "opp2p/base/secret_file.hpp"
#include "opp2p/config/security_option.hpp"
#include "opstack/rules/topics.hpp"

namespace opp2p {
namespace {

using libp2p::Errc;
using libp2p::Error;
using libp2p::fail;
using libp2p::Multiaddr;
using libp2p::Nanos;
using libp2p::Result;
namespace secp256k1 = libp2p::crypto::secp256k1;

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

Error about(std::string_view option, const Error& error) { return error.within("--" + std::string(option)); }

// A result whose error says which option it is about.
template <class T>
Result<T> of(std::string_view option, Result<T> result) {
  if (!result) return about(option, result.error());
  return result;
}

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

Result<std::uint16_t> check_port(std::uint64_t port) {
  if (port >= 65536) return fail(Errc::invalid_argument, "port out of range: " + std::to_string(port));
  if (port > 0 && port < 1024)
    return fail(Errc::invalid_argument, "port is reserved for system: " + std::to_string(port));
  return static_cast<std::uint16_t>(port);
}

Result<Multiaddr> listen_address(const NodeOptions& options) {
  OPP2P_TRY(const auto port, of("p2p.listen.tcp", check_port(options.listen_tcp)));
  const bool v6 = options.listen_ip.find(':') != std::string::npos;
  const auto text = (v6 ? "/ip6/" : "/ip4/") + options.listen_ip + "/tcp/" + std::to_string(port);
  auto address = Multiaddr::from_text(text);
  if (!address)
    return fail(Errc::invalid_argument, "--p2p.listen.ip: '" + options.listen_ip + "' is not an IP address");
  return address;
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

Result<std::vector<Multiaddr>> parse_peers(std::string_view list) {
  std::vector<Multiaddr> out;
  while (!list.empty()) {
    const auto comma = list.find(',');
    const auto one = trim(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    if (one.empty()) continue;
    auto address = Multiaddr::from_text(one);
    if (!address)
      return fail(address.error().code(), "'" + std::string(one) +
                                              "' is not a multiaddr: " + address.error().message() +
                                              "; write for example /ip4/192.0.2.1/tcp/9222/p2p/ID");
    if (!address->peer_id())
      return fail(Errc::invalid_argument,
                  "'" + std::string(one) + "' has no peer id; the address must end with /p2p/ID");
    OPP2P_TRY(const auto target, libp2p::dial_target(*address));
    if (const auto at = libp2p::tcp::endpoint_of(target.address); !at)
      return libp2p::not_usable(*address, at.error().text());
    out.push_back(std::move(*address));
  }
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

Result<std::vector<libp2p::Cidr>> parse_cidrs(std::string_view list) {
  std::vector<libp2p::Cidr> out;
  while (!list.empty()) {
    const std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), item.size() + 1));
    if (item.empty()) continue;
    OPP2P_TRY(auto block, libp2p::Cidr::from_text(item));
    out.push_back(std::move(block));
  }
  return out;
}

Result<std::vector<std::string>> parse_muxers(std::string_view list) {
  std::vector<std::string> out;
  const auto known = libp2p::muxer_names();
  for (auto& name : names_in(list)) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      std::string names;
      for (const auto one : known) names += (names.empty() ? "" : ", ") + std::string(one);
      return fail(Errc::not_found,
                  go_quote(name) + " is not a multiplexer; write one or more of " + names + ", separated by commas");
    }
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(std::move(name));
  }
  return out;
}

namespace {

// About a century: longer is for ever, and a time that is added to now must not overflow.
constexpr auto kForEver = std::chrono::hours(24 * 365 * 100);

Result<Nanos> time_limit(std::string_view option, Nanos value) {
  if (value < Nanos(0))
    return fail(Errc::invalid_argument, "--" + std::string(option) + " is " + duration_text(value) +
                                            ", but may not be negative; write for example 30s");
  return std::min<Nanos>(value, kForEver);
}

Result<libp2p::RateLimit> rate_limit(std::string_view name, double per_second, std::uint64_t burst) {
  const std::string option = "--p2p.limits." + std::string(name);
  if (!(per_second > 0) || per_second > 1e6)
    return fail(Errc::invalid_argument,
                option + ".rate must be above 0 and at most 1000000 connections a second; write for example 0.2");
  if (burst == 0)
    return fail(Errc::invalid_argument, option + ".burst is 0, which allows no connection; the default is 16 or 80");
  return libp2p::RateLimit{per_second, static_cast<double>(burst)};
}

Result<libp2p::Limits> connection_limits(const NodeOptions& options) {
  auto out = node_limits();
  OPP2P_TRY(out.exempt, of("p2p.limits.exempt", parse_cidrs(options.limits_exempt)));
  if (options.limits_address_conns == 0 || options.limits_ip6_48_conns == 0)
    return fail(
        Errc::invalid_argument,
        "--p2p.limits.address.conns and --p2p.limits.ip6-48.conns must be at least 1; 0 would allow no connection");
  out.connections_per_address = options.limits_address_conns;
  out.connections_per_ip6_48 = options.limits_ip6_48_conns;
  OPP2P_TRY(out.address_rate, rate_limit("address", options.limits_address_rate, options.limits_address_burst));
  OPP2P_TRY(out.ip6_48_rate, rate_limit("ip6-48", options.limits_ip6_48_rate, options.limits_ip6_48_burst));
  return out;
}

Result<opstack::reputation::ScoringProfile> scoring_profile(std::string_view name,
                                                            const opstack::chain::RollupConfig& rollup) {
  namespace reputation = opstack::reputation;
  reputation::ScoredChain chain;
  constexpr std::uint64_t kMost = 24 * 3600;  // any number may be in a file
  chain.block_time = libp2p::Seconds(static_cast<std::int64_t>(std::min(kMost, rollup.block_time)));
  for (const auto& topic : opstack::rules::blocks_topics(rollup.l2_chain_id)) chain.topics.push_back(topic);
  return reputation::make_scoring_profile(name, chain, reputation::ProfileUse::node);
}

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
  OPP2P_TRY(out.listen, listen_address(options));
  OPP2P_TRY(out.static_peers, of("p2p.static", parse_peers(options.static_peers)));
  if (options.peers_lo == 0 || options.peers_hi == 0 || options.peers_lo > options.peers_hi)
    return fail(Errc::invalid_argument, "peers lo/hi tides are invalid: " + std::to_string(options.peers_lo) + ", " +
                                            std::to_string(options.peers_hi) +
                                            "; --p2p.peers.lo and .hi must be at least 1, and lo at most hi");
  out.peers_lo = options.peers_lo;
  out.peers_hi = options.peers_hi;
  OPP2P_TRY(out.peers_grace, time_limit("p2p.peers.grace", options.peers_grace));
  OPP2P_TRY(out.dial_timeout, time_limit("p2p.timeout.dial", options.dial_timeout));
  OPP2P_TRY(out.limits, connection_limits(options));
  OPP2P_TRY(out.spin, time_limit("p2p.spin", options.spin));
  if (out.dial_timeout == Nanos(0))
    return fail(Errc::invalid_argument, "--p2p.timeout.dial is 0, so every dial would fail; write for example 10s");
  if (out.spin > libp2p::Millis(10))
    return fail(Errc::invalid_argument, "--p2p.spin must be at most 10ms; " + duration_text(options.spin) +
                                            " would keep a core busy. Try 100us");
  OPP2P_TRY(out.gossip_timestamp_threshold,
            time_limit("p2p.gossip.timestamp.threshold", options.gossip_timestamp_threshold));
  OPP2P_TRY(out.scoring, of("p2p.scoring", scoring_profile(options.scoring, out.rollup)));
  out.gossip_trace_file = options.gossip_trace_file;
  OPP2P_TRY(out.muxers, of("p2p.mux", parse_muxers(options.mux)));
  out.user_agent = options.user_agent;
  out.ping = options.ping;
  auto security = read_security_option(options.security);
  if (!security) return fail(security.error().code(), "--p2p.security " + security.error().text());
  out.securities = std::move(security->names);

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
  if (options.data_dir.empty()) return fail(Errc::invalid_argument, "--data-dir is empty; give a folder");
  out.data_dir = options.data_dir;

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
