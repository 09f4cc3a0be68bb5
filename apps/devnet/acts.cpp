#include "apps/devnet/acts.hpp"

#include <fmt/format.h>

namespace opp2p::devnet {

libp2p::Result<void> stop_with_word(Stage& stage, const std::string& name) {
  OPP2P_TRYV(stage.stop(name));
  const auto at = stage.record().head.number;
  stage.say(name, {"stopped", fmt::format("stopped at block {}", at), Event::Mood::notable, {{"number", at}}});
  return {};
}

libp2p::Result<void> take_over_with_word(Stage& stage, const std::string& name, std::uint64_t lower) {
  OPP2P_TRYV(stage.sequence(name, lower));
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

}  // namespace opp2p::devnet
