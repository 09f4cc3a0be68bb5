// What an RPC carries besides the data of its messages, for traces: the names of its messages, subscriptions and
// control, as go-libp2p-pubsub's trace.proto has them (RPCMeta). A value that owns what it shows, so that it may go to
// another thread. Bounds: those of the RPC (RpcLimits). Ids are as the peer wrote them, whatever their length. An empty
// topic or id is one that is not there.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "libp2p/protocols/gossipsub/message_id.hpp"
#include "libp2p/protocols/gossipsub/rpc.hpp"

namespace libp2p::gossipsub {

struct RpcMeta {
  struct MessageMeta {
    MessageId id;
    std::string topic;
  };
  struct Subscription {
    bool subscribe = false;
    std::string topic;
  };
  struct IHave {
    std::string topic;
    std::vector<std::string> ids;
  };
  struct Prune {
    std::string topic;
    std::vector<std::string> peers;  // named for peer exchange
  };

  std::vector<MessageMeta> messages;
  std::vector<Subscription> subscriptions;
  bool has_control = false;
  std::vector<IHave> ihave;
  std::vector<std::vector<std::string>> iwant;
  std::vector<std::string> graft;  // topics
  std::vector<Prune> prune;
  std::vector<std::vector<std::string>> idontwant;

  // Roughly what it takes; for bounds.
  std::size_t memory_bytes() const;
};

// The messages are without ids: who made the RPC, or handled it, knows them.
RpcMeta meta_of(const Rpc& rpc);

}  // namespace libp2p::gossipsub
