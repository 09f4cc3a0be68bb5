#include "opp2p/observe/sync_log.hpp"

#include <utility>

namespace opp2p {
namespace sync = opstack::sync;

void SyncLog::on(const sync::BlockStored& event) {
  const auto& from = event.from;
  const auto& block = event.block;
  if (std::exchange(told_of_store_, std::nullopt))
    events_.tell(Told::store_recovered, LogLevel::info, Component::store, "the store keeps blocks again",
                 {{"number", block.number()}});
  if (!events_.log().enabled(Component::node, event.is_head ? LogLevel::info : LogLevel::debug)) return;
  if (!event.is_head) {
    events_.log().debug(Component::node, "block stored",
                        {{"number", block.number()}, {"hash", block.hash()}, {"canonical", event.canonical}});
    return;
  }
  events_.log().info(Component::node, "new unsafe head",
                     {{"number", block.number()},
                      {"hash", block.hash()},
                      {"txs", block.payload().transactions.size()},
                      {"from", from == self_ ? "self" : from.to_base58()}});
}

// A disk that stays full refuses every block: said at intervals for as long as it lasts, and once when it is over.
void SyncLog::on(const StoreRefused& event) {
  ++store_refused_;
  const auto now = events_.now();
  if (told_of_store_ && now - *told_of_store_ < kStoreErrorInterval) return;
  told_of_store_ = now;
  events_.log().error(Component::store, "the store cannot keep a block",
                      {{"number", event.number}, {"error", event.why}, {"since_start", store_refused_}});
}

void SyncLog::on(const sync::SyncTrace& trace) {
  using Kind = sync::SyncTraceKind;
  const std::initializer_list<Field> fields = {{"peer", trace.peer}, {"number", trace.number}, {"text", trace.text}};
  switch (trace.kind) {
    case Kind::range_requested:
    case Kind::range_left_open: return on_range_requested(trace);
    case Kind::range_filled: return on_range_closed(trace.number);
    case Kind::wrong_time:
    case Kind::broken_rule:
      return events_.tell(Told::broken_rule, LogLevel::warn, Component::sync, to_string(trace.kind),
                          {{"number", trace.number}, {"reason", trace.text}});
    case Kind::no_free_peer:
    case Kind::no_peer_has_block:
      if (range_) range_->waits_for = trace.kind;
      break;
    case Kind::promoted:
      if (range_) {
        ++range_->fetched;
        range_->waits_for.reset();
      }
      break;
    default: break;
  }
  events_.log().debug(Component::sync, to_string(trace.kind), fields);
}

// Comes with every look at the gap. Without an end there is none, and that is the normal state between two blocks.
void SyncLog::on_range_requested(const sync::SyncTrace& trace) {
  if (!trace.end) {
    if (range_) on_range_closed(trace.start);
    return events_.log().debug(Component::sync, "no gap", {{"head", trace.start}});
  }
  const auto now = events_.now();
  const bool left_open = trace.kind == sync::SyncTraceKind::range_left_open;
  const std::string_view option = left_open ? "--p2p.sync.req-resp" : "";
  const std::initializer_list<Field> fields = {
      {"start", trace.start}, {"end", *trace.end}, {"size", trace.size}, {"option", option}};
  const auto level = left_open ? LogLevel::warn : LogLevel::info;
  const bool begins = !range_;
  if (begins) {
    range_ = Range();
    range_->begun = now;
    range_->told_idle = left_open;
  }
  // Nobody has the blocks, or nobody serves them.
  const bool stalled = range_->waits_for && range_->fetched == range_->told_fetched;
  const bool idle = left_open || stalled;
  if (!begins && now - range_->told < (idle && range_->told_idle ? kNoProgress : kProgress))
    return events_.log().debug(Component::sync, to_string(trace.kind), fields);
  range_->told = now;
  range_->told_fetched = range_->fetched;
  range_->told_idle = idle;
  const std::string_view waits_for = range_->waits_for ? to_string(*range_->waits_for) : std::string_view();
  if (begins || left_open) return events_.tell(Told::sync_range, level, Component::sync, to_string(trace.kind), fields);
  if (idle)
    return events_.tell(Told::sync_range, LogLevel::warn, Component::sync, "range is not filled",
                        {{"start", trace.start},
                         {"end", *trace.end},
                         {"missing", trace.size},
                         {"fetched", range_->fetched},
                         {"for", now - range_->begun},
                         {"reason", waits_for},
                         {"option", "--p2p.static"}});
  events_.tell(Told::sync_range, LogLevel::info, Component::sync, "range is being filled",
               {{"start", trace.start},
                {"end", *trace.end},
                {"missing", trace.size},
                {"fetched", range_->fetched},
                {"for", now - range_->begun},
                {"waits_for", waits_for}});
}

void SyncLog::on_range_closed(std::optional<std::uint64_t> number) {
  const auto range = std::exchange(range_, std::nullopt);
  std::optional<std::uint64_t> fetched;
  std::optional<libp2p::Nanos> took;
  if (range) {
    fetched = range->fetched;
    took = events_.now() - range->begun;
  }
  events_.tell(Told::sync_range, LogLevel::info, Component::sync, to_string(sync::SyncTraceKind::range_filled),
               {{"number", number}, {"fetched", fetched}, {"took", took}});
}

void SyncLog::on(const sync::SyncFault& fault) {
  events_.tell(Told::sync_fault, LogLevel::warn, Component::sync, "a peer sent what no honest peer sends",
               {{"peer", fault.peer},
                {"fault", fault_id(fault.kind)},
                {"kind", to_string(fault.kind)},
                {"number", fault.number},
                {"evidence", fault.evidence}});
}

void SyncLog::on(const sync::ServedRequest& request) {
  if (!events_.log().enabled(Component::sync, LogLevel::debug)) return;
  const bool served = request.completed && request.code == 0;
  events_.log().debug(Component::sync, served ? "served a block" : "did not serve a block",
                      {{"peer", request.peer},
                       {"number", request.number},
                       {"code", request.code},
                       {"bytes", request.bytes},
                       {"took_us", request.took.count() / 1000},
                       {"reason", request.why}});
}

}  // namespace opp2p
