#include "libp2p/storage/datastore.hpp"

#include "libp2p/base/peer_text.hpp"

namespace libp2p::storage {

Result<void> check_change(const Change& change) {
  if (change.key.empty()) return fail(Errc::invalid_argument, "a key of a datastore is empty");
  if (change.key.size() > kMaxKey)
    return fail(Errc::invalid_argument, "a key of a datastore has " + std::to_string(change.key.size()) +
                                            " bytes, at most " + std::to_string(kMaxKey) +
                                            " are allowed: " + peer_text(change.key.substr(0, 80)) + "…");
  if (change.value && change.value->size() > kMaxValue)
    return fail(Errc::too_large, "the value of " + peer_text(change.key) + " has " +
                                     std::to_string(change.value->size()) + " bytes, at most " +
                                     std::to_string(kMaxValue) + " are allowed in a datastore");
  return {};
}

Result<void> check_changes(std::span<const Change> changes) {
  for (const Change& change : changes) OPP2P_TRYV(check_change(change));
  return {};
}

Result<void> Datastore::scan(std::string_view prefix, const Visit& visit) const {
  Result<void> first;
  const auto scanned = scan(prefix, visit, [&first](std::string_view, const Error& why) {
    if (first) first = why;
  });
  return scanned ? first : scanned;
}

}  // namespace libp2p::storage
