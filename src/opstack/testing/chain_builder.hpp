// Makes the local chain of `opp2p devnet`: blocks as a sequencer would publish them, with the deposit that opens every
// OP Stack block, validly signed EIP-1559 transactions up to a wished size, base fees by the rule, correct transaction
// and receipt tries and block hashes, in the form of the chosen fork. There is no execution engine behind it: the state
// root is a digest that follows from the block before, and each transaction is taken to use its intrinsic gas.
//
// Pure: the same seed and options give the same chain. Not thread-safe.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "libp2p/base/rng.hpp"
#include "libp2p/crypto/secp256k1.hpp"
#include "opstack/chain/fork.hpp"
#include "opstack/payload/payload.hpp"

namespace opstack::testing {

using libp2p::Bytes;
using libp2p::ByteView;
using opstack::payload::Envelope;

using chain::Fork;

// The forks that change a block's form. Those between them (Delta, Fjord, Granite, Holocene) come with the next one
// named here.
inline constexpr Fork kBlockForks[] = {Fork::bedrock, Fork::canyon, Fork::ecotone, Fork::isthmus, Fork::jovian};
// One of kBlockForks; nothing for another name.
std::optional<Fork> block_fork_from_string(std::string_view name);
// The payload version of a fork's blocks; `fork` is one of kBlockForks.
opstack::payload::Version version_of(Fork fork);

struct ChainOptions {
  std::uint64_t chain_id = 901;
  Fork fork = Fork::isthmus;
  std::uint64_t genesis_time = 0;  // seconds since 1970
  std::uint64_t block_time = 2;    // seconds
  std::size_t block_size = 4096;   // bytes of transactions, about; the deposit is always there
};

class ChainBuilder {
 public:
  // Draws the keys of the senders from `rng`.
  ChainBuilder(ChainOptions options, libp2p::Rng& rng);

  const ChainOptions& options() const { return options_; }
  const Envelope& genesis() const { return genesis_; }
  // The next block on top of the last one (the first on top of genesis), with the timestamp that its number demands.
  Envelope next();
  // The last block; genesis before the first.
  const Envelope& head() const { return head_; }
  // A builder can be copied. A copy that diverges makes other blocks than the original from here on, and than copies
  // with another salt.
  void diverge(std::uint64_t salt);

  // The rollup configuration that nodes of this chain need, in op-node's form.
  boost::json::object rollup_config() const;

 private:
  Bytes deposit(const Envelope& block) const;
  void fill(Envelope& block);
  Bytes transfer(std::size_t sender, std::size_t data_size, ByteView filler);
  void seal(Envelope& block) const;

  ChainOptions options_;
  std::vector<libp2p::crypto::secp256k1::Secret> senders_;
  std::vector<libp2p::crypto::secp256k1::Address> addresses_;
  std::vector<std::uint64_t> nonces_;
  libp2p::SeededRng filler_;
  Envelope genesis_;
  Envelope head_;
};

}  // namespace opstack::testing
