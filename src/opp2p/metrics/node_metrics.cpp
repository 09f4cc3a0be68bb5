#include "opp2p/metrics/node_metrics.hpp"

#include "libp2p/base/seconds.hpp"
#include "opp2p/observe/health.hpp"
#include "opp2p/rpc/rpc_worker.hpp"

namespace opp2p {
namespace {

NodeSampler::Source source_of(const Node& node, const PeerMetrics& peers) {
  NodeSampler::Source out;
  out.readings = [&node] { return node.snapshots().readings(); };
  out.each_score = [&node](const NodeSampler::TakeScore& take) { node.snapshots().each_score(take); };
  out.ended_bytes = [&peers] { return std::pair(peers.bytes_in(), peers.bytes_out()); };
  return out;
}

// Of the thread that serves, which has no Runtime.
libp2p::Now now_of_server() {
  return {RpcWorker::now(), libp2p::UnixTime(std::chrono::system_clock::now().time_since_epoch())};
}

}  // namespace

NodeMetrics::NodeMetrics(libp2p::runtime::Runtime& runtime, Node& node, const std::string& version)
    : head_clock_(node.head_clock()),
      up_(registry_.gauge(Metric::up)),
      head_age_(registry_.gauge(Metric::head_age)),
      sample_age_(registry_.gauge(Metric::sample_age)),
      loop_stall_(registry_.gauge(Metric::loop_stall)),
      blocks_(registry_, node.view().id()),
      peers_(registry_),
      sync_(registry_),
      reputation_(registry_),
      rpc_(registry_),
      sampler_(runtime, registry_, source_of(node, peers_)),
      lag_(runtime, registry_),
      server_([this] { return text(now_of_server()); }, &RpcWorker::now),
      subscription_(node.add_sink(*this)) {
  set_configured(node.config(), version);
}

// op-node's gauges that say what it was started with.
void NodeMetrics::set_configured(const NodeConfig& config, const std::string& version) {
  registry_.gauge(Metric::info, {version}).Set(1);
  using opstack::chain::Fork;
  const auto& rollup = config.rollup;
  const auto chain = std::to_string(rollup.l2_chain_id);
  const auto set = [&](std::string_view fork, std::string_view basis, std::optional<std::uint64_t> time) {
    if (time)
      registry_.gauge(Metric::hardfork_activation_timestamp, {chain, fork, basis}).Set(static_cast<double>(*time));
  };
  for (auto fork = static_cast<std::size_t>(Fork::regolith); fork < opstack::chain::kForkCount; ++fork)
    set(opstack::chain::kForkNames[fork], "l2_timestamp", rollup.activation_time(static_cast<Fork>(fork)));
  set("pectra_blob_schedule", "l1_origin_timestamp", rollup.pectra_blob_schedule_time);
  if (rollup.keep_karst_upgrade_gas) set("keep_karst_upgrade_gas", "l2_timestamp", rollup.activation_time(Fork::karst));
}

void NodeMetrics::observe(JsonRpc& rpc) {
  rpc.observe([this](const RpcMethod* method, int code, libp2p::Nanos took) { rpc_.on_call(method, code, took); });
}

void NodeMetrics::observe(const Log& log) { log_.emplace(registry_, log); }

libp2p::Result<void> NodeMetrics::listen(const NodeConfig& config, Log& log) {
  OPP2P_TRYV(server_.listen(config.metrics_addr, config.metrics_port));
  log.info(Component::node, "metrics server started", {{"addr", config.metrics_addr}, {"port", server_.port()}});
  return {};
}

void NodeMetrics::on(const NodeEvent& event, libp2p::Now now) {
  if (std::holds_alternative<NodeStarted>(event)) {
    up_.Set(1);
    sampler_.start();
    lag_.start();
  }
  if (std::holds_alternative<NodeStopping>(event)) {
    sampler_.stop();
    lag_.stop();
  }
  std::visit(
      [&](const auto& kind) {
        blocks_.on(kind, now);
        peers_.on(kind, now);
        sync_.on(kind, now);
        reputation_.on(kind, now);
      },
      event);
}

std::string NodeMetrics::text(libp2p::Now now) {
  if (const auto head = head_clock_.get()) head_age_.Set(static_cast<double>(opp2p::head_age(*head, now.wall).count()));
  if (const auto last = sampler_.last()) sample_age_.Set(libp2p::seconds_of(now.mono - *last));
  loop_stall_.Set(libp2p::seconds_of(lag_.overdue(now.mono)));
  if (log_) log_->read();
  return registry_.text();
}

}  // namespace opp2p
