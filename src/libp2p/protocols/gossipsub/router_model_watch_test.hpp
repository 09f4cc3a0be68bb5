// What the router does in one step of the model fuzz, in the terms of the model: frames are decoded and merged per
// peer, actions are sorted by kind. What can be judged without the model's expectations is required here: names in
// PRUNEs, signatures of messages, the place of the extensions control. Owned by the fuzz run; it drains the router.
#pragma once

#include "libp2p/protocols/gossipsub/router_model_support_test.hpp"

namespace libp2p::gossipsub::model {

// All that the router owes in one step: what the model expects, and what the router did.
struct Outcome {
  Output sent;
  std::multiset<std::pair<PeerId, FaultKind>> faults;
  std::set<RequestId> validations;
  std::multiset<MessageId> deliveries;
  std::multiset<PeerId> dials;
  std::multiset<std::tuple<PeerId, std::string, Bytes, Bytes, Bytes>> partials;  // topic, group, message, metadata

  void drop_empty() {
    std::erase_if(sent, [](const auto& entry) { return entry.second.empty(); });
  }
};

class RouterWatch {
 public:
  RouterWatch(Router& router, const Model& model) : router_(router), model_(model) {}

  Peers mesh_of(const std::string& topic) const {
    const auto mesh = router_.mesh(topic);
    return {mesh.begin(), mesh.end()};
  }
  Peers fanout_of(const std::string& topic) const {
    const auto fanout = router_.fanout(topic);
    return {fanout.begin(), fanout.end()};
  }
  bool is_proven(const PeerId& peer, MonoTime now) const { return router_.is_proven(peer, now); }

  // Our next frame to the peer is the first of a stream.
  void on_new_stream(const PeerId& peer) { had_frame_.erase(peer); }

  // Takes what the router has to say so far. The model may look before the step is over.
  void look() {
    while (auto action = router_.poll_action()) actions_.push_back(std::move(*action));
    for (std::size_t n = 0; n < kPeers; ++n) {
      while (const auto frame = router_.next_frame(peer_id(n))) add_frame(peer_id(n), *frame);
    }
  }
  const std::vector<Action>& actions() const { return actions_; }  // of the step so far
  const Output& sent() const { return sent_; }

  // The step is over. A dial of `may_dial` is the router's choice and no part of the outcome.
  Outcome take(const Peers& may_dial) {
    look();
    Outcome out;
    for (const Action& action : actions_) add_action(out, action, may_dial);
    out.sent = std::move(sent_);
    sent_.clear();
    actions_.clear();
    return out;
  }

 private:
  void add_action(Outcome& out, const Action& action, const Peers& may_dial) const {
    if (const auto* got = std::get_if<PartialReceived>(&action)) {
      out.partials.emplace(got->peer, got->topic, got->group, to_bytes(got->message.view()),
                           to_bytes(got->metadata.view()));
    }
    if (const auto* validate = std::get_if<Validate>(&action)) {
      out.validations.insert(validate->request);
      const auto waiting = model_.pending.find(validate->request);
      require(waiting != model_.pending.end() && waiting->second.id == validate->id &&
              waiting->second.from == validate->from);
    }
    if (const auto* deliver = std::get_if<Deliver>(&action)) out.deliveries.insert(deliver->id);
    if (const auto* connect = std::get_if<Connect>(&action)) {
      if (!may_dial.contains(connect->peer)) out.dials.insert(connect->peer);
      require(connect->named_by.empty() ? connect->record.empty() : equal(connect->record, record_of(connect->peer)));
    }
    if (const auto* fault = std::get_if<Fault>(&action)) {
      for (unsigned i = 0; i < fault->count; ++i) out.faults.emplace(fault->peer, fault->kind);
    }
  }

  void add_frame(const PeerId& to, const SharedBytes& frame) {
    Sent& sent = sent_[to];
    const auto rpc = decode_frame(frame, RpcLimits{});
    require(rpc.has_value());
    for (const auto& s : rpc->subscriptions) {
      const PartialUse use = s.requests_partial.value_or(false)           ? PartialUse::requests
                             : s.supports_sending_partial.value_or(false) ? PartialUse::supports
                                                                          : PartialUse::none;
      sent.subscriptions[std::string(*s.topic)] = {*s.subscribe, use};
    }
    if (rpc->partial) {
      const Partial& partial = *rpc->partial;
      sent.partials.emplace(std::string(*partial.topic), to_bytes(*partial.group),
                            to_bytes(partial.message.value_or(ByteView())),
                            to_bytes(partial.metadata.value_or(ByteView())));
    }
    for (const auto& m : rpc->publish) {
      const bool is_signed = m.signature && equal(*m.signature, kSignature) && m.from && m.seqno;
      require(*m.topic == kSigned ? is_signed : m.anonymous());
      sent.messages.insert(id_of(*m.topic, *m.data));
    }
    add_control(sent, to, *rpc);
  }
  void add_control(Sent& sent, const PeerId& to, const Rpc& rpc) {
    // While the version is pending there is no stream to write to; here it is drained all the same.
    const auto known = model_.peers.find(to);
    const bool is_open = known == model_.peers.end() || known->second.version != ProtocolVersion::pending;
    const bool is_first = !is_open || had_frame_.insert(to).second;
    if (!rpc.control) return;
    if (rpc.control->extensions) {
      require(is_first && rpc.control->extensions->partial_messages == true);
      sent.extensions = true;
    }
    const auto add = [](Ids& ids, const auto& entries) {
      for (const auto& entry : entries) {
        for (const auto& id : entry.ids) ids.insert(*MessageId::from(id));
      }
    };
    add(sent.iwant, rpc.control->iwant);
    add(sent.idontwant, rpc.control->idontwant);
    for (const auto& ihave : rpc.control->ihave) add(sent.ihave[std::string(*ihave.topic)], std::vector{ihave});
    for (const auto& graft : rpc.control->graft) sent.grafts.emplace(*graft.topic);
    for (const auto& prune : rpc.control->prune) add_prune(sent, to, prune);
  }
  void add_prune(Sent& sent, const PeerId& to, const Prune& prune) const {
    sent.prunes.emplace(std::string(*prune.topic), prune.backoff, prune.peers.size());
    Peers nameable = prune.peers.empty() ? Peers() : model_.nameable(std::string(*prune.topic), to);
    for (const PeerInfo& info : prune.peers) {
      const PeerId named = PeerId::from_bytes(*info.peer_id).value();
      require(nameable.erase(named) == 1 && equal(*info.signed_peer_record, record_of(named)));
    }
  }

  Router& router_;
  const Model& model_;
  std::vector<Action> actions_;
  Output sent_;
  Peers had_frame_;
};

}  // namespace libp2p::gossipsub::model
