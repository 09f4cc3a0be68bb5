#include "opp2p/node/block_counter.hpp"

namespace opp2p {
namespace sync = opstack::sync;

void BlockCounter::on(const NodeEvent& event, libp2p::Now now) {
  std::visit(libp2p::Overloaded{
                 [&](const NodeStarting& starting) {
                   if (starting.head_timestamp) head_clock_.set(*starting.head_timestamp);
                 },
                 [&](const BlockJudged& judged) { stats_.count(judged.verdict, now.wall); },
                 [&](const BlockPublished&) { ++stats_.published; },
                 [&](const sync::BlockStored& stored) {
                   if (stored.fetched) ++stats_.synced;
                   if (!stored.fetched) head_clock_.set_wrong_times(0, std::nullopt);
                   if (stored.is_head) head_clock_.set(stored.block.payload().timestamp);
                 },
                 [&](const sync::ChainTrace& trace) {
                   ++stats_.chain_events[trace.kind];
                   if (trace.kind == sync::ChainTraceKind::wrong_time)
                     head_clock_.set_wrong_times(trace.in_a_row, trace.observed_block_time);
                 },
                 [&](const sync::HeadMoved& head) {
                   head_clock_.set(head.timestamp);
                   if (!head.reorganises()) return;
                   ++stats_.reorganisations;
                   const auto& moved = head.moved;
                   stats_.last_reorganisation = {moved.from, moved.to, moved.fork, moved.depth, orphan_id(head.reason),
                                                 now.wall};
                 },
                 [](const auto&) {},
             },
             event);
}

}  // namespace opp2p
