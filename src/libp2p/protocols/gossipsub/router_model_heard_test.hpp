// What peers say, and what the router owes for it: the part of the reference that is about RPCs that come in. Owned by
// the fuzz run.
#pragma once

#include "libp2p/protocols/gossipsub/router_model_reference_test.hpp"

namespace libp2p::gossipsub::model {

class HeardReference {
 public:
  explicit HeardReference(Reference& reference)
      : reference_(reference),
        model_(reference.model),
        watch_(reference.watch),
        now_(reference.now),
        expected_(reference.expected) {}

  void extensions(const PeerId& peer, const Rpc& rpc) {
    KnownPeer& known = model_.peers.at(peer);
    const bool said = rpc.control && rpc.control->extensions;
    if (said && known.spoke) {
      for (unsigned i = 0; i < 10; ++i) expected_.faults.emplace(peer, FaultKind::repeated_extensions);
    } else if (said) {
      known.speaks_partial = *rpc.control->extensions->partial_messages;
    }
    known.spoke = true;
  }

  void subscription(const PeerId& peer, const std::string& topic, PartialUse use) {
    KnownPeer& known = model_.peers.at(peer);
    known.topics.insert(topic);
    if (use != PartialUse::none || known.partial.contains(topic)) known.partial[topic] = use;
  }

  void graft(const PeerId& peer, const std::string& name) {
    KnownTopic& topic = model_.topics[name];
    const KnownPeer& known = model_.peers.at(peer);
    if (!topic.joined || known.version == ProtocolVersion::floodsub || topic.mesh.contains(peer)) return;
    const Nanos length = model_.params.mesh.prune_backoff;
    if (model_.direct.contains(peer)) {
      expected_.faults.emplace(peer, FaultKind::direct_graft);
      return reference_.expect_prune(peer, name, length, false);
    }
    const bool early = model_.in_backoff(name, peer, now_.mono, Nanos(0));
    const auto unproven = [&](const PeerId& id) { return !watch_.is_proven(id, now_.mono); };
    const bool full = topic.mesh.size() >= topic.sizes.high && known.direction == Direction::inbound &&
                      (unproven(peer) || std::none_of(topic.mesh.begin(), topic.mesh.end(), unproven));
    if (early) {
      expected_.faults.emplace(peer, FaultKind::graft_in_backoff);
      KnownTopic::Backoff& known_backoff = topic.backoff.at(peer);
      if (known_backoff.told < known.added && known_backoff.excused < Backoffs::kMostExcused) {
        known_backoff.told = now_.mono;
        ++known_backoff.excused;
        return reference_.expect_prune(peer, name, known_backoff.end - now_.mono, false);
      }
      const MonoTime told = known_backoff.end - length;
      if (now_.mono < told + model_.params.mesh.graft_flood_threshold)
        expected_.faults.emplace(peer, FaultKind::graft_flood);
    }
    if (early || full || model_.score(peer) < 0) {
      reference_.expect_prune(peer, name, length, !early && model_.score(peer) >= 0);
      return model_.back_off(name, peer, length, now_.mono);
    }
    topic.mesh.insert(peer);
    topic.newcomers.insert(peer);
  }

  void prune(const PeerId& peer, const std::string& name, std::uint64_t seconds, const std::vector<PeerId>& named) {
    KnownTopic& topic = model_.topics[name];
    if (!topic.joined) return;
    topic.mesh.erase(peer);
    model_.back_off(name, peer, seconds == 0 ? model_.params.mesh.prune_backoff : Nanos(Seconds(seconds)), now_.mono);
    KnownPeer& known = model_.peers.at(peer);
    const std::size_t most =
        model_.score(peer) < model_.params.thresholds.accept_px ? 0 : model_.params.mesh.max_named_taken - known.named;
    if (named.size() > most) {  // the router's choice, among those that are named
      for (const PeerId& other : named) reference_.may_dial.insert(other);
      known.named += most;
      if (most != 0) return;
      return reference_.may_dial.clear();
    }
    known.named += named.size();
    for (const PeerId& other : named) {
      if (!model_.peers.contains(other)) expected_.dials.insert(other);
    }
  }

  void ihave(const PeerId& peer, const std::string& topic, const MessageId& id) {
    KnownPeer& known = model_.peers.at(peer);
    if (model_.score(peer) < model_.params.thresholds.gossip) return;
    if (++known.ihaves > model_.params.gossip.max_ihave_messages) {
      if (known.ihaves == model_.params.gossip.max_ihave_messages + 1)
        expected_.faults.emplace(peer, FaultKind::ihave_flood);
      return;
    }
    if (!model_.topics[topic].joined || model_.find_seen(id, now_.mono) != nullptr) return;
    expected_.sent[peer].iwant.insert(id);
    model_.promises.try_emplace({id, peer}, now_.mono + model_.params.gossip.iwant_followup);
  }

  void iwant(const PeerId& peer, const MessageId& id) {
    KnownPeer& known = model_.peers.at(peer);
    if (model_.score(peer) < model_.params.thresholds.gossip) return;
    if (!model_.cached(id, model_.params.gossip.history_windows) || known.unwanted.contains(id)) return;
    if (known.served[id]++ < model_.params.gossip.retransmissions) expected_.sent[peer].messages.insert(id);
  }

  void idontwant(const PeerId& peer, const MessageId& id) { model_.peers.at(peer).unwanted[id] = model_.ticks; }

  void message(const PeerId& peer, const std::string& name, const MessageId& id, std::size_t size,
               std::uint8_t authorship) {
    if (!model_.topics[name].joined) return;
    const bool is_signed = name == kSigned;
    const bool by_author = authorship == 1 ? !is_signed : is_signed && authorship != 3;
    if (by_author && model_.blacklist.contains(peer_id(200))) return;
    if (authorship == 1) {
      expected_.faults.emplace(peer, is_signed ? FaultKind::missing_signature : FaultKind::unexpected_author);
      return;
    }
    if (size > model_.topics[name].max_data) {
      expected_.faults.emplace(peer, FaultKind::too_large_message);
      return;
    }
    if (model_.find_seen(id, now_.mono) != nullptr) {
      // Who has it need not get it from us; of several validations the last one counts.
      for (auto at = model_.pending.rbegin(); at != model_.pending.rend(); ++at) {
        if (at->second.id != id) continue;
        at->second.holders.insert(peer);
        break;
      }
      return;
    }
    if (is_signed && authorship == 2) {
      expected_.faults.emplace(peer, FaultKind::invalid_signature);
      return;
    }
    if (is_signed && authorship == 3) return;
    model_.fulfil(id);
    if (size >= model_.params.gossip.idontwant_threshold) expect_idontwant(peer, name, id);
    reference_.expect_validation({name, id, peer, {peer}}, ++reference_.last_request);
  }

  void partial(const PeerId& peer, const std::string& name, const Rpc& rpc) {
    const KnownPeer& known = model_.peers.at(peer);
    if (!known.speaks_partial || model_.own_partial(name) == PartialUse::none) return;
    const Bytes group = to_bytes(*rpc.partial->group), metadata = to_bytes(*rpc.partial->metadata);
    const bool has_message = !rpc.partial->message->empty();
    const auto at = model_.groups.find({name, group});
    const bool is_known =
        at != model_.groups.end() && at->second.members.contains(peer) && at->second.members.at(peer).first == metadata;
    if (!has_message && (metadata.empty() || is_known)) return;
    if (at == model_.groups.end()) {
      model_.groups[{name, group}].ends = model_.ticks + model_.params.partial.group_ttl;
    }
    Bytes& newest = model_.groups[{name, group}].members[peer].first;
    if (!metadata.empty()) newest = metadata;
    expected_.partials.emplace(peer, name, group, to_bytes(*rpc.partial->message), metadata);
  }

 private:
  void expect_idontwant(const PeerId& from, const std::string& name, const MessageId& id) {
    Peers told = model_.topics[name].mesh;
    for (const PeerId& other : model_.direct) {
      if (!model_.gets_all(other) || !model_.peers.contains(other)) continue;
      if (model_.peers.at(other).topics.contains(name)) told.insert(other);
    }
    for (const PeerId& other : told) {
      if (other == from || model_.peers.at(other).version < ProtocolVersion::v1_2) continue;
      if (!model_.sends_parts(other, name)) expected_.sent[other].idontwant.insert(id);
    }
  }

  Reference& reference_;
  Model& model_;
  const RouterWatch& watch_;
  const Now& now_;
  Outcome& expected_;
};

}  // namespace libp2p::gossipsub::model
