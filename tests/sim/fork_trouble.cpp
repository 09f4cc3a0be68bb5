#include "fork_trouble.hpp"

#include "fork_story.hpp"

namespace opp2p::sim {
namespace {

constexpr std::size_t kRoom = 150'000;          // bytes; a block takes about 3 kB
constexpr std::size_t kOften = 60;              // after so much trouble it comes less often: a story may take hours
constexpr std::uint64_t kLongestWait = 12'000;  // milliseconds
constexpr std::uint64_t kMostFailures = 12;     // writes in a row

std::size_t first_of(const StoryOptions& options) { return nodes_of(options.nodes); }

}  // namespace

StoryOptions Trouble::beside(StoryOptions options) {
  options.member = [usual = std::move(options.member), first = first_of(options)](std::size_t index,
                                                                                  SimMemberOptions& member) {
    const bool in_trouble = index >= first && index < first + kMembers;
    if (usual) usual(in_trouble ? 0 : index, member);
    if (in_trouble) member.sequencer = false;
    if (index != first + kMembers - 1) return;
    member.configure = [configure = std::move(member.configure)](NodeConfig& config) {
      if (configure) configure(config);
      config.store_max_size = kRoom;
    };
  };
  options.dials += kMembers;
  return options;
}

Trouble::Trouble(ForkStory& forks, std::uint64_t seed)
    : forks_(forks), rng_(seed), first_(forks.story().network().size()) {
  for (std::size_t i = 0; i < kMembers; ++i) {
    members_[i] = {forks.story().add_member(), static_cast<Kind>(i), draw_interval()};
    forks.listen_to(members_[i].index);
  }
}

libp2p::Nanos Trouble::draw_interval() {
  const auto often = Millis(500 + static_cast<std::int64_t>(rng_.below(kLongestWait)));
  return restarts_ + bad_disks_ < kOften ? often : 20 * often;
}

void Trouble::step() {
  for (auto& member : members_)
    if (forks_.story().elapsed() >= member.next) trouble(member);
}

void Trouble::trouble(Member& member) {
  const bool runs = forks_.network().running(member.index);
  switch (member.kind) {
    case Kind::restarts: restart(member.index); break;
    case Kind::disk: spoil_disk(member.index); break;
    case Kind::room: !runs || rng_.below(2) == 0 ? restart(member.index) : spoil_disk(member.index); break;
  }
  member.next = forks_.story().elapsed() + draw_interval();
  if (!forks_.network().running(member.index)) member.next = forks_.story().elapsed() + Millis(rng_.below(6000));
}

void Trouble::restart(std::size_t index) {
  if (!forks_.network().running(index)) return forks_.start(index);
  ++restarts_;
  if (rng_.below(2) == 0)
    forks_.stop(index);
  else
    forks_.lose_power(index);
}

void Trouble::spoil_disk(std::size_t index) {
  ++bad_disks_;
  forks_.network().release_writes(index);
  switch (rng_.below(3)) {
    case 0: forks_.network().hold_writes(index); break;
    case 1: forks_.network().fail_writes(index, 1 + rng_.below(kMostFailures)); break;
    default: break;
  }
}

void Trouble::end() {
  for (const auto& member : members_) {
    forks_.network().release_writes(member.index);
    forks_.network().fail_writes(member.index, 0);
    if (!forks_.network().running(member.index)) forks_.start(member.index);
  }
}

}  // namespace opp2p::sim
