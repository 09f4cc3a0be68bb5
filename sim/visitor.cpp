#include "sim/visitor.hpp"

#include <algorithm>
#include <stdexcept>

#include "opstack/gossip/block_gossip.hpp"
#include "opstack/rules/topics.hpp"
#include "sim/mischief.hpp"

namespace opp2p::sim {
using libp2p::Millis;
using libp2p::Nanos;
using libp2p::PeerId;
using libp2p::crypto::KeyType;
using libp2p::crypto::PrivateKey;
using libp2p::runtime::Runtime;
using libp2p::runtime::sleep_for;
using libp2p::runtime::Task;

namespace {

constexpr auto kBadBlockInterval = Millis(50);
// Then a forger gives up: whoever comes from an address of many that were banned is not heard (P6), and so not banned.
constexpr std::size_t kMostForged = 400;
constexpr auto kShutInterval = libp2p::Seconds(5);  // how often a place that is shut looks whether it is open
constexpr auto kLeaveLimit = libp2p::Seconds(2);
constexpr Mischief kForged[] = {Mischief::bad_signature, Mischief::wrong_hash, Mischief::wrong_version,
                                Mischief::garbage};

libp2p::HostConfig host_config(const PrivateKey& key) {
  libp2p::HostConfig out(key);
  out.user_agent = "churn";
  return out;
}

Nanos draw(libp2p::Rng& rng, Nanos most) {
  const auto ms = std::chrono::duration_cast<Millis>(most).count();
  return Millis(static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(ms) + 1)));
}

}  // namespace

VisitorPlace::Peer::Peer(Runtime& runtime, const PrivateKey& key, const opstack::testing::ChainOptions& chain)
    : host(runtime, host_config(key)),
      identify(host),
      gossip(host, opstack::gossip::block_gossip_config(chain.chain_id, {}), scores) {
  for (const auto& topic : opstack::rules::blocks_topics(chain.chain_id))
    if (const auto joined = gossip.join(topic, nullptr, nullptr); !joined)
      throw std::logic_error(joined.error().message());
}

VisitorPlace::VisitorPlace(Runtime& runtime, const VisitorOptions& options, VisitCounts& counts)
    : runtime_(runtime), options_(options), counts_(counts), scope_(runtime) {}

VisitorPlace::~VisitorPlace() = default;

void VisitorPlace::begin() { scope_.spawn(keep()); }

Task<void> VisitorPlace::close() { return scope_.close(); }

// ---- what is drawn ----

PrivateKey VisitorPlace::next_key() {
  if (options_.key) return *options_.key;
  return PrivateKey::generate(options_.forges ? KeyType::secp256k1 : KeyType::ed25519, runtime_.rng()).value();
}

libp2p::Multiaddr VisitorPlace::next_node() {
  return options_.nodes[static_cast<std::size_t>(runtime_.rng().below(options_.nodes.size()))];
}

Nanos VisitorPlace::next_pause() { return draw(runtime_.rng(), options_.pause); }

VisitorPlace::Exit VisitorPlace::next_exit() {
  const auto drawn = runtime_.rng().below(options_.lose_power ? 4 : 2);
  if (drawn == 3) return Exit::without_power;
  return drawn == 1 ? Exit::without_a_word : Exit::in_order;
}

bool VisitorPlace::comes_again() {
  const bool again = runtime_.rng().below(2) == 0;
  return !is_shut_ && has_power_ && (again || options_.key);
}

// ---- the coroutines ----

Task<void> VisitorPlace::keep() {
  while (!scope_.cancelled()) {
    if (!has_power_) {
      options_.power_on();
      has_power_ = true;
    }
    co_await host_one();
    while (is_shut_) {
      const auto slept = co_await sleep_for(runtime_, kShutInterval);
      if (!slept) co_return;
    }
    // From the queue, because a host must not go inside a call of its own.
    const auto yielded = co_await libp2p::runtime::yield_now(runtime_);
    if (!yielded) co_return;
  }
}

Task<void> VisitorPlace::host_one() {
  co_await pause();
  if (scope_.cancelled() || is_shut_) co_return;
  Peer peer(runtime_, next_key(), options_.chain);
  const Exit exit = next_exit();
  co_await visit(peer, exit);
  while (comes_again()) {
    co_await pause();
    if (scope_.cancelled() || is_shut_) co_return;
    co_await visit(peer, exit);
  }
  if (exit == Exit::in_order) co_await leave(peer);
  const auto yielded = co_await libp2p::runtime::yield_now(runtime_);
  if (!yielded) co_return;
}

// Ends early when the place is shut.
Task<void> VisitorPlace::pause() {
  const auto until = runtime_.now().mono + next_pause();
  while (runtime_.now().mono < until && !is_shut_) {
    const Nanos step = std::min<Nanos>(kShutInterval, until - runtime_.now().mono);
    const auto slept = co_await sleep_for(runtime_, step);
    if (!slept) co_return;
  }
}

Task<void> VisitorPlace::leave(Peer& peer) {
  co_await peer.gossip.close();
  co_await peer.identify.close();
  co_await peer.host.close(kLeaveLimit);
}

Task<void> VisitorPlace::visit(Peer& peer, Exit exit) {
  auto address = next_node();
  auto node = co_await peer.host.connect(std::move(address));
  if (!node) {
    ++counts_.failed;
    co_return;
  }
  ++counts_.came;
  ++counts_.connected;
  const auto until = runtime_.now().mono + draw(runtime_.rng(), 2 * options_.stay);
  if (options_.forges)
    co_await forge(peer, *node);
  else
    co_await stay(peer, *node, until);
  --counts_.connected;
  if (exit == Exit::without_power && peer.host.connected(*node)) {
    ++counts_.vanished;
    options_.lose_power();
    has_power_ = false;
  } else {
    peer.host.disconnect(*node, "the visit is over");
  }
}

Task<void> VisitorPlace::stay(Peer& peer, const PeerId& node, libp2p::MonoTime until) {
  while (runtime_.now().mono < until && !is_shut_) {
    const auto slept = co_await sleep_for(runtime_, options_.look);
    if (!slept) co_return;
    if (peer.host.connected(node)) continue;
    ++counts_.thrown_out;
    co_return;
  }
}

Task<void> VisitorPlace::forge(Peer& peer, const PeerId& node) {
  MischiefMaker maker(options_.chain, options_.signer, runtime_.rng());
  std::size_t i = 0;
  for (; i < kMostForged && peer.host.connected(node) && !is_shut_; ++i) {
    const auto now = static_cast<std::uint64_t>(libp2p::unix_seconds(runtime_.now().wall));
    const auto message = maker.make(kForged[i % std::size(kForged)], now);
    (void)peer.gossip.publish(message.topic, message.data, libp2p::gossipsub::LocalCheck::already_valid);
    ++counts_.forged;
    const auto slept = co_await sleep_for(runtime_, kBadBlockInterval);
    if (!slept) co_return;
  }
  if (i == kMostForged) ++counts_.gave_up;
  if (!peer.host.connected(node)) ++counts_.forgers;
}

}  // namespace opp2p::sim
