#include "opp2p/observe/block_history.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/peer_text.hpp"

namespace opp2p {

using opstack::payload::Hash;
using opstack::rules::Verdict;

namespace {

constexpr std::uint64_t kMostSeconds = 1ULL << 33;  // a later timestamp counts as this one: nothing overflows

BlockRecord record_of(const opstack::payload::ExecutionPayload& block, libp2p::UnixTime seen) {
  BlockRecord out;
  out.number = block.block_number;
  out.hash = block.block_hash;
  out.parent_hash = block.parent_hash;
  out.timestamp = block.timestamp;
  out.first_seen = seen;
  out.late = seen - libp2p::from_unix_seconds(static_cast<std::int64_t>(std::min(out.timestamp, kMostSeconds)));
  return out;
}

}  // namespace

BlockHistory::~BlockHistory() = default;

void BlockHistory::on(const NodeEvent& event, libp2p::Now now) {
  std::visit([this, &now](const auto& kind) { tell(kind, now); }, event);
}

void BlockHistory::tell(const BlockJudged& event, libp2p::Now now) {
  const auto& verdict = event.verdict;
  const auto& outcome = verdict.outcome;
  if (!outcome.envelope) return;
  const auto& block = outcome.envelope->payload;
  if (outcome.reason == opstack::rules::Reason::already_seen) {
    if (Row* known = accepted_row(block.block_hash)) ++known->record.copies;
    return;
  }
  if (by_message_.contains(verdict.message_id)) return;
  const bool refused = outcome.verdict != Verdict::accept;
  if (refused && refused_at(block.block_number) >= limits_.refused_per_height) return count_crowded(block.block_number);
  // The network may bring a block that a gap source or the operator had brought before: the same record.
  if (Row* known = refused ? nullptr : accepted_row(block.block_hash)) {
    ++known->record.copies;
    return;
  }
  auto record = record_of(block, now.wall - verdict.took);
  record.source = verdict.local ? BlockRecord::Source::own : BlockRecord::Source::gossip;
  if (!verdict.local) record.from = verdict.from;
  record.verdict = outcome.verdict;
  record.reason = outcome.reason;
  record.detail = libp2p::peer_text(outcome.detail(), limits_.text_bytes);
  record.signer = outcome.signer;
  record.took = verdict.took;
  add(std::move(record), verdict.message_id, refused);
}

// The most frequent event.
void BlockHistory::tell(const opstack::gossip::CopyReceived& event, libp2p::Now) {
  const auto at = by_message_.find(event.id);
  if (at != by_message_.end()) ++records_.at(at->second).record.copies;
}

void BlockHistory::tell(const BlockPublished& event, libp2p::Now now) {
  if (accepted_row(event.block.payload.block_hash) != nullptr) return;
  auto record = record_of(event.block.payload, now.wall);
  record.source = BlockRecord::Source::own;
  add(std::move(record), {}, false);
}

void BlockHistory::tell(const opstack::sync::BlockStored& event, libp2p::Now now) {
  Row* row = accepted_row(event.block.hash());
  if (row == nullptr) {
    auto record = record_of(event.block.envelope->payload, now.wall);
    record.source = event.fetched ? BlockRecord::Source::fetched : BlockRecord::Source::unknown;
    record.from = event.from;
    row = &add(std::move(record), {}, false);
  }
  row->record.stored = now.wall;
  row->record.canonical = event.canonical;
  row->record.store_error.clear();
  if (event.canonical) row->record.orphan_reason.clear();
}

void BlockHistory::tell(const StoreRefused& event, libp2p::Now) {
  const auto [first, last] = by_number_.equal_range(event.number);
  for (auto at = first; at != last; ++at) {
    Row& row = records_.at(at->second);
    if (row.refused || row.record.stored) continue;
    row.record.store_error = libp2p::peer_text(event.why.message(), limits_.text_bytes);
    if (event.again) row.record.store_error += "; it is tried again";
  }
}

// Blocks above the fork are canonical no more, but for the branch that ends in the new head.
void BlockHistory::tell(const opstack::sync::HeadMoved& event, libp2p::Now) {
  const auto above = event.moved.fork ? *event.moved.fork + 1 : event.moved.to.number + 1;
  if (event.reorganises()) {
    for (auto at = by_number_.lower_bound(above); at != by_number_.end(); ++at) {
      BlockRecord& record = records_.at(at->second).record;
      if (!record.canonical) continue;
      record.canonical = false;
      record.orphan_reason = std::string(orphan_id(event.reason));
    }
  }
  Hash next = event.moved.to.hash;
  while (Row* row = accepted_row(next)) {
    if (row->record.canonical || !row->record.stored) break;
    row->record.canonical = true;
    row->record.orphan_reason.clear();
    next = row->record.parent_hash;
  }
}

// --- the tables ---

BlockHistory::Row* BlockHistory::accepted_row(const Hash& hash) {
  const auto [first, last] = by_hash_.equal_range(hash);
  for (auto at = first; at != last; ++at)
    if (Row& row = records_.at(at->second); !row.refused) return &row;
  return nullptr;
}

BlockHistory::Row& BlockHistory::add(BlockRecord record, const MessageId& message, bool refused) {
  auto& order = refused ? refused_ : accepted_;
  if (order.size() == (refused ? limits_.refused : limits_.accepted)) {
    erase(order.front());
    order.pop_front();
  }
  const Id id = next_++;
  order.push_back(id);
  by_hash_.emplace(record.hash, id);
  by_number_.emplace(record.number, id);
  if (!message.empty()) by_message_.emplace(message, id);
  Row& row = records_[id];
  row.record = std::move(record);
  row.message = message;
  row.refused = refused;
  return row;
}

void BlockHistory::erase(Id id) {
  const auto at = records_.find(id);
  const auto drop = [id](auto& index, const auto& key) {
    const auto [first, last] = index.equal_range(key);
    const auto found = std::find_if(first, last, [id](const auto& item) { return item.second == id; });
    OPP2P_ASSERT(found != last, "each record is in each index", id);
    index.erase(found);
  };
  drop(by_hash_, at->second.record.hash);
  drop(by_number_, at->second.record.number);
  if (!at->second.message.empty()) by_message_.erase(at->second.message);
  records_.erase(at);
}

std::size_t BlockHistory::refused_at(std::uint64_t number) const {
  const auto [first, last] = by_number_.equal_range(number);
  return static_cast<std::size_t>(
      std::count_if(first, last, [this](const auto& item) { return records_.at(item.second).refused; }));
}

void BlockHistory::count_crowded(std::uint64_t number) {
  ++crowded_[number];
  if (crowded_.size() > limits_.heights_counted) crowded_.erase(crowded_.begin());
}

std::vector<BlockRecord> BlockHistory::of_hash(const Hash& hash) const {
  std::vector<BlockRecord> out;
  const auto [first, last] = by_hash_.equal_range(hash);
  for (auto at = first; at != last; ++at) out.push_back(records_.at(at->second).record);
  return out;
}

std::vector<BlockRecord> BlockHistory::of_number(std::uint64_t number) const {
  std::vector<BlockRecord> out;
  const auto [first, last] = by_number_.equal_range(number);
  for (auto at = first; at != last; ++at) out.push_back(records_.at(at->second).record);
  return out;
}

std::uint64_t BlockHistory::crowded(std::uint64_t number) const {
  const auto at = crowded_.find(number);
  return at == crowded_.end() ? 0 : at->second;
}

void BlockHistory::check() const {
  OPP2P_ASSERT(accepted_.size() <= limits_.accepted && refused_.size() <= limits_.refused, "the records have a bound",
               accepted_.size(), refused_.size());
  OPP2P_ASSERT(accepted_.size() + refused_.size() == records_.size(), "each record has one place in an order",
               records_.size());
  OPP2P_ASSERT(by_hash_.size() == records_.size() && by_number_.size() == records_.size(),
               "each record is in each index", by_hash_.size(), by_number_.size());
  OPP2P_ASSERT(by_message_.size() <= records_.size(), "a message has one record", by_message_.size());
  OPP2P_ASSERT(crowded_.size() <= limits_.heights_counted, "the crowded heights have a bound", crowded_.size());
}

}  // namespace opp2p
