#include <array>

#include "apps/devnet/story.hpp"

namespace opp2p::devnet {

#define OPP2P_STORY(id, name, about) std::unique_ptr<Story> make_##id##_story(const StorySetting& setting);
#include "apps/devnet/stories.def"
#undef OPP2P_STORY

namespace {

#define OPP2P_STORY(id, name, about) StoryKind{name, about, &make_##id##_story},
constexpr auto kStories = std::to_array<StoryKind>({
#include "apps/devnet/stories.def"
});
#undef OPP2P_STORY

}  // namespace

std::span<const StoryKind> stories() { return std::span(kStories).subspan(1); }

const StoryKind& default_story() { return kStories.front(); }

}  // namespace opp2p::devnet
