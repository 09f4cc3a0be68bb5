// Members beside those of a scenario of fork choice, in trouble from its beginning to its end: one is stopped or loses
// its power and starts again, the disk of one is full or slow, one has little room on its disk, so that it prunes all
// the time, and suffers the rest as well. When the trouble ends they must reach the chain of the others.
//
// Everything follows from the story's seed.
#pragma once

#include <array>
#include <cstddef>

#include "story.hpp"

namespace opp2p::sim {

class ForkStory;

class Trouble {
 public:
  static constexpr std::size_t kMembers = 3;

  // The options of a story that has these members beside its own. They are as its first one, and make no blocks.
  static StoryOptions beside(StoryOptions options);

  // The members join as those did that the story added before.
  Trouble(ForkStory& forks, std::uint64_t seed);

  std::size_t first() const { return first_; }
  bool has(std::size_t member) const { return member >= first_ && member < first_ + kMembers; }

  // Once in each of the story's steps.
  void step();
  // All run and have good disks.
  void end();

  // What happened to all of them.
  std::size_t restarts() const { return restarts_; }
  std::size_t bad_disks() const { return bad_disks_; }

 private:
  enum class Kind { restarts, disk, room };
  struct Member {
    std::size_t index;
    Kind kind;
    libp2p::Nanos next{0};
  };
  void trouble(Member& member);
  void restart(std::size_t index);
  void spoil_disk(std::size_t index);
  libp2p::Nanos draw_interval();

  ForkStory& forks_;
  libp2p::SeededRng rng_;
  std::size_t first_ = 0;
  std::array<Member, kMembers> members_{};
  std::size_t restarts_ = 0;
  std::size_t bad_disks_ = 0;
};

}  // namespace opp2p::sim
