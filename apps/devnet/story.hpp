// Story: what happens in a run of the devnet, and how the run is judged. A story says who is there (plan), what is done
// when (steps), and what must have come of it (judge). The default run is a story too. A new story is one file
// (story_<name>.cpp) and one line in stories.def.
//
// A step waits until `when` holds of what the devnet has seen, and then acts on the stage: real processes and their
// RPC. A story knows of the nodes only what the record says. It keeps no state of its own, so judge() is pure: tests
// give it a record.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/devnet/judgement.hpp"
#include "apps/devnet/record.hpp"
#include "apps/devnet/stage.hpp"

namespace opp2p::devnet {

struct Step {
  std::string awaits;  // "follower-2 is up": in the judgement when it does not come
  std::function<bool(const Record&)> when;
  std::function<libp2p::Result<void>(Stage&)> act;    // empty: the step only waits
  std::optional<libp2p::Nanos> limit = std::nullopt;  // after the step before, and five blocks more; none: for ever
};

struct StorySetting {
  std::size_t followers = 4;
  libp2p::Nanos block_time{0};
  std::optional<libp2p::Nanos> length;  // of the run: --for
};

class Story {
 public:
  virtual ~Story() = default;
  virtual Plan plan() const = 0;
  virtual std::vector<Step> steps() const = 0;
  // What is particular to this story; what holds in every run is judged beside it (judgement.hpp).
  virtual Checks judge(const Record& record) const = 0;
};

struct StoryKind {
  std::string_view name;
  std::string_view about;  // one sentence, for the help and the start of the run
  std::unique_ptr<Story> (*make)(const StorySetting& setting);
};
// Those that --story names.
std::span<const StoryKind> stories();
// The default run.
const StoryKind& default_story();

}  // namespace opp2p::devnet
