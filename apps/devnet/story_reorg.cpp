// --story reorg: the network splits, and on each side a sequencer goes on. The first one is two blocks behind its time,
// so the other branch is longer when the network is whole again. The shorter side reorganises, all blocks of the split
// deep; the longer side does not.
#include <fmt/format.h>

#include "apps/devnet/acts.hpp"
#include "apps/devnet/story.hpp"

namespace opp2p::devnet {
namespace {

using libp2p::Result;

class ReorgStory final : public Story {
 public:
  explicit ReorgStory(const StorySetting& setting) : followers_(setting.followers) {
    for (std::size_t i = 1; i <= followers_; ++i) (i <= followers_ / 2 ? shorter_ : longer_).push_back(follower(i));
  }

  Plan plan() const override {
    Plan out;
    out.members = {{kSequencer, true}, {kStandby, true}};
    for (std::size_t i = 1; i <= followers_; ++i) out.members.push_back({follower(i)});
    out.static_peers = false;
    return out;
  }

  std::vector<Step> steps() const override {
    return {
        {"the block of the fork is published", [](const Record& seen) { return seen.head.number >= kSplitsAt; },
         [](Stage& stage) -> Result<void> {
           stage.stop_sequencing(kSequencer);
           return {};
         }},
        {"all nodes have the block of the fork", &all_have_the_head, [this](Stage& stage) { return split(stage); },
         kReorganiseLimit},
        {"two branches grow", [](const Record& seen) { return seen.since_step >= kSplit * seen.block_time; },
         [this](Stage& stage) { return heal(stage); }},
        {"the shorter side reorganises",
         [this](const Record& seen) {
           for (const auto& name : shorter_)
             if (seen.find(name)->reorganisations.empty()) return false;
           return true;
         },
         &retire, kReorganiseLimit},
        {"some blocks pass", [](const Record& seen) { return seen.since_step >= kAftermath * seen.block_time; }, {}},
    };
  }

  Checks judge(const Record& record) const override {
    const auto* split = split_of(record);
    if (split == nullptr) return {{false, "the network did not split"}};
    Checks out;
    for (const auto& name : shorter_) out.push_back(judge_shorter(*record.find(name), *split));
    for (const auto& name : longer_) out.push_back(judge_stayed(*record.find(name)));
    out.push_back(judge_no_holes(record));
    return out;
  }

 private:
  static constexpr std::uint64_t kSplitsAt = 4;  // block
  static constexpr std::int64_t kBehind = 2;     // block times
  static constexpr std::int64_t kSplit = 6;      // block times
  static constexpr std::int64_t kAftermath = 3;  // block times
  static constexpr std::uint64_t kLeastDepth = 2;
  static constexpr auto kReorganiseLimit = libp2p::Seconds(30);

  Result<void> split(Stage& stage) const {
    OPP2P_TRYV(stage.cut(shorter_, longer_));
    OPP2P_TRYV(take_over_with_word(stage, kStandby, 0));
    OPP2P_TRYV(stage.sequence(kSequencer, 0, kBehind * stage.record().block_time));
    stage.say(kSequencer, {"split", fmt::format("is cut off and goes on, {} behind its time", blocks_text(kBehind))});
    return {};
  }

  Result<void> heal(Stage& stage) const {
    stage.say(kSequencer, {"healed", "is connected with the standby again"});
    return stage.connect(shorter_, longer_);
  }

  // As a real one does when it sees that another leads.
  static Result<void> retire(Stage& stage) {
    stage.stop_sequencing(kSequencer);
    stage.say(kSequencer, {"retired", "sequences no more: the standby leads"});
    return {};
  }

  static const TakeOver* split_of(const Record& record) {
    for (const auto& each : record.take_overs)
      if (each.by == kStandby) return &each;
    return nullptr;
  }

  static Check judge_shorter(const NodeRecord& node, const TakeOver& split) {
    TakeOver expected = split;
    if (!node.reorganisations.empty()) {
      const auto from = node.reorganisations.front().from.number;
      expected.replaced = from - std::min(from, split.parent);
    }
    if (expected.replaced < kLeastDepth) expected.replaced = kLeastDepth;
    return judge_reorganised(node, expected);
  }

  const std::size_t followers_;
  std::vector<std::string> shorter_{kSequencer};
  std::vector<std::string> longer_{kStandby};
};

}  // namespace

std::unique_ptr<Story> make_reorg_story(const StorySetting& setting) { return std::make_unique<ReorgStory>(setting); }

}  // namespace opp2p::devnet
