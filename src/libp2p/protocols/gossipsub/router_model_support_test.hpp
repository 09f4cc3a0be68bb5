// For the router's model fuzz: peers, messages, parameters, scores and signatures that both sides know.
#pragma once

#include "libp2p/protocols/gossipsub/router_model_test.hpp"
#include "libp2p/protocols/gossipsub/signatures.hpp"

namespace libp2p::gossipsub::model {

inline constexpr std::size_t kPeers = 8;
inline PeerId peer_id(std::size_t n) {
  return PeerId::from_bytes(Bytes{0x00, 0x01, static_cast<std::uint8_t>(n)}).value();
}

// Every third message is large enough for IDONTWANT.
inline Bytes data_of(std::uint8_t n) { return Bytes(n % 3 == 0 ? 20 : 1, n); }
inline MessageId id_of(std::string_view topic, ByteView data) {
  Bytes bytes = to_bytes(topic);
  append(bytes, data);
  return *MessageId::from(bytes);
}

// An entry or two: what is merged is split again, and a PRUNE names nobody.
inline constexpr std::size_t kNarrowControl = 16;

// The first byte of the script says how much control fits into a frame.
inline Params small_params(ByteView script) {
  Params out;
  out.mesh.degree = 3;
  out.mesh.low = 2;
  out.mesh.high = 4;
  out.mesh.outbound = 1;
  out.mesh.opportunistic_graft_ticks = 0;
  out.mesh.lazy = 2;
  out.gossip.idontwant_threshold = 20;
  out.mesh.peer_exchange = true;
  out.mesh.prune_peers = 3;
  out.mesh.max_named_taken = 5;
  out.thresholds.publish = -20;
  out.thresholds.accept_px = 0.5;
  out.direct_connect_ticks = 5;
  out.partial.enabled = true;
  out.partial.group_ttl = 3;
  if (!script.empty() && script[0] >= 128) out.rpc.max_sent_control = kNarrowControl;
  return out;
}

// What the model knows of scores.
class ModelScores final : public PeerScores {
 public:
  explicit ModelScores(const Model& model) : model_(model) {}
  double score(const PeerId& peer) const override {
    const auto found = model_.scores.find(peer);
    return found == model_.scores.end() ? 0 : found->second;
  }

 private:
  const Model& model_;
};

// Signatures that cost nothing: the same bytes under all keys. Messages of topic "b" have to be signed.
inline const std::string kSigned = "b";
inline const Bytes kAuthor = to_bytes(peer_id(200).bytes());
inline const Bytes kSeqno(8, 1);
inline const Bytes kSignature = to_bytes("signature");

class ToySignatures final : public Signatures {
 public:
  const PeerId& self() const override { return self_; }
  Result<Authorship> sign(std::string_view, ByteView) override {
    return Authorship{to_bytes(self_.bytes()), kSeqno, kSignature, {}};
  }
  Result<void> verify(const Message& message) const override {
    if (equal(*message.signature, kSignature)) return {};
    return Error(Errc::mismatch, "not the signature");
  }

 private:
  PeerId self_ = peer_id(201);
};

inline Message signed_by_author(std::string_view topic, ByteView data) {
  return {.from = ByteView(kAuthor),
          .data = data,
          .seqno = ByteView(kSeqno),
          .topic = topic,
          .signature = ByteView(kSignature),
          .key = {}};
}

inline const Peers kDirect = {peer_id(6)};
inline Bytes record_of(const PeerId& peer) { return to_bytes(peer.bytes()); }
// At and below each threshold.
inline constexpr double kScores[] = {0, 1, -1, -10, -10.5, -20, -20.5, -40, -40.5};

inline SignaturePolicies policies() {
  SignaturePolicies out;
  out.topics[kSigned] = SignaturePolicy::strict_sign;
  return out;
}

// Mostly what the topic wants; else without a signature where one is wanted, or with one where none is, or a wrong
// one, or one that says that it is ours.
inline Message message_of(const std::string& topic, const Bytes& data, std::uint8_t authorship) {
  const bool wants = (topic == kSigned) != (authorship == 1);
  Message message = wants ? signed_by_author(topic, data) : Message{{}, ByteView(data), {}, topic, {}, {}};
  static const Bytes wrong = to_bytes("wrong");
  static const Bytes ours = to_bytes(peer_id(201).bytes());
  if (wants && authorship == 2) message.signature = ByteView(wrong);
  if (wants && authorship == 3) message.from = ByteView(ours);
  return message;
}

}  // namespace libp2p::gossipsub::model
