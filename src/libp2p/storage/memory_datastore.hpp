// A Datastore in memory: for a host that forgets when its process ends, and for tests. Owner: whoever makes it. Thread:
// any. Bounds: MemoryDatastore's `max_bytes` of keys and values, with kEntryCost for each; Errc::exhausted beyond it.
#pragma once

#include <map>
#include <mutex>

#include "libp2p/storage/datastore.hpp"

namespace libp2p::storage {

class MemoryDatastore final : public Datastore {
 public:
  static constexpr std::size_t kMaxBytes = 64 << 20;
  static constexpr std::size_t kEntryCost = 128;  // of the table's row, beside its bytes

  explicit MemoryDatastore(std::size_t max_bytes = kMaxBytes) : max_bytes_(max_bytes) {}

  Result<std::optional<Bytes>> get(std::string_view key) const override;
  using Datastore::scan;
  Result<void> scan(std::string_view prefix, const Visit& visit, const OnDamaged& on_damaged) const override;
  Result<void> apply(std::span<const Change> changes) override;

  std::size_t bytes() const;
  std::size_t entries() const;

 private:
  std::size_t bytes_after(std::span<const Change> changes) const;

  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  std::map<std::string, Bytes, std::less<>> entries_;
  std::size_t bytes_ = 0;
};

}  // namespace libp2p::storage
