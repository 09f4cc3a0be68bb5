// The parts that the examination of a gossiped block consists of. Each is a value that holds its inputs; run() gives
// its result and has no other effect. A part looks at nothing else, so parts may run in any order, on any thread, and
// side by side; only the contents have to be unpacked before the other two. What follows from the results is
// Examination's and BlockRules' affair (examination.hpp, block_rules.hpp); which thread runs a part is the caller's.
//
// Owner: who runs it; a part shares the configuration and the contents, and views the message. Thread: any. run() does
// not throw: what goes wrong inside is Reason::internal_error. Bounds: contents are at most kMaxGossipSize bytes.
// Source: op-node surface, 5.5.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "libp2p/base/time.hpp"
#include "opstack/chain/rollup_config.hpp"
#include "opstack/payload/payload.hpp"
#include "opstack/rules/message_id.hpp"
#include "opstack/rules/reason.hpp"
#include "opstack/rules/signing.hpp"

namespace opstack::rules {

using libp2p::Seconds;
using libp2p::SharedBytes;
using libp2p::UnixTime;
using payload::Version;

// A block whose time is further ahead than that is refused.
inline constexpr std::int64_t kMaxFutureSeconds = 5;

struct BlockRulesConfig {
  chain::ChainId chain_id;
  Version version = Version::v1;
  std::optional<std::uint64_t> jovian_time;  // from then on blob gas used may be other than zero
  Seconds max_age{60};
  // A rule of the owner's own, after all others that need no memory: the text says why a block is refused. It must be
  // pure: it runs on any thread, several times at once, and also for blocks whose signature then proves not to count.
  // What it throws is a reject.
  std::function<std::optional<std::string>(const payload::Envelope&)> extra_rule;
};

// What a part found: Reason::valid, or why the message is refused.
struct Finding {
  Reason reason = Reason::internal_error;
  Evidence evidence;
  bool passed() const { return reason == Reason::valid; }
};

// Lines 1 to 4: the message is a snappy block of a length that gossip carries.
struct Unpacked : Finding {
  SharedBytes contents;  // 65 bytes of signature, then the body; null when refused
};
struct UnpackPart {
  ByteView message;

  // Lines 1 to 3 alone, which cost nothing. `contents` may be what read_message() gave for the same bytes: then nothing
  // is left to do. Nothing is returned when the message has to be decompressed.
  std::optional<Unpacked> run_without_decompressing(const SharedBytes& contents) const;
  Unpacked run() const;
};

// Whose signature it is; whether that signer counts is for the conclusion. Reason::invalid_signature when it is
// nobody's.
struct RecoveredSigner : Finding {
  std::optional<Address> signer;
};
struct SignaturePart {
  chain::ChainId chain_id;
  SharedBytes contents;

  RecoveredSigner run() const;
  // The same for who has the body's hash.
  RecoveredSigner run_with(const Hash& payload_hash) const;
};

// Lines 7 to 16 and the extra rule: all that needs neither the signature nor memory. The hash is computed only when the
// time is right.
struct CheckedBlock : Finding {
  payload::SharedEnvelope envelope;       // null when the body could not be decoded
  std::optional<Hash> actual_block_hash;  // computed from the fields, where the checks came that far
  SharedBytes header;                     // the RLP that it is the hash of
};
struct BlockPart {
  std::shared_ptr<const BlockRulesConfig> config;
  SharedBytes contents;
  UnixTime wall{};

  CheckedBlock run() const;
};

struct SignatureAndBlock {
  RecoveredSigner signature;
  CheckedBlock block;
};
// Both parts of one message on this thread. The body, which is hashed for the signature, is hashed beside the block's
// own hash (libp2p/crypto/keccak_many.hpp), so the two hashes take little longer than one.
SignatureAndBlock run_together(const SignaturePart& signature, const BlockPart& block);

// Lines 11 to 16 and the extra rule, of an envelope.
Finding check_fields(const BlockRulesConfig& config, const payload::Envelope& envelope);

}  // namespace opstack::rules
