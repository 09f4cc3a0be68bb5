// A datastore in memory that fails when it is told to, and notes what it was asked to write.
#pragma once

#include <vector>

#include "libp2p/storage/memory_datastore.hpp"

namespace libp2p::storage {

class FaultyDatastore final : public Datastore {
 public:
  Result<std::optional<Bytes>> get(std::string_view key) const override {
    if (reads_fail) return fail(Errc::io, "the disk does not read");
    return store.get(key);
  }
  Result<void> scan(std::string_view prefix, const Visit& visit) const override {
    if (reads_fail) return fail(Errc::io, "the disk does not read");
    return store.scan(prefix, visit);
  }
  Result<void> apply(std::span<const Change> changes) override {
    batches.emplace_back(changes.begin(), changes.end());
    if (failures > 0) {
      --failures;
      return fail(Errc::io, "the disk is full");
    }
    return store.apply(changes);
  }
  std::string text(std::string_view key) const {
    const auto found = store.get(key).value();
    return found ? std::string(as_text(*found)) : "none";
  }

  MemoryDatastore store;
  std::vector<std::vector<Change>> batches;  // each that was tried
  std::size_t failures = 0;                  // calls of apply() that fail from now on
  bool reads_fail = false;
};

}  // namespace libp2p::storage
