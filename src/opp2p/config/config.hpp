// The configuration of a node: the options as given on the command line or in the environment (NodeOptions, filled by
// node_flags.hpp), and the same checked and resolved (NodeConfig). Names, defaults and error texts are op-node's where
// op-node has the option. Source: op-node surface, 1.1 and 1.4.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/result.hpp"
#include "libp2p/base/rng.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/crypto/secp256k1.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/protocols/gossipsub/params.hpp"
#include "opp2p/base/go_values.hpp"
#include "opp2p/config/browser_rules.hpp"
#include "opp2p/log/log.hpp"
#include "opstack/chain/fork.hpp"
#include "opstack/chain/rollup_config.hpp"
#include "opstack/reputation/scoring_profiles.hpp"

namespace libp2p::gossipsub {
class EventTracer;
}  // namespace libp2p::gossipsub

namespace opp2p {

struct NodeOptions {
  std::string rollup_config;  // a file
  std::string network;        // op-node's name of a chain; none is built in
  // --override.*: what the rollup configuration says otherwise.
  std::array<std::optional<std::uint64_t>, opstack::chain::kForkCount> fork_times{};
  std::optional<std::uint64_t> pectra_blob_schedule_time;
  std::optional<bool> keep_karst_upgrade_gas;
  std::string data_dir = "opp2p-data";

  bool p2p_disable = false;
  std::string listen_ip = "0.0.0.0";  // comma-separated
  std::uint64_t listen_tcp = 9222;
  std::string advertise_ip;  // comma-separated, addresses or names
  std::uint64_t advertise_tcp = 0;
  std::string static_peers;              // comma-separated multiaddrs
  std::optional<std::string> priv_path;  // none: kNodeKeyFile, see find_node_key()
  std::string priv_raw;
  std::string sequencer_key;
  std::string unsafe_block_signer;
  std::uint64_t peers_lo = 20;
  std::uint64_t peers_hi = 30;
  libp2p::Nanos peers_grace = libp2p::Seconds(30);
  std::string mux = "yamux";  // comma-separated, in order of preference
  std::string user_agent = "optimism";
  bool ping = true;
  std::string security = "noise";  // comma-separated, op-node's names
  libp2p::Nanos dial_timeout = libp2p::Seconds(10);
  libp2p::Nanos accept_timeout = libp2p::Seconds(10);
  libp2p::Nanos negotiation_timeout = libp2p::Seconds(10);
  std::optional<std::string> peerstore_path;  // none: kPeerstoreFolder in the data folder
  // Inbound connections: go-libp2p's limits, which op-node has without options.
  std::string limits_exempt;  // comma-separated CIDR
  std::uint64_t limits_address_conns = 8;
  double limits_address_rate = 0.2;
  std::uint64_t limits_address_burst = 16;
  std::uint64_t limits_ip6_48_conns = 64;
  double limits_ip6_48_rate = 0.5;
  std::uint64_t limits_ip6_48_burst = 80;
  libp2p::Nanos spin{};
  libp2p::Nanos gossip_timestamp_threshold = libp2p::Seconds(60);
  std::uint64_t mesh_d = 8;
  std::uint64_t mesh_lo = 6;
  std::uint64_t mesh_hi = 12;
  std::uint64_t mesh_lazy = 6;
  bool flood_publish = false;
  std::string gossip_trace_file;

  std::string scoring = "light";
  bool ban_peers = true;
  double ban_threshold = -100;
  libp2p::Nanos ban_duration = std::chrono::hours(1);
  std::optional<double> gater_min_score;  // none: the ban threshold

  bool sync_req_resp = true;
  std::string sync_server_limits = "default";  // or "off"
  std::string sync_memory = "64MiB";
  libp2p::Nanos sync_patience = libp2p::Seconds(120);
  std::string store_max_size = "4GiB";

  std::string rpc_addr = "127.0.0.1";
  std::int64_t rpc_port = 9545;
  bool rpc_enable_admin = false;
  std::string rpc_cors;  // comma-separated origins, or "*"
  bool rpc_unsafe_open = false;

  bool metrics_enabled = false;
  std::string metrics_addr = "0.0.0.0";
  std::int64_t metrics_port = 7300;

  std::string log_level = "info";
  std::string log_format = "text";
};

inline constexpr std::string_view kPeerstoreInMemory = "memory";
inline constexpr std::string_view kPeerstoreFolder = "peerstore";            // in the data folder
inline constexpr std::string_view kOpNodePeerstore = "opnode_peerstore_db";  // op-node's default, in the working folder

// The library's limits, but half the memory for what strangers make the host remember: a node reads what it is sent at
// once.
inline libp2p::Limits node_limits() {
  libp2p::Limits out;
  out.memory = 32U << 20;
  return out;
}

struct NodeConfig {
  opstack::chain::RollupConfig rollup;
  std::string data_dir;

  // A node without a host: nothing of the following is set then, up to the sync.
  bool p2p_disable = false;
  std::vector<libp2p::Multiaddr> listen;
  std::vector<libp2p::Multiaddr> announce;  // told to peers before those that we listen at
  std::vector<libp2p::Multiaddr> static_peers;
  libp2p::crypto::secp256k1::Secret node_key{};
  std::string node_key_file;  // where it lies; empty for --p2p.priv.raw
  bool node_key_is_new = false;
  std::optional<libp2p::crypto::secp256k1::Secret> sequencer_key;
  // Whose blocks are accepted. Absent: none is, every block is ignored (op-node surface, 5.5, check 5).
  std::optional<libp2p::crypto::secp256k1::Address> unsafe_block_signer;
  std::size_t peers_lo = 20;
  std::size_t peers_hi = 30;
  libp2p::Nanos peers_grace{};
  std::vector<std::string> muxers{"yamux"};  // names of libp2p/host/kinds.hpp
  std::string user_agent;
  bool ping = true;
  std::vector<std::string> securities{"noise"};  // names of libp2p/host/kinds.hpp
  libp2p::Nanos dial_timeout{};
  libp2p::Limits limits = node_limits();  // p2p.limits.* sets some of them
  libp2p::Nanos spin{};                   // the longest time that the network thread looks for events before it sleeps
  // The folder of the peerstore; kPeerstoreInMemory: nothing outlives the process.
  std::string peerstore_path{kPeerstoreInMemory};
  // A LevelDB folder of op-node that lies where op-node would look, while our own peerstore is still empty.
  std::string found_peerstore;
  libp2p::Nanos gossip_timestamp_threshold{};
  libp2p::gossipsub::MeshParams mesh;
  std::string gossip_trace_file;  // empty: none
  // Made by whoever makes the node, of gossip_trace_file; may be null.
  std::shared_ptr<libp2p::gossipsub::EventTracer> gossip_tracer;

  opstack::reputation::ScoringProfile scoring;  // by default nobody is scored
  bool ban_peers = true;
  double ban_threshold = -100;
  libp2p::Nanos ban_duration = std::chrono::hours(1);
  libp2p::Nanos wanted_ban_duration = ban_duration;  // longer where that is longer than any ban
  double gater_min_score = -100;                     // no connection to or from a peer with a lower score

  bool sync_req_resp = true;
  bool sync_server_limits = true;
  std::size_t sync_memory = 0;  // bytes
  libp2p::Nanos sync_patience = libp2p::Seconds(120);
  std::size_t store_max_size = 0;  // bytes

  std::string rpc_addr;
  std::uint16_t rpc_port = 0;
  bool rpc_enable_admin = false;
  BrowserRules rpc_cors;
  bool rpc_unsafe_open = false;  // no token for the methods that change something

  bool metrics_enabled = false;
  std::string metrics_addr;
  std::uint16_t metrics_port = 0;
};

// Reads the files that the options name (the node key's is made when it is missing), checks everything, and says of the
// first thing that is wrong which option it is and what it wants.
libp2p::Result<NodeConfig> resolve(const NodeOptions& options, libp2p::Rng& rng);

// "67108864", "64MiB", "4GiB", "10KB": bytes.
libp2p::Result<std::size_t> parse_byte_count(std::string_view text);
inline constexpr std::size_t kLeastStore = 16 << 20;  // of --store.max-size
// 32 bytes in hexadecimal, "0x" optional, white space around it.
libp2p::Result<libp2p::crypto::secp256k1::Secret> parse_key(std::string_view text);
libp2p::Result<libp2p::crypto::secp256k1::Address> parse_address(std::string_view text);
// Multiaddrs separated by commas, each with the /p2p/ID of its peer.
libp2p::Result<std::vector<libp2p::Multiaddr>> parse_peers(std::string_view list);
// "10.0.0.0/8,fd00::/8": blocks of addresses separated by commas.
libp2p::Result<std::vector<libp2p::Cidr>> parse_cidrs(std::string_view list);
// "yamux,mplex": names of multiplexers that there are, separated by commas, in any case and once each in the answer.
libp2p::Result<std::vector<std::string>> parse_muxers(std::string_view list);
// op-node's names of a level, in any case, for all components or with exceptions: "info", "WARN", "info,gossip=dbug".
libp2p::Result<void> check_log_levels(std::string_view text);
libp2p::Result<LogFormat> parse_log_format(std::string_view text);

struct NodeKey {
  libp2p::crypto::secp256k1::Secret secret{};
  std::string file;
  bool is_new = false;
};
inline constexpr std::string_view kNodeKeyFile = "opnode_p2p_priv.txt";  // op-node's default
// A node key's file: 64 lower-case hexadecimal digits, made with mode 0600 when it is missing.
libp2p::Result<NodeKey> load_or_create_key(const std::string& path, libp2p::Rng& rng);
// The file that `path` names; without one kNodeKeyFile in the working folder when it is there, so that a node that was
// started with it keeps its peer id, else in the data folder.
libp2p::Result<NodeKey> find_node_key(const std::optional<std::string>& path, const std::string& data_dir,
                                      libp2p::Rng& rng);

}  // namespace opp2p
