// Who may and who must sign messages (specification pubsub, "Message Signing"): the four policies, what a message must
// have under each, and the keys behind a seam. The signature is over "libp2p-pubsub:" and the message without its
// signature and key, as go-libp2p-pubsub and rust-libp2p have it: the text would keep the key in.
//
// Stateless but for KeySignatures, which counts its own messages. Thread: the router's. A signature is made, or
// verified, in the router's call: the router verifies only what is new and has room at the validator.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/crypto/keys.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/protocols/gossipsub/rpc.hpp"
#include "libp2p/protocols/gossipsub/scores.hpp"

namespace libp2p::gossipsub {

enum class SignaturePolicy : std::uint8_t {
  strict_no_sign,  // nobody names an author; a message that does is rejected
  strict_sign,     // everybody signs; a message without author, number or signature is rejected
  lax_sign,        // legacy, insecure: we sign, and take unsigned messages too
  lax_no_sign,     // legacy, insecure: we do not sign, and take signed messages too
};

constexpr bool makes_signatures(SignaturePolicy policy) {
  return policy == SignaturePolicy::strict_sign || policy == SignaturePolicy::lax_sign;
}

// By topic; all peers in a topic have to agree.
struct SignaturePolicies {
  SignaturePolicy standard = SignaturePolicy::strict_no_sign;
  std::map<std::string, SignaturePolicy, std::less<>> topics = {};  // other topics have the standard one

  SignaturePolicy of(std::string_view topic) const;
  bool need_keys() const;
};

// What a message lacks, or has too much, under the policy; nothing when it may go on. Its signature is not looked at.
std::optional<RejectCause> author_fault(SignaturePolicy policy, const Message& message);

// Of a message whose signature, if it has one, has been verified: who published it. Empty without a signature.
PeerId author_of(const Message& message);

// The author's fields of a message of our own.
struct Authorship {
  Bytes from;
  Bytes seqno;
  Bytes signature;
  Bytes key;  // empty when `from` holds the key whole
};

class Signatures {
 public:
  virtual ~Signatures() = default;
  virtual const PeerId& self() const = 0;
  virtual Result<Authorship> sign(std::string_view topic, ByteView data) = 0;
  // Errc::mismatch, or what is wrong with the author or its key. The message has a signature.
  virtual Result<void> verify(const Message& message) const = 0;
};

class KeySignatures final : public Signatures {
 public:
  // Sequence numbers begin after `last_seqno` and grow; after a restart they have to be greater than before, so that
  // peers do not take new messages for old ones. go-libp2p-pubsub begins with the time in nanoseconds.
  KeySignatures(crypto::PrivateKey key, std::uint64_t last_seqno);

  const PeerId& self() const override { return self_; }
  Result<Authorship> sign(std::string_view topic, ByteView data) override;
  Result<void> verify(const Message& message) const override;

 private:
  crypto::PrivateKey key_;
  PeerId self_;
  std::uint64_t last_seqno_;
};

}  // namespace libp2p::gossipsub
