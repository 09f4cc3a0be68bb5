#include "libp2p/storage/memory_datastore.hpp"

namespace libp2p::storage {
namespace {

std::size_t cost(std::string_view key, const Bytes& value) {
  return MemoryDatastore::kEntryCost + key.size() + value.size();
}

}  // namespace

Result<std::optional<Bytes>> MemoryDatastore::get(std::string_view key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() ? std::optional<Bytes>() : found->second;
}

Result<void> MemoryDatastore::scan(std::string_view prefix, const Visit& visit, const OnDamaged&) const {
  const std::lock_guard lock(mutex_);
  for (auto at = entries_.lower_bound(prefix); at != entries_.end() && at->first.starts_with(prefix); ++at)
    if (!visit(at->first, at->second)) break;
  return {};
}

// What counts is the last change of each key.
std::size_t MemoryDatastore::bytes_after(std::span<const Change> changes) const {
  std::map<std::string_view, const Change*> last;
  for (const Change& change : changes) last.insert_or_assign(change.key, &change);
  std::size_t bytes = bytes_;
  for (const auto& [key, change] : last) {
    if (const auto found = entries_.find(key); found != entries_.end()) bytes -= cost(key, found->second);
    if (change->value) bytes += cost(key, *change->value);
  }
  return bytes;
}

Result<void> MemoryDatastore::apply(std::span<const Change> changes) {
  OPP2P_TRYV(check_changes(changes));
  const std::lock_guard lock(mutex_);
  const std::size_t bytes = bytes_after(changes);
  if (bytes > max_bytes_ && bytes > bytes_)
    return fail(Errc::exhausted, "the datastore in memory is full: " + std::to_string(bytes) +
                                     " bytes are more than its bound of " + std::to_string(max_bytes_));
  for (const Change& change : changes) {
    if (change.value) {
      entries_.insert_or_assign(change.key, *change.value);
    } else {
      entries_.erase(change.key);
    }
  }
  bytes_ = bytes;
  return {};
}

std::size_t MemoryDatastore::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::size_t MemoryDatastore::entries() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace libp2p::storage
