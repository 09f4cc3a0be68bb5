// --story failover: the sequencer stops. After an outage a standby with the same key takes over, three blocks lower: it
// had not got these blocks. All nodes reorganise to its chain, the first sequencer too when it is back.
#include "apps/devnet/acts.hpp"
#include "apps/devnet/story.hpp"

namespace opp2p::devnet {
namespace {

class FailoverStory final : public Story {
 public:
  explicit FailoverStory(const StorySetting& setting) : followers_(setting.followers) {}

  Plan plan() const override {
    Plan out;
    out.members = {{kSequencer, true}, {kStandby, true}};
    for (std::size_t i = 1; i <= followers_; ++i) out.members.push_back({follower(i)});
    return out;
  }

  std::vector<Step> steps() const override {
    auto out = stop_sequencer([](const Record& seen) { return seen.head.number >= kStopsAt; });
    out.push_back({"the standby takes over",
                   [](const Record& seen) { return seen.since_step >= kOutage * seen.block_time; },
                   [](Stage& stage) { return take_over_with_word(stage, kStandby, kReplaced); }});
    append_aftermath(out, "standby");
    return out;
  }

  Checks judge(const Record& record) const override {
    Checks out{judge_take_over(record, kStandby, kReplaced)};
    if (!record.take_overs.empty())
      for (const auto& node : record.nodes)
        if (node.runs()) out.push_back(judge_reorganised(node, record.take_overs.front()));
    out.push_back(judge_no_holes(record));
    return out;
  }

 private:
  static constexpr std::uint64_t kReplaced = 3;  // blocks
  static constexpr std::uint64_t kStopsAt = 6;   // block
  static constexpr std::int64_t kOutage = 3;     // block times

  const std::size_t followers_;
};

}  // namespace

std::unique_ptr<Story> make_failover_story(const StorySetting& setting) {
  return std::make_unique<FailoverStory>(setting);
}

}  // namespace opp2p::devnet
