// `opp2p node`: op-node's options and environment names where it has them, our own beside them.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <memory>

#include "commands.hpp"
#include "input.hpp"
#include "node/config.hpp"
#include "node/daemon.hpp"
#include "node/file_error.hpp"
#include "node/log_fatal.hpp"
#include "runtime/entropy.hpp"

namespace opp2p {
namespace {

using node::NodeOptions;

// A check that runs before the value is converted: CLI11 does not say what is wanted then, and of hidden options not even
// the name.
template <class T>
auto converts_to(const std::string& name, const std::string& otherwise) {
  return [name, otherwise](const std::string& text) {
    T value{};
    if (!CLI::detail::lexical_cast(text, value))
      throw CLI::ConversionError("--" + name + ": '" + text + "' is " + otherwise);
    return std::string();
  };
}

// Adds options whose environment name follows from their own: --p2p.listen.ip is OP_NODE_P2P_LISTEN_IP.
class OptionTable {
 public:
  OptionTable(CLI::App& command, std::vector<std::string>& names) : command_(command), names_(names) {}

  template <class T>
  CLI::Option* value(const std::string& name, T& into, const std::string& help, const std::string& environment = "") {
    auto* option = command_.add_option("--" + name, into, help)->capture_default_str();
    if constexpr (std::is_integral_v<T>)
      option->check(converts_to<T>(name, "no whole number from 0 to 4294967295"), "");
    return named(option, name, environment);
  }
  CLI::Option* flag(const std::string& name, bool& into, const std::string& help, const std::string& environment = "") {
    auto* option = command_.add_flag("--" + name, into, help);
    option->check(converts_to<bool>(name, "neither true nor false"), "");
    return named(option, name, environment);
  }

 private:
  CLI::Option* named(CLI::Option* option, const std::string& name, std::string environment) {
    if (environment.empty()) {
      environment = name;
      for (auto& c : environment) c = c == '.' || c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    names_.push_back("OP_NODE_" + environment);
    // Given twice, the last one counts, as with op-node.
    return option->envname(names_.back())->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }

  CLI::App& command_;
  std::vector<std::string>& names_;
};

void add_options(CLI::App& command, NodeOptions& options, std::vector<std::string>& names) {
  OptionTable table(command, names);
  table.value("rollup.config", options.rollup_config, "Rollup configuration of the chain, a JSON file");
  table.value("data-dir", options.data_dir, "Where the block store lies");
  table.value("p2p.listen.ip", options.listen_ip, "IP address to listen at");
  table.value("p2p.listen.tcp", options.listen_tcp, "TCP port to listen at, 0 for any", "P2P_LISTEN_TCP_PORT");
  table.value("p2p.static", options.static_peers, "Peers to stay connected to: multiaddrs with /p2p/ID, separated by commas");
  table.value("p2p.priv.path", options.priv_path, "File with the node's private key in hex; made when it is missing");
  table.value("p2p.priv.raw", options.priv_raw, "The node's private key in hex; wins over the file")->group("");
  table.value("p2p.sequencer.key", options.sequencer_key, "Private key in hex that signs blocks; makes the node a publisher");
  table.value("p2p.unsafe.block.signer", options.unsafe_block_signer,
              "Address whose blocks are accepted; without it every block is ignored");
  table.value("p2p.peers.lo", options.peers_lo, "Connections are trimmed down to this many");
  table.value("p2p.peers.hi", options.peers_hi, "Connections are trimmed above this many");
  table.value("p2p.peers.grace", options.peers_grace, "Connections younger than this are not trimmed");
  table.value("p2p.useragent", options.user_agent, "What the node calls itself to peers", "P2P_AGENT")->group("");
  table.flag("p2p.ping", options.ping, "Measure the round trip to peers in the background")->group("");
  table.value("p2p.timeout.dial", options.dial_timeout, "Time limit for dialling one address")->group("");
  table.value("p2p.limits.exempt", options.limits_exempt,
              "Address blocks without limits of inbound connections, e.g. 172.17.0.0/16: behind address translation all peers share one");
  table.value("p2p.limits.address.conns", options.limits_address_conns, "Inbound connections from one IPv4 address or IPv6 /56");
  table.value("p2p.limits.address.rate", options.limits_address_rate, "New ones of these a second")->group("");
  table.value("p2p.limits.address.burst", options.limits_address_burst, "New ones of these at once")->group("");
  table.value("p2p.limits.ip6-48.conns", options.limits_ip6_48_conns, "Inbound connections from one IPv6 /48")->group("");
  table.value("p2p.limits.ip6-48.rate", options.limits_ip6_48_rate, "New ones of these a second")->group("");
  table.value("p2p.limits.ip6-48.burst", options.limits_ip6_48_burst, "New ones of these at once")->group("");
  table.value("p2p.spin", options.spin,
              "Look for events this long before sleeping, e.g. 100us: round trips without wake-ups, for a busier core");
  table.value("p2p.gossip.timestamp.threshold", options.gossip_timestamp_threshold, "Blocks older than this are rejected");
  table.flag("p2p.sync.req-resp", options.sync_req_resp, "Serve blocks to peers that ask by number, and ask them for gaps");
  table.value("p2p.sync.server.limits", options.sync_server_limits, "Rate limits of that server: default or off");
  table.value("sync.memory", options.sync_memory, "Memory for blocks that wait to be linked, e.g. 64MiB");
  table.value("store.max-size", options.store_max_size, "Size of the block store; beyond it the oldest blocks go");
  table.value("rpc.addr", options.rpc_addr, "IP address of the JSON-RPC server");
  table.value("rpc.port", options.rpc_port, "Port of the JSON-RPC server, 0 for any");
  table.flag("rpc.enable-admin", options.rpc_enable_admin, "Offer the admin_ methods");
  table.value("rpc.cors", options.rpc_cors, "Origins of web pages that may use the RPC, separated by commas, or *; none by default");
  table.flag("rpc.unsafe-open", options.rpc_unsafe_open,
             "Let everybody who reaches the RPC call the methods that change something, without the token in DATA-DIR/rpc.token");
  table.value("log.level", options.log_level, "trace, debug, info, warn, error or crit; COMPONENT=LEVEL for one: info,gossip=debug");
  table.value("log.format", options.log_format, "text or json");
}

int run_node(const NodeOptions& options, const std::vector<std::string>& names) {
  // logfmt and the terminal's form are one here; the variants with milliseconds too, because ours always has them.
  const bool json = options.log_format == "json" || options.log_format == "jsonms";
  if (!json && options.log_format != "text" && options.log_format != "logfmt" && options.log_format != "logfmtms" &&
      options.log_format != "terminal")
    return report("--log.format is 'text' or 'json', not '" + options.log_format + "'");
  node::LogOptions logging;
  logging.format = json ? node::LogFormat::json : node::LogFormat::text;
  logging.own_thread = true;
  const auto sink = std::make_shared<node::DescriptorSink>(STDERR_FILENO);
  logging.sink = sink;
  node::Log log(std::move(logging));
  const node::FlushLogOnFatalSignals flush_when_fatal(log);
  if (const auto levels = log.set_levels(options.log_level); !levels) return report(levels.error().within("--log.level"));
  for (const auto& name : node::unknown_environment(names))
    log.warn(node::Component::node, "Unknown env var", {{"prefix", "OP_NODE"}, {"env_var", name}});
  libp2p::runtime::SystemRng rng;
  const auto config = node::resolve(options, rng);
  const auto done = config ? node::run_daemon(*config, log, OPP2P_VERSION) : libp2p::Result<void>(config.error());
  log.flush();  // what ended it is said last
  if (!done) return report(done.error());
  // Of a reader that ended with the same Ctrl-C nothing is said.
  if (const int error = sink->last_error(); error != 0 && error != EPIPE)
    return report("the log cannot be written to standard error: " + node::file_error(error, "standard error"));
  return 0;
}

}  // namespace

void add_node_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("node", "Join a chain's network: follow its unsafe blocks, serve them, publish them");
  auto options = std::make_shared<NodeOptions>();
  auto names = std::make_shared<std::vector<std::string>>();
  add_options(*command, *options, *names);
  command->callback([options, names, &exit_code] { exit_code = run_node(*options, *names); });
}

}  // namespace opp2p
