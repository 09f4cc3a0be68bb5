#include "libp2p/protocols/gossipsub/signatures.hpp"

#include <algorithm>

#include "libp2p/protocols/gossipsub/frame.hpp"

namespace libp2p::gossipsub {
namespace {

constexpr std::string_view kPrefix = "libp2p-pubsub:";
constexpr std::size_t kSeqnoSize = 8;

Bytes signed_bytes(const Message& message) {
  Message bare = message;
  bare.signature.reset();
  bare.key.reset();
  Bytes out = to_bytes(kPrefix);
  append(out, encode_message(bare));
  return out;
}

Result<crypto::PublicKey> key_of_author(const Message& message) {
  OPP2P_TRY(const PeerId author, PeerId::from_bytes(message.from.value_or(ByteView())));
  if (!message.key) {
    auto whole = author.public_key();
    if (!whole) return Error(Errc::malformed, "the message has no key, and its author's id does not hold one");
    return std::move(*whole);
  }
  OPP2P_TRY(auto key, crypto::PublicKey::from_protobuf(*message.key));
  if (!author.matches(key)) return Error(Errc::mismatch, "the key of the message is not its author's");
  return key;
}

}  // namespace

SignaturePolicy SignaturePolicies::of(std::string_view topic) const {
  const auto found = topics.find(topic);
  return found == topics.end() ? standard : found->second;
}

bool SignaturePolicies::need_keys() const {
  const auto needs = [](SignaturePolicy policy) { return policy != SignaturePolicy::strict_no_sign; };
  return needs(standard) || std::any_of(topics.begin(), topics.end(), [&](const auto& at) { return needs(at.second); });
}

std::optional<RejectCause> author_fault(SignaturePolicy policy, const Message& message) {
  switch (policy) {
    case SignaturePolicy::strict_no_sign:
      return message.anonymous() ? std::nullopt : std::optional(RejectCause::unexpected_author);
    case SignaturePolicy::strict_sign: {
      const bool whole = message.signature && message.from && message.seqno && message.seqno->size() == kSeqnoSize;
      return whole ? std::nullopt : std::optional(RejectCause::missing_signature);
    }
    case SignaturePolicy::lax_sign:
    case SignaturePolicy::lax_no_sign: break;
  }
  return std::nullopt;
}

PeerId author_of(const Message& message) {
  if (!message.signature) return {};
  auto author = PeerId::from_bytes(message.from.value_or(ByteView()));
  return author ? std::move(*author) : PeerId();
}

KeySignatures::KeySignatures(crypto::PrivateKey key, std::uint64_t last_seqno)
    : key_(std::move(key)), self_(PeerId::from_public_key(key_.public_key())), last_seqno_(last_seqno) {}

Result<Authorship> KeySignatures::sign(std::string_view topic, ByteView data) {
  Authorship out;
  out.from = to_bytes(self_.bytes());
  out.seqno.resize(kSeqnoSize);
  store_be64(out.seqno.data(), ++last_seqno_);
  Message message = anonymous_message(topic, data);
  message.from = ByteView(out.from);
  message.seqno = ByteView(out.seqno);
  OPP2P_TRY(out.signature, key_.sign(signed_bytes(message)));
  if (!self_.public_key()) out.key = key_.public_key().to_protobuf();
  return out;
}

Result<void> KeySignatures::verify(const Message& message) const {
  OPP2P_TRY(const auto key, key_of_author(message));
  return key.verify(signed_bytes(message), message.signature.value_or(ByteView()));
}

}  // namespace libp2p::gossipsub
