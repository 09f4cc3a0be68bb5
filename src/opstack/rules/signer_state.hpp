// Whose signature counts: the current signer, and for a time after a rotation the one before it. A plain value. Owner:
// whoever holds the block rules of a chain; changed on the network thread only, copied by whoever reads it elsewhere.
// Source: op-node surface, 5.5 (line 6) and 5.8.
#pragma once

#include <optional>

#include "libp2p/base/time.hpp"
#include "opstack/rules/signing.hpp"

namespace opstack::rules {

using libp2p::Seconds;
using libp2p::UnixTime;

// How long blocks of the previous signer still count after a rotation.
inline constexpr Seconds kSignerGracePeriod = std::chrono::hours(3);

struct SignerState {
  std::optional<Address> current;  // none and the zero address mean the same: nothing can be verified
  std::optional<Address> previous;
  UnixTime previous_until{};

  // A new signer: the one before it keeps its grace. Only one previous signer is remembered. No change, no effect.
  void rotate(std::optional<Address> next, UnixTime now);
  // A block of the current signer was verified: the grace ends.
  void confirm_current() { previous.reset(); }

  bool configured() const { return current && *current != Address{}; }
  bool is_current(const Address& signer) const { return configured() && signer == *current; }
  bool is_previous(const Address& signer, UnixTime now) const {
    return configured() && previous && *previous != Address{} && signer == *previous && now < previous_until;
  }
  bool allows(const Address& signer, UnixTime now) const { return is_current(signer) || is_previous(signer, now); }

  friend bool operator==(const SignerState&, const SignerState&) = default;
};

}  // namespace opstack::rules
