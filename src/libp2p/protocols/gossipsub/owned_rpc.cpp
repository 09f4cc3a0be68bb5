#include "libp2p/protocols/gossipsub/owned_rpc.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace libp2p::gossipsub {
namespace {

// Calls `visit` for each view of the RPC.
template <class Visit>
void each_view(Rpc& rpc, const Visit& visit) {
  const auto visit_if = [&](auto& view) {
    if (view) visit(*view);
  };
  const auto visit_ids = [&](auto& entries) {
    for (auto& entry : entries) {
      for (auto& id : entry.ids) visit(id);
    }
  };
  for (auto& subscription : rpc.subscriptions) visit_if(subscription.topic);
  for (auto& message : rpc.publish) {
    visit_if(message.from);
    visit_if(message.data);
    visit_if(message.seqno);
    visit_if(message.topic);
    visit_if(message.signature);
    visit_if(message.key);
  }
  if (!rpc.control) return;
  for (auto& ihave : rpc.control->ihave) visit_if(ihave.topic);
  visit_ids(rpc.control->ihave);
  visit_ids(rpc.control->iwant);
  visit_ids(rpc.control->idontwant);
  for (auto& graft : rpc.control->graft) visit_if(graft.topic);
  for (auto& prune : rpc.control->prune) {
    visit_if(prune.topic);
    for (auto& info : prune.peers) {
      visit_if(info.peer_id);
      visit_if(info.signed_peer_record);
    }
  }
}

}  // namespace

OwnedRpc::OwnedRpc(Rpc rpc) : rpc_(std::move(rpc)) {
  std::size_t size = 0;
  each_view(rpc_, [&](const auto& view) { size += view.size(); });
  bytes_ = std::make_unique_for_overwrite<std::uint8_t[]>(size);
  std::uint8_t* to = bytes_.get();
  each_view(rpc_, [&]<class View>(View& view) {
    std::copy(view.begin(), view.end(), to);
    view = View(reinterpret_cast<const typename View::value_type*>(to), view.size());
    to += view.size();
  });
  OPP2P_ASSERT(to == bytes_.get() + size, "each view is copied once", size);
  rpc_.frame = nullptr;  // the views show another place now
}

}  // namespace libp2p::gossipsub
