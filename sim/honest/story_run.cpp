#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "sim/attacks/behaviours.hpp"
#include "sim/attacks/sybil_actor.hpp"
#include "sim/attacks/units.hpp"
#include "sim/honest/story.hpp"

namespace opp2p::sim::honest {
namespace {

using gossip::Member;
using gossip::Network;
using libp2p::MonoTime;
using libp2p::Nanos;
using libp2p::Seconds;

const std::string kTopics[] = {"/optimism/10/0/blocks", "/optimism/10/1/blocks", "/optimism/10/2/blocks",
                               "/optimism/10/3/blocks"};
const std::string& kTopic = kTopics[3];
constexpr std::size_t kBadBlock = 2000;  // bytes
constexpr double kBadBlocksASecond = 1;  // to each peer
constexpr double kAttackAt = 0.5;        // of the run
constexpr double kMostUntilBan = 10;     // invalid blocks
constexpr double kDelivery = 0.99;
constexpr std::size_t kSybilDials = 20;

gossip::HonestParams node_of(const StorySettings& settings) {
  auto profile =
      opstack::reputation::make_scoring_profile(settings.profile, {attacks::nanos(settings.block_time), {kTopic}},
                                                opstack::reputation::ProfileUse::simulation)
          .value();
  gossip::HonestParams out;
  out.router.thresholds = profile.thresholds;
  out.scores = profile.params;
  out.topics = {kTopic};
  out.dials.wanted = 12;
  out.dials.counts_inbound = false;
  if (profile.params) out.reputation = gossip::ReputationParams{.scoring = std::move(profile)};
  return out;
}

gossip::NetworkParams network_of(const Story& story, const StorySettings& settings) {
  gossip::NetworkParams out;
  out.world.seed = settings.seed;
  out.world.check_every = settings.check_every;
  out.honest = static_cast<std::size_t>(settings.nodes);
  out.node = node_of(settings);
  out.degree = 12;
  out.load.interval = attacks::nanos(settings.block_time);
  out.load.sizes = {static_cast<std::size_t>(settings.block_size)};
  out.load.begin = Seconds(5);
  out.metrics.watch_scores = true;
  out.metrics.sample_every = Seconds(5);
  out.metrics.graylist = out.node.router.thresholds.graylist;
  if (story.adjust != nullptr) story.adjust(out, settings);
  return out;
}

// A network, and the peers in it that turn bad.
class StoryNetwork {
 public:
  StoryNetwork(const Story& story, const StorySettings& settings)
      : network_(network_of(story, settings)), settings_(settings), plot_(plot_config()) {
    dialling_.connections = kSybilDials;
    for (Member member = 0; member < network_.honest(); ++member) dialling_.targets.push_back(member);
    const std::size_t count = attackers_of(story, settings);
    if (count > 0) network_.world().at(MonoTime(Seconds(2)), [this, count] { add_attackers(count); });
  }
  StoryNetwork(const StoryNetwork&) = delete;
  StoryNetwork& operator=(const StoryNetwork&) = delete;
  Network& network() { return network_; }

 private:
  attacks::Plot::Config plot_config() {
    attacks::Plot::Config out;
    out.topic = kTopic;
    out.times = {attacks::time_of(settings_.minutes * 60 * kAttackAt), MonoTime::max()};
    out.name = [this](libp2p::ByteView data) { return network_.world().frames().name(kTopic, data).id; };
    out.make_bad_block = [](libp2p::Rng& rng, libp2p::Now) {
      return gossip::make_invalid_block(rng.next_u64(), kBadBlock);
    };
    return out;
  }

  void add_attackers(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      gossip::MemberSpec spec;
      spec.role = "attacker";
      spec.honest = false;
      spec.announces = false;
      spec.cpu = std::nullopt;
      spec.make = [this](gossip::ActorPort& port) {
        attacks::Sybil::Behaviours behaviours;
        behaviours.push_back(std::make_unique<attacks::TakesPlaces>(Seconds(61)));
        behaviours.push_back(std::make_unique<attacks::Forwards>(attacks::Forwards::Options{}));
        behaviours.push_back(std::make_unique<attacks::Answers>(Nanos(0)));
        behaviours.push_back(std::make_unique<attacks::SendsBadBlocks>(kBadBlocksASecond));
        return std::make_unique<attacks::SybilActor>(port, network_.world().frames(), plot_, dialling_,
                                                     std::move(behaviours));
      };
      network_.world().start(network_.add_member(std::move(spec)));
    }
  }

  Network network_;
  const StorySettings& settings_;
  attacks::Plot plot_;
  attacks::Dialling dialling_;
};

std::vector<Bar> judge(const Story& story, const StoryReport& report) {
  const gossip::ScoreReport& scores = report.scores;
  std::vector<Bar> out;
  if (report.is_scored()) {
    const double least = scores.least->parts.score;
    out.push_back({"least score of an honest peer", "at least 0", fmt::format("{:.2f}", least), least >= 0});
    out.push_back({"bans of honest peers", "none", fmt::format("{}", scores.honest_banned), scores.honest_banned == 0});
  }
  if (story.delivers)
    out.push_back({"delivery within 12 heartbeats", "at least " + attacks::percent(kDelivery),
                   attacks::percent(report.delivery), report.delivery >= kDelivery});
  if (story.attackers > 0) {
    const std::size_t most = std::max(scores.most_until_ban, scores.most_without_ban);
    out.push_back({"invalid blocks of one peer until its ban", fmt::format("at most {:.0f}", kMostUntilBan),
                   scores.hostile_banned == 0 ? std::string("nobody was banned") : fmt::format("{}", most),
                   scores.hostile_banned > 0 && static_cast<double>(most) <= kMostUntilBan});
  }
  return out;
}

}  // namespace

StoryReport run(const Story& story, const StorySettings& settings, const OnSecond& on_second) {
  StoryNetwork told(story, settings);
  Network& network = told.network();
  const double until = settings.minutes * 60;
  bool goes_on = true;
  for (unsigned second = 1; goes_on && network.time() < attacks::time_of(until); ++second) {
    network.run_until(std::min(attacks::time_of(second), attacks::time_of(until)));
    if (on_second) goes_on = on_second(second, until);
  }
  const gossip::Report counted = network.report();
  StoryReport out;
  out.story = story.name;
  out.about = story.about;
  out.settings = settings;
  out.ended = attacks::seconds(counted.ended);
  out.interrupted = network.time() < attacks::time_of(until);
  out.events = counted.world.events;
  out.trace_hash = fmt::format("{:016x}", counted.trace_hash);
  out.scores = network.metrics().scores();
  out.rejected = counted.routers.rejected;
  out.restarts = network.restarts();
  out.delivery = counted.in_time_ratio;
  out.bars = judge(story, out);
  return out;
}

}  // namespace opp2p::sim::honest
