// Who wrote a message, and what it is called (specification pubsub, "Message Identification" and "Message Signing").
#include "libp2p/base/assert.hpp"
#include "libp2p/crypto/hash.hpp"
#include "libp2p/protocols/gossipsub/router.hpp"

namespace libp2p::gossipsub {

std::optional<Named> Router::name(const Message& message) const {
  const ByteView data = message.data.value_or(ByteView());
  if (config_.message_id) return config_.message_id(message.topic.value_or(std::string_view()), data);
  if (!message.from || !message.seqno) return Named(*MessageId::from(crypto::sha256(data)));
  Bytes both = to_bytes(*message.from);
  append(both, *message.seqno);
  const auto id = MessageId::from(both);
  return id ? std::optional(Named(*id)) : std::nullopt;
}

// Verifies the signature, if there is one. What says that it is ours has been published before we were started anew, or
// is forged: nobody can tell, so nobody is to blame.
std::optional<RejectCause> Router::check_author(const Message& message) const {
  if (message.signature && !config_.signatures->verify(message)) return RejectCause::invalid_signature;
  if (message.from && equal(*message.from, config_.signatures->self().bytes())) return RejectCause::self_origin;
  return std::nullopt;
}

void Router::refuse_author(Peer& peer, std::string_view topic, RejectCause cause, Now now) {
  scores_.on_rejected(peer.id, topic, {}, cause, now);
  trace(TraceKind::rejected, peer.id, topic).reason = cause;
  switch (cause) {
    case RejectCause::unexpected_author:
      ++counters_.unexpected_author;
      return fault(peer.id, FaultKind::unexpected_author);
    case RejectCause::missing_signature:
      ++counters_.missing_signature;
      return fault(peer.id, FaultKind::missing_signature);
    case RejectCause::invalid_signature:
      ++counters_.invalid_signature;
      admission_.refusals().add(peer.id, peer.admission.blocks, now.mono);  // it cost us work
      return fault(peer.id, FaultKind::invalid_signature);
    case RejectCause::too_large: ++counters_.too_large; return fault(peer.id, FaultKind::too_large_message);
    case RejectCause::blacklisted: ++counters_.authors_blacklisted; return;
    default: break;
  }
  OPP2P_ASSERT(cause == RejectCause::self_origin, "an author is refused for one of these causes", to_string(cause));
  ++counters_.self_origin;
}

// A message of our own: signed, if its topic wants it, and named.
Result<SharedMessage> Router::make_own(std::string_view topic, ByteView data, std::optional<Named>& named,
                                       PeerId& author) {
  Message message = anonymous_message(topic, data);
  Authorship fields;
  const auto check_size = [&]() -> Result<void> {
    const std::size_t most = max_message_of(topic);
    if (message_frame_size(message) <= most) return {};
    return Error(Errc::too_large, "a message of " + std::to_string(data.size()) +
                                      " bytes does not fit into an RPC of " + std::to_string(most) + " bytes");
  };
  OPP2P_TRYV(check_size());
  if (makes_signatures(config_.policies.of(topic))) {
    OPP2P_TRY(fields, config_.signatures->sign(topic, data));
    author = config_.signatures->self();
    message.from = ByteView(fields.from);
    message.seqno = ByteView(fields.seqno);
    message.signature = ByteView(fields.signature);
    if (!fields.key.empty()) message.key = ByteView(fields.key);
    OPP2P_TRYV(check_size());
  }
  named = name(message);
  if (!named) return Error(Errc::invalid_argument, "the author's id and number are too long for a message id");
  return SharedMessage::make(message);
}

}  // namespace libp2p::gossipsub
