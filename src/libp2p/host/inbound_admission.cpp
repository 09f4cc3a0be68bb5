#include "libp2p/host/inbound_admission.hpp"

#include <tuple>

#include "libp2p/base/assert.hpp"
#include "libp2p/host/limit_error.hpp"
#include "libp2p/multiformats/ip_text.hpp"

namespace libp2p {

namespace {

// How long an evicted connection may take to say good-bye.
constexpr Nanos kEvictionTime = Millis(500);

// "10.0.0.1", "2001:db8::/56", "2001:db8::/48".
std::string block_text(const Bytes& block) {
  if (block.size() == 4) return multiformats::ip4_text(block);
  Bytes ip = block;
  ip.resize(16);
  return multiformats::ip6_text(ip) + "/" + std::to_string(block.size() * 8);
}

std::string rate_text(const RateLimit& limit) {
  const auto number = [](double value) {
    std::string text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
  };
  return number(limit.burst) + " at once and " + number(limit.per_second) + " a second";
}

}  // namespace

InboundAdmission::InboundAdmission(runtime::Runtime& runtime, const HostConfig& config, Gater& gater,
                                   const SwarmPolicy& policy, const SwarmTable& table, HostCounters& counters)
    : runtime_(runtime),
      config_(config),
      gater_(gater),
      policy_(policy),
      table_(table),
      counters_(counters),
      half_open_({.total = config.limits.pending_inbound}),
      inbound_({.narrow = config.limits.connections_per_address, .wide = config.limits.connections_per_ip6_48}),
      rates_(config.limits.address_rate, config.limits.ip6_48_rate),
      handshakes_(config.limits.handshakes.per_second, config.limits.handshakes.burst, runtime.now().mono) {}

Result<void> InboundAdmission::let_in(const Multiaddr& remote) {
  const AddressBlocks blocks = policy_.address_blocks(remote);
  const Limits& limits = config_.limits;
  // The gater first: who is blocked takes no token and evicts nobody.
  if (auto allowed = gater_.intercept_accept(remote); !allowed) {
    ++counters_.denied_by_gater;
    return allowed;
  }
  OPP2P_TRYV(check_rates(blocks));
  OPP2P_TRYV(check_address(blocks));
  const std::size_t own = blocks.is_exempt() ? 0 : inbound_.held_by(blocks.narrow) + 1;
  if (open_count() >= limits.inbound_connections && evictable(own, Standing::unproven) == nullptr) {
    return refuse_for_places();
  }
  if (half_open_.used() >= limits.pending_inbound && !evict_half_open(blocks, nullptr)) {
    ++counters_.refused_pending_inbound;
    return limit_error("half-open inbound connections", limits.pending_inbound, "Limits::pending_inbound");
  }
  return {};
}

Result<void> InboundAdmission::refuse_for_places() {
  ++counters_.refused_inbound_connections;
  return limit_error("inbound connections", config_.limits.inbound_connections, "Limits::inbound_connections");
}

void InboundAdmission::on_half_open(SwarmEntry& entry) {
  const Connection& connection = *entry.connection;
  entry.blocks = policy_.address_blocks(connection.facts().remote);
  half_open_.take(connection.id(), entry.blocks, 1);
  inbound_.take(connection.id(), entry.blocks, 1);
  OPP2P_ASSERT(half_open_.held(connection.id()) == 1 && inbound_.held(connection.id()) == 1,
               "a connection has one place of each kind, taken once", connection.id());
}

void InboundAdmission::on_closed(const SwarmEntry& entry) {
  if (entry.handshake_due && *entry.handshake_due > runtime_.now().mono) handshakes_.cancel(1);
  half_open_.give_all(entry.connection->id());
  inbound_.give_all(entry.connection->id());
}

Result<void> InboundAdmission::check_rates(const AddressBlocks& blocks) {
  const Limits& limits = config_.limits;
  const auto refuse = [](const Bytes& block, const RateLimit& limit, std::string_view name) {
    return fail(Errc::exhausted, "new connections from " + block_text(block) + " come too fast: " + rate_text(limit) +
                                     " is the limit (" + std::string(name) + ")");
  };
  switch (rates_.try_take(blocks, runtime_.now().mono)) {
    case ShareFull::narrow:
      ++counters_.refused_address_rate;
      return refuse(blocks.narrow, limits.address_rate, "Limits::address_rate, --p2p.limits.address.rate and .burst");
    case ShareFull::wide:
      ++counters_.refused_ip6_48_rate;
      return refuse(blocks.wide, limits.ip6_48_rate, "Limits::ip6_48_rate, --p2p.limits.ip6-48.rate and .burst");
    default: return {};
  }
}

Result<void> InboundAdmission::check_address(const AddressBlocks& blocks) {
  const Limits& limits = config_.limits;
  const ShareFull full = inbound_.check(0, blocks, 1);
  const bool narrow = full == ShareFull::narrow;
  if (full == ShareFull::none || evict_half_open(blocks, narrow ? &blocks.narrow : &blocks.wide)) return {};
  if (narrow) {
    ++counters_.refused_per_address;
    return limit_error("inbound connections from " + block_text(blocks.narrow), limits.connections_per_address,
                       "Limits::connections_per_address, --p2p.limits.address.conns");
  }
  ++counters_.refused_per_ip6_48;
  return limit_error("inbound connections from " + block_text(blocks.wide), limits.connections_per_ip6_48,
                     "Limits::connections_per_ip6_48, --p2p.limits.ip6-48.conns");
}

bool InboundAdmission::evict_half_open(const AddressBlocks& blocks, const Bytes* only) {
  const MonoTime now = runtime_.now().mono;
  Connection* first = nullptr;
  std::tuple<std::size_t, bool, Nanos> worst;
  for (const auto& [id, holding] : half_open_.holders()) {
    const SwarmEntry& entry = table_.at(id);
    Connection& connection = *entry.connection;
    if (connection.closing()) continue;
    if (only != nullptr && holding.blocks.narrow != *only && holding.blocks.wide != *only) continue;
    // Those that are on their way out still count, which only makes a flooder's block look fuller for a moment.
    const std::size_t of_block = holding.blocks.is_exempt() ? 0 : half_open_.held_by(holding.blocks.narrow);
    // What a peer has sent lies unread while its handshake waits for the budget.
    const bool silent = connection.bytes_in() == 0 && !entry.handshake_due;
    const auto place = std::make_tuple(of_block, silent, now - connection.progress());
    if (first != nullptr && place <= worst) continue;
    first = &connection;
    worst = place;
  }
  if (first == nullptr) return false;
  // The newcomer's block would hold one more; a block that holds more than that gives way at once, others only what is
  // old.
  const std::size_t own = blocks.is_exempt() ? 0 : half_open_.held_by(blocks.narrow);
  const bool fuller = only == nullptr && std::get<0>(worst) > own + 1;
  const Limits& limits = config_.limits;
  const Nanos patience = only == nullptr && std::get<1>(worst) ? limits.pending_silence : limits.pending_patience;
  if (!fuller && std::get<2>(worst) < patience) return false;
  ++counters_.evicted_pending_inbound;
  first->close(Error(Errc::exhausted, "a newcomer needs the place of a handshake that does not end"), now);
  return true;
}

Connection* InboundAdmission::evictable(std::size_t own, Standing newcomer) const {
  const MonoTime now = runtime_.now().mono;
  Connection* first = nullptr;
  std::tuple<std::size_t, Nanos> worst;
  for (const auto& [id, holding] : inbound_.holders()) {
    const SwarmEntry& entry = table_.at(id);
    if (!entry.open || entry.connection->closing()) continue;
    const auto place = std::make_tuple(holding.blocks.is_exempt() ? 0 : inbound_.held_by(holding.blocks.narrow),
                                       now - entry.connection->facts().opened);
    if (first != nullptr && place <= worst) continue;
    if (policy_.standing(entry.connection->peer()) != Standing::unproven) continue;
    first = entry.connection.get();
    worst = place;
  }
  if (first == nullptr || newcomer != Standing::unproven) return first;
  // A newcomer is no better than who is as alone at its address and may still deliver.
  const bool fuller = std::get<0>(worst) > own;
  return fuller || std::get<1>(worst) >= config_.connection_manager.grace ? first : nullptr;
}

Result<void> InboundAdmission::open(const SwarmEntry& entry) {
  const ConnectionId id = entry.connection->id();
  OPP2P_ASSERT(half_open_.held(id) == 1, "a connection that becomes ready was half-open", id);
  if (open_count() >= config_.limits.inbound_connections) {
    const std::size_t own = entry.blocks.is_exempt() ? 0 : inbound_.held_by(entry.blocks.narrow);
    Connection* const goes = evictable(own, policy_.standing(entry.connection->peer()));
    if (goes == nullptr) return refuse_for_places();
    ++counters_.evicted_inbound_connections;
    goes->close(Error(Errc::exhausted, "a newcomer needs the place of a peer that has delivered nothing"),
                runtime_.now().mono + kEvictionTime, CloseCode::resource_limit);
  }
  half_open_.give_all(id);
  return {};
}

// A handshake costs more than all that is asked of a stranger before it. At most Limits::pending_inbound of them wait.
Nanos InboundAdmission::handshake_delay(SwarmEntry& entry) {
  const MonoTime now = runtime_.now().mono;
  const Nanos delay = handshakes_.reserve(1, now);
  if (delay <= Nanos(0)) return Nanos(0);
  ++counters_.delayed_handshakes;
  entry.handshake_due = now + delay;
  return delay;
}

void InboundAdmission::check() const {
  std::size_t inbound = 0, half_open = 0;
  for (const auto& [id, entry] : table_) {
    const bool is_inbound = entry.connection->direction() == Direction::inbound;
    const bool is_half_open = is_inbound && !entry.open;
    OPP2P_CHECK(inbound_.held(id) == (is_inbound ? 1 : 0), "each inbound connection has one place", id);
    OPP2P_CHECK(half_open_.held(id) == (is_half_open ? 1 : 0), "each half-open one has one place among those", id);
    inbound += is_inbound ? 1 : 0;
    half_open += is_half_open ? 1 : 0;
  }
  OPP2P_CHECK(inbound == inbound_.used() && half_open == half_open_.used(), "no place is held by what has gone",
              inbound, inbound_.used(), half_open, half_open_.used());
}

}  // namespace libp2p
