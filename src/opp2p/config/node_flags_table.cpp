#include "opp2p/config/node_flags_table.hpp"

#include <algorithm>

namespace opp2p {
namespace {

using opstack::chain::Fork;

// What a row has beside name, target and help.
struct More {
  std::string variable = {};  // where it does not follow from the name
  bool hidden = false;
  libp2p::Result<void> (*check)(std::string_view) = nullptr;
};

FlagType type_of(const FlagTarget& target) {
  static constexpr FlagType kTypes[] = {FlagType::boolean,         FlagType::text,           FlagType::boolean,
                                        FlagType::unsigned_number, FlagType::signed_number,  FlagType::real,
                                        FlagType::duration,        FlagType::text,           FlagType::unsigned_number,
                                        FlagType::boolean,         FlagType::unsigned_number};
  return kTypes[target.index()];
}

class Table {
 public:
  explicit Table(std::vector<NodeFlag>& into) : into_(into) {}

  void group(FlagGroup group) { group_ = group; }
  void add(const std::string& name, FlagTarget target, const std::string& placeholder, const std::string& about,
           More more = {}) {
    NodeFlag row;
    row.spec.name = name;
    row.spec.type = more.check ? FlagType::checked : type_of(target);
    row.spec.environment = {more.variable.empty() ? variable_of(name) : "OP_NODE_" + more.variable};
    row.spec.check = more.check;
    row.about = about;
    row.group = group_;
    row.hidden = more.hidden;
    row.placeholder = placeholder;
    row.target = target;
    into_.push_back(std::move(row));
  }

 private:
  std::vector<NodeFlag>& into_;
  FlagGroup group_ = FlagGroup::other;
};

More hidden(std::string variable = {}) { return {std::move(variable), true, nullptr}; }

libp2p::Result<void> check_log_format(std::string_view text) {
  OPP2P_TRYV(parse_log_format(text));
  return {};
}

void add_chain(Table& table) {
  using O = NodeOptions;
  table.group(FlagGroup::chain);
  table.add("rollup.config", &O::rollup_config, "FILE", "Rollup configuration of the chain, JSON as op-node reads it");
  table.add("p2p.unsafe.block.signer", &O::unsafe_block_signer, "ADDRESS",
            "Address that signs the chain's blocks. Without it every block is ignored. The name is kona-node's: "
            "op-node reads the address from L1 and has no such option");
  table.add("data-dir", &O::data_dir, "FOLDER",
            "Folder of the block store, the RPC's token and, by default, the node's key");
  table.add("network", &O::network, "NAME",
            "op-node's name of a chain. None is built in: the chain is that of --rollup.config", hidden());
  for (auto fork = static_cast<std::size_t>(Fork::canyon); fork < opstack::chain::kForkCount; ++fork) {
    const std::string name(opstack::chain::kForkNames[fork]);
    table.add("override." + name, static_cast<Fork>(fork), "TIME",
              "Unix time of the fork " + name + ", instead of the configuration's", hidden());
  }
  table.add("override.pectrablobschedule", &O::pectra_blob_schedule_time, "TIME",
            "Unix time of the Pectra blob schedule fix", hidden());
  table.add("override.keep-karst-upgrade-gas", &O::keep_karst_upgrade_gas, "",
            "keep_karst_upgrade_gas of the configuration", hidden());
}

void add_peers(Table& table) {
  using O = NodeOptions;
  table.group(FlagGroup::peers);
  table.add("p2p.static", &O::static_peers, "PEERS",
            "Peers to stay connected to: multiaddrs with /p2p/ID, separated by commas");
  table.add("p2p.listen.ip", &O::listen_ip, "ADDRESS", "IP address to listen at");
  table.add("p2p.listen.tcp", &O::listen_tcp, "PORT", "TCP port to listen at, 0 for any", {"P2P_LISTEN_TCP_PORT"});
  table.add("p2p.priv.path", &O::priv_path, "FILE",
            "File with the node's private key in hex; made when it is missing. By default opnode_p2p_priv.txt in the "
            "working folder when it is there, else in the data folder");
  table.add("p2p.priv.raw", &O::priv_raw, "KEY", "The node's private key in hex; wins over the file", hidden());
  table.add("p2p.peers.lo", &O::peers_lo, "NUMBER", "Connections are trimmed down to this many");
  table.add("p2p.peers.hi", &O::peers_hi, "NUMBER", "Connections are trimmed above this many");
  table.add("p2p.peers.grace", &O::peers_grace, "TIME", "Connections younger than this are not trimmed");
  table.add("p2p.mux", &O::mux, "NAMES",
            "Multiplexers to offer, best first, separated by commas. With mplex, which cannot hold a sender back, a "
            "stream that is not "
            "read fast enough is reset",
            hidden());
  table.add("p2p.useragent", &O::user_agent, "TEXT", "What the node calls itself to peers", hidden("P2P_AGENT"));
  table.add("p2p.ping", &O::ping, "", "Measure the round trip to peers in the background", hidden());
  table.add(
      "p2p.security", &O::security, "NAMES",
      "noise, or none: plaintext, with which everybody on the way reads and changes what is sent, and every peer can "
      "call itself as it likes. For tests only",
      hidden());
  table.add("p2p.timeout.dial", &O::dial_timeout, "TIME", "Time limit for dialling one address", hidden());
  table.group(FlagGroup::connections);
  table.add("p2p.limits.exempt", &O::limits_exempt, "BLOCKS",
            "Address blocks without limits of inbound connections, e.g. 172.17.0.0/16: behind address translation "
            "all peers share one");
  table.add("p2p.limits.address.conns", &O::limits_address_conns, "NUMBER",
            "Inbound connections from one IPv4 address or IPv6 /56");
  table.add("p2p.limits.address.rate", &O::limits_address_rate, "NUMBER", "New ones of these a second", hidden());
  table.add("p2p.limits.address.burst", &O::limits_address_burst, "NUMBER", "New ones of these at once", hidden());
  table.add("p2p.limits.ip6-48.conns", &O::limits_ip6_48_conns, "NUMBER", "Inbound connections from one IPv6 /48",
            hidden());
  table.add("p2p.limits.ip6-48.rate", &O::limits_ip6_48_rate, "NUMBER", "New ones of these a second", hidden());
  table.add("p2p.limits.ip6-48.burst", &O::limits_ip6_48_burst, "NUMBER", "New ones of these at once", hidden());
  table.add("p2p.spin", &O::spin, "TIME",
            "Look for events this long before sleeping, at most 10ms: round trips without wake-ups, for a busier core");
}

void add_blocks(Table& table) {
  using O = NodeOptions;
  table.group(FlagGroup::blocks);
  table.add("p2p.sequencer.key", &O::sequencer_key, "KEY",
            "Private key in hex that signs blocks; makes the node a publisher");
  table.add("p2p.gossip.timestamp.threshold", &O::gossip_timestamp_threshold, "TIME",
            "Blocks older than this are rejected");
  table.add("p2p.sync.req-resp", &O::sync_req_resp, "",
            "Serve blocks to peers that ask by number, and ask them for gaps");
  table.add("p2p.sync.server.limits", &O::sync_server_limits, "default|off", "Rate limits of that server");
  table.add("sync.memory", &O::sync_memory, "SIZE", "Memory for blocks that wait to be linked");
  table.add("store.max-size", &O::store_max_size, "SIZE", "Size of the block store; beyond it the oldest blocks go");
}

void add_rpc_and_log(Table& table) {
  using O = NodeOptions;
  table.group(FlagGroup::rpc);
  table.add("rpc.addr", &O::rpc_addr, "ADDRESS", "IP address of the JSON-RPC server");
  table.add("rpc.port", &O::rpc_port, "PORT", "Port of the JSON-RPC server, 0 for any");
  table.add("rpc.enable-admin", &O::rpc_enable_admin, "", "Offer the admin_ methods");
  table.add("rpc.cors", &O::rpc_cors, "ORIGINS",
            "Origins of web pages that may use the RPC, separated by commas, or *");
  table.add("rpc.unsafe-open", &O::rpc_unsafe_open, "",
            "Let everybody who reaches the RPC call the methods that change something, without the token in "
            "DATA-DIR/rpc.token");
  table.group(FlagGroup::log);
  table.add("log.level", &O::log_level, "LEVEL",
            "trace, debug, info, warn, error or crit; COMPONENT=LEVEL for one: info,gossip=debug",
            {{}, false, &check_log_levels});
  table.add("log.format", &O::log_format, "text|json", "Form of the log's lines", {{}, false, &check_log_format});
}

}  // namespace

std::string variable_of(std::string_view name) {
  std::string out = "OP_NODE_";
  for (const char c : name)
    out += c == '.' || c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

void add_working_flags(std::vector<NodeFlag>& into) {
  Table table(into);
  add_chain(table);
  add_peers(table);
  add_blocks(table);
  add_rpc_and_log(table);
  for (const auto& [name, about] :
       {std::pair("help,h", "Print this help"), std::pair("help-all", "Print also the options that are seldom needed"),
        std::pair("version,v", "Print the version")}) {
    NodeFlag row;
    row.spec.name = name;
    row.spec.type = FlagType::boolean;
    row.about = about;
    into.push_back(std::move(row));
  }
}

}  // namespace opp2p
