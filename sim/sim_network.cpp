#include "sim/sim_network.hpp"

#include <unistd.h>

namespace opp2p::sim {
namespace runtime = libp2p::runtime;
namespace secp256k1 = libp2p::crypto::secp256k1;
using libp2p::Multiaddr;
using libp2p::Result;
using libp2p::Seconds;

namespace {

constexpr std::size_t kPort = 9222;
constexpr auto kCloseLimit = Seconds(5);
// Events of a node between two checks that walk over all of its blocks, which takes as long as dozens of events where
// they are in memory, and as hundreds in its store.
constexpr std::uint64_t kEventsPerBlockCheck = 512;
constexpr std::uint64_t kEventsPerStoreCheck = 8192;

template <class Closable>
runtime::Task<void> close_and_note(Closable& peer, bool& done) {
  co_await peer.close(kCloseLimit);
  done = true;
}

// The standard error stream; each line tells which member's it is.
class MemberSink final : public LogSink {
 public:
  explicit MemberSink(std::size_t index) : prefix_(std::to_string(index) + " ") {}
  bool write(std::string_view lines, const std::atomic<bool>& give_up) override {
    return out_.write(prefix_ + std::string(lines), give_up);
  }

 private:
  const std::string prefix_;
  DescriptorSink out_{STDERR_FILENO};
};

}  // namespace

SimNetwork::SimNetwork(std::uint64_t seed, opstack::chain::RollupConfig rollup, const secp256k1::Secret& signer,
                       libp2p::UnixTime epoch, std::unique_ptr<runtime::LinkModel> links, std::uint64_t check_every)
    : rollup_(std::move(rollup)), signer_(signer), rng_(seed), epoch_(epoch), check_every_(check_every) {
  runtime::SimWorldOptions options;
  options.epoch = epoch;
  options.check_every = check_every;
  world_ = std::make_unique<runtime::SimWorld>(seed, options, std::move(links));
  began_ = world_->now();
}

std::unique_ptr<Log> SimNetwork::make_log(std::size_t index) const {
  LogOptions options;
  options.sink = std::make_shared<MemberSink>(index);
  options.clock = [this] { return epoch_ + (world_->now() - began_); };
  auto out = std::make_unique<Log>(std::move(options));
  (void)out->set_levels(log_level_);
  return out;
}

template <class Closable>
void SimNetwork::close_in_order(const runtime::SimNode& place, Closable& peer) {
  bool done = false;
  runtime::TaskScope scope(place.runtime());
  scope.spawn(close_and_note(peer, done));
  world_->run_until([&done] { return done; }, kCloseLimit + Seconds(2));
}

SimNetwork::~SimNetwork() { close(); }

void SimNetwork::Member::end() {
  log.reset();
  if (node) node->check();
  if (node && before_end) before_end();
  node.reset();
  disk->check_changed();
}

Result<Multiaddr> SimNetwork::listen_address(const runtime::SimNode& place, std::size_t port) const {
  return Multiaddr::from_text("/ip4/" + place.ip4() + "/tcp/" + std::to_string(port));
}

Result<std::size_t> SimNetwork::add(const SimMemberOptions& options) {
  runtime::SimNodeOptions place;
  place.wall_offset = options.wall_offset;
  auto member = std::make_unique<Member>(world_->add_node(place));
  NodeConfig& config = member->config;
  config.rollup = rollup_;
  OPP2P_TRY(const auto own, listen_address(member->place, kPort));
  config.listen = {own};
  for (const auto other : options.dials) config.static_peers.push_back(members_[other]->address);
  config.node_key = secp256k1::generate(rng_);
  if (options.sequencer) config.sequencer_key = signer_;
  config.unsafe_block_signer = secp256k1::address_of(signer_);
  config.peers_hi = 60;
  config.peers_grace = Seconds(30);
  config.user_agent = "opp2p-sim";
  config.dial_timeout = Seconds(10);
  config.gossip_timestamp_threshold = Seconds(60);
  config.sync_memory = 64 << 20;
  if (options.configure) options.configure(config);
  member->before_start = options.before_start;
  member->observe = options.observe;
  member->before_end = options.before_end;
  member->lines = make_log(members_.size());
  const Post post = [&place = member->place.runtime()](std::function<void()> task) { place.post(std::move(task)); };
  member->disk = std::make_unique<MemoryStore>(post, config.store_max_size,
                                               [&place = member->place.runtime()] { return place.now().wall; });
  member->store = std::make_unique<FaultyStore>(*member->disk, post);
  world_->check_after_events(member->place.index(), [this, m = member.get()] { check(*m); });
  OPP2P_TRYV(start(*member));
  member->address = member->config.listen.front().with_peer_id(member->node->host().id());
  members_.push_back(std::move(member));
  return members_.size() - 1;
}

void SimNetwork::check(Member& member) const {
  const std::uint64_t events = ++member.checks * check_every_;
  const auto is_due = [&](std::uint64_t interval) { return events % interval < check_every_; };
  if (member.node) {
    if (is_due(kEventsPerBlockCheck))
      member.node->check();
    else
      member.node->check_network();
  }
  if (is_due(kEventsPerStoreCheck)) member.disk->check_changed();
}

Result<void> SimNetwork::start(Member& member) {
  auto& place = member.place.runtime();
  auto steps = node_steps();
  step_named(steps, "peerstore").begin = [&member](NodeWiring& w) {
    w.parts.datastore = member.peerstore;
    return keep_in_datastore(w);
  };
  member.node = std::make_unique<Node>(place, member.config, *member.store, std::move(steps));
  member.log = std::make_unique<NodeLog>(place, *member.lines, member.node->view());
  member.logging = member.node->add_sink(*member.log);
  if (member.before_start) member.before_start(*member.node);
  if (member.observe) member.observe(place, *member.node);
  return member.node->start();
}

Result<std::size_t> SimNetwork::add_adversary(AdversaryKind kind, const opstack::testing::ChainOptions& chain,
                                              const std::vector<std::size_t>& dials) {
  return add_adversary_at(world_->add_node(), kind, chain, dials);
}

Result<std::size_t> SimNetwork::add_adversary_beside(std::size_t other, AdversaryKind kind,
                                                     const opstack::testing::ChainOptions& chain,
                                                     const std::vector<std::size_t>& dials) {
  return add_adversary_at(adversaries_[other]->place, kind, chain, dials);
}

Result<std::size_t> SimNetwork::add_adversary_at(const runtime::SimNode& place, AdversaryKind kind,
                                                 const opstack::testing::ChainOptions& chain,
                                                 const std::vector<std::size_t>& dials) {
  auto enemy = std::make_unique<Enemy>(place);
  AdversaryOptions& options = enemy->options;
  options.kind = kind;
  options.chain = chain;
  options.rollup = rollup_;
  options.key = secp256k1::generate(rng_);
  options.signer = signer_;
  OPP2P_TRY(options.listen, listen_address(place, kPort + adversaries_.size()));
  for (const auto member : dials) options.peers.push_back(members_[member]->address);
  enemy->peer = std::make_unique<Adversary>(place.runtime(), options);
  OPP2P_TRYV(enemy->peer->start());
  adversaries_.push_back(std::move(enemy));
  return adversaries_.size() - 1;
}

Result<void> SimNetwork::renew_adversary(std::size_t index) {
  Enemy& enemy = *adversaries_[index];
  close_in_order(enemy.place, *enemy.peer);
  enemy.peer.reset();
  enemy.options.key = secp256k1::generate(rng_);
  enemy.peer = std::make_unique<Adversary>(enemy.place.runtime(), enemy.options);
  return enemy.peer->start();
}

Result<void> SimNetwork::publish(std::size_t index, const opstack::payload::Envelope& envelope, libp2p::Nanos limit) {
  std::optional<Result<void>> outcome;
  node(index).publish(std::make_shared<const opstack::payload::Envelope>(envelope),
                      [&outcome](Result<void> done) { outcome = std::move(done); });
  if (!world_->run_until([&outcome] { return outcome.has_value(); }, limit))
    return libp2p::fail(libp2p::Errc::timed_out, "the block was not published in time");
  return *outcome;
}

void SimNetwork::set_signer(std::size_t index, const opstack::rules::Address& signer) {
  Member& member = *members_[index];
  if (member.config.unsafe_block_signer == signer) return;
  member.config.unsafe_block_signer = signer;
  if (member.node) member.node->rotate_signer(signer);
}

void SimNetwork::stop(std::size_t index) {
  Member& member = *members_[index];
  if (!member.node) return;
  close_in_order(member.place, *member.node);
  member.store->sync();
  member.end();
}

void SimNetwork::lose_power(std::size_t index) {
  Member& member = *members_[index];
  world_->power_off(member.place.index());
  member.store->lose_unsynced();
  member.store->sync();
  member.end();
}

Result<void> SimNetwork::start(std::size_t index) {
  Member& member = *members_[index];
  world_->power_on(member.place.index());
  member.disk->reopen();
  return start(member);
}

void SimNetwork::remove_adversaries() {
  for (auto& enemy : adversaries_) close_in_order(enemy->place, *enemy->peer);
  adversaries_.clear();
}

void SimNetwork::close() {
  remove_adversaries();
  for (std::size_t i = 0; i < members_.size(); ++i) stop(i);
  members_.clear();
}

}  // namespace opp2p::sim
