// The scalar values of a JSON object by their paths, as Go's encoding/json would put them into a struct: keys in any
// case, unknown ones passed over, null as if it were not there, of repeated ones the last. Numbers keep their text, so
// that they are read exactly (Boost's parser rounds). A value; any thread. Bounds: depth 32 (Boost's), kMostLeaves.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "libp2p/base/result.hpp"

namespace opstack::reputation {

class JsonLeaves {
 public:
  static constexpr std::size_t kMostLeaves = 1024;

  // Errc::malformed when it is no JSON object.
  static libp2p::Result<JsonLeaves> from_text(std::string_view text);

  // The value at a path ("peerScores.gossip.total") into `out`, which stays as it is when there is none.
  // Errc::malformed when it has another type or a parent of it is no object.
  libp2p::Result<void> assign(std::string_view path, double& out) const;
  libp2p::Result<void> assign(std::string_view path, std::int64_t& out) const;
  libp2p::Result<void> assign(std::string_view path, std::uint64_t& out) const;
  libp2p::Result<void> assign(std::string_view path, std::string& out) const;

 private:
  friend struct LeafHandler;
  enum class Kind : std::uint8_t { number, string, other };
  struct Leaf {
    Kind kind;
    std::string text;
  };
  libp2p::Result<const Leaf*> find(std::string_view path, Kind kind) const;
  template <typename Number>
  libp2p::Result<void> number_at(std::string_view path, Number& out) const;

  std::map<std::string, Leaf, std::less<>> leaves_;  // by path in lower case
};

}  // namespace opstack::reputation
