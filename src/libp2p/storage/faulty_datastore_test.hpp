// A datastore in memory that fails when it is told to, and notes what it was asked to write.
#pragma once

#include <algorithm>
#include <set>
#include <vector>

#include "libp2p/storage/memory_datastore.hpp"

namespace libp2p::storage {

class FaultyDatastore final : public Datastore {
 public:
  Result<std::optional<Bytes>> get(std::string_view key) const override {
    if (reads_fail) return fail(Errc::io, "the disk does not read");
    if (damaged.contains(key)) return damage_of(key);
    return store.get(key);
  }
  using Datastore::scan;
  Result<void> scan(std::string_view prefix, const Visit& visit, const OnDamaged& on_damaged) const override {
    if (reads_fail) return fail(Errc::io, "the disk does not read");
    const auto visit_sound = [&](std::string_view key, ByteView value) {
      if (!damaged.contains(key)) return visit(key, value);
      on_damaged(key, damage_of(key));
      return true;
    };
    return store.scan(prefix, visit_sound, on_damaged);
  }
  Result<void> apply(std::span<const Change> changes) override {
    batches.emplace_back(changes.begin(), changes.end());
    if (failures > 0) {
      --failures;
      return fail(Errc::io, "the disk is full");
    }
    if (is_full && std::any_of(changes.begin(), changes.end(), [](const Change& one) { return one.value.has_value(); }))
      return fail(Errc::exhausted, "the datastore is full");
    for (const Change& change : changes) damaged.erase(change.key);
    return store.apply(changes);
  }
  static Error damage_of(std::string_view key) { return fail(Errc::malformed, "the disk changed " + std::string(key)); }
  std::string text(std::string_view key) const {
    const auto found = store.get(key).value();
    return found ? std::string(as_text(*found)) : "none";
  }

  MemoryDatastore store;
  std::vector<std::vector<Change>> batches;  // each that was tried
  std::size_t failures = 0;                  // calls of apply() that fail from now on
  bool reads_fail = false;
  bool is_full = false;                        // it takes only what erases
  std::set<std::string, std::less<>> damaged;  // keys whose values the disk has changed, until they are written
};

}  // namespace libp2p::storage
