#include "opp2p/observe/chain_log.hpp"

#include "opp2p/observe/health.hpp"

namespace opp2p {
namespace sync = opstack::sync;

void ChainLog::on(const sync::HeadMoved& event) {
  const auto& moved = event.moved;
  if (!event.reorganises()) {
    events_.log().debug(Component::node, "new unsafe head",
                        {{"number", moved.to.number}, {"hash", moved.to.hash}, {"was", moved.from.number}});
    return;
  }
  if (moved.fork)
    return events_.tell(Told::reorganised, LogLevel::warn, Component::node, "reorganised",
                        {{"number", moved.to.number},
                         {"hash", moved.to.hash},
                         {"was", moved.from.number},
                         {"was_hash", moved.from.hash},
                         {"fork", *moved.fork},
                         {"depth", moved.depth}});
  events_.tell(Told::reorganised, LogLevel::warn, Component::node,
               "the head stands above a hole now: the blocks in it were not found in time",
               {{"number", moved.to.number},
                {"hash", moved.to.hash},
                {"was", moved.from.number},
                {"connected_from", moved.segments.back().lowest.number},
                {"depth", moved.depth},
                {"option", "--sync.patience"}});
}

void ChainLog::on(const sync::HoleChanged& event) {
  const std::size_t before = std::exchange(holes_, event.holes);
  if (event.holes < before)
    events_.tell(Told::hole, LogLevel::info, Component::sync, "a hole below the head is filled",
                 {{"holes_left", event.holes}});
  else if (event.lowest)
    events_.tell(Told::hole, LogLevel::warn, Component::sync, "blocks are missing below the head",
                 {{"connected_from", event.lowest->number}, {"holes", event.holes}});
}

void ChainLog::on(const sync::GapSourcesChanged& event) {
  if (event.can_ask)
    events_.tell(Told::hole, LogLevel::info, Component::sync, "a peer can be asked for missing blocks", {});
  else
    events_.tell(Told::hole, LogLevel::warn, Component::sync,
                 "blocks are missing, and no connected peer serves blocks; op-node serves them up to v1.19",
                 {{"option", "--p2p.static"}});
}

void ChainLog::on(const sync::ChainTrace& trace) {
  using Kind = sync::ChainTraceKind;
  switch (trace.kind) {
    case Kind::two_blocks:
      // A fail-over of the sequencer does this too.
      return events_.tell(Told::two_blocks, LogLevel::warn, Component::node, to_string(trace.kind),
                          {{"event_id", trace_id(trace.kind)},
                           {"number", trace.number},
                           {"kept", trace.kept},
                           {"other", trace.hash},
                           {"kept_from", trace.kept_from},
                           {"from", trace.peer}});
    case Kind::wrong_time: return on_wrong_time(trace);
    case Kind::damped:
    case Kind::refused:
    case Kind::denied:
    case Kind::denied_era:
    case Kind::overflow:
      return events_.tell(Told::waiting, LogLevel::warn, Component::node, to_string(trace.kind),
                          {{"event_id", trace_id(trace.kind)},
                           {"number", trace.number},
                           {"hash", trace.hash},
                           {"from", trace.peer},
                           {"reason", trace.text}});
    default:
      events_.log().debug(
          Component::node, to_string(trace.kind),
          {{"event_id", trace_id(trace.kind)}, {"number", trace.number}, {"hash", trace.hash}, {"from", trace.peer}});
  }
}

void ChainLog::on_wrong_time(const sync::ChainTrace& trace) {
  if (trace.in_a_row == kWrongInARow)
    events_.log().error(Component::node,
                        "no block has the time that the rollup configuration gives for its number; is it that of "
                        "another chain?",
                        {{"event_id", trace_id(trace.kind)},
                         {"in_a_row", trace.in_a_row},
                         {"block_time", rollup_.block_time},
                         {"observed_block_time", trace.observed_block_time},
                         {"last", trace.text},
                         {"option", "--rollup.config"}});
  else
    events_.tell(Told::wrong_time, LogLevel::warn, Component::node, to_string(trace.kind),
                 {{"event_id", trace_id(trace.kind)},
                  {"number", trace.number},
                  {"hash", trace.hash},
                  {"from", trace.peer},
                  {"reason", trace.text}});
}

}  // namespace opp2p
