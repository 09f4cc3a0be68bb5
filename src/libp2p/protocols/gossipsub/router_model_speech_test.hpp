// An RPC of a peer, read from the script of the model fuzz.
#pragma once

#include "libp2p/protocols/gossipsub/router_model_support_test.hpp"

namespace libp2p::gossipsub::model {

inline Bytes group_of(std::uint8_t n) { return Bytes(n % 3, 9); }
inline PartialUse use_of(std::uint8_t extra) {
  if ((extra & 16) != 0) return PartialUse::requests;
  return (extra & 32) != 0 ? PartialUse::supports : PartialUse::none;
}

// One RPC of a peer. `rpc` refers to the rest of it.
struct Speech {
  std::uint8_t kind, authorship, extra;
  Bytes data, group, metadata;
  MessageId id;
  std::vector<PeerId> named;  // in a PRUNE
  Rpc rpc;
};

inline void add_extensions(Rpc& rpc, std::uint8_t extra) {
  if (extra % 4 != 0) return;
  rpc.control = rpc.control.value_or(Control{});
  rpc.control->extensions.emplace().partial_messages = extra % 8 == 0;
}
inline void make_rpc(Speech& speech, fuzzing::Script& script, const std::string& topic,
                     std::optional<std::uint64_t> backoff) {
  Rpc& rpc = speech.rpc;
  switch (speech.kind) {
    case 0: rpc.subscriptions.push_back({false, topic, {}, {}}); return;
    case 1:
    case 2: rpc.subscriptions.push_back({true, topic, (speech.extra & 16) != 0, (speech.extra & 32) != 0}); return;
    case 3:
    case 4:
    case 5: rpc.control.emplace().graft.push_back({topic}); return;
    case 6: {
      Prune& prune = rpc.control.emplace().prune.emplace_back(Prune{topic, {}, backoff});
      for (std::size_t left = script.next() % 4; left > 0; --left) {
        speech.named.push_back(peer_id(script.next() % (2 * kPeers)));
      }
      for (const PeerId& other : speech.named) prune.peers.push_back({other.bytes(), other.bytes()});
      return;
    }
    case 7:
    case 8: rpc.control.emplace().ihave.push_back({topic, {speech.id.bytes()}}); return;
    case 9: rpc.control.emplace().iwant.push_back({{speech.id.bytes()}}); return;
    case 10: rpc.control.emplace().idontwant.push_back({{speech.id.bytes()}}); return;
    case 11:
      rpc.partial = Partial{topic, ByteView(speech.group), ByteView(speech.data).first(speech.authorship % 2),
                            ByteView(speech.metadata)};
      return;
    default: rpc.publish.push_back(message_of(topic, speech.data, speech.authorship)); return;
  }
}
inline void read_speech(Speech& speech, fuzzing::Script& script, const std::string& topic, std::uint8_t kind) {
  speech.kind = kind % 14;
  speech.authorship = kind / 14;
  speech.data = data_of(script.next() % 12);
  speech.id = id_of(topic, speech.data);
  speech.extra = script.next();
  speech.group = group_of(speech.extra / 4);
  speech.metadata = Bytes(speech.extra >> 2 & 3, speech.extra >> 4 & 1);
  make_rpc(speech, script, topic, kind < 128 ? std::optional<std::uint64_t>(kind) : std::nullopt);
  add_extensions(speech.rpc, speech.extra);
}

}  // namespace libp2p::gossipsub::model
