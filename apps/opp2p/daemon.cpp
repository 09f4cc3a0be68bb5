#include "daemon.hpp"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <filesystem>

#include "libp2p/runtime/asio/asio_runtime.hpp"
#include "libp2p/services/gossipsub/trace_file.hpp"
#include "opp2p/base/end_signals.hpp"
#include "opp2p/base/file_error.hpp"
#include "opp2p/base/secret_file.hpp"
#include "opp2p/metrics/node_metrics.hpp"
#include "opp2p/node/node.hpp"
#include "opp2p/observe/health.hpp"
#include "opp2p/observe/node_log.hpp"
#include "opp2p/observe/start_report.hpp"
#include "opp2p/rpc/api_parts.hpp"
#include "opp2p/rpc/health_routes.hpp"
#include "opp2p/rpc/http_server.hpp"
#include "opp2p/rpc/node_api.hpp"
#include "opp2p/rpc/node_file.hpp"
#include "opp2p/rpc/reader_watch.hpp"
#include "opp2p/rpc/rpc_route.hpp"
#include "opp2p/rpc/rpc_worker.hpp"
#include "opp2p/store/lmdb_store.hpp"

namespace opp2p {
namespace {

using libp2p::Seconds;
using libp2p::runtime::AsioRuntime;
using libp2p::runtime::Task;

// Each commit is a synced write: under load an acknowledgement comes up to this much later.
constexpr auto kCommitInterval = libp2p::Millis(10);
constexpr auto kCloseLimit = Seconds(4);  // of the 5 s that a stop may take

Result<std::unique_ptr<BlockStore>> open_store(const NodeConfig& config, AsioRuntime& runtime, Log& log) {
  const auto folder = std::filesystem::path(config.data_dir) / "blocks";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return libp2p::fail(libp2p::Errc::io,
                        "--data-dir: cannot create " + folder.string() + ": " + file_error(error.value(), folder));
  LmdbStoreConfig store;
  store.folder = folder;
  store.chain = std::to_string(config.rollup.l2_chain_id) + ":" + libp2p::to_hex0x(config.rollup.genesis.l2.hash);
  store.max_size = config.store_max_size;
  store.commit_interval = kCommitInterval;
  store.migrating = [&log](const MigrationProgress& progress) {
    log.info(Component::store, "the block store is brought to the new format",
             {{"done", progress.done}, {"of", progress.total}});
  };
  const auto post = [&runtime](std::function<void()> task) { runtime.post(std::move(task)); };
  OPP2P_TRY(auto opened, LmdbStore::open(std::move(store), post));
  log.info(Component::store, "store opened", {{"found", opened->recovered()}});
  return std::unique_ptr<BlockStore>(std::move(opened));
}

// The methods that change something want the token, unless the operator opened them.
Result<void> protect(JsonRpc& rpc, const NodeConfig& config, libp2p::Rng& rng) {
  if (config.rpc_unsafe_open) return {};
  OPP2P_TRY(auto token, load_or_create_token(config.data_dir, rng));
  rpc.protect(std::move(token));
  return {};
}

struct StopWorker {
  RpcWorker& worker;
  ~StopWorker() { worker.stop(); }
};

HttpConfig http_config(const NodeConfig& config) {
  HttpConfig out;
  out.address = config.rpc_addr;
  out.port = config.rpc_port;
  out.browsers = config.rpc_cors;
  return out;
}

HttpRoutes http_routes(const Node& node, const JsonRpc& rpc, const std::string& version) {
  const auto health = [&clock = node.head_clock(), block_time = node.config().rollup.block_time] {
    return health_of(clock.get(), block_time, libp2p::UnixTime(std::chrono::system_clock::now().time_since_epoch()),
                     {clock.wrong_times(), clock.observed_block_time()});
  };
  HttpRoutes out;
  add_rpc_route(out, rpc);
  add_health_routes(out, version, health);
  return out;
}

// None without --p2p.gossip.trace.file. A trace that cannot be written costs a line of the log, never the node.
Result<std::shared_ptr<libp2p::gossipsub::EventTracer>> open_gossip_trace(const NodeConfig& config, Log& log) {
  using libp2p::gossipsub::TraceFormat;
  const std::string& path = config.gossip_trace_file;
  if (path.empty()) return std::shared_ptr<libp2p::gossipsub::EventTracer>();
  libp2p::GossipTraceFileConfig trace;
  trace.path = path;
  trace.format = path.ends_with(".json") || path.ends_with(".jsonl") ? TraceFormat::json_lines : TraceFormat::protobuf;
  trace.on_error = [&log](const libp2p::Error& error) {
    log.warn(Component::gossip, "events are missing in the gossip trace", {{"error", error.message()}});
  };
  auto file = libp2p::GossipTraceFile::open(trace);
  if (!file) return file.error().within("--p2p.gossip.trace.file");
  return std::shared_ptr<libp2p::gossipsub::EventTracer>(std::move(*file));
}

// --p2p.disable: the RPC alone, until a signal.
Result<void> run_without_p2p(const NodeConfig& config, Log& log, const std::string& version) {
  AsioRuntime runtime(AsioRuntime::kDefaultWorkers, config.spin);
  boost::asio::signal_set signals(runtime.executor());
  for (const int signal : end_signals()) signals.add(signal);
  RpcWorker worker;
  JsonRpc rpc([&worker](std::function<void()> task) { worker.post(std::move(task)); }, &RpcWorker::now);
  add_methods_without_p2p(rpc, config.rollup, version);
  const StopWorker stop_worker{worker};
  HttpRoutes routes;
  add_rpc_route(routes, rpc);
  add_health_routes(routes, version, [] {
    return Health{false, "the peer-to-peer layer is switched off (--p2p.disable), so no block comes in"};
  });
  OPP2P_TRY(auto server, HttpServer::start(http_config(config), std::move(routes), rpc.accounts()));
  NodePorts ports;
  ports.rpc_port = server->port();
  ports.rpc_address = config.rpc_addr;
  OPP2P_TRYV(write_node_file(config.data_dir, std::nullopt, {}, ports));
  report_rpc(log, config, server->port());
  signals.async_wait([&](const boost::system::error_code& error, int signal) {
    if (error) return;
    log.info(Component::node, "stopping", {{"signal", signal}});
    server.reset();
    worker.stop();
    runtime.stop();
  });
  runtime.run();
  remove_node_file(config.data_dir);
  log.info(Component::node, "stopped");
  return {};
}

Task<void> close_and_stop(Node& node, AsioRuntime& runtime) {
  co_await node.close(kCloseLimit);
  runtime.stop();
}

}  // namespace

libp2p::Result<void> run_daemon(const NodeConfig& config, Log& log, const std::string& version) {
  report_start(log, config, version);
  if (config.p2p_disable) return run_without_p2p(config, log, version);
  AsioRuntime runtime(AsioRuntime::kDefaultWorkers, config.spin);
  // From here on a signal waits until the loop runs, so that even an early one ends the node in order.
  boost::asio::signal_set signals(runtime.executor());
  for (const int signal : end_signals()) signals.add(signal);
  OPP2P_TRY(const auto store, open_store(config, runtime, log));
  RpcWorker worker;
  const auto on_worker = [&worker](std::function<void()> task) { worker.post(std::move(task)); };
  JsonRpc rpc(on_worker, &RpcWorker::now);
  OPP2P_TRYV(protect(rpc, config, runtime.rng()));
  NodeConfig traced = config;
  OPP2P_TRY(traced.gossip_tracer, open_gossip_trace(config, log));
  Node node(runtime, std::move(traced), *store);
  std::optional<NodeMetrics> metrics;
  if (config.metrics_enabled) {
    metrics.emplace(runtime, node, version).observe(rpc);
    metrics->observe(log);
  }
  NodeLog node_log(runtime, log, node.view());
  const auto logging = node.add_sink(node_log);
  RpcSnapshots snapshots(runtime, on_worker, rpc.memory(), rpc.limits().answer_bytes);
  RpcDials dials(runtime, [&node](libp2p::Multiaddr address) { return node.connect(std::move(address)); });
  ApiParts parts(runtime, node);
  add_methods(rpc, NodeApi{runtime, node, *store, snapshots, dials, version, parts.ports()});
  const StopWorker stop_worker{worker};  // before what its tasks use goes, whatever ends this function
  OPP2P_TRYV(node.start());
  parts.start();
  OPP2P_TRY(auto server, HttpServer::start(http_config(config), http_routes(node, rpc, version), rpc.accounts()));
  if (metrics) OPP2P_TRYV(metrics->listen(config, log));
  NodePorts ports;
  ports.rpc_port = server->port();
  ports.rpc_address = config.rpc_addr;
  if (metrics) ports.metrics_port = metrics->port();
  OPP2P_TRYV(write_node_file(config.data_dir, node.host().id(), node.host().listen_addresses(), ports));
  report_rpc(log, config, server->port());
  libp2p::runtime::TaskScope closing(runtime);
  bool signalled = false;
  bool unread = false;
  const auto stop = [&] {
    // Each of these ends at once: what the RPC's thread computes is cut off after the call that it is at.
    server.reset();
    worker.stop();
    snapshots.stop();
    dials.stop();
    parts.stop();
    closing.spawn(close_and_stop(node, runtime));
  };
  signals.async_wait([&](const boost::system::error_code& error, int signal) {
    if (error) return;
    log.info(Component::node, "stopping", {{"signal", signal}});
    signalled = true;
    if (!unread) stop();
  });
  const auto on_unread = [&] {
    unread = true;
    if (!signalled) stop();
  };
  const ReaderWatch log_watch(STDERR_FILENO, [&] { runtime.post(on_unread); });
  runtime.run();
  remove_node_file(config.data_dir);
  store->close();
  log.info(Component::node, "stopped");
  // A reader that ended with the same Ctrl-C is in order.
  if (unread && !signalled)
    return libp2p::fail(libp2p::Errc::closed, "stopped: the program that read the log has ended");
  return {};
}

}  // namespace opp2p
