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
  static constexpr FlagType kTypes[] = {FlagType::boolean,         FlagType::text,          FlagType::boolean,
                                        FlagType::unsigned_number, FlagType::signed_number, FlagType::real,
                                        FlagType::duration,        FlagType::text,          FlagType::unsigned_number,
                                        FlagType::boolean,         FlagType::real,          FlagType::unsigned_number};
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
  table.add("rollup.config", &O::rollup_config, "FILE",
            "File with the chain's rollup configuration, in op-node's JSON format");
  table.add(
      "p2p.unsafe.block.signer", &O::unsafe_block_signer, "ADDRESS",
      "Address that signs the chain's blocks. Without it the node ignores every block. kona-node has this option too; "
      "op-node reads the address from L1");
  table.add("data-dir", &O::data_dir, "FOLDER",
            "Folder for the block store, the token of the RPC and, by default, the node's key");
  table.add("network", &O::network, "NAME",
            "op-node's name of a chain. No chain is built in, so --rollup.config is needed and this has no effect",
            hidden());
  for (auto fork = static_cast<std::size_t>(Fork::canyon); fork < opstack::chain::kForkCount; ++fork) {
    const std::string name(opstack::chain::kForkNames[fork]);
    table.add("override." + name, static_cast<Fork>(fork), "TIME",
              "Unix time at which the fork " + name + " activates. Replaces that of the configuration", hidden());
  }
  table.add("override.pectrablobschedule", &O::pectra_blob_schedule_time, "TIME",
            "Unix time at which the Pectra blob schedule fix activates", hidden());
  table.add("override.keep-karst-upgrade-gas", &O::keep_karst_upgrade_gas, "",
            "Replaces keep_karst_upgrade_gas of the configuration", hidden());
}

void add_peers(Table& table) {
  using O = NodeOptions;
  table.group(FlagGroup::peers);
  table.add("p2p.static", &O::static_peers, "PEERS",
            "Peers that the node keeps connected: multiaddrs with /p2p/ID, separated by commas");
  table.add("p2p.listen.ip", &O::listen_ip, "ADDRESSES",
            "IP addresses to listen on, separated by commas. 0.0.0.0,:: listens on all of IPv4 and IPv6");
  table.add("p2p.listen.tcp", &O::listen_tcp, "PORT", "TCP port to listen on; 0 takes a free one",
            {"P2P_LISTEN_TCP_PORT"});
  table.add(
      "p2p.advertise.ip", &O::advertise_ip, "HOSTS",
      "IP addresses or host names that are told to peers, separated by commas: those at which the node is reached "
      "from outside");
  table.add("p2p.advertise.tcp", &O::advertise_tcp, "PORT",
            "TCP port that is told to peers with --p2p.advertise.ip; 0 is the port that the node listens on");
  table.add(
      "p2p.disable", &O::p2p_disable, "",
      "Run without the peer-to-peer layer: no host, no blocks, only the RPC. The other p2p options have no effect");
  table.add("p2p.priv.path", &O::priv_path, "FILE",
            "File with the node's private key in hex. The node creates it if it is missing. The default is "
            "opnode_p2p_priv.txt in the working folder if that file exists, otherwise in the data folder");
  table.add("p2p.priv.raw", &O::priv_raw, "KEY", "The node's private key in hex. Takes precedence over the file",
            hidden());
  table.add("p2p.peerstore.path", &O::peerstore_path, "FOLDER",
            "Folder of what the node remembers of its peers: addresses, scores, bans, blocks. memory remembers nothing "
            "after the end. The default is peerstore in the data folder. opp2p peerstore import copies op-node's");
  table.add("p2p.peers.lo", &O::peers_lo, "NUMBER", "Number of connections that remain after trimming");
  table.add("p2p.peers.hi", &O::peers_hi, "NUMBER", "Number of connections above which the node trims");
  table.add("p2p.peers.grace", &O::peers_grace, "TIME", "Age below which a connection is not trimmed");
  table.add("p2p.mux", &O::mux, "NAMES",
            "Multiplexers to offer, in order of preference, separated by commas. mplex has no back-pressure: a stream "
            "that is not read fast enough is reset",
            hidden());
  table.add("p2p.useragent", &O::user_agent, "TEXT",
            "Name and version that the node sends to peers; an empty text is the library's own", hidden("P2P_AGENT"));
  table.add("p2p.ping", &O::ping, "", "Measure the round-trip time to peers in the background", hidden());
  table.add(
      "p2p.security", &O::security, "NAMES",
      "noise, tls or both, in the order of preference. none, alone, is plaintext, for tests only: others can read and "
      "change the data, and a peer's id is not verified",
      hidden());
  table.add("p2p.timeout.dial", &O::dial_timeout, "TIME", "Time limit for dialling one address", hidden());
  table.add("p2p.timeout.accept", &O::accept_timeout, "TIME",
            "Time limit for the handshake of an inbound connection. In op-node this has no effect", hidden());
  table.add("p2p.timeout.negotiation", &O::negotiation_timeout, "TIME",
            "Time limit for agreeing on the protocol of a stream. In op-node this has no effect", hidden());
  table.group(FlagGroup::connections);
  table.add(
      "p2p.limits.exempt", &O::limits_exempt, "BLOCKS",
      "Address blocks whose inbound connections are not limited, for example 172.17.0.0/16. Use it if peers share "
      "one address because of address translation");
  table.add("p2p.limits.address.conns", &O::limits_address_conns, "NUMBER",
            "Limit of inbound connections from one IPv4 address or IPv6 /56");
  table.add("p2p.limits.address.rate", &O::limits_address_rate, "NUMBER",
            "Limit of new inbound connections a second from one IPv4 address or IPv6 /56", hidden());
  table.add("p2p.limits.address.burst", &O::limits_address_burst, "NUMBER",
            "Limit of new inbound connections at once from one IPv4 address or IPv6 /56", hidden());
  table.add("p2p.limits.ip6-48.conns", &O::limits_ip6_48_conns, "NUMBER",
            "Limit of inbound connections from one IPv6 /48", hidden());
  table.add("p2p.limits.ip6-48.rate", &O::limits_ip6_48_rate, "NUMBER",
            "Limit of new inbound connections a second from one IPv6 /48", hidden());
  table.add("p2p.limits.ip6-48.burst", &O::limits_ip6_48_burst, "NUMBER",
            "Limit of new inbound connections at once from one IPv6 /48", hidden());
  table.add("p2p.spin", &O::spin, "TIME",
            "Time to look for events before sleeping, at most 10ms. Lowers the latency and uses more CPU");
}

void add_reputation(Table& table) {
  using O = NodeOptions;
  table.group(FlagGroup::reputation);
  table.add(
      "p2p.scoring", &O::scoring, "none|light|opp2p",
      "Scores of peers. light is op-node's: a peer that breaks rules of gossip gets no gossip and is not heard. opp2p "
      "also counts invalid blocks, which cost nothing in light. none scores nobody",
      {"P2P_PEER_SCORING"});
  table.add("p2p.ban.peers", &O::ban_peers, "",
            "Ban peers whose score is below the threshold. Static peers are not banned; --p2p.ban.peers=false bans "
            "nobody",
            {"P2P_PEER_BANNING"});
  table.add("p2p.ban.threshold", &O::ban_threshold, "SCORE", "Score below which a peer is banned",
            {"P2P_PEER_BANNING_THRESHOLD"});
  table.add("p2p.ban.duration", &O::ban_duration, "TIME", "Duration of a ban, at most 168h",
            {"P2P_PEER_BANNING_DURATION"});
  table.add("p2p.gater.min-score", &O::gater_min_score, "SCORE",
            "Score below which a peer is neither dialled nor let in, at most 0. The default is the threshold of bans; "
            "-Inf allows every score");
}

void add_blocks(Table& table) {
  using O = NodeOptions;
  table.group(FlagGroup::blocks);
  table.add("p2p.sequencer.key", &O::sequencer_key, "KEY",
            "Private key in hex that signs blocks. A node with this key can publish blocks");
  table.add("p2p.gossip.timestamp.threshold", &O::gossip_timestamp_threshold, "TIME",
            "Age above which a block is rejected");
  table.add("p2p.gossip.mesh.d", &O::mesh_d, "NUMBER", "Number of peers in the mesh of a topic", hidden());
  table.add("p2p.gossip.mesh.lo", &O::mesh_lo, "NUMBER", "Number of mesh peers below which the node adds some",
            hidden("P2P_GOSSIP_MESH_DLO"));
  table.add("p2p.gossip.mesh.dhi", &O::mesh_hi, "NUMBER", "Number of mesh peers from which on the node removes some",
            hidden());
  table.add("p2p.gossip.mesh.dlazy", &O::mesh_lazy, "NUMBER",
            "Least number of other peers that are told which messages there are", hidden());
  table.add("p2p.gossip.mesh.floodpublish", &O::flood_publish, "",
            "Send own blocks to all peers of the topic, not only to those in the mesh",
            hidden("P2P_GOSSIP_FLOOD_PUBLISH"));
  table.add("p2p.gossip.trace.file", &O::gossip_trace_file, "FILE",
            "File for a trace of every GossipSub event and RPC, which is overwritten: JSON lines if its name ends in "
            ".json or .jsonl, otherwise the protobuf format of go-libp2p-pubsub");
  table.add("p2p.sync.req-resp", &O::sync_req_resp, "", "Serve blocks to peers by number, and fill gaps from peers");
  table.add("p2p.sync.server.limits", &O::sync_server_limits, "default|off", "Rate limits for serving blocks to peers");
  table.add("sync.memory", &O::sync_memory, "SIZE",
            "Memory for blocks that wait for the disk, and for blocks that peers send");
  table.add(
      "sync.patience", &O::sync_patience, "TIME",
      "Time to wait for missing blocks before the node follows the chain above them. The missing blocks are still "
      "fetched afterwards");
  table.add("store.max-size", &O::store_max_size, "SIZE",
            "Limit of the block store's size. Beyond it the oldest blocks are removed");
}

void add_rpc_and_log(Table& table) {
  using O = NodeOptions;
  table.group(FlagGroup::rpc);
  table.add("rpc.addr", &O::rpc_addr, "ADDRESS", "IP address of the JSON-RPC server");
  table.add("rpc.port", &O::rpc_port, "PORT", "Port of the JSON-RPC server; 0 takes a free one");
  table.add("rpc.enable-admin", &O::rpc_enable_admin, "", "Enable the admin_ methods");
  table.add("rpc.cors", &O::rpc_cors, "ORIGINS",
            "Origins of web pages that may use the RPC, separated by commas, or *");
  table.add(
      "rpc.unsafe-open", &O::rpc_unsafe_open, "",
      "Allow methods that change the node without the token in DATA-DIR/rpc.token. Everyone who reaches the RPC can "
      "then call them");
  table.group(FlagGroup::metrics);
  table.add("metrics.enabled", &O::metrics_enabled, "", "Serve metrics to Prometheus");
  table.add("metrics.addr", &O::metrics_addr, "ADDRESS", "IP address of the metrics server");
  table.add("metrics.port", &O::metrics_port, "PORT", "Port of the metrics server; 0 takes a free one");
  table.group(FlagGroup::log);
  table.add("log.level", &O::log_level, "LEVEL",
            "trace, debug, info, warn, error or crit. COMPONENT=LEVEL sets that of one component: info,gossip=debug",
            {{}, false, &check_log_levels});
  table.add("log.format", &O::log_format, "text|json", "Format of the log", {{}, false, &check_log_format});
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
  add_reputation(table);
  add_blocks(table);
  add_rpc_and_log(table);
  for (const auto& [name, about] : {std::pair("help,h", "Print this help"), std::pair("help-all", "Print all options"),
                                    std::pair("version,v", "Print the version")}) {
    NodeFlag row;
    row.spec.name = name;
    row.spec.type = FlagType::boolean;
    row.about = about;
    into.push_back(std::move(row));
  }
}

}  // namespace opp2p
