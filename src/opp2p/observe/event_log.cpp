#include "opp2p/observe/event_log.hpp"

namespace opp2p {

void EventLog::tell(Told kind, LogLevel level, Component component, std::string_view message,
                    std::initializer_list<Field> fields) {
  if (log_.enabled(component, level)) {
    const auto left_out = told_.admit(kind, now());
    if (!left_out)
      level = LogLevel::debug;
    else if (*left_out > 0)
      log_.write(level, component, "lines left out", {{"of", message}, {"count", *left_out}});
  }
  log_.write(level, component, message, fields);
}

void EventLog::tell_what_was_left_out() {
  constexpr std::string_view kNames[] = {"static peer connected",
                                         "dialing static peer",
                                         "error dialing static peer",
                                         "static peer disconnected",
                                         "peer connected",
                                         "peer disconnected",
                                         "what the operator asked for",
                                         "peer of another chain",
                                         "refused connections",
                                         "rejected blocks",
                                         "second block at a height",
                                         "block with the wrong time",
                                         "branch that waits",
                                         "reorganisation",
                                         "hole below the head",
                                         "block of the chain breaks a rule",
                                         "range of reverse sync",
                                         "fault of a peer in reverse sync",
                                         "store keeps blocks again",
                                         "score of a peer that fell below a threshold",
                                         "score of a peer that recovered",
                                         "ban",
                                         "end of a ban",
                                         "block by the operator",
                                         "peer that a gater refused",
                                         "fault that most peers commit",
                                         "trouble of the peerstore"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(Told::kinds));
  for (std::size_t i = 0; i < std::size(kNames); ++i)
    if (const auto count = told_.left_out(static_cast<Told>(i)); count > 0)
      log_.info(Component::node, "lines left out", {{"of", kNames[i]}, {"count", count}});
}

}  // namespace opp2p
