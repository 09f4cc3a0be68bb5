#include "sim/attacks/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "libp2p/base/rng.hpp"
#include "opstack/reputation/scoring_profiles.hpp"
#include "sim/attacks/report_of.hpp"
#include "sim/attacks/sample_fields.hpp"
#include "sim/attacks/sybil_actor.hpp"
#include "sim/attacks/units.hpp"
#include "sim/gossip/network.hpp"

namespace opp2p::sim::attacks {
namespace {

using gossip::Network;
using libp2p::Millis;
using libp2p::MonoTime;
using libp2p::Nanos;
using libp2p::Seconds;

const std::string kTopic = "/optimism/10/3/blocks";
constexpr double kFirstBlock = 5;                   // seconds: the meshes are there
constexpr double kBanBelow = -100;                  // op-node's --p2p.ban.threshold
constexpr std::size_t kBadBlock = 2000;             // bytes: a small one costs as much to judge as its signature
constexpr unsigned kReportEvery = 5;                // seconds: a report looks at every delivery
constexpr std::uint64_t kRegionsOfSybils = 0x5b11;  // a stream of numbers of their own

opstack::reputation::ScoringProfile profile_of(const Settings& settings) {
  return opstack::reputation::make_scoring_profile(to_string(settings.profile), {nanos(settings.block_time), {kTopic}},
                                                   opstack::reputation::ProfileUse::simulation)
      .value();
}

gossip::LinkParams link_of(const Settings& settings) {
  const auto rate = static_cast<std::uint64_t>(settings.uplink * 1e6 / 8);
  return {.up_rate = rate, .down_rate = rate};
}

gossip::HonestParams node_of(const Settings& settings) {
  auto profile = profile_of(settings);
  gossip::HonestParams out;
  out.router.thresholds = profile.thresholds;
  out.router.mesh.flood_publish = settings.flood_publish;
  if (profile.params) out.disconnect_below = kBanBelow;
  out.scores = profile.params;
  // The rules of bans that `light` and `scored` have are those of disconnect_below.
  if (settings.profile == Profile::opp2p) out.reputation = gossip::ReputationParams{.scoring = std::move(profile)};
  out.topics = {kTopic};
  out.dials.wanted = static_cast<std::size_t>(settings.dials);
  out.dials.counts_inbound = settings.counts_inbound;
  return out;
}

gossip::NetworkParams network_of(const Settings& settings) {
  gossip::NetworkParams out;
  out.world.seed = settings.seed;
  out.world.form = settings.encode ? gossip::RpcForm::bytes : gossip::RpcForm::objects;
  out.world.check_every = settings.check_every;
  out.world.net.packet_loss = settings.loss;
  out.honest = static_cast<std::size_t>(settings.nodes);
  out.node = node_of(settings);
  out.link = link_of(settings);
  out.max_inbound = static_cast<std::size_t>(settings.max_inbound);
  out.topology = settings.sentries ? gossip::Topology::sentries : gossip::Topology::random;
  // Who arrives over a longer time finds its peers by discovery alone.
  out.degree = settings.honest_arrival > kStartTogether ? 0 : static_cast<std::size_t>(settings.dials);
  out.starts_within = nanos(settings.honest_arrival);
  out.load.interval = nanos(settings.block_time);
  out.load.sizes = {static_cast<std::size_t>(settings.block_size)};
  out.load.begin = nanos(kFirstBlock);
  out.load.publishers = static_cast<std::size_t>(settings.publishers);
  out.churn.stops_a_second = settings.churn * static_cast<double>(settings.nodes) / 60;
  out.metrics.sample_every = std::max<Nanos>(nanos(settings.block_time), Seconds(2));
  out.metrics.graylist = out.node.router.thresholds.graylist;
  return out;
}

// A network and the sybils in it.
class AttackedNetwork {
 public:
  AttackedNetwork(const Scenario& scenario, const Settings& settings)
      : scenario_(scenario), settings_(settings), network_(network_of(settings)), plot_(plot_config()) {
    dialling_.targets = targets();
    dialling_.connections = static_cast<std::size_t>(settings.sybil_dials);
    if (scenario.redials) dialling_.retry = Millis(250);
    if (scenario.rotates) dialling_.lifetime = nanos(settings.lifetime);
    const double arrival = scenario.is_covert ? 0 : settings.attack_start;
    network_.world().at(time_of(arrival), [this] { add_sybils(); });
    network_.world().at(time_of(settings.attack_end), [this] { remove_sybils(); });
  }
  AttackedNetwork(const AttackedNetwork&) = delete;
  AttackedNetwork& operator=(const AttackedNetwork&) = delete;

  Network& network() { return network_; }
  const Plot& plot() const { return plot_; }
  // Whom the sybils are after.
  std::vector<gossip::Member> targets() const {
    if (scenario_.targets == Targets::publishers) return network_.publishers();
    // The last node: it publishes nothing, and is no sentry.
    if (scenario_.targets == Targets::one_node) return {static_cast<gossip::Member>(settings_.nodes - 1)};
    std::vector<gossip::Member> out(static_cast<std::size_t>(settings_.nodes));
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<gossip::Member>(i);
    return out;
  }

 private:
  Plot::Config plot_config() {
    Plot::Config out;
    out.topic = kTopic;
    out.times = {time_of(settings_.attack_start), time_of(settings_.attack_end)};
    out.name = [this](libp2p::ByteView data) { return network_.world().frames().name(kTopic, data).id; };
    out.make_bad_block = [](libp2p::Rng& rng, libp2p::Now) {
      return gossip::make_invalid_block(rng.next_u64(), kBadBlock);
    };
    out.is_censored = [this](libp2p::ByteView data) {
      const auto block = network_.blocks().read(data);
      return block && block->number % settings_.publishers == 0;
    };
    return out;
  }

  void add_sybils() {
    libp2p::SeededRng rng(gossip::mix(settings_.seed, kRegionsOfSybils));
    for (std::uint64_t i = 0; i < settings_.sybils; ++i) {
      gossip::MemberSpec spec;
      spec.role = "sybil";
      spec.honest = false;
      spec.announces = settings_.announced;
      spec.region = gossip::region_of_share(rng.next_unit());
      if (settings_.sybils_per_ip > 1)
        spec.address = network_.shared_address(static_cast<std::uint32_t>(i / settings_.sybils_per_ip));
      spec.link = link_of(settings_);
      spec.cpu = std::nullopt;
      spec.max_inbound = static_cast<std::size_t>(settings_.nodes);
      spec.make = [this](gossip::ActorPort& port) {
        return std::make_unique<SybilActor>(port, network_.world().frames(), plot_, dialling_,
                                            scenario_.behaviours(settings_));
      };
      sybils_.push_back(network_.add_member(std::move(spec)));
      network_.world().start(sybils_.back());
    }
  }
  void remove_sybils() {
    for (const auto sybil : sybils_) network_.world().stop(sybil);
  }

  const Scenario& scenario_;
  const Settings& settings_;
  Network network_;
  Plot plot_;
  Dialling dialling_;
  std::vector<gossip::Member> sybils_;
};

Progress progress_of(const Report& report) {
  Progress out;
  out.blocks = report.blocks.size();
  std::uint64_t expected = 0;
  std::uint64_t in_time = 0;
  for (const Phase phase : kPhases) {
    expected += report.spread(phase).expected;
    in_time += report.spread(phase).in_time;
  }
  out.delivery = expected == 0 ? 0 : static_cast<double>(in_time) / static_cast<double>(expected);
  if (!report.samples.empty()) out.hostile_mesh_share = hostile_mesh_share(report.samples.back());
  return out;
}

}  // namespace

Report run(const Scenario& scenario, const Settings& settings, const OnProgress& on_progress) {
  AttackedNetwork attacked(scenario, settings);
  Network& network = attacked.network();
  const double until = settings.minutes * 60;
  ReportMaker maker(scenario, settings);
  if (scenario.targets != Targets::everyone) maker.set_targets(attacked.targets());
  const auto make = [&] { return maker.make(network, attacked.plot()); };
  bool goes_on = true;
  Progress progress;
  for (unsigned second = 1; goes_on && network.time() < time_of(until); ++second) {
    network.run_until(std::min(time_of(second), time_of(until)));
    if (!on_progress) continue;
    if (second % kReportEvery == 0) progress = progress_of(make());
    progress.at = second;
    progress.until = until;
    goes_on = on_progress(progress);
  }
  Report out = make();
  out.interrupted = network.time() < time_of(until);
  out.bars = judge(scenario, out);
  return out;
}

}  // namespace opp2p::sim::attacks
