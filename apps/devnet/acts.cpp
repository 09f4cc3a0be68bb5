#include "apps/devnet/acts.hpp"

#include <fmt/format.h>

namespace opp2p::devnet {

libp2p::Result<void> stop_with_word(Stage& stage, const std::string& name) {
  OPP2P_TRYV(stage.stop(name));
  const auto at = stage.record().head.number;
  stage.say(name, {"stopped", fmt::format("stopped at block {}", at), Event::Mood::notable, {{"number", at}}});
  return {};
}

bool all_have_the_head(const Record& seen) {
  return seen.all_running([&](const NodeRecord& node) { return node.row.head == seen.head; });
}

std::vector<Step> stop_sequencer(std::function<bool(const Record&)> when) {
  return {{"the sequencer publishes its last block", std::move(when),
           [](Stage& stage) -> libp2p::Result<void> {
             stage.stop_sequencing(kSequencer);
             return {};
           }},
          {"all nodes have the last block of the sequencer", &all_have_the_head,
           [](Stage& stage) { return stop_with_word(stage, kSequencer); }, libp2p::Seconds(30)}};
}

libp2p::Result<void> take_over_with_word(Stage& stage, const std::string& name, std::uint64_t lower,
                                         libp2p::Nanos late) {
  OPP2P_TRYV(stage.sequence(name, lower, late));
  const auto& take_over = stage.record().take_overs.back();
  auto text = fmt::format("takes over on block {}", take_over.parent);
  if (lower > 0)
    text += fmt::format(": it replaces {} ({})", blocks_text(lower),
                        range_text(take_over.parent + 1, take_over.parent + lower));
  stage.say(name, {"took_over",
                   std::move(text),
                   Event::Mood::notable,
                   {{"parent", take_over.parent}, {"replaced", take_over.replaced}}});
  return {};
}

void append_aftermath(std::vector<Step>& steps, const std::string& whom) {
  static constexpr std::int64_t kAftermath = 3;  // block times
  steps.push_back({"all nodes follow the " + whom,
                   [](const Record& seen) {
                     return seen.all_running([](const NodeRecord& node) { return !node.reorganisations.empty(); });
                   },
                   [](Stage& stage) { return stage.start(kSequencer); }, kFollowLimit});
  steps.push_back({"the first sequencer is back and follows the " + whom,
                   [](const Record& seen) {
                     return seen.is_in_step(kSequencer) && !seen.find(kSequencer)->reorganisations.empty();
                   },
                   {},
                   kFollowLimit});
  steps.push_back(
      {"some blocks pass", [](const Record& seen) { return seen.since_step >= kAftermath * seen.block_time; }, {}});
}

}  // namespace opp2p::devnet
