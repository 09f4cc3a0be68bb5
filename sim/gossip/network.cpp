#include "sim/gossip/network.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace opp2p::sim::gossip {
namespace {

// Purposes of streams of numbers, apart from those of the world.
constexpr std::uint64_t kPlaces = 101;
constexpr std::uint64_t kGraph = 102;
constexpr std::uint64_t kLoad = 103;
constexpr std::uint64_t kChurn = 104;
constexpr std::uint64_t kSecret = 105;

Nanos at_random(Rng& rng, Nanos most) {
  return Nanos(static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(most.count()) + 1)));
}

}  // namespace

Network::Network(NetworkParams params)
    : params_(std::move(params)),
      blocks_(mix(params_.world.seed, kSecret)),
      world_(params_.world),
      metrics_(world_, params_.metrics),
      load_rng_(mix(params_.world.seed, kLoad)),
      churn_rng_(mix(params_.world.seed, kChurn)) {
  OPP2P_ASSERT(params_.honest >= 2 && params_.load.publishers >= 1 && params_.load.publishers <= params_.honest,
               "somebody publishes, and somebody listens", params_.honest, params_.load.publishers);
  if (params_.topology == Topology::sentries) {
    OPP2P_ASSERT(params_.honest >= 4 && params_.load.publishers == 1, "a sequencer has two sentries", params_.honest);
    own_params_[0] = params_.node;
    own_params_[0].direct = {1, 2};
    own_params_[0].dials.wanted = 0;
    for (const Member sentry : {1U, 2U}) {
      own_params_[sentry] = params_.node;
      own_params_[sentry].direct = {0};
    }
  }
  for (Member member = 0; member < params_.honest; ++member) add_honest(member);
  connect_at_random();
  publish_later();
  churn_later();
  world_.at(MonoTime(params_.metrics.sample_every), [this] { sample_next(); });
  world_.at(MonoTime(Seconds(1)), [this] { judge_next(); });
}

void Network::add_honest(Member member) {
  libp2p::SeededRng rng(mix(mix(params_.world.seed, kPlaces), member));
  const bool is_sequencer = params_.topology == Topology::sentries && member == 0;
  MemberSpec spec;
  spec.role = is_sequencer ? "sequencer" : is_publisher(member) ? "publisher" : "honest";
  spec.announces = !is_sequencer;
  spec.region = region_of_share(rng.next_unit());
  spec.link = params_.link;
  spec.cpu = params_.cpu;
  spec.clock_skew = at_random(rng, 2 * params_.clock_skew) - params_.clock_skew;
  if (is_publisher(member)) spec.clock_skew = Nanos(0);  // the others judge by the time that it writes
  spec.max_inbound = is_sequencer ? 2 : params_.max_inbound;
  const auto own = own_params_.find(member);
  const HonestParams& node = own != own_params_.end() ? own->second : params_.node;
  spec.make = [this, &node](ActorPort& port) {
    return std::make_unique<HonestNode>(port, node, params_.cpu, blocks_, world_.frames(), metrics_,
                                        params_.world.form);
  };
  world_.add(std::move(spec));
  world_.at(MonoTime(at_random(rng, params_.starts_within)), [this, member] { world_.start(member); });
}

// Each has dialled `degree` others once all have started.
void Network::connect_at_random() {
  world_.at(MonoTime(params_.starts_within), [this] {
    libp2p::SeededRng rng(mix(params_.world.seed, kGraph));
    const bool has_sentries = params_.topology == Topology::sentries;
    for (Member member = has_sentries ? 1 : 0; member < params_.honest; ++member) {
      std::size_t dialled = 0;
      for (std::size_t draw = 0; draw < 4 * params_.degree && dialled < params_.degree; ++draw) {
        const auto peer = static_cast<Member>(rng.below(params_.honest));
        if (has_sentries && peer == 0) continue;
        if (world_.connect(member, peer)) ++dialled;
      }
    }
    if (!has_sentries) return;
    for (const Member sentry : {1U, 2U}) world_.connect(0, sentry);
  });
}

std::vector<Member> Network::publishers() const {
  std::vector<Member> all;
  for (Member member = 0; member < params_.load.publishers; ++member) all.push_back(member);
  return all;
}

bool Network::is_publisher(Member member) const { return member < params_.load.publishers; }

HonestNode* Network::node(Member member) {
  return member < params_.honest ? dynamic_cast<HonestNode*>(world_.actor(member)) : nullptr;
}

Multiaddr Network::shared_address(std::uint32_t number) {
  const auto part = [&](unsigned shift) { return std::to_string((number >> shift) & 0xff); };
  return Multiaddr::from_text("/ip4/11." + part(16) + "." + part(8) + "." + part(0) + "/tcp/9222").value();
}

std::uint64_t Network::publish(Member publisher, std::size_t size) {
  const std::uint64_t number = next_block_++;
  if (!world_.is_running(publisher)) return number;
  metrics_.on_published(publisher, number, std::max(size, kLeastBlock));
  const Bytes data = blocks_.make(number, world_.wall(), size);
  world_.act(publisher, [&](Actor& actor) {
    const auto sent = static_cast<HonestNode&>(actor).publish(params_.node.topics.front(), data);
    OPP2P_ASSERT(sent.has_value(), "a block can be published", number);
  });
  return number;
}

void Network::publish_later() {
  const MonoTime next = MonoTime(params_.load.begin) + params_.load.interval * static_cast<std::int64_t>(blocks_due_);
  if (params_.load.interval <= Nanos(0) || next.time_since_epoch() > params_.load.end) return;
  world_.at(next, [this] {
    const auto& sizes = params_.load.sizes;
    const std::size_t size = sizes[static_cast<std::size_t>(load_rng_.below(sizes.size()))];
    publish(static_cast<Member>(blocks_due_++ % params_.load.publishers), size);
    publish_later();
  });
}

void Network::churn_later() {
  if (params_.churn.stops_a_second <= 0) return;
  const auto mean = Nanos(static_cast<std::int64_t>(1e9 / params_.churn.stops_a_second));
  world_.at(world_.time() + at_random(churn_rng_, 2 * mean), [this] {
    const ChurnParams& churn = params_.churn;
    const auto member = static_cast<Member>(churn_rng_.below(params_.honest));
    const bool is_cut = churn_rng_.next_unit() < churn.power_cuts;
    const Nanos away = churn.least_away + at_random(churn_rng_, churn.most_away - churn.least_away);
    if (!is_publisher(member) && world_.is_running(member)) {
      world_.stop(member, is_cut ? World::Ending::power_cut : World::Ending::in_order);
      world_.at(world_.time() + away, [this, member] { world_.start(member); });
    }
    churn_later();
  });
}

void Network::sample_next() {
  metrics_.sample();
  world_.at(world_.time() + params_.metrics.sample_every, [this] { sample_next(); });
}

void Network::judge_next() {
  metrics_.judge();
  world_.at(world_.time() + Seconds(1), [this] { judge_next(); });
}

}  // namespace opp2p::sim::gossip
