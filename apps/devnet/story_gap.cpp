// --story gap: a follower is stopped for some blocks. When it is back it sees the gap above its head, and fetches the
// blocks from its peers. The gap is so narrow that the node waits a second for gossip first: it can be seen.
#include <fmt/format.h>

#include "apps/devnet/acts.hpp"
#include "apps/devnet/story.hpp"

namespace opp2p::devnet {
namespace {

class GapStory final : public Story {
 public:
  explicit GapStory(const StorySetting& setting) : followers_(setting.followers), away_(follower(setting.followers)) {}

  Plan plan() const override {
    Plan out;
    out.members = {{kSequencer, true}};
    for (std::size_t i = 1; i <= followers_; ++i) out.members.push_back({follower(i)});
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
         kFillLimit},
        {away_ + " has all blocks",
         [name = away_](const Record& seen) { return seen.is_in_step(name); },
         {},
         kFillLimit},
        {"some blocks pass", [](const Record& seen) { return seen.since_step >= kAftermath * seen.block_time; }, {}},
    };
  }

  Checks judge(const Record& record) const override {
    const auto& node = *record.find(away_);
    Checks out{judge_gap_seen(node)};
    // Gossip may have brought some of them.
    out.push_back({node.row.filled > 0 && node.gaps_filled > 0,
                   fmt::format("{} filled the gap: it fetched {}", away_, blocks_text(node.row.filled))});
    for (const auto& each : record.nodes)
      if (each.runs() && !each.reorganisations.empty()) out.push_back(judge_stayed(each));
    out.push_back(judge_no_holes(record));
    return out;
  }

 private:
  static constexpr std::uint64_t kStopsAt = 4;   // block
  static constexpr std::uint64_t kMissed = 5;    // blocks, at least
  static constexpr std::int64_t kAftermath = 2;  // block times
  static constexpr auto kFillLimit = libp2p::Seconds(30);

  const std::size_t followers_;
  const std::string away_;
};

}  // namespace

std::unique_ptr<Story> make_gap_story(const StorySetting& setting) { return std::make_unique<GapStory>(setting); }

}  // namespace opp2p::devnet
