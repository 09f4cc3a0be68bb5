// op-node's flags that have no effect in opp2p. A row moves to node_flags_table.cpp when its flag gets an effect.
#include "opp2p/config/node_flags_table.hpp"

namespace opp2p {
namespace {

using enum FlagType;

struct Row {
  std::string_view name;
  FlagType type;
  std::string_view variable;  // behind OP_NODE_, where it does not follow from the name; "-": none
  std::optional<std::string_view> kept = std::nullopt;
};

// What derivation, an execution engine and discovery would need.
constexpr Row kWithoutEffect[] = {
    {"l1", text, "L1_ETH_RPC"},
    {"l2", text, "L2_ENGINE_RPC"},
    {"l2.jwt-secret", text, "L2_ENGINE_AUTH"},
    {"l1.beacon", text, ""},
    {"l1.beacon-header", text, ""},
    {"l1.beacon-fallbacks,l1.beacon-archiver", list, "L1_BEACON_FALLBACKS,L1_BEACON_ARCHIVER"},
    {"l1.beacon.ignore", boolean, ""},
    {"l1.beacon.fetch-all-sidecars", boolean, ""},
    {"l1.beacon.slot-duration-override", unsigned_number, ""},
    {"l1.trustrpc", boolean, "L1_TRUST_RPC"},
    {"l1.rpckind", checked, "L1_RPC_KIND"},
    {"l1.rpc-rate-limit", real, ""},
    {"l1.rpc-max-batch-size", signed_number, ""},
    {"l1.max-concurrency", signed_number, ""},
    {"l1.http-poll-interval", duration, ""},
    {"l1.cache-size", unsigned_number, ""},
    {"l1.epoch-poll-interval", duration, ""},
    {"l1.runtime-config-reload-interval", duration, ""},
    {"rollup.l1-chain-config", text, ""},
    {"l2.enginekind", checked, "L2_ENGINE_KIND"},
    {"l2.engine-rpc-timeout", duration, ""},
    {"l2.follow.source", text, ""},
    {"l2.follow.source.rpc-timeout", duration, ""},
    {"l2.engine-sync", boolean, "L2_ENGINE_SYNC_ENABLED"},
    {"l2.skip-sync-start-check", boolean, ""},
    {"l2.backup-unsafe-sync-rpc", text, ""},
    {"l2.backup-unsafe-sync-rpc.trustrpc", text, "L2_BACKUP_UNSAFE_SYNC_RPC_TRUST_RPC"},
    {"syncmode", checked, ""},
    {"syncmode.offset-el-safe", duration, ""},
    {"syncmode.req-resp", boolean, ""},
    {"fetch-withdrawal-root-from-state", boolean, ""},
    {"verifier.l1-confs", unsigned_number, ""},
    {"finality.lookback", unsigned_number, ""},
    {"finality.delay", unsigned_number, ""},
    {"safedb.path", text, ""},
    {"interop.dependency-set", text, ""},
    {"ignore-missing-pectra-blob-schedule", boolean, ""},
    {"experimental.sequencer-api", boolean, "", "false"},
    {"beta.extra-networks", boolean, ""},
    {"sequencer.stopped", boolean, ""},
    {"sequencer.max-safe-lag", unsigned_number, ""},
    {"sequencer.l1-confs", unsigned_number, ""},
    {"sequencer.recover", boolean, ""},
    {"sequencer.sealing-duration", duration, ""},
    {"conductor.rpc", text, ""},
    {"conductor.rpc-timeout", duration, ""},
    {"altda.enabled", boolean, "", "false"},
    {"altda.da-server", text, ""},
    {"altda.verify-on-read", boolean, ""},
    {"altda.da-service", boolean, ""},
    {"altda.put-timeout", duration, ""},
    {"altda.get-timeout", duration, ""},
    {"altda.max-concurrent-da-requests", unsigned_number, ""},
    {"p2p.no-discovery", boolean, "", "true"},
    {"p2p.listen.udp", unsigned_number, "P2P_LISTEN_UDP_PORT"},
    {"p2p.advertise.udp", unsigned_number, ""},
    {"p2p.bootnodes", list, ""},
    {"p2p.netrestrict", text, ""},
    {"p2p.nat", boolean, "", "false"},
    {"p2p.discovery.path", text, ""},
    {"p2p.scoring.peers", text, "-", "none"},
    {"p2p.scoring.topics", text, "-", "none"},
    {"p2p.score.bands", text, "-"},
    {"p2p.sync.onlyreqtostatic", boolean, "", "false"},
    {"rpc.admin-state", text, ""},
    {"pprof.enabled", boolean, "", "false"},
    {"pprof.addr", text, ""},
    {"pprof.port", signed_number, ""},
    {"pprof.path", checked, ""},
    {"pprof.type", checked, ""},
    {"log.color", boolean, "", "false"},
    {"log.pid", boolean, "", "false"},
    {"snapshotlog.file", text, "SNAPSHOT_LOG"},
    {"heartbeat.enabled", boolean, "", "false"},
    {"heartbeat.moniker", text, ""},
    {"heartbeat.url", text, ""},
};

constexpr std::string_view kNoRemoteSigner =
    "opp2p signs blocks with a key of its own, not with a remote signer. Give the key with --p2p.sequencer.key, or "
    "leave the option out";

// Without these the node would be something else than its operator believes.
struct RefusedRow {
  Row row;
  std::string_view why;
};
constexpr RefusedRow kRefused[] = {
    {{"sequencer.enabled", boolean, "", "false"},
     "opp2p does not build blocks. It publishes blocks that it gets by admin_publishUnsafePayload, signed with "
     "--p2p.sequencer.key. Leave the option out, or run op-node as the sequencer"},
    {{"conductor.enabled", boolean, "", "false"},
     "opp2p does not ask a conductor before it publishes, so two sequencers could sign. Leave the option out, or run "
     "op-node as the sequencer"},
    {{"signer.endpoint", text, "", ""}, kNoRemoteSigner},
    {{"signer.address", text, "", ""}, kNoRemoteSigner},
    {{"signer.header", list, "", ""}, kNoRemoteSigner},
    {{"signer.tls.enabled", boolean, "", "true"}, kNoRemoteSigner},
    {{"signer.tls.ca", text, "", "tls/ca.crt"}, kNoRemoteSigner},
    {{"signer.tls.cert", text, "", "tls/tls.crt"}, kNoRemoteSigner},
    {{"signer.tls.key", text, "", "tls/tls.key"}, kNoRemoteSigner},
};

NodeFlag make(const Row& row) {
  NodeFlag out;
  out.spec.name = row.name;
  out.spec.type = row.type;
  if (row.variable.empty()) {
    out.spec.environment = {variable_of(row.name)};
  } else if (row.variable != "-") {
    FlagSpec names{std::string(row.variable), FlagType::text, {}, nullptr};
    for (const auto& name : names.names()) out.spec.environment.push_back("OP_NODE_" + name);
  }
  if (row.kept) out.kept = std::string(*row.kept);
  out.hidden = true;
  return out;
}

}  // namespace

void add_other_flags_of_op_node(std::vector<NodeFlag>& table) {
  for (const auto& row : kWithoutEffect) {
    table.push_back(make(row));
    table.back().effect = FlagEffect::none;
  }
  for (const auto& refused : kRefused) {
    table.push_back(make(refused.row));
    table.back().effect = FlagEffect::refused;
    table.back().about = refused.why;
  }
}

}  // namespace opp2p
