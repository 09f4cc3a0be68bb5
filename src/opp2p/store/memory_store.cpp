#include "opp2p/store/memory_store.hpp"

#include "libp2p/base/assert.hpp"

namespace opp2p {
namespace {

Error disk_error() { return Error(Errc::io, "the disk refused (a test asked for it)"); }

}  // namespace

// ---- MemoryStore ----

void MemoryStore::answer(Done done, Result<void> outcome) const {
  post_([done = std::move(done), outcome = std::move(outcome)] {
    if (done) done(outcome);
  });
}

void MemoryStore::put(StoredBlock block, Done done) {
  Result<void> outcome = try_put(std::move(block));
  answer(std::move(done), std::move(outcome));
}

Result<void> MemoryStore::try_put(StoredBlock block) {
  const std::lock_guard lock(mutex_);
  if (closed_) return Error(Errc::closed, "the block store is closed");
  const std::string name = "block " + std::to_string(block.number);
  if (!blocks_.empty() && block.number <= blocks_.rbegin()->first) {
    const auto found = blocks_.find(block.number);
    if (found == blocks_.end()) return Error(Errc::mismatch, name + " is below what the store keeps");
    if (found->second.hash == block.hash) return {};
    return Error(Errc::mismatch, name + ": another one is kept at this height, the first of the two");
  }
  if (!blocks_.empty()) {
    const auto& head = blocks_.rbegin()->second;
    if (block.number != head.number + 1 || block.parent_hash != head.hash)
      return Error(Errc::mismatch,
                   name + " does not connect to the head of the store, block " + std::to_string(head.number));
  }
  bytes_ += block.body.size();
  hashes_.emplace(block.hash, block.number);
  const std::uint64_t number = block.number;
  blocks_.emplace(number, std::move(block));
  while (bytes_ > chain_share(max_bytes_) && blocks_.size() > 1) {
    const auto& oldest = blocks_.begin()->second;
    bytes_ -= oldest.body.size();
    hashes_.erase(oldest.hash);
    blocks_.erase(blocks_.begin());
    ++pruned_;
  }
  fit_staged();
  return {};
}

Result<std::optional<StoredBlock>> MemoryStore::by_number(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto found = blocks_.find(number);
  return found == blocks_.end() ? std::optional<StoredBlock>() : found->second;
}

Result<std::optional<StoredBlock>> MemoryStore::by_hash(const Hash& hash) const {
  const std::lock_guard lock(mutex_);
  const auto found = hashes_.find(hash);
  return found == hashes_.end() ? std::optional<StoredBlock>() : blocks_.at(found->second);
}

Result<StoreSummary> MemoryStore::summary() const {
  const std::lock_guard lock(mutex_);
  StoreSummary out;
  out.blocks = blocks_.size();
  out.bytes = bytes_ + staged_bytes_;
  out.staged = staging_.size();
  out.pruned = pruned_;
  if (blocks_.empty()) return out;
  out.lowest = blocks_.begin()->first;
  out.head = blocks_.rbegin()->second;
  out.head->body = {};
  return out;
}

Result<void> MemoryStore::for_each(std::uint64_t from, std::uint64_t to,
                                   const std::function<bool(const StoredBlock&)>& visit) const {
  while (from <= to) {
    std::optional<StoredBlock> block;
    {
      const std::lock_guard lock(mutex_);
      const auto found = blocks_.lower_bound(from);
      if (found == blocks_.end() || found->first > to) return {};
      block = found->second;
    }
    if (!visit(*block) || block->number == UINT64_MAX) return {};
    from = block->number + 1;
  }
  return {};
}

void MemoryStore::stage(std::uint64_t segment, StagedRecord record, Done done) {
  Result<void> outcome = try_stage(segment, std::move(record));
  answer(std::move(done), std::move(outcome));
}

Result<void> MemoryStore::try_stage(std::uint64_t segment, StagedRecord record) {
  const std::lock_guard lock(mutex_);
  if (closed_) return Error(Errc::closed, "the block store is closed");
  const std::pair key(segment, record.block.number);
  if (const auto before = staging_.find(key); before != staging_.end()) erase_staged(before);
  staged_bytes_ += record.block.body.size();
  staging_.emplace(key, std::move(record));
  const std::uint64_t used = bytes_ + staged_bytes_;
  fit_staged();
  if (staging_.contains(key)) return {};
  return no_room_to_stage(key.second, used, max_bytes_);
}

void MemoryStore::fit_staged() {
  while (bytes_ + staged_bytes_ > max_bytes_ && staging_.size() > 1) erase_staged(first_to_evict());
}

// A staged block that is in the chain already, else the one with the highest number.
MemoryStore::Staging::iterator MemoryStore::first_to_evict() {
  auto out = staging_.begin();
  for (auto at = staging_.begin(); at != staging_.end(); ++at) {
    if (!blocks_.empty() && at->first.second <= blocks_.rbegin()->first) return at;
    if (at->first.second > out->first.second) out = at;
  }
  return out;
}

void MemoryStore::erase_staged(Staging::iterator at) {
  staged_bytes_ -= at->second.block.body.size();
  staging_.erase(at);
}

Result<std::vector<StagedRecord>> MemoryStore::read_staged(std::uint64_t segment, std::uint64_t from,
                                                           std::size_t max_blocks, std::size_t max_bytes) const {
  const std::lock_guard lock(mutex_);
  std::vector<StagedRecord> out;
  std::size_t bytes = 0;
  for (std::uint64_t number = from; out.size() < max_blocks && bytes < max_bytes; ++number) {
    const auto found = staging_.find({segment, number});
    if (found == staging_.end()) break;
    bytes += found->second.block.body.size();
    out.push_back(found->second);
  }
  return out;
}

void MemoryStore::drop_staged(std::uint64_t segment, Done done) {
  {
    const std::lock_guard lock(mutex_);
    for (auto at = staging_.lower_bound({segment, 0}); at != staging_.end() && at->first.first == segment;)
      erase_staged(at++);
  }
  answer(std::move(done), {});
}

void MemoryStore::check() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t bytes = 0;
  const StoredBlock* below = nullptr;
  for (const auto& [number, block] : blocks_) {
    const auto known = hashes_.find(block.hash);
    OPP2P_CHECK(block.number == number && known != hashes_.end() && known->second == number,
                "a block is found by number and by hash", number);
    OPP2P_CHECK(below == nullptr || (number == below->number + 1 && block.parent_hash == below->hash),
                "the chain is linked and has no hole", number);
    below = &block;
    bytes += block.body.size();
  }
  OPP2P_CHECK(hashes_.size() == blocks_.size(), "each block has one hash", hashes_, blocks_);
  OPP2P_CHECK(bytes == bytes_ && (bytes <= chain_share(max_bytes_) || blocks_.size() == 1),
              "the chain keeps to its share, but for its head", bytes, bytes_);
  std::uint64_t staged = 0;
  for (const auto& [key, record] : staging_) {
    OPP2P_CHECK(record.block.number == key.second, "a staged block stands under its number", key.second);
    staged += record.block.body.size();
  }
  OPP2P_CHECK(staged == staged_bytes_ && (bytes + staged <= max_bytes_ || staging_.size() <= 1),
              "chain and staging keep to the budget, but for one staged block", staged, staged_bytes_);
}

void MemoryStore::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

void MemoryStore::reopen() {
  const std::lock_guard lock(mutex_);
  staging_.clear();
  staged_bytes_ = 0;
  closed_ = false;
}

// ---- FaultyStore ----

void FaultyStore::write(Done done, std::function<void(Done)> perform) {
  if (failing_ > 0) {
    --failing_;
    post_([done = std::move(done)] {
      if (done) done(disk_error());
    });
  } else if (holding_) {
    held_.push_back([done = std::move(done), perform = std::move(perform)] { perform(done); });
  } else {
    perform(std::move(done));
  }
}

void FaultyStore::sync() {
  holding_ = false;
  while (!held_.empty()) {
    const auto perform = std::move(held_.front());
    held_.pop_front();
    perform();
  }
}

bool FaultyStore::read_fails() const {
  ++reads_;
  if (failing_reads_ == 0) return false;
  --failing_reads_;
  return true;
}

void FaultyStore::put(StoredBlock block, Done done) {
  write(std::move(done),
        [this, block = std::move(block)](Done inner_done) { inner_.put(block, std::move(inner_done)); });
}

void FaultyStore::stage(std::uint64_t segment, StagedRecord record, Done done) {
  write(std::move(done), [this, segment, record = std::move(record)](Done inner_done) {
    inner_.stage(segment, record, std::move(inner_done));
  });
}

void FaultyStore::drop_staged(std::uint64_t segment, Done done) {
  write(std::move(done), [this, segment](Done inner_done) { inner_.drop_staged(segment, std::move(inner_done)); });
}

Result<std::optional<StoredBlock>> FaultyStore::by_number(std::uint64_t number) const {
  if (read_fails()) return disk_error();
  return inner_.by_number(number);
}

Result<std::optional<StoredBlock>> FaultyStore::by_hash(const Hash& hash) const {
  if (read_fails()) return disk_error();
  return inner_.by_hash(hash);
}

Result<void> FaultyStore::for_each(std::uint64_t from, std::uint64_t to,
                                   const std::function<bool(const StoredBlock&)>& visit) const {
  if (read_fails()) return disk_error();
  return inner_.for_each(from, to, visit);
}

Result<std::vector<StagedRecord>> FaultyStore::read_staged(std::uint64_t segment, std::uint64_t from,
                                                           std::size_t max_blocks, std::size_t max_bytes) const {
  if (read_fails()) return disk_error();
  return inner_.read_staged(segment, from, max_blocks, max_bytes);
}

}  // namespace opp2p
