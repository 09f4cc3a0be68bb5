#include "node/daemon.hpp"

#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <filesystem>

#include "node/file_error.hpp"
#include "node/http_server.hpp"
#include "node/node.hpp"
#include "node/node_api.hpp"
#include "node/node_file.hpp"
#include "node/store_lmdb.hpp"
#include "runtime/asio/asio_runtime.hpp"

namespace opp2p::node {
namespace {

using libp2p::Seconds;
using libp2p::runtime::AsioRuntime;
using libp2p::runtime::Task;

// Each commit is a synced write: under load an acknowledgement comes up to this much later.
constexpr auto kCommitInterval = libp2p::Millis(10);
constexpr auto kCloseLimit = Seconds(3);  // of the 5 s that a stop may take

Result<std::unique_ptr<LmdbStore>> open_store(const NodeConfig& config, AsioRuntime& runtime) {
  const auto folder = std::filesystem::path(config.data_dir) / "blocks";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return libp2p::fail(libp2p::Errc::io, "--data-dir: cannot create " + folder.string() + ": " +
                                               file_error(error.value(), folder));
  LmdbStoreConfig store;
  store.folder = folder;
  store.chain = std::to_string(config.rollup.l2_chain_id) + ":" + libp2p::to_hex0x(config.rollup.genesis.l2.hash);
  store.max_size = config.store_max_size;
  store.commit_interval = kCommitInterval;
  return LmdbStore::open(std::move(store), [&runtime](std::function<void()> task) { runtime.post(std::move(task)); });
}

Task<void> close_and_stop(Node& node, AsioRuntime& runtime) {
  co_await node.close(kCloseLimit);
  runtime.stop();
}

}  // namespace

libp2p::Result<void> run_daemon(const NodeConfig& config, Log& log, const std::string& version) {
  AsioRuntime runtime(AsioRuntime::kDefaultWorkers, config.spin);
  // From here on a signal waits until the loop runs, so that even an early one ends the node in order.
  boost::asio::signal_set signals(runtime.executor(), SIGINT, SIGTERM);
  OPP2P_TRY(const auto store, open_store(config, runtime));
  log.info(Component::store, "store opened", {{"found", store->recovered()}});
  Node node(runtime, config, *store, log);
  libp2p::runtime::TaskScope requests(runtime);
  JsonRpc rpc;
  add_methods(rpc, runtime, node, *store, requests, version);
  OPP2P_TRYV(node.start());
  OPP2P_TRY(auto server, HttpServer::start(config.rpc_addr, config.rpc_port, rpc, version));
  OPP2P_TRYV(write_node_file(config.data_dir, node.host().id(), node.host().listen_addresses(), server->port()));
  log.info(Component::rpc, "JSON-RPC server started", {{"addr", config.rpc_addr}, {"port", server->port()},
                                                       {"admin", config.rpc_enable_admin}});
  libp2p::runtime::TaskScope closing(runtime);
  signals.async_wait([&](const boost::system::error_code& error, int signal) {
    if (error) return;
    log.info(Component::node, "stopping", {{"signal", signal}});
    server.reset();
    requests.cancel();
    closing.spawn(close_and_stop(node, runtime));
  });
  runtime.run();
  remove_node_file(config.data_dir);
  store->close();
  log.info(Component::node, "stopped");
  return {};
}

}  // namespace opp2p::node
