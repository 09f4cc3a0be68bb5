// --story signer: the key that signs the blocks is replaced. The sequencer stops, the nodes are started again one after
// the other with the new signer's address, and the standby goes on with the new key, three blocks lower. The first
// block of the new era moves every head, though it is lower: a later era needs no lead. The new branch does not catch
// up with the clock: a node that is in no mesh again after its restart would be told of several blocks at once.
#include <fmt/format.h>

#include "apps/devnet/acts.hpp"
#include "apps/devnet/story.hpp"

namespace opp2p::devnet {
namespace {

class SignerStory final : public Story {
 public:
  explicit SignerStory(const StorySetting& setting) {
    for (std::size_t i = 1; i <= setting.followers; ++i) restarted_.push_back(follower(i));
  }

  Plan plan() const override {
    Plan out;
    out.members = {{kSequencer, true}, {kStandby, true}};
    for (std::size_t i = 1; i < restarted_.size(); ++i) out.members.push_back({restarted_[i]});
    return out;
  }

  std::vector<Step> steps() const override {
    auto out = stop_sequencer([](const Record& seen) { return seen.head.number >= kStopsAt; });
    out.push_back({"the key is replaced", [](const Record&) { return true; }, &replace_key});
    for (std::size_t i = 0; i < restarted_.size(); ++i)
      out.push_back({fmt::format("{} is started again", restarted_[i]),
                     [this, i](const Record& seen) { return i == 0 || seen.find(restarted_[i - 1])->is_up(); },
                     [this, i](Stage& stage) { return restart(stage, restarted_[i]); }, kFollowLimit});
    out.push_back(
        {"the standby takes over", [this](const Record& seen) { return seen.find(restarted_.back())->is_up(); },
         [](Stage& stage) { return take_over_with_word(stage, kStandby, kReplaced, stage.behind(kReplaced)); },
         kFollowLimit});
    append_aftermath(out, "new signer");
    return out;
  }

  Checks judge(const Record& record) const override {
    Checks out{judge_take_over(record, kStandby, kReplaced)};
    if (record.take_overs.empty()) return out;
    for (const auto& node : record.nodes)
      if (node.runs()) out.push_back(judge_reorganised(node, record.take_overs.front()));
    for (const auto& name : restarted_) out.push_back(judge_lower(*record.find(name)));
    out.push_back(judge_no_holes(record));
    return out;
  }

 private:
  static constexpr std::uint64_t kReplaced = 3;  // blocks
  static constexpr std::uint64_t kStopsAt = 6;   // block

  static libp2p::Result<void> replace_key(Stage& stage) {
    stage.say(kStandby, {"new_signer", "has a new key: " + stage.rotate_signer()});
    return {};
  }

  static libp2p::Result<void> restart(Stage& stage, const std::string& name) {
    OPP2P_TRYV(stage.stop(name));
    OPP2P_TRYV(stage.start(name));
    stage.say(name, {"restarted", "is started again with the address of the new signer"});
    return {};
  }

  static Check judge_lower(const NodeRecord& node) {
    if (node.reorganisations.empty()) return {false, node.row.name + " did not follow the new signer"};
    const auto& first = node.reorganisations.front();
    return {first.to.number <= first.from.number, fmt::format("{} left block {} for block {} of the new signer",
                                                              node.row.name, first.from.number, first.to.number)};
  }

  std::vector<std::string> restarted_{kStandby};
};

}  // namespace

std::unique_ptr<Story> make_signer_story(const StorySetting& setting) { return std::make_unique<SignerStory>(setting); }

}  // namespace opp2p::devnet
