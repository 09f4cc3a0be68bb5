// Whole RPCs for a trace (Config::tracing). Nothing here is called without it.
#include "libp2p/protocols/gossipsub/router.hpp"
#include "libp2p/protocols/gossipsub/rpc_meta.hpp"

namespace libp2p::gossipsub {

// Told before what the RPC causes, as go-libp2p-pubsub has it. What its messages are called is known only after they
// have been handled: name_traced() puts that in. The action is not drained before, as an input ends first.
std::shared_ptr<RpcMeta> Router::trace_received(const Peer& peer, const Rpc& rpc) {
  auto meta = std::make_shared<RpcMeta>(meta_of(rpc));
  actions_.push_back(RpcTrace{true, peer.id, meta});
  return meta;
}

// Those that the author names, and those whose bytes are known by now. What was dropped unnamed stays without a name:
// naming it would cost what it was dropped to save.
void Router::name_traced(RpcMeta& meta, const Rpc& rpc) const {
  for (std::size_t i = 0; i < rpc.publish.size(); ++i) {
    const Message& message = rpc.publish[i];
    if (config_.message_id == nullptr && message.from && message.seqno) {
      if (const auto named = name(message)) meta.messages[i].id = named->id;
      continue;
    }
    const MessageId* const known =
        recent_.find(message.topic.value_or(std::string_view()), message.data.value_or(ByteView()));
    if (known != nullptr) meta.messages[i].id = *known;
  }
}

void Router::trace_sent(const Peer& peer, const SharedBytes& frame) {
  auto meta = std::make_shared<RpcMeta>();
  // Our own frames, and those of others that were read before: they can be read.
  if (const auto rpc = decode_frame(frame, params().rpc)) *meta = meta_of(*rpc);
  for (auto& message : meta->messages) message.id = peer.outbox.last_id();
  actions_.push_back(RpcTrace{false, peer.id, std::move(meta)});
}

}  // namespace libp2p::gossipsub
