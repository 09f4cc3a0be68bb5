#include "opstack/rules/signer_state.hpp"

namespace opstack::rules {

void SignerState::rotate(std::optional<Address> next, UnixTime now) {
  if (next && *next == Address{}) next.reset();
  if (configured() ? next == current : !next) return;
  if (configured()) {
    previous = current;
    previous_until = now + kSignerGracePeriod;
  }
  current = next;
}

}  // namespace opstack::rules
