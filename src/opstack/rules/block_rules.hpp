// Decides about one gossiped block: accept, reject or ignore, in the order of op-node's checks. A pure engine, one
// instance for each topic. The expensive part, examine(), is const, looks at nothing but the configuration and one
// flag, and may run on any thread, several at once; conclude() belongs to the network thread and adds what earlier
// messages decide: whose signature counts now, and which blocks were seen at a height. Verdicts are those of check()
// called in the order of the conclude() calls. Bounds: a message is at most 10 MiB decompressed; 1000 heights with six
// hashes each are remembered. Source: op-node surface, 5.5.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/lru_map.hpp"
#include "libp2p/base/time.hpp"
#include "opstack/chain/rollup_config.hpp"
#include "opstack/payload/payload.hpp"
#include "opstack/rules/message_id.hpp"
#include "opstack/rules/signing.hpp"

namespace opstack::rules {

using libp2p::Bytes;
using libp2p::Now;
using libp2p::Seconds;
using libp2p::SharedBytes;
using libp2p::UnixTime;
using payload::Version;

enum class Verdict : std::uint8_t { accept, reject, ignore };
std::string_view to_string(Verdict verdict);

// In the order of the checks.
enum class Reason : std::uint8_t {
  valid,
  invalid_snappy_length,
  decoded_length_too_large,
  undersized,
  invalid_snappy,
  no_signer_configured,
  invalid_signature,
  invalid_payload,  // of version 1 or 2
  invalid_envelope,
  too_old,
  too_new,
  bad_block_hash,
  unexpected_withdrawals,
  missing_withdrawals,
  non_empty_withdrawals,
  unexpected_blob_gas_used,
  unexpected_excess_blob_gas,
  missing_blob_gas_used,
  non_zero_blob_gas_used,
  missing_excess_blob_gas,
  non_zero_excess_blob_gas,
  missing_parent_beacon_block_root,
  missing_withdrawals_root,
  extra_rule,
  too_many_blocks_at_height,
  already_seen,
  internal_error,
};
inline constexpr std::size_t kReasonCount = static_cast<std::size_t>(Reason::internal_error) + 1;
// The reason in words: op-node's, where it has some.
std::string_view to_string(Reason reason);
// A word for metrics and counters: "bad_block_hash".
std::string_view reason_label(Reason reason);

// How long blocks of the previous signer still count after a rotation.
inline constexpr Seconds kSignerGracePeriod = std::chrono::hours(3);

// Whose blocks count. Held by the owner of the four topics' rules and changed on the network thread only.
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

struct BlockRulesConfig {
  chain::ChainId chain_id;
  Version version = Version::v1;
  std::optional<std::uint64_t> jovian_time;  // from then on blob gas used may be other than zero
  Seconds max_age{60};
  // A rule of the owner's own, after all others that need no memory: the text says why a block is refused. It must be
  // pure, as it runs wherever examine() does. What it throws is a reject.
  std::function<std::optional<std::string>(const payload::Envelope&)> extra_rule;
};

struct Outcome {
  Verdict verdict = Verdict::reject;
  Reason reason = Reason::internal_error;
  std::string detail;             // numbers and hashes of this message; may be empty
  std::optional<Address> signer;  // whose signature it is, when it is anybody's
  bool by_previous_signer = false;
  std::optional<payload::Hash> actual_block_hash;  // computed from the fields, where the checks came that far
  payload::SharedEnvelope envelope;                // what was decoded, also of a message that is rejected later
  SharedBytes contents;                            // decompressed: 65 bytes of signature, then the body

  // "payload is too old (timestamp 1744218401, now 1744218462, 60 s are allowed)"
  std::string text() const;
};

// What examine() found out. Opaque to all but conclude(), except for the signer.
struct Examined {
  UnixTime wall{};
  Outcome outcome;                // of the checks but 5, 6 and those that need memory
  bool before_signature = false;  // it failed one of the checks 1 to 4
  bool signer_counts = false;     // with the signers of then: so the checks from 7 on are made
};

// What takes the time of the checks from 7 on: the block and its hash.
struct DecodedBlock {
  payload::SharedEnvelope envelope;        // null when it could not be decoded
  Reason reason = Reason::internal_error;  // why not
  std::string detail;
  std::optional<payload::Hash> block_hash;  // computed when it is needed, if it is not here
};

// Checks 11 to 16 and the extra rule: whether the payload has what its version has, and nothing else. The SSZ of a
// version cannot even say most of what is refused here; an envelope that came as JSON can.
Outcome check_block_fields(const BlockRulesConfig& config, const payload::Envelope& envelope);

// The same by the rules of the fork at the block's timestamp, for a block that did not come by gossip.
Outcome check_block_fields(const chain::RollupConfig& rollup, const payload::Envelope& envelope);

class BlockRules {
 public:
  explicit BlockRules(BlockRulesConfig config);

  // Whether the signature of a message of so many bytes, decompressed, is expected to count, so that what follows may
  // be done before it is known: the last one did, and the message is not so long that its decoding could cost much in
  // vain.
  bool expects_to_count(std::size_t bytes) const {
    return bytes <= kMostOnTrust && hopeful_.load(std::memory_order_relaxed);
  }

  // The checks that need no memory, with the signers as they are now. `decompressed` may be what read_message() gave
  // for the same bytes, or null. A signature that is not expected to count is looked at before anything is decoded;
  // where one is, the body is hashed for it beside the block's own hash, which takes little longer than one of the two.
  // Does not throw.
  Examined examine(ByteView raw_message, const SharedBytes& decompressed, const SignerState& signers,
                   UnixTime wall) const;

  // The same in parts, the first two of which may run side by side: where signer_counts, complete() has to follow.
  // `contents` are those of a message that unpacks, signature and body. `with_hash`: also the hash, before it is known
  // whether the block's time is right. None of them throws.
  Examined examine_signature(ByteView raw_message, const SharedBytes& decompressed, const SignerState& signers,
                             UnixTime wall) const;
  DecodedBlock decode(ByteView contents, bool with_hash, libp2p::crypto::KeccakBeside* beside = nullptr) const;
  void complete(Examined& examined, const DecodedBlock& decoded) const;

  // The rest, in the order in which messages are to be judged. Ends the grace of the previous signer in `signers` where
  // the block is the current one's. Nothing when the signers have changed such that the examination stopped too early:
  // examine once more.
  std::optional<Outcome> conclude(Examined examined, SignerState& signers);

  // Both, for those who have one thread.
  Outcome check(ByteView raw_message, SignerState& signers, UnixTime wall, const SharedBytes& decompressed = nullptr);

  const BlockRulesConfig& config() const { return config_; }

 private:
  static constexpr std::size_t kMostOnTrust = 4 << 20;

  Examined unpacked(ByteView raw_message, const SharedBytes& decompressed, UnixTime wall) const;
  bool unpack(ByteView raw_message, const SharedBytes& decompressed, Outcome& out) const;
  void check_signature(Examined& examined, const Hash& payload_hash, const SignerState& signers) const;
  void check_block(Examined& examined, const DecodedBlock& decoded) const;
  void check_seen(Outcome& out);

  BlockRulesConfig config_;
  std::atomic<bool> hopeful_{false};  // the last signature counted
  libp2p::LruMap<std::uint64_t, std::vector<payload::Hash>> seen_;
};

}  // namespace opstack::rules
