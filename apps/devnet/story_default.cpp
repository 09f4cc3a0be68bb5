// The run without --story: an intruder from the start, a fail-over with one replaced block, and a late joiner. It goes
// on until --for or a signal ends it. A run that is too short for the fail-over has none.
#include <fmt/format.h>

#include <algorithm>

#include "apps/devnet/acts.hpp"
#include "apps/devnet/story.hpp"

namespace opp2p::devnet {
namespace {

using libp2p::Nanos;
using libp2p::Result;
using libp2p::Seconds;

// A short run leaves the late joiner its last ten seconds, a very short one its second half.
Nanos late_join_of(std::optional<Nanos> length) {
  constexpr Nanos kLateJoin = Seconds(20);
  if (!length) return kLateJoin;
  return std::min<Nanos>(kLateJoin, std::max<Nanos>(*length - Seconds(10), *length / 2));
}

// After two blocks, and so early that the sequencer is back before the end.
std::optional<Nanos> fail_over_of(const StorySetting& setting) {
  constexpr Nanos kFailOver = Seconds(10);
  const Nanos earliest = 2 * setting.block_time;
  if (!setting.length) return std::max(kFailOver, earliest);
  const Nanos at = std::max(std::min(kFailOver, *setting.length / 3), earliest);
  const Nanos rest = 5 * setting.block_time + Seconds(2);
  return at + rest <= *setting.length ? std::optional(at) : std::nullopt;
}

class DefaultStory final : public Story {
 public:
  explicit DefaultStory(const StorySetting& setting)
      : followers_(setting.followers), late_join_(late_join_of(setting.length)), fail_over_(fail_over_of(setting)) {}

  Plan plan() const override {
    Plan out;
    out.members.push_back({kSequencer, true});
    if (fail_over_) out.members.push_back({kStandby, true});
    for (std::size_t i = 1; i <= followers_; ++i) out.members.push_back({follower(i)});
    out.members.push_back({kLateJoiner, false, {}, true});
    out.intruder = true;
    out.goes_on = true;
    return out;
  }

  std::vector<Step> steps() const override {
    std::vector<Step> out;
    if (fail_over_) out = fail_over_steps(*fail_over_);
    out.push_back({"the late joiner starts", [at = late_join_](const Record& seen) { return seen.elapsed >= at; },
                   [](Stage& stage) { return stage.start(kLateJoiner); }});
    out.push_back({"the late joiner has all blocks",
                   [](const Record& seen) {
                     const auto* node = seen.find(kLateJoiner);
                     return node->is_up() && node->row.head.number > 0 && node->row.head.number >= seen.head.number &&
                            !node->row.gap && node->row.hole_count == 0;
                   },
                   [](Stage& stage) -> Result<void> {
                     const auto& row = stage.record().find(kLateJoiner)->row;
                     stage.say(
                         kLateJoiner,
                         {"has_all", fmt::format("has all {} blocks, {} of them fetched", row.head.number, row.filled),
                          Event::Mood::good});
                     return {};
                   }});
    return out;
  }

  Checks judge(const Record& record) const override {
    Checks out;
    judge_intruder(record, out);
    append(out, judge_bans(record));
    if (fail_over_) judge_fail_over(record, out);
    out.push_back(judge_no_holes(record));
    return out;
  }

 private:
  static constexpr std::uint64_t kReplaced = 1;  // blocks

  static std::vector<Step> fail_over_steps(Nanos at) {
    auto out = stop_sequencer([at](const Record& seen) { return seen.elapsed >= at && seen.head.number > kReplaced; });
    out.push_back({"the standby takes over", [](const Record& seen) { return seen.since_step >= seen.block_time; },
                   [](Stage& stage) { return take_over_with_word(stage, kStandby, kReplaced); }});
    out.push_back({"all nodes follow the standby",
                   [](const Record& seen) {
                     return seen.all_running([](const NodeRecord& node) { return !node.reorganisations.empty(); });
                   },
                   [](Stage& stage) { return stage.start(kSequencer); }});
    out.push_back({"the first sequencer is back and follows the standby",
                   [](const Record& seen) { return seen.is_in_step(kSequencer); },
                   {}});
    return out;
  }

  static void judge_intruder(const Record& record, Checks& out) {
    std::uint64_t rejected = 0;
    for (const auto& node : record.nodes) rejected += sum(node.row.rejected);
    if (rejected == 0)
      out.push_back({false, "no node rejected a block of the intruder"});
    else
      out.push_back(
          {true, fmt::format("no block of the intruder was accepted: the nodes rejected {} messages", rejected)});
  }

  // An interrupted run may have ended before the fail-over, or in it.
  static void judge_fail_over(const Record& record, Checks& out) {
    const bool won = !record.take_overs.empty() && record.head.number > record.take_overs.front().parent + kReplaced;
    if (!won && record.interrupted) return;
    out.push_back(judge_take_over(record, kStandby, kReplaced));
    if (record.take_overs.empty()) return;
    for (const auto& node : record.nodes) {
      if (!node.runs() || node.row.name == kLateJoiner) continue;
      if (record.interrupted && node.reorganisations.empty() && node.row.name == kSequencer) continue;
      out.push_back(judge_reorganised(node, record.take_overs.front()));
    }
  }

  const std::size_t followers_;
  const Nanos late_join_;
  const std::optional<Nanos> fail_over_;
};

}  // namespace

std::unique_ptr<Story> make_default_story(const StorySetting& setting) {
  return std::make_unique<DefaultStory>(setting);
}

}  // namespace opp2p::devnet
