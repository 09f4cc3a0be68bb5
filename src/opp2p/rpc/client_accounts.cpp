#include "opp2p/rpc/client_accounts.hpp"

#include "libp2p/base/assert.hpp"

namespace opp2p {

ClientAccounts::ClientAccounts(std::size_t strangers, std::size_t with_token)
    : strangers_(std::make_shared<libp2p::MemoryAccount>(strangers)),
      with_token_(std::make_shared<libp2p::MemoryAccount>(with_token)) {}

void ClientAccounts::protect(std::string token) {
  OPP2P_ASSERT(!token.empty(), "a client without a token is never taken for one that has it");
  token_ = std::move(token);
}

// The time does not depend on where the two differ.
bool ClientAccounts::may_change(std::string_view token) const {
  if (!token_) return true;
  if (token.size() != token_->size()) return false;
  volatile unsigned char difference = 0;
  for (std::size_t i = 0; i < token.size(); ++i)
    difference = static_cast<unsigned char>(
        difference | (static_cast<unsigned char>(token[i]) ^ static_cast<unsigned char>((*token_)[i])));
  return difference == 0;
}

}  // namespace opp2p
