// Who takes part in a run of the devnet: values that a story gives and the stage carries out.
#pragma once

#include <string>
#include <vector>

namespace opp2p::devnet {

inline constexpr const char* kSequencer = "sequencer";
inline constexpr const char* kStandby = "standby";
inline constexpr const char* kLateJoiner = "late-joiner";

struct MemberPlan {
  std::string name;
  bool has_key = false;                // it can sequence
  std::vector<std::string> options{};  // of `opp2p node`
  bool waits = false;                  // a step starts it
};

struct Plan {
  std::vector<MemberPlan> members;  // the first sequences at the start
  bool intruder = false;
  bool static_peers = true;  // false: the nodes are connected by their RPC, so that a step can cut them off
  bool goes_on = false;      // after its last step, until --for or a signal ends it
};

// "follower-1" and so on.
inline std::string follower(std::size_t index) { return "follower-" + std::to_string(index); }

}  // namespace opp2p::devnet
