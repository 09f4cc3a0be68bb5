// --story no-servers: as the story gap, but no peer of the node serves blocks. After the patience without a source the
// node follows the chain above the missing blocks. The hole stays on record.
#include <fmt/format.h>

#include "apps/devnet/acts.hpp"
#include "apps/devnet/story.hpp"
#include "libp2p/base/seconds.hpp"

namespace opp2p::devnet {
namespace {

using libp2p::Nanos;
using libp2p::Seconds;

class NoServersStory final : public Story {
 public:
  explicit NoServersStory(const StorySetting& setting)
      : followers_(setting.followers), away_(follower(setting.followers)) {}

  Plan plan() const override {
    const std::vector<std::string> serves_none = {"--p2p.sync.req-resp=false"};
    Plan out;
    out.members = {{kSequencer, true, serves_none}};
    for (std::size_t i = 1; i < followers_; ++i) out.members.push_back({follower(i), false, serves_none});
    out.members.push_back({away_});
    return out;
  }

  std::vector<Step> steps() const override {
    return {
        {away_ + " stops", [](const Record& seen) { return seen.head.number >= kStopsAt; },
         [name = away_](Stage& stage) { return stop_with_word(stage, name); }},
        {away_ + " is started again",
         [name = away_](const Record& seen) { return seen.head.number >= seen.find(name)->row.head.number + kMissed; },
         [name = away_](Stage& stage) { return stage.start(name); }},
        {away_ + " sees the gap",
         [name = away_](const Record& seen) { return !seen.find(name)->gaps.empty(); },
         {},
         kHoleLimit},
        {away_ + " moves its head above the hole",
         [name = away_](const Record& seen) { return seen.find(name)->hole_at.has_value(); },
         {},
         kHoleLimit},
        {"some blocks pass", [](const Record& seen) { return seen.since_step >= kAftermath * seen.block_time; }, {}},
    };
  }

  Checks judge(const Record& record) const override {
    const auto& node = *record.find(away_);
    Checks out{judge_gap_seen(node), judge_moved(node), judge_on_record(node)};
    out.push_back(judge_no_holes(record, {away_}));
    return out;
  }

 private:
  static constexpr std::uint64_t kStopsAt = 4;     // block
  static constexpr std::uint64_t kMissed = 5;      // blocks, at least
  static constexpr std::int64_t kAftermath = 2;    // block times
  static constexpr Nanos kPatience = Seconds(10);  // of a node without a source, whatever --sync.patience says
  static constexpr Nanos kSlack = Seconds(3);      // of what is seen from outside
  static constexpr Nanos kHoleLimit = kPatience + Seconds(20);

  Check judge_moved(const NodeRecord& node) const {
    if (!node.gap_at || !node.hole_at) return {false, away_ + " did not move its head above the hole"};
    const Nanos stood = *node.hole_at - *node.gap_at;
    return {stood <= kPatience + kSlack,
            fmt::format("{} moved its head above the hole after {:.1f} s (patience: {:.0f} s)", away_,
                        libp2p::seconds_of(stood), libp2p::seconds_of(kPatience))};
  }

  Check judge_on_record(const NodeRecord& node) const {
    if (node.row.holes.empty() || node.gaps.empty()) return {false, away_ + " has no hole on record"};
    const auto& hole = node.row.holes.front();
    const auto& gap = node.gaps.back();
    const auto text = fmt::format("{} has the hole {} on record, connected from block {}", away_,
                                  range_text(hole.first, hole.last), node.row.connected_from);
    // Gossip may still have brought the highest of the missing blocks.
    if (hole.first == gap.start + 1 && hole.last < gap.end && node.row.connected_from == hole.last + 1)
      return {true, text};
    return {false, fmt::format("{}. It missed {}", text, range_text(gap.start + 1, gap.end - 1))};
  }

  const std::size_t followers_;
  const std::string away_;
};

}  // namespace

std::unique_ptr<Story> make_no_servers_story(const StorySetting& setting) {
  return std::make_unique<NoServersStory>(setting);
}

}  // namespace opp2p::devnet
