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
                 [&](const sync::SyncTrace& trace) {
                   if (trace.kind == sync::SyncTraceKind::promoted) ++stats_.synced;
                 },
                 [&](const sync::BlockStored& stored) { head_clock_.set(stored.block.payload().timestamp); },
                 [](const auto&) {},
             },
             event);
}

}  // namespace opp2p
