#include "sim/churn/churn_world.hpp"

#include <algorithm>
#include <stdexcept>

#include "opstack/reputation/scoring_profiles.hpp"
#include "opstack/rules/topics.hpp"
#include "sim/attacks/units.hpp"

namespace opp2p::sim::churn {
namespace reputation = opstack::reputation;
namespace secp256k1 = libp2p::crypto::secp256k1;
using libp2p::Nanos;
using libp2p::Seconds;
using libp2p::crypto::KeyType;
using libp2p::crypto::PrivateKey;

namespace {

constexpr std::uint64_t kGenesisTime = 1'760'000'000;
constexpr std::size_t kBlockSize = 1000;
constexpr std::size_t kDials = 3;
constexpr std::uint64_t kStoreSize = 1 << 20;  // bytes of blocks, so that it is full after the warm-up
constexpr auto kSecond = Seconds(1);
// Honest peers stay for a minute, forgers until they are banned. Each place has an address of its own. A forger comes
// to its place every two and a half minutes, so that no address is known for so many that P6 shuts it out.
constexpr auto kStay = Seconds(60), kPause = Seconds(60), kForgersPause = Seconds(300), kLook = Seconds(2);
// Of forgers that keep their identity, at most, as a share of a ban: they come a few times while it holds.
constexpr double kReturnersPause = 16. / 60;
constexpr std::size_t kReturners = ChurnWorld::kVisited;
constexpr double kLostInAMinute = 0.005;  // of the connections
constexpr double kLongestAway = 1;        // minutes
constexpr std::size_t kKnocks = 4;        // strangers in a minute that say nothing
constexpr std::size_t kOperatorsMinutes = 5, kScrapeMinutes = 15;
constexpr auto kOperatorsBan = std::chrono::minutes(7);
constexpr auto kAfterABlock = Seconds(5);  // the network is at rest then

opstack::testing::ChainOptions chain_options(const ChurnSettings& settings) {
  opstack::testing::ChainOptions out;
  out.genesis_time = kGenesisTime;
  out.block_time = static_cast<std::uint64_t>(settings.block_time);
  out.block_size = kBlockSize;
  return out;
}

void must(const Result<void>& done, const char* what) {
  if (!done) throw std::runtime_error(std::string(what) + ": " + done.error().message());
}

libp2p::runtime::Task<void> close_place(VisitorPlace& place, std::size_t& left) {
  co_await place.close();
  --left;
}

}  // namespace

ChurnWorld::ChurnWorld(const ChurnSettings& settings) : settings_(settings), rng_(settings.seed) {
  chain_ = std::make_unique<opstack::testing::ChainBuilder>(chain_options(settings), rng_);
  const auto rollup = opstack::chain::RollupConfig::from_json(chain_->rollup_config()).value();
  network_ = std::make_unique<SimNetwork>(settings.seed, rollup, secp256k1::generate(rng_),
                                          libp2p::from_unix_seconds(kGenesisTime),
                                          std::make_unique<libp2p::runtime::UniformLinks>(), settings.check_every);
  begin_ = world().now();
  observers_.resize(static_cast<std::size_t>(settings.nodes));
  for (std::size_t i = 0; i < observers_.size(); ++i) add_member(i);
  add_places();
}

ChurnWorld::~ChurnWorld() { close(); }

// ---- who is there ----

SimMemberOptions ChurnWorld::member_options(std::size_t index) {
  SimMemberOptions out;
  out.sequencer = index == 0;
  for (std::size_t i = 0; i < index; ++i) out.dials.push_back(i);
  rng_.shuffle(out.dials);
  out.dials.resize(std::min(out.dials.size(), kDials));
  links_ += out.dials.size();
  out.configure = [this](NodeConfig& config) {
    reputation::ScoredChain chain;
    chain.block_time = attacks::nanos(settings_.block_time);
    for (auto& topic : opstack::rules::blocks_topics(config.rollup.l2_chain_id)) chain.topics.push_back(topic);
    config.scoring = reputation::make_scoring_profile(settings_.profile, chain, reputation::ProfileUse::node).value();
    config.ban_duration = attacks::nanos(settings_.ban_minutes * 60);
    config.store_max_size = kStoreSize;
    config.ping = true;
  };
  out.observe = [this, index](libp2p::runtime::Runtime& runtime, Node& node) { watch(index, runtime, node); };
  out.before_end = [this, index] { observers_[index].reset(); };
  return out;
}

void ChurnWorld::watch(std::size_t index, libp2p::runtime::Runtime& runtime, Node& node) {
  observers_[index] = std::make_unique<Observer>(runtime, node, kept_, tally_);
}

void ChurnWorld::add_member(std::size_t index) {
  const auto added = network_->add(member_options(index));
  if (!added) throw std::runtime_error("a member does not start: " + added.error().message());
}

void ChurnWorld::add_places() {
  VisitorOptions options;
  for (std::size_t i = 1; i <= kVisited; ++i) options.nodes.push_back(network_->address(i));
  options.chain = chain_->options();
  options.signer = secp256k1::generate(rng_);
  options.stay = kStay;
  options.pause = kPause;
  options.look = kLook;
  for (std::uint64_t i = 0; i < settings_.honest; ++i) add_place(options);
  options.forges = true;
  options.pause = kForgersPause;
  for (std::uint64_t i = 0; i < settings_.forgers; ++i) add_place(options);
  // One of these to each visited member, always the same.
  options.pause = attacks::nanos(settings_.ban_minutes * 60 * kReturnersPause);
  for (std::size_t i = 0; i < kReturners; ++i) {
    auto own = options;
    own.nodes = {options.nodes[i]};
    own.key = PrivateKey::generate(KeyType::secp256k1, rng_).value();
    kept_.insert(libp2p::PeerId::from_public_key(own.key->public_key()));
    add_place(own);
  }
  for (auto& place : places_) place->visitor->begin();
  stranger_ = world().add_node();
}

ChurnWorld::Place& ChurnWorld::add_place(const VisitorOptions& options) {
  places_.push_back(std::make_unique<Place>(world().add_node()));
  Place& place = *places_.back();
  place.options = options;
  place.options.lose_power = [this, at = place.node.index()] { world().power_off(at); };
  place.options.power_on = [this, at = place.node.index()] { world().power_on(at); };
  place.visitor = std::make_unique<VisitorPlace>(place.node.runtime(), place.options, tally_.visits);
  return place;
}

// ---- what happens ----

void ChurnWorld::pass(Nanos duration) {
  const auto until = world().now() + duration;
  for (;;) {
    const auto due = begin_ + attacks::nanos(settings_.block_time * static_cast<double>(tally_.blocks + 1));
    if (due >= until) break;
    if (due > world().now()) world().run_for(due - world().now());
    must(network_->publish(0, chain_->next(), kSecond), "a block is not published");
    ++tally_.blocks;
  }
  if (until > world().now()) world().run_for(until - world().now());
}

void ChurnWorld::churn_a_minute() {
  come_back(false);
  stop_one();
  tally_.lost_connections += world().lose_connections(kLostInAMinute);
  knock();
  leak();
  const auto minute = static_cast<std::size_t>(minute_);
  if (minute % kOperatorsMinutes == 0) operate();
  if (minute % kScrapeMinutes == 0) scrape();
  pass(Seconds(60));
  minute_ += 1;
}

void ChurnWorld::come_back(bool all) {
  const auto is_due = [&](const Away& one) { return all || one.until <= minute_; };
  for (const Away& one : away_)
    if (is_due(one)) must(network_->start(one.member), "a member does not start again");
  std::erase_if(away_, is_due);
}

// Of those that nobody visits. Half of them go without a word.
void ChurnWorld::stop_one() {
  const std::size_t first = kVisited + 1;
  if (network_->size() <= first) return;
  const auto member = first + static_cast<std::size_t>(rng_.below(network_->size() - first));
  if (!network_->running(member)) return;
  if (rng_.below(2) == 0) {
    network_->stop(member);
    ++tally_.restarts;
  } else {
    network_->lose_power(member);
    ++tally_.power_losses;
  }
  away_.push_back({member, minute_ + rng_.next_unit() * kLongestAway});
}

void ChurnWorld::operate() {
  for (std::size_t i = 1; i <= kVisited; ++i) operate_at(network_->node(i));
}

// What was blocked goes free; one peer is blocked, another one and an address for a moment, and a third is banned.
void ChurnWorld::operate_at(Node& node) {
  auto& gater = *node.blocking();
  for (const auto& peer : gater.blocked_peers()) (void)gater.unblock_peer(peer);
  for (const auto& ip : gater.blocked_ips()) (void)gater.unblock_ip(ip);
  const auto connections = node.host().connections();
  std::vector<libp2p::ConnectionInfo> guests;
  for (const auto& connection : connections)
    if (connection.direction == libp2p::Direction::inbound && connection.peer.public_key() &&
        connection.peer.public_key()->type() == KeyType::ed25519)
      guests.push_back(connection);
  if (guests.size() < 3) return;
  rng_.shuffle(guests);
  (void)gater.block_peer(guests[0].peer);
  if (const auto ip = guests[1].remote.value_of(libp2p::multiformats::Protocol::ip4)) (void)gater.block_ip(*ip);
  node.reputation()->ban(guests[2].peer, kOperatorsBan, "churn", {});
}

// Sockets that are open and say nothing; those of the minute before go.
void ChurnWorld::knock() {
  knocking_.clear();
  knocked_.clear();
  for (std::size_t i = 0; i < kKnocks; ++i) {
    const auto member = 1 + static_cast<std::size_t>(rng_.below(kVisited));
    knocking_.push_back(stranger_->runtime().connect({network_->place(member).ip4(), 9222}, [this](auto socket) {
      if (!socket) return;
      ++tally_.strangers;
      knocked_.push_back(std::move(*socket));
    }));
  }
}

void ChurnWorld::scrape() {
  for (std::size_t i = 0; i < network_->size(); ++i)
    if (observers_[i]) observers_[i]->scrape(network_->place(i).runtime().now());
}

void ChurnWorld::leak() {
  const auto visits = tally_.visits.came - visits_leaked_;
  visits_leaked_ = tally_.visits.came;
  if (settings_.leak == 0) return;
  for (std::uint64_t i = 0; i < visits; ++i) leaked_.push_back(std::make_unique<std::uint8_t[]>(settings_.leak));
}

// ---- rest ----

void ChurnWorld::rest_until(double minute) {
  for (auto& place : places_) place->visitor->shut();
  come_back(true);
  knocking_.clear();
  knocked_.clear();
  for (std::size_t i = 1; i <= kVisited; ++i) {
    auto& gater = *network_->node(i).blocking();
    for (const auto& peer : gater.blocked_peers()) (void)gater.unblock_peer(peer);
    for (const auto& ip : gater.blocked_ips()) (void)gater.unblock_ip(ip);
  }
  pass(std::max(Nanos(0), begin_ + attacks::nanos(minute * 60) - world().now()));
  scrape();
  const auto last = begin_ + attacks::nanos(settings_.block_time * static_cast<double>(tally_.blocks + 1));
  pass(last + Nanos(kAfterABlock) - world().now());
  minute_ = attacks::seconds(world().now() - begin_) / 60;
}

Levels ChurnWorld::levels() {
  std::vector<const Observer*> observers;
  for (const auto& one : observers_) observers.push_back(one.get());
  return levels_of(*network_, observers);
}

void ChurnWorld::open() {
  for (auto& place : places_) place->visitor->open();
}

void ChurnWorld::close() {
  if (!network_) return;
  knocking_.clear();
  knocked_.clear();
  std::size_t left = places_.size();
  std::vector<std::unique_ptr<libp2p::runtime::TaskScope>> scopes;
  for (auto& place : places_) {
    scopes.push_back(std::make_unique<libp2p::runtime::TaskScope>(place->node.runtime()));
    scopes.back()->spawn(close_place(*place->visitor, left));
  }
  world().run_until([&left] { return left == 0; }, Seconds(30));
  scopes.clear();
  places_.clear();
  network_->close();
  network_.reset();
}

}  // namespace opp2p::sim::churn
