#include "opstack/sync/engine/unsafe_chain.hpp"

#include "libp2p/base/assert.hpp"

namespace opstack::sync {

std::string_view to_string(ChainTraceKind kind) {
  switch (kind) {
    case ChainTraceKind::queued: return "block queued above a gap";
    case ChainTraceKind::duplicate: return "block is known";
    case ChainTraceKind::below_head: return "block is below the head";
    case ChainTraceKind::conflict: return "two blocks at one height";
    case ChainTraceKind::unlinked: return "block does not follow the head";
    case ChainTraceKind::overflow: return "block dropped from the full queue";
    case ChainTraceKind::anchored: return "chain starts at the first accepted block";
  }
  return "unknown";
}

UnsafeChain::UnsafeChain(UnsafeChainConfig config, std::optional<BlockRef> head)
    : config_(config), head_(std::move(head)) {
  if (!head_) return;
  highest_seen_ = head_->number;
  recent_.push_back(head_->hash);
}

void UnsafeChain::trace(ChainTraceKind kind, const PeerId& peer, std::uint64_t number, const std::optional<Hash>& kept,
                        const Hash& other) {
  ChainTrace out;
  out.kind = kind;
  out.peer = peer;
  out.number = number;
  out.kept = kept;
  out.other = other;
  actions_.emplace_back(std::move(out));
}

std::optional<ChainAction> UnsafeChain::poll_action() {
  if (actions_.empty()) return std::nullopt;
  std::optional<ChainAction> out(std::move(actions_.front()));
  actions_.pop_front();
  return out;
}

bool UnsafeChain::on_block(const PeerId& peer, Block block) {
  const std::uint64_t number = block.number();
  highest_seen_ = std::max(highest_seen_, number);
  if (!head_) {
    trace(ChainTraceKind::anchored, peer, number, std::nullopt, block.hash());
    append(peer, std::move(block));
    connect_queued();
    return true;
  }
  if (number <= head_->number) {
    const std::uint64_t depth = head_->number - number;
    if (depth >= recent_.size()) {
      trace(ChainTraceKind::below_head, peer, number, std::nullopt, block.hash());
      return false;
    }
    const Hash& kept = recent_[recent_.size() - 1 - depth];
    trace(kept == block.hash() ? ChainTraceKind::duplicate : ChainTraceKind::conflict, peer, number, kept,
          block.hash());
    return false;
  }
  if (number - head_->number > 1) {
    const std::size_t before = queue_.size();
    enqueue(peer, std::move(block));
    return queue_.size() > before;
  }
  if (block.parent_hash() != head_->hash) {
    trace(ChainTraceKind::unlinked, peer, number, head_->hash, block.hash());
    return false;
  }
  append(peer, std::move(block));
  connect_queued();
  return true;
}

void UnsafeChain::append(const PeerId& peer, Block block) {
  OPP2P_ASSERT(!head_ || (block.number() == head_->number + 1 && block.parent_hash() == head_->hash),
               "what is appended follows the head", block.number());
  head_ = block.ref();
  recent_.push_back(block.hash());
  if (recent_.size() > kRemembered) recent_.pop_front();
  AppendBlock out;
  out.peer = peer;
  out.block = std::move(block);
  actions_.emplace_back(std::move(out));
}

void UnsafeChain::connect_queued() {
  while (!queue_.empty() && queue_.begin()->first <= head_->number + 1) {
    Queued entry = std::move(queue_.begin()->second);
    OPP2P_ASSERT(queued_bytes_ >= entry.block.memory_bytes(), "the queue counts the bytes of each block",
                 queued_bytes_);
    queued_bytes_ -= entry.block.memory_bytes();
    queue_.erase(queue_.begin());
    const std::uint64_t number = entry.block.number();
    OPP2P_ASSERT(number == head_->number + 1, "queued blocks are above a gap", number, head_->number);
    if (entry.block.parent_hash() == head_->hash) {
      append(entry.peer, std::move(entry.block));
    } else {
      trace(ChainTraceKind::unlinked, entry.peer, number, head_->hash, entry.block.hash());
    }
  }
}

void UnsafeChain::enqueue(const PeerId& peer, Block block) {
  const std::uint64_t number = block.number();
  if (const auto found = queue_.find(number); found != queue_.end()) {
    const Hash& kept = found->second.block.hash();
    trace(kept == block.hash() ? ChainTraceKind::duplicate : ChainTraceKind::conflict, peer, number, kept,
          block.hash());
    return;
  }
  trace(ChainTraceKind::queued, peer, number, std::nullopt, block.hash());
  queued_bytes_ += block.memory_bytes();
  Queued entry;
  entry.peer = peer;
  entry.block = std::move(block);
  queue_.emplace(number, std::move(entry));
  // The lowest stays whatever its size: it is the trusted end that the gap is filled from.
  while (queued_bytes_ > config_.max_bytes && queue_.size() > 1) {
    const auto highest = std::prev(queue_.end());
    trace(ChainTraceKind::overflow, highest->second.peer, highest->first, std::nullopt, highest->second.block.hash());
    queued_bytes_ -= highest->second.block.memory_bytes();
    queue_.erase(highest);
  }
  OPP2P_ASSERT(!queue_.empty(), "the lowest queued block stays whatever its size", number);
}

void UnsafeChain::rewind(const BlockRef& head) {
  if (!head_ || head.number > head_->number) return;
  const std::uint64_t back = head_->number - head.number;
  for (std::uint64_t i = 0; i < back && !recent_.empty(); ++i) recent_.pop_back();
  if (recent_.empty() || recent_.back() != head.hash) recent_.assign(1, head.hash);
  head_ = head;
}

void UnsafeChain::check() const {
  OPP2P_CHECK(head_.has_value() == !recent_.empty() && recent_.size() <= kRemembered,
              "the hashes of the head and of a bounded number below it are kept", recent_);
  OPP2P_CHECK(!head_ || (recent_.back() == head_->hash && highest_seen_ >= head_->number),
              "the head is the last of the hashes, and was seen", highest_seen_);
  OPP2P_CHECK(head_ || queue_.empty(), "the first block of an empty chain becomes its head", queue_);
  std::size_t bytes = 0;
  for (const auto& [number, queued] : queue_) {
    OPP2P_CHECK(queued.block.number() == number && number > head_->number + 1, "queued blocks are above a gap", number,
                head_->number);
    OPP2P_CHECK(number <= highest_seen_, "what is queued was seen", number, highest_seen_);
    bytes += queued.block.memory_bytes();
  }
  OPP2P_CHECK(bytes == queued_bytes_ && (bytes <= config_.max_bytes || queue_.size() == 1),
              "the queue is bounded in bytes, but for its lowest block", bytes, queued_bytes_, queue_);
}

std::optional<ChainGap> UnsafeChain::gap() const {
  if (!head_) return std::nullopt;
  ChainGap out;
  out.start = *head_;
  if (!queue_.empty()) out.end = queue_.begin()->second.block.ref();
  return out;
}

}  // namespace opstack::sync
