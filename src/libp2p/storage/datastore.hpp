// Datastore: the seam between what a host remembers and the place where it lies. Keys are texts with a path's form
// ("/peers/scores/…"), values are bytes. There is one in memory (memory_datastore.hpp), and one on LMDB in a folder of
// its own, which a user of the library links only when it wants it.
//
// A change is durable when apply() has answered: who must not wait for a disk calls it from a worker. Who changes much
// and often gathers its changes first (batch_writer.hpp).
//
// Thread: any; calls of several threads exclude each other. Re-entrancy: what scan() calls must not call the datastore.
// Bounds: those of the place; Errc::exhausted when it is full, Errc::io with the reason for what the disk refuses.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"

namespace libp2p::storage {

// The longest key that every datastore takes.
inline constexpr std::size_t kMaxKey = 480;

struct Change {
  std::string key;
  std::optional<Bytes> value;  // nothing: the key is erased
};

class Datastore {
 public:
  virtual ~Datastore() = default;

  virtual Result<std::optional<Bytes>> get(std::string_view key) const = 0;
  // Calls `visit` with every key that begins with `prefix`, in the order of their bytes, until it answers false. Key
  // and value are valid until it returns. All are of one moment.
  using Visit = std::function<bool(std::string_view key, ByteView value)>;
  virtual Result<void> scan(std::string_view prefix, const Visit& visit) const = 0;
  // All of the changes in their order, or none and the error. Errc::invalid_argument for a key that is empty or longer
  // than kMaxKey.
  virtual Result<void> apply(std::span<const Change> changes) = 0;
};

}  // namespace libp2p::storage
