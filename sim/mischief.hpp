// Invalid block messages: a block signed by a stranger, one with a wrong hash, one from an hour ago, one in the layout
// of another version, and random bytes. Most are made with the sequencer's key, because most rules are checked only
// after a valid signature.
//
// Pure: time and randomness are inputs. Not thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "libp2p/crypto/secp256k1.hpp"
#include "opstack/testing/chain_builder.hpp"

namespace opp2p::sim {

using libp2p::Bytes;
using libp2p::ByteView;
using opstack::payload::Envelope;

enum class Mischief : std::uint8_t { bad_signature, wrong_hash, stale, wrong_version, garbage };
inline constexpr std::size_t kMischiefs = 5;
std::string_view to_string(Mischief kind);

struct BadMessage {
  std::string topic;
  Bytes data;
};

// Makes bad messages out of blocks of a chain of its own.
class MischiefMaker {
 public:
  MischiefMaker(opstack::testing::ChainOptions options, const libp2p::crypto::secp256k1::Secret& signer,
                libp2p::Rng& rng);
  // `now` in seconds since 1970. Every message is another one.
  BadMessage make(Mischief kind, std::uint64_t now);

 private:
  opstack::testing::ChainBuilder chain_;
  libp2p::crypto::secp256k1::Secret signer_;
  libp2p::crypto::secp256k1::Secret stranger_;
  libp2p::Rng& rng_;
};

}  // namespace opp2p::sim
