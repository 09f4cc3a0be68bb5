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
constexpr std::uint64_t kChain = 106;
constexpr std::uint64_t kRotation = 107;
constexpr std::uint64_t kFork = 108;
constexpr std::uint64_t kDisk = 109;
constexpr Nanos kLeaving = libp2p::Millis(300);   // between the end of the topics and that of the connections
constexpr std::uint32_t kFirstShared = 1U << 20;  // addresses of operators, apart from those of sybils

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
      churn_rng_(mix(params_.world.seed, kChurn)),
      chain_rng_(mix(params_.world.seed, kChain)) {
  OPP2P_ASSERT(params_.honest >= 2 && params_.load.publishers >= 1 && params_.load.publishers <= params_.honest,
               "somebody publishes, and somebody listens", params_.honest, params_.load.publishers);
  if (params_.rotation.at != MonoTime::max() || params_.fork.at != MonoTime::max())
    params_.node.beliefs = [this](Member member, MonoTime time) { return beliefs_of(member, time); };
  const SharingParams& sharing = params_.sharing;
  OPP2P_ASSERT(
      sharing.operators == 0 || first_sharing() + sharing.operators * sharing.nodes + sharing.hubs <= params_.honest,
      "there are members for all operators", params_.honest);
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
  if (is_publisher(member)) spec.clock_skew = params_.publisher_skew;  // the others judge by the time that it writes
  if (is_sharing(member))
    spec.address =
        shared_address(kFirstShared + static_cast<std::uint32_t>((member - first_sharing()) / params_.sharing.nodes));
  spec.max_inbound = is_sequencer ? 2 : params_.max_inbound;
  const auto own = own_params_.find(member);
  const HonestParams& node = own != own_params_.end() ? own->second : params_.node;
  libp2p::SeededRng disk_rng(mix(mix(params_.world.seed, kDisk), member));
  NodeDisk* const disk = disk_rng.next_unit() < params_.churn.keeps_backoffs ? &disks_[member] : nullptr;
  spec.make = [this, &node, disk](ActorPort& port) {
    return std::make_unique<HonestNode>(port, node, params_.cpu, blocks_, world_.frames(), metrics_, params_.world.form,
                                        disk);
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
    connect_to_hubs();
    if (!has_sentries) return;
    for (const Member sentry : {1U, 2U}) world_.connect(0, sentry);
  });
}

Member Network::first_sharing() const { return static_cast<Member>(params_.load.publishers); }

bool Network::is_sharing(Member member) const {
  return member >= first_sharing() && member < first_sharing() + params_.sharing.operators * params_.sharing.nodes;
}

void Network::connect_to_hubs() {
  const SharingParams& sharing = params_.sharing;
  for (std::size_t place = 0; place < sharing.operators * sharing.nodes; ++place) {
    for (std::size_t hub = 0; hub < sharing.hubs; ++hub)
      world_.connect(static_cast<Member>(first_sharing() + place), static_cast<Member>(params_.honest - 1 - hub));
  }
}

// Chosen by the member alone, so that it believes the same after a restart.
Beliefs Network::beliefs_of(Member member, MonoTime time) const {
  const auto share_of = [&](std::uint64_t purpose) {
    return is_publisher(member) ? 1 : libp2p::SeededRng(mix(mix(params_.world.seed, purpose), member)).next_unit();
  };
  Beliefs out;
  if (params_.fork.at != MonoTime::max()) out.fork = share_of(kFork) < params_.fork.unaware ? 0 : 1;
  const RotationParams& rotation = params_.rotation;
  if (rotation.at == MonoTime::max()) return out;
  const double share = share_of(kRotation);
  const MonoTime before = rotation.at - std::min(rotation.late_for, rotation.at.time_since_epoch());
  const MonoTime after = rotation.at + rotation.late_for;
  if (time >= before && time < after) {
    if (share < rotation.late) {
      out.signer = 0;
    } else if (share < rotation.late + rotation.early) {
      out.signer = 1;
    } else {
      out.signer = 1;
      out.other_signer = 0;
    }
  } else {
    out.signer = time < before ? 0 : 1;
  }
  return out;
}

Block Network::next_block(std::uint64_t number) {
  Block block;
  block.number = number;
  block.made = world_.wall();
  if (world_.time() >= params_.lag.from && world_.time() < params_.lag.until)
    block.made -= params_.lag.least + at_random(chain_rng_, params_.lag.most - params_.lag.least);
  block.signer = world_.time() >= params_.rotation.at ? 1 : 0;
  if (world_.time() >= params_.fork.at) block.fork = chain_rng_.next_unit() < params_.fork.blocks ? 1 : 0;
  return block;
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
  Block block = next_block(number);
  block.made += params_.publisher_skew;
  const Bytes data = blocks_.make(block, size);
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
    if (!is_publisher(member) && world_.is_running(member)) restart(member, is_cut, away);
    churn_later();
  });
}

void Network::restart(Member member, bool is_cut, Nanos away) {
  ++restarts_;
  if (!is_cut) world_.act(member, [](Actor& actor) { static_cast<HonestNode&>(actor).leave(); });
  const auto stop = [this, member, is_cut, away] {
    if (!world_.is_running(member)) return;
    world_.stop(member, is_cut ? World::Ending::power_cut : World::Ending::in_order);
    world_.at(world_.time() + away, [this, member] { world_.start(member); });
  };
  if (is_cut) return stop();
  world_.at(world_.time() + kLeaving, stop);
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
