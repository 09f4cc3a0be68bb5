#include "opp2p/observe/start_report.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <filesystem>

namespace opp2p {
namespace {

std::string absolute(const std::string& path) {
  std::error_code error;
  const auto out = std::filesystem::absolute(path, error);
  return error ? path : out.lexically_normal().string();
}

// Whether only this machine reaches the address.
bool is_loopback(const std::string& address) {
  boost::system::error_code error;
  const auto parsed = boost::asio::ip::make_address(address, error);
  return !error && parsed.is_loopback();
}

}  // namespace

void report_start(Log& log, const NodeConfig& config, const std::string& version) {
  log.info(Component::node, "starting opp2p node",
           {{"version", version},
            {"chain", std::to_string(config.rollup.l2_chain_id)},
            {"data_dir", absolute(config.data_dir)},
            {"role", config.p2p_disable     ? "none"
                     : config.sequencer_key ? "publisher"
                                            : "follower"},
            {"scoring", config.scoring.name}});
  if (config.p2p_disable)
    return log.warn(Component::node, "no peers: the peer-to-peer layer is switched off, and no block comes in",
                    {{"option", "--p2p.disable"}});
  if (!config.found_peerstore.empty())
    log.warn(
        Component::host,
        "op-node's peerstore is in the working folder and is not read; to keep its scores and bans, stop the node, "
        "delete the new peerstore and run: opp2p peerstore import",
        {{"op_node", config.found_peerstore}, {"peerstore", absolute(config.peerstore_path)}});
  if (config.node_key_file.empty())
    log.info(Component::node, "node key from --p2p.priv.raw");
  else
    log.info(Component::node, config.node_key_is_new ? "made a new node key" : "read the node key",
             {{"file", absolute(config.node_key_file)}});
  if (config.wanted_ban_duration > config.ban_duration)
    log.warn(
        Component::host, "bans last as long as a ban can, not as long as the option says",
        {{"option", "--p2p.ban.duration"}, {"wanted", config.wanted_ban_duration}, {"longest", config.ban_duration}});
  if (std::find(config.securities.begin(), config.securities.end(), "plaintext") != config.securities.end())
    log.warn(Component::host,
             "connections to peers are neither encrypted nor authenticated: everybody on the way can read and change "
             "them, and peers can take any id. Leave the option out, unless this is a test",
             {{"option", "--p2p.security none"}});
}

void report_rpc(Log& log, const NodeConfig& config, std::uint16_t port) {
  const bool here = is_loopback(config.rpc_addr);
  const std::string from = here ? "this machine" : "other machines";
  const auto token = absolute(config.data_dir + "/rpc.token");
  log.info(Component::rpc, "JSON-RPC server started",
           {{"addr", config.rpc_addr}, {"port", port}, {"admin", config.rpc_enable_admin}, {"reached_from", from}});
  if (config.rpc_unsafe_open)
    log.warn(Component::rpc, "everybody who reaches the RPC may change this node",
             {{"from", from}, {"admin", config.rpc_enable_admin}, {"option", "--rpc.unsafe-open"}});
  else if (!here)
    log.warn(Component::rpc, "everybody who reaches the RPC can read it; what changes the node needs the token",
             {{"from", from}, {"token_file", token}, {"option", "--rpc.addr"}});
  else
    log.info(Component::rpc, "methods that change the node need the token", {{"token_file", token}});
  if (config.rpc_cors.allow_origin("") == "*")
    log.warn(Component::rpc, "pages of every website may use the RPC from a browser that reaches it",
             {{"option", "--rpc.cors"}});
}

}  // namespace opp2p
