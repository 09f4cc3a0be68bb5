// The judgement of a run: sentences, each of which holds or not. Pure: a record in, checks out. Here is what several
// stories ask.
#pragma once

#include <string>
#include <vector>

#include "apps/devnet/record.hpp"

namespace opp2p::devnet {

struct Check {
  bool ok = false;
  std::string text;  // what holds, or what is wrong
};
using Checks = std::vector<Check>;

// In every run: the devnet could do what it meant to, blocks were published, and every node that runs has the published
// chain. A node with a hole has it above the hole.
Checks judge_run(const Record& record);

// Every node that runs has the chain without a hole, except those that are named.
Check judge_no_holes(const Record& record, const std::vector<std::string>& except = {});
// The node reorganised once, off the blocks that the take-over replaced. The other one did not reorganise at all.
Check judge_reorganised(const NodeRecord& node, const TakeOver& cause);
Check judge_stayed(const NodeRecord& node);
// The node saw that it missed blocks: "follower-2 saw that it missed 5 blocks, 5-9".
Check judge_gap_seen(const NodeRecord& node);
// Every node that the intruder dialled has banned it before it rejected more than ten blocks for which it blames it; or
// nobody has, when the nodes are configured so. A node that has not blamed it often enough yet is no reproach.
Checks judge_bans(const Record& record);
// "NAME took over on block 4: 3 blocks replaced", or that nobody did.
Check judge_take_over(const Record& record, std::string_view by, std::uint64_t replaced);

bool all_ok(const Checks& checks);
void append(Checks& checks, Checks more);

}  // namespace opp2p::devnet
