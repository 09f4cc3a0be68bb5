#include "opp2p/rpc/node_file.hpp"

#include <boost/json.hpp>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "opp2p/base/file_error.hpp"
#include "opp2p/base/small_file.hpp"

namespace opp2p {
namespace fs = std::filesystem;

libp2p::Result<void> write_node_file(const std::string& data_dir, const std::optional<libp2p::PeerId>& id,
                                     const std::vector<libp2p::Multiaddr>& addresses, const NodePorts& ports) {
  boost::json::object about;
  if (id) about["peerId"] = id->to_base58();
  boost::json::array list;
  if (id)
    for (const auto& address : addresses) list.emplace_back(address.with_peer_id(*id).text());
  about["addresses"] = std::move(list);
  about["rpcPort"] = ports.rpc_port;
  if (!ports.rpc_address.empty()) about["rpcAddress"] = ports.rpc_address;
  if (ports.metrics_port) about["metricsPort"] = *ports.metrics_port;
  std::error_code error;
  fs::create_directories(data_dir, error);
  const auto path = fs::path(data_dir) / "node.json";
  const auto fresh = fs::path(data_dir) / "node.json.new";
  std::ofstream out(fresh, std::ios::trunc);
  out << boost::json::serialize(about) << '\n';
  out.close();
  if (!out) error.assign(errno, std::generic_category());
  if (out) fs::rename(fresh, path, error);
  if (!error) return {};
  const auto why = file_error(error.value(), path);
  fs::remove(fresh, error);
  return libp2p::fail(libp2p::Errc::io, "--data-dir: cannot write " + path.string() + ": " + why);
}

libp2p::Result<RpcPlace> read_node_file(const std::string& data_dir) {
  constexpr std::size_t kMostBytes = 1 << 20;
  const auto path = fs::path(data_dir) / "node.json";
  const auto text = read_small_file(path, kMostBytes);
  if (!text && text.error() == libp2p::Errc::not_found)
    return libp2p::fail(libp2p::Errc::not_found, "no node is running with --data-dir " + data_dir + " (there is no " +
                                                     path.string() + "). Start one, or give the --data-dir of one " +
                                                     "that runs, or --rpc URL");
  if (!text) return libp2p::fail(text.error().code(), text.error().text() + ". Or give --rpc URL");
  const auto damaged = [&path] {
    return libp2p::fail(libp2p::Errc::malformed, path.string() + " does not say where the RPC is. Give --rpc URL");
  };
  boost::system::error_code error;
  const auto about = boost::json::parse(*text, error);
  const auto* object = error ? nullptr : about.if_object();
  const auto* port = object == nullptr ? nullptr : object->if_contains("rpcPort");
  if (port == nullptr || !port->is_number()) return damaged();
  RpcPlace out;
  out.port = port->to_number<std::uint16_t>(error);
  if (error || out.port == 0) return damaged();
  const auto* address = object->if_contains("rpcAddress");
  out.host = address != nullptr && address->is_string() ? std::string(address->get_string()) : "127.0.0.1";
  const auto* id = object->if_contains("peerId");
  if (id != nullptr && id->is_string()) out.peer_id = std::string(id->get_string());
  if (out.host == "0.0.0.0") out.host = "127.0.0.1";
  if (out.host == "::") out.host = "::1";
  return out;
}

void remove_node_file(const std::string& data_dir) {
  std::error_code ignored;
  fs::remove(fs::path(data_dir) / "node.json", ignored);
}

}  // namespace opp2p
