#include "opp2p/config/p2p_options.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "libp2p/host/address_scope.hpp"
#include "libp2p/host/dial_target.hpp"
#include "libp2p/host/kinds.hpp"
#include "libp2p/multiformats/ip_text.hpp"
#include "libp2p/transports/tcp/tcp_address.hpp"
#include "opp2p/config/security_option.hpp"
#include "opp2p/peerstore/leveldb_copy.hpp"
#include "opstack/reputation/ban.hpp"
#include "opstack/rules/topics.hpp"

namespace opp2p {

using libp2p::Errc;
using libp2p::Error;
using libp2p::fail;
using libp2p::Multiaddr;
using libp2p::Nanos;
using libp2p::Result;
namespace fs = std::filesystem;

Error about(std::string_view option, const Error& error) { return error.within("--" + std::string(option)); }

namespace {

constexpr auto kForEver = std::chrono::hours(24 * 365 * 100);

}  // namespace

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

Result<Nanos> time_limit(std::string_view option, Nanos value) {
  if (value < Nanos(0))
    return fail(Errc::invalid_argument, "--" + std::string(option) + " is " + duration_text(value) +
                                            ", but may not be negative; write for example 30s");
  return std::min<Nanos>(value, kForEver);
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

// --- where it listens, and what it tells of that ---

Result<std::uint16_t> check_port(std::uint64_t port) {
  if (port >= 65536) return fail(Errc::invalid_argument, "port out of range: " + std::to_string(port));
  if (port > 0 && port < 1024)
    return fail(Errc::invalid_argument, "port is reserved for system: " + std::to_string(port));
  return static_cast<std::uint16_t>(port);
}

Result<Multiaddr> tcp_address(std::string_view ip, std::uint16_t port) {
  const bool v6 = ip.find(':') != std::string_view::npos;
  return Multiaddr::from_text((v6 ? "/ip6/" : "/ip4/") + std::string(ip) + "/tcp/" + std::to_string(port));
}

Result<void> resolve_listen(const NodeOptions& options, NodeConfig& out) {
  OPP2P_TRY(const auto port, of("p2p.listen.tcp", check_port(options.listen_tcp)));
  for (const auto& ip : names_in(options.listen_ip)) {
    auto address = tcp_address(ip, port);
    if (!address)
      return fail(Errc::invalid_argument,
                  "--p2p.listen.ip: '" + ip + "' is not an IP address; write for example 0.0.0.0, or 0.0.0.0,::");
    if (std::find(out.listen.begin(), out.listen.end(), *address) == out.listen.end())
      out.listen.push_back(*std::move(address));
  }
  return {};
}

// An address, or a name as /dns4, which peers look up themselves: op-node too takes the IPv4 address of a name.
Result<Multiaddr> announced_address(const std::string& host, std::uint16_t port) {
  if (libp2p::multiformats::parse_ip(host)) {
    OPP2P_TRY(auto address, tcp_address(host, port));
    if (libp2p::reach_of(address) != libp2p::Reach::unspecified) return address;
    return fail(Errc::invalid_argument, "'" + host + "' is no address that peers can dial; write the public one");
  }
  constexpr std::string_view kOfNames = "abcdefghijklmnopqrstuvwxyz0123456789.-_";
  const bool is_name = !host.empty() && host.find_first_not_of(kOfNames) == std::string::npos;
  auto address = is_name ? Multiaddr::from_text("/dns4/" + host + "/tcp/" + std::to_string(port))
                         : Result<Multiaddr>(fail(Errc::invalid_argument, "no name"));
  if (address) return address;
  return fail(Errc::invalid_argument, "'" + host + "' is neither an IP address nor a host name");
}

Result<void> resolve_announce(const NodeOptions& options, NodeConfig& out) {
  OPP2P_TRY(auto port, of("p2p.advertise.tcp", check_port(options.advertise_tcp)));
  if (options.advertise_ip.empty()) return {};
  if (port == 0) port = static_cast<std::uint16_t>(options.listen_tcp);  // 0: the one that it gets
  for (const auto& host : names_in(options.advertise_ip)) {
    OPP2P_TRY(auto address, of("p2p.advertise.ip", announced_address(host, port)));
    if (std::find(out.announce.begin(), out.announce.end(), address) == out.announce.end())
      out.announce.push_back(std::move(address));
  }
  return {};
}

// --- connections ---

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

// Of a step that can only fail without any time.
Result<Nanos> step_time(const std::string& option, Nanos value, const std::string& what) {
  OPP2P_TRY(const auto out, time_limit(option, value));
  if (out != Nanos(0)) return out;
  return fail(Errc::invalid_argument, "--" + option + " is 0, so every " + what + " would fail; write for example 10s");
}

Result<void> resolve_connections(const NodeOptions& options, NodeConfig& out) {
  if (options.peers_lo == 0 || options.peers_hi == 0 || options.peers_lo > options.peers_hi)
    return fail(Errc::invalid_argument, "peers lo/hi tides are invalid: " + std::to_string(options.peers_lo) + ", " +
                                            std::to_string(options.peers_hi) +
                                            "; --p2p.peers.lo and .hi must be at least 1, and lo at most hi");
  out.peers_lo = options.peers_lo;
  out.peers_hi = options.peers_hi;
  OPP2P_TRY(out.peers_grace, time_limit("p2p.peers.grace", options.peers_grace));
  OPP2P_TRY(out.limits, connection_limits(options));
  OPP2P_TRY(out.dial_timeout, step_time("p2p.timeout.dial", options.dial_timeout, "dial"));
  OPP2P_TRY(out.limits.handshake_timeout,
            step_time("p2p.timeout.accept", options.accept_timeout, "inbound connection"));
  OPP2P_TRY(out.limits.negotiation_timeout,
            step_time("p2p.timeout.negotiation", options.negotiation_timeout, "stream"));
  OPP2P_TRY(out.muxers, of("p2p.mux", parse_muxers(options.mux)));
  auto security = read_security_option(options.security);
  if (!security) return fail(security.error().code(), "--p2p.security " + security.error().text());
  out.securities = std::move(*security);
  return {};
}

Result<void> resolve_peerstore(const NodeOptions& options, NodeConfig& out) {
  if (!options.peerstore_path) {
    out.peerstore_path = (fs::path(out.data_dir) / kPeerstoreFolder).string();
    std::error_code error;
    const std::string here(kOpNodePeerstore);
    if (is_leveldb_directory(here) && !fs::exists(out.peerstore_path, error)) out.found_peerstore = fs::absolute(here);
    return {};
  }
  out.peerstore_path = *options.peerstore_path;
  if (out.peerstore_path.empty())
    return fail(Errc::invalid_argument,
                "--p2p.peerstore.path: peerstore path must be specified, use 'memory' to explicitly not persist peer "
                "records");
  if (is_leveldb_directory(out.peerstore_path))
    return fail(Errc::unsupported, "--p2p.peerstore.path: " + out.peerstore_path +
                                       " is a LevelDB folder of op-node, which opp2p does not write. Copy its records "
                                       "with: opp2p peerstore import " +
                                       out.peerstore_path +
                                       ", and leave the option out, or name a folder of opp2p's own");
  return {};
}

// What opp2p shows of a peer's agent. An identify message of 4 KiB, the most that rust-libp2p takes, has room for it.
constexpr std::size_t kLongestUserAgent = 256;

Result<std::string> resolve_user_agent(const std::string& text) {
  if (text.size() <= kLongestUserAgent) return text;
  return fail(Errc::invalid_argument, "--p2p.useragent has " + std::to_string(text.size()) + " bytes, but at most " +
                                          std::to_string(kLongestUserAgent) +
                                          " are allowed; write for example my-node/v1.0.0");
}

// --- gossip and reputation ---

Result<std::size_t> mesh_size(std::string_view name, std::uint64_t value) {
  constexpr std::uint64_t kMost = 1000;  // op-node's
  if (value > 0 && value <= kMost) return value;
  return fail(Errc::invalid_argument, "mesh " + std::string(name) + " param must not be 0 or exceed " +
                                          std::to_string(kMost) + ", but got " + std::to_string(value));
}

Result<void> resolve_mesh(const NodeOptions& options, NodeConfig& out) {
  auto& mesh = out.mesh;
  OPP2P_TRY(mesh.degree, of("p2p.gossip.mesh.d", mesh_size("D", options.mesh_d)));
  OPP2P_TRY(mesh.low, of("p2p.gossip.mesh.lo", mesh_size("Dlo", options.mesh_lo)));
  OPP2P_TRY(mesh.high, of("p2p.gossip.mesh.dhi", mesh_size("Dhi", options.mesh_hi)));
  OPP2P_TRY(mesh.lazy, of("p2p.gossip.mesh.dlazy", mesh_size("Dlazy", options.mesh_lazy)));
  if (mesh.low > mesh.degree || mesh.degree > mesh.high)
    return fail(Errc::invalid_argument, "--p2p.gossip.mesh.lo, .d and .dhi are " + std::to_string(mesh.low) + ", " +
                                            std::to_string(mesh.degree) + " and " + std::to_string(mesh.high) +
                                            "; each may be at most the next one");
  // go-libp2p-pubsub's bounds of Dout, which op-node leaves at 2.
  mesh.outbound = std::min({mesh.outbound, mesh.degree / 2, mesh.low - 1});
  mesh.flood_publish = options.flood_publish;
  return {};
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

Result<void> resolve_bans(const NodeOptions& options, NodeConfig& out) {
  OPP2P_TRY(out.scoring, of("p2p.scoring", scoring_profile(options.scoring, out.rollup)));
  out.ban_peers = options.ban_peers;
  out.ban_threshold = options.ban_threshold;
  // NaN is neither.
  if (!(out.ban_threshold <= 0))
    return fail(Errc::invalid_argument,
                "--p2p.ban.threshold must be 0 or less, because a new peer has the score 0; the default is -100");
  OPP2P_TRY(out.ban_duration, time_limit("p2p.ban.duration", options.ban_duration));
  if (out.ban_duration < libp2p::Seconds(1))
    return fail(Errc::invalid_argument, "--p2p.ban.duration is " + duration_text(out.ban_duration) +
                                            ", but the shortest ban is 1s; write for example 1h, or "
                                            "--p2p.ban.peers=false for no bans");
  out.wanted_ban_duration = out.ban_duration;
  out.ban_duration = std::min(out.ban_duration, opstack::reputation::kLongestBan);
  out.gater_min_score = options.gater_min_score.value_or(out.ban_threshold);
  if (!(out.gater_min_score <= 0))
    return fail(Errc::invalid_argument,
                "--p2p.gater.min-score must be 0 or less, because a peer that is not known has the score 0; the "
                "default is --p2p.ban.threshold, and -Inf allows every score");
  return {};
}

}  // namespace

Result<void> resolve_p2p(const NodeOptions& options, NodeConfig& out) {
  OPP2P_TRYV(resolve_listen(options, out));
  OPP2P_TRYV(resolve_announce(options, out));
  OPP2P_TRY(out.static_peers, of("p2p.static", parse_peers(options.static_peers)));
  OPP2P_TRYV(resolve_connections(options, out));
  OPP2P_TRYV(resolve_peerstore(options, out));
  OPP2P_TRY(out.gossip_timestamp_threshold,
            time_limit("p2p.gossip.timestamp.threshold", options.gossip_timestamp_threshold));
  OPP2P_TRYV(resolve_mesh(options, out));
  OPP2P_TRYV(resolve_bans(options, out));
  out.gossip_trace_file = options.gossip_trace_file;
  // Without a text, the library's default.
  OPP2P_TRY(out.user_agent, resolve_user_agent(options.user_agent));
  out.ping = options.ping;
  return {};
}

}  // namespace opp2p
