#include "sim/gossip/metrics.hpp"

#include <algorithm>
#include <bit>
#include <type_traits>

#include "libp2p/base/assert.hpp"
#include "sim/gossip/honest_node.hpp"

namespace opp2p::sim::gossip {
namespace {

namespace gs = libp2p::gossipsub;

Nanos micros(std::uint32_t value) { return Micros(value); }

// The values are sorted here.
Percentiles percentiles(std::vector<std::uint32_t>& values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    const auto rank = static_cast<std::size_t>(share * static_cast<double>(values.size()));
    return micros(values[std::min(rank, values.size() - 1)]);
  };
  return {at(0.5), at(0.9), at(0.99), micros(values.back())};
}

void add(gs::Counters& to, const gs::Counters& of) {
  // Counters are numbers of one type, one after another.
  static_assert(std::is_trivially_copyable_v<gs::Counters> && sizeof(gs::Counters) % sizeof(std::uint64_t) == 0);
  constexpr std::size_t kCount = sizeof(gs::Counters) / sizeof(std::uint64_t);
  auto sums = std::bit_cast<std::array<std::uint64_t, kCount>>(to);
  const auto more = std::bit_cast<std::array<std::uint64_t, kCount>>(of);
  for (std::size_t i = 0; i < kCount; ++i) sums[i] += more[i];
  to = std::bit_cast<gs::Counters>(sums);
}

Spread spread(std::vector<double>& values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  double sum = 0;
  for (const double value : values) sum += value;
  return {values.size(), sum / static_cast<double>(values.size()), values.front(), values[values.size() / 2],
          values.back()};
}

const opstack::reputation::FaultLedger* ledger_of(const HonestNode& node) {
  return node.reputation() != nullptr ? &node.reputation()->ledger() : nullptr;
}

}  // namespace

HonestNode* Metrics::node(Member member) const {
  return world_.is_honest(member) ? dynamic_cast<HonestNode*>(world_.actor(member)) : nullptr;
}

void Metrics::on_published(Member publisher, std::uint64_t number, std::size_t size) {
  BlockRecord block{number, publisher, world_.time(), size, {}};
  block.latency.assign(world_.size(), kNotExpected);
  for (Member member = 0; member < world_.size(); ++member) {
    if (member != publisher && is_expected(member)) block.latency[member] = kMissing;
  }
  const bool is_new = index_.emplace(number, blocks_.size()).second;
  OPP2P_ASSERT(is_new, "a block is published once", number);
  blocks_.push_back(std::move(block));
}

bool Metrics::is_expected(Member member) const {
  return world_.is_honest(member) && world_.is_running(member) && member < starts_.size() &&
         starts_[member] + params_.expected_after <= world_.time();
}

void Metrics::on_delivered(Member member, std::uint64_t number) {
  world_.fold(mix(number, member));
  const auto found = index_.find(number);
  OPP2P_ASSERT(found != index_.end(), "what is delivered was published", number);
  BlockRecord& block = blocks_[found->second];
  if (member >= block.latency.size()) block.latency.resize(world_.size(), kNotExpected);
  std::uint32_t& latency = block.latency[member];
  const auto stop = stops_.find(member);
  const bool had_stopped = stop != stops_.end() && stop->second >= block.published;
  OPP2P_ASSERT(latency == kMissing || latency == kNotExpected || had_stopped,
               "no block is delivered twice to a subscriber", number, member);
  if (latency == kMissing) {
    latency = static_cast<std::uint32_t>(std::min<std::int64_t>(
        std::chrono::duration_cast<Micros>(world_.time() - block.published).count(), std::int64_t{kNotCounted} - 1));
  } else if (latency == kNotExpected) {
    latency = kNotCounted;
  }
}

void Metrics::on_fault(Member at, const PeerId& peer, gs::FaultKind kind, unsigned count) {
  const auto member = member_of(peer);
  OPP2P_ASSERT(member.has_value(), "every peer is a member");
  (world_.is_honest(*member) ? honest_faults_ : hostile_faults_)[kind] += count;
  if (kind == gs::FaultKind::direct_graft) return;  // it costs nothing
  const auto [suspect, is_new] = suspects_.try_emplace({at, peer}, Suspect{world_.time(), {}, {}});
  if (is_new) pending_.push_back(suspect->first);
}

void Metrics::on_prune(const PeerId& peer, gs::PruneCause cause) {
  const auto member = member_of(peer);
  OPP2P_ASSERT(member.has_value(), "every peer is a member");
  ++(world_.is_honest(*member) ? honest_prunes_ : hostile_prunes_)[cause];
}

void Metrics::on_rpc(Member, bool has_messages, std::size_t size) {
  ++received_.rpcs;
  (has_messages ? received_.message_bytes : received_.control_bytes) += size;
}

void Metrics::on_peer_gone(Member at, const PeerId& peer) {
  const auto found = suspects_.find({at, peer});
  if (found == suspects_.end() || found->second.gone) return;
  Suspect& suspect = found->second;
  suspect.gone = world_.time();
  // It may have been thrown out between two looks of judge().
  const HonestNode* const observer = node(at);
  if (observer == nullptr || suspect.graylisted || observer->scores().score(peer) >= params_.graylist) return;
  suspect.graylisted = world_.time();
}

void Metrics::on_started(Member member) {
  if (member >= starts_.size()) starts_.resize(world_.size());
  starts_[member] = world_.time();
}

void Metrics::on_stopped(Member member, const gs::Counters& counters) {
  add(stopped_, counters);
  stops_[member] = world_.time();
  for (auto block = blocks_.rbegin(); block != blocks_.rend(); ++block) {
    if (block->published + params_.deadline < world_.time()) break;
    if (member < block->latency.size() && block->latency[member] == kMissing) block->latency[member] = kNotExpected;
  }
}

void Metrics::look_at_scores(Member at, std::vector<double>* scores) {
  const HonestNode* const observer = node(at);
  if (observer == nullptr || observer->scorer() == nullptr) return;
  for (const auto& [peer, id] : observer->peers()) {
    if (!world_.is_honest(peer)) continue;
    const double score = watch_.look(at, peer, id, *observer->scorer(), ledger_of(*observer), world_.time());
    if (scores != nullptr) scores->push_back(score);
  }
}

void Metrics::on_scores_changed(Member at) {
  if (params_.watch_scores) look_at_scores(at, nullptr);
}

void Metrics::on_score_changed(Member at, const PeerId& peer) {
  const auto member = member_of(peer);
  const HonestNode* const observer = node(at);
  if (!params_.watch_scores || observer == nullptr || observer->scorer() == nullptr || !world_.is_honest(*member))
    return;
  watch_.look(at, *member, peer, *observer->scorer(), ledger_of(*observer), world_.time());
}

void Metrics::on_invalid_block(Member at, const PeerId& peer) {
  const HonestNode* const observer = node(at);
  if (!params_.watch_scores || observer == nullptr || world_.is_honest(*member_of(peer))) return;
  watch_.on_invalid(at, peer, observer->scores().score(peer));
}

// A ban is more than the graylist, and with eight invalid blocks it comes before it.
void Metrics::on_banned(Member at, const PeerId& peer) {
  watch_.on_ban(at, peer, world_.is_honest(*member_of(peer)));
  const auto found = suspects_.find({at, peer});
  if (found != suspects_.end() && !found->second.graylisted) found->second.graylisted = world_.time();
}

ScoreReport Metrics::scores() const {
  ScoreReport out = watch_.report();
  for (Member member = 0; member < world_.size(); ++member) {
    const HonestNode* const observer = node(member);
    if (observer != nullptr && observer->reputation() != nullptr)
      out.own_faults += observer->reputation()->findings();  // of those that run; others were told when they stopped
  }
  return out;
}

void Metrics::judge() {
  if (params_.watch_scores) {
    std::vector<double> scores;
    for (Member member = 0; member < world_.size(); ++member) look_at_scores(member, &scores);
    watch_.end_look(std::move(scores), world_.time());
  }
  std::erase_if(pending_, [&](const auto& pair) {
    Suspect& suspect = suspects_.at(pair);
    const HonestNode* const observer = node(pair.first);
    if (observer == nullptr || suspect.gone) return true;
    if (observer->scores().score(pair.second) >= params_.graylist) return false;
    suspect.graylisted = world_.time();
    return true;
  });
}

void Metrics::sample() {
  Sample sample;
  sample.time = world_.time();
  sample_meshes(sample);
  sample_scores(sample);
  sample_counters(sample);
  samples_.push_back(std::move(sample));
}

void Metrics::sample_meshes(Sample& sample) const {
  for (Member member = 0; member < world_.size(); ++member) {
    if (!world_.is_running(member)) continue;
    ++(world_.is_honest(member) ? sample.honest_up : sample.hostile_up);
    const HonestNode* const observer = node(member);
    if (observer == nullptr) continue;
    for (const Member peer : world_.peers_of(member))
      ++(world_.is_honest(peer) ? sample.connections_to_honest : sample.connections_to_hostile);
    for (const auto& topic : observer->params().topics) {
      std::size_t honest = 0;
      for (const PeerId& peer : observer->router().mesh(topic)) {
        const bool is_honest = world_.is_honest(*member_of(peer));
        ++(is_honest ? sample.links_to_honest : sample.links_to_hostile);
        if (is_honest) ++honest;
      }
      if (honest < params_.low) ++sample.meshes_below_low;
      if (honest == 0) ++sample.meshes_without_honest;
    }
  }
}

void Metrics::sample_scores(Sample& sample) const {
  struct Kind {
    ScoreSample* out;
    std::vector<double> scores;
  };
  Kind honest{&sample.honest, {}};
  Kind hostile{&sample.hostile, {}};
  std::vector<Member> nodes;
  for (Member member = 0; member < world_.size(); ++member) {
    if (const HonestNode* const observer = node(member); observer != nullptr && observer->scorer() != nullptr)
      nodes.push_back(member);
  }
  const std::size_t step = std::max<std::size_t>(1, nodes.size() / std::max<std::size_t>(1, params_.observers));
  gs::ScoreSnapshot snapshot;
  for (std::size_t i = 0; i < nodes.size(); i += step) {
    const gs::PeerScorer& scorer = *node(nodes[i])->scorer();
    scorer.snapshot(snapshot);
    for (const auto& peer : snapshot.peers) {
      Kind& kind = world_.is_honest(*member_of(peer.peer)) ? honest : hostile;
      ScoreSample& out = *kind.out;
      kind.scores.push_back(peer.score);
      if (peer.score < 0) ++out.below_zero;
      if (peer.score < params_.graylist) ++out.graylisted;
      out.application += peer.application.weighted;
      out.ip_colocation += peer.ip_colocation.weighted;
      out.behaviour += peer.behaviour.weighted;
      std::size_t place = 0;
      for (const auto& topic : peer.topics) {
        const double weight = scorer.params().topics.at(snapshot.topics[place++]).topic_weight;
        out.time_in_mesh += weight * topic.time_in_mesh_weighted;
        out.first_deliveries += weight * topic.first_deliveries.weighted;
        out.mesh_deliveries += weight * topic.mesh_deliveries.weighted;
        out.mesh_failures += weight * topic.mesh_failures.weighted;
        out.invalid += weight * topic.invalid_deliveries.weighted;
      }
    }
  }
  for (Kind* const kind : {&honest, &hostile}) {
    ScoreSample& out = *kind->out;
    out.score = spread(kind->scores);
    if (out.score.count == 0) continue;
    for (double* const part : {&out.time_in_mesh, &out.first_deliveries, &out.mesh_deliveries, &out.mesh_failures,
                               &out.invalid, &out.application, &out.ip_colocation, &out.behaviour})
      *part /= static_cast<double>(out.score.count);
  }
}

gs::Counters Metrics::routers() const {
  gs::Counters sum = stopped_;
  for (Member member = 0; member < world_.size(); ++member) {
    if (const HonestNode* const observer = node(member)) add(sum, observer->router().counters());
  }
  return sum;
}

void Metrics::sample_counters(Sample& sample) const {
  const gs::Counters sum = routers();
  sample.delivered = sum.delivered;
  sample.duplicates = sum.duplicates;
  sample.rejected = sum.rejected;
  sample.graylisted_rpcs = sum.rpcs_graylisted;
  sample.received = received_;
  for (const auto& [kind, count] : hostile_faults_) sample.faults_of_hostile += count;
  for (const auto& [kind, count] : honest_faults_) sample.faults_of_honest += count;
  for (Member member = 0; member < world_.size(); ++member) {
    if (world_.is_honest(member)) sample.busy += world_.busy_time(member);
  }
}

BlockOutcome Metrics::outcome(const BlockRecord& block, std::vector<std::uint32_t>* all) const {
  BlockOutcome out{
      .number = block.number, .publisher = block.publisher, .published = block.published, .size = block.size};
  std::vector<std::uint32_t> latencies;
  for (const std::uint32_t latency : block.latency) {
    if (latency == kNotExpected || latency == kNotCounted) continue;
    ++out.expected;
    if (latency == kMissing) continue;
    ++out.delivered;
    if (micros(latency) <= params_.deadline) ++out.in_time;
    latencies.push_back(latency);
  }
  all->insert(all->end(), latencies.begin(), latencies.end());
  out.latency = percentiles(latencies);
  return out;
}

Metrics::Deliveries Metrics::deliveries(MonoTime from, MonoTime until, std::span<const Member> only) const {
  Deliveries out;
  const auto add = [&](const BlockRecord& block, Member member) {
    const std::uint32_t latency = member < block.latency.size() ? block.latency[member] : kNotExpected;
    if (latency == kNotExpected || latency == kNotCounted) return;
    ++out.expected;
    if (latency == kMissing) return;
    if (micros(latency) <= params_.deadline) ++out.in_time;
    out.latencies.push_back(micros(latency));
  };
  for (const BlockRecord& block : blocks_) {
    if (block.published < from || block.published >= until) continue;
    if (block.published + params_.deadline > world_.time()) continue;
    ++out.blocks;
    if (only.empty()) {
      for (Member member = 0; member < block.latency.size(); ++member) add(block, member);
    } else {
      for (const Member member : only) add(block, member);
    }
  }
  return out;
}

Judgement Metrics::judgement(bool honest) const {
  Judgement out;
  std::vector<std::uint32_t> times;
  for (const auto& [pair, suspect] : suspects_) {
    if (world_.is_honest(*member_of(pair.second)) != honest) continue;
    ++out.faulty;
    if (suspect.graylisted) {
      const Nanos took = *suspect.graylisted - suspect.first_fault;
      times.push_back(static_cast<std::uint32_t>(std::chrono::duration_cast<Micros>(took).count()));
      ++(took <= params_.judgement ? out.graylisted_in_time : out.graylisted_late);
    } else if (suspect.gone && *suspect.gone < suspect.first_fault + params_.judgement) {
      ++out.left_before;
    } else if (world_.time() < suspect.first_fault + params_.judgement) {
      ++out.pending;
    } else {
      ++out.never;
    }
  }
  out.until_graylisted = percentiles(times);
  return out;
}

Report Metrics::report() const {
  Report out;
  out.seed = world_.params().seed;
  out.trace_hash = world_.trace_hash();
  out.ended = world_.time();
  for (Member member = 0; member < world_.size(); ++member) ++(world_.is_honest(member) ? out.honest : out.hostile);
  out.deadline = params_.deadline;
  std::vector<std::uint32_t> latencies;
  for (const BlockRecord& block : blocks_) {
    if (block.published + params_.deadline > world_.time()) continue;
    out.blocks.push_back(outcome(block, &latencies));
    out.expected += out.blocks.back().expected;
    out.in_time += out.blocks.back().in_time;
    out.delivered += out.blocks.back().delivered;
  }
  const auto ratio = [](double part, double whole) { return whole == 0 ? 0 : part / whole; };
  out.in_time_ratio = ratio(static_cast<double>(out.in_time), static_cast<double>(out.expected));
  out.delivered_ratio = ratio(static_cast<double>(out.delivered), static_cast<double>(out.expected));
  out.latency = percentiles(latencies);
  out.samples = samples_;
  out.of_hostile = judgement(false);
  out.of_honest = judgement(true);
  for (const auto& [kind, count] : hostile_faults_) out.faults_of_hostile.emplace_back(to_string(kind), count);
  for (const auto& [kind, count] : honest_faults_) out.faults_of_honest.emplace_back(to_string(kind), count);
  for (const auto& [cause, count] : hostile_prunes_) out.prunes_of_hostile.emplace_back(to_string(cause), count);
  for (const auto& [cause, count] : honest_prunes_) out.prunes_of_honest.emplace_back(to_string(cause), count);
  out.routers = routers();
  out.duplicates_for_delivery =
      ratio(static_cast<double>(out.routers.duplicates), static_cast<double>(out.routers.delivered));
  out.world = world_.counters();
  return out;
}

}  // namespace opp2p::sim::gossip
