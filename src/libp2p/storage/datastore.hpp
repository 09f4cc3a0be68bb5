// Datastore: the seam between what a host remembers and the place where it lies. Keys are texts in the form of a path
// ("/peers/scores/…"), values are bytes. There is one in memory (memory_datastore.hpp), and one on LMDB in a component
// of its own (lmdb/lmdb_datastore.hpp), which a user of the library links only when it wants it.
//
// A change is durable when apply() has answered: code that must not wait for a disk calls it from a worker. Code that
// changes much and often gathers its changes first (batch_writer.hpp).
//
// Thread: any; calls of several threads exclude each other where they must. Re-entrancy: what scan() calls must not
// call the datastore. Bounds: kMaxKey, kMaxValue, and those of the place; Errc::exhausted when it is full, Errc::io
// with the reason for what the disk refuses.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"

namespace libp2p::storage {

// The longest key and the longest value that every datastore takes, in bytes.
inline constexpr std::size_t kMaxKey = 480;
inline constexpr std::size_t kMaxValue = 1 << 20;

struct Change {
  std::string key;
  std::optional<Bytes> value;  // nothing: the key is erased
};

class Datastore {
 public:
  virtual ~Datastore() = default;

  // A key that no change can have is not there. Errc::malformed when the disk has changed the value.
  virtual Result<std::optional<Bytes>> get(std::string_view key) const = 0;
  // Calls `visit` with every key that begins with `prefix`, in the order of their bytes, until it answers false. Key
  // and value are valid until it returns. All are of one moment. A value that the disk has changed is not visited: its
  // key is given to `on_damaged`, in its place in the order. Without `on_damaged` the scan visits all others and then
  // answers Errc::malformed.
  using Visit = std::function<bool(std::string_view key, ByteView value)>;
  using OnDamaged = std::function<void(std::string_view key, const Error& why)>;
  virtual Result<void> scan(std::string_view prefix, const Visit& visit, const OnDamaged& on_damaged) const = 0;
  Result<void> scan(std::string_view prefix, const Visit& visit) const;
  // All of the changes in their order, or none and the error. To erase what is not there is no error.
  // Errc::invalid_argument for a key that is empty or longer than kMaxKey, Errc::too_large for a value longer than
  // kMaxValue.
  virtual Result<void> apply(std::span<const Change> changes) = 0;
};

// Whether apply() takes these. For implementations, and for code that gathers changes.
Result<void> check_change(const Change& change);
Result<void> check_changes(std::span<const Change> changes);

}  // namespace libp2p::storage
