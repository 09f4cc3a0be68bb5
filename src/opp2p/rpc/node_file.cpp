#include "opp2p/rpc/node_file.hpp"

#include <boost/json.hpp>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "opp2p/base/file_error.hpp"

namespace opp2p {
namespace fs = std::filesystem;

libp2p::Result<void> write_node_file(const std::string& data_dir, const libp2p::PeerId& id,
                                     const std::vector<libp2p::Multiaddr>& addresses, const NodePorts& ports) {
  boost::json::object about;
  about["peerId"] = id.to_base58();
  boost::json::array list;
  for (const auto& address : addresses) list.emplace_back(address.with_peer_id(id).text());
  about["addresses"] = std::move(list);
  about["rpcPort"] = ports.rpc_port;
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

void remove_node_file(const std::string& data_dir) {
  std::error_code ignored;
  fs::remove(fs::path(data_dir) / "node.json", ignored);
}

}  // namespace opp2p
