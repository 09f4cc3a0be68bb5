// What happens by time, at a heartbeat of the router: the part of the reference that is about upkeep of meshes, gossip,
// and what expires. Whom the router grafts, prunes and tells is its choice, within what the specification allows. Owned
// by the fuzz run.
#pragma once

#include <utility>

#include "libp2p/protocols/gossipsub/router_model_reference_test.hpp"

namespace libp2p::gossipsub::model {

class TimeReference {
 public:
  explicit TimeReference(Reference& reference)
      : reference_(reference),
        model_(reference.model),
        watch_(reference.watch),
        now_(reference.now),
        expected_(reference.expected) {}

  // The router has run one, at the time that the clock shows.
  void heartbeat() {
    std::erase_if(model_.blacklist, [&](const auto& entry) { return entry.second <= now_.mono; });
    if (model_.ticks % model_.params.direct_connect_ticks == 0) {
      for (const PeerId& id : model_.direct) {
        if (!model_.peers.contains(id) && !model_.blacklist.contains(id)) expected_.dials.insert(id);
      }
    }
    ++model_.ticks;
    for (auto& [id, peer] : model_.peers) {
      peer.ihaves = 0;
      peer.named = 0;
      std::erase_if(peer.unwanted, [&](const auto& entry) {
        return entry.second + model_.params.gossip.idontwant_ttl <= model_.ticks;
      });
    }
    std::erase_if(model_.promises, [&](const auto& entry) {
      if (now_.mono <= entry.second) return false;
      expected_.faults.emplace(entry.first.second, FaultKind::broken_promise);
      return true;
    });
    std::erase_if(model_.groups, [&](const auto& entry) { return entry.second.ends <= model_.ticks; });
    --model_.ticks;  // gossip is of the windows before the shift
    for (auto& [name, topic] : model_.topics) {
      if (topic.joined) {
        mesh_upkeep(name, topic);
        gossip(name, topic.mesh, newcomers_of(topic));
      } else if (topic.published) {
        fanout_upkeep(name, topic);
      }
    }
    ++model_.ticks;
  }

 private:
  void mesh_upkeep(const std::string& name, KnownTopic& topic) {
    const MeshSizes& params = topic.sizes;
    const Nanos backoff = model_.params.mesh.prune_backoff;
    for (const PeerId& id : Peers(topic.mesh)) {
      if (model_.score(id) >= 0) continue;
      topic.mesh.erase(id);
      reference_.expect_prune(id, name, backoff, false);
      model_.back_off(name, id, backoff, now_.mono);
    }
    const Peers before = topic.mesh;
    const Peers after = watch_.mesh_of(name);
    const Peers possible = model_.graftable(name, now_.mono);
    Peers gone, come;
    std::set_difference(before.begin(), before.end(), after.begin(), after.end(), std::inserter(gone, gone.end()));
    std::set_difference(after.begin(), after.end(), before.begin(), before.end(), std::inserter(come, come.end()));
    require(std::includes(possible.begin(), possible.end(), come.begin(), come.end()));
    const std::size_t dialled = model_.outbound(possible);
    if (before.size() < params.low) {
      const std::size_t filled = std::min(params.degree - before.size(), possible.size());
      require(gone.empty() && come.size() >= filled && come.size() <= filled + params.outbound);
    } else {
      const bool excess = before.size() >= params.high;
      require(gone.size() == (excess ? before.size() - params.degree : 0) && come.size() <= params.outbound);
    }
    if (after.size() >= params.low) {
      require(model_.outbound(after) >= std::min(params.outbound, model_.outbound(before) + dialled));
    }
    for (const PeerId& id : gone) {
      reference_.expect_prune(id, name, backoff, true);
      model_.back_off(name, id, backoff, now_.mono);
    }
    for (const PeerId& id : come) expected_.sent[id].grafts.insert(name);
    topic.mesh = after;
    topic.newcomers.insert(come.begin(), come.end());
  }

  void fanout_upkeep(const std::string& name, KnownTopic& topic) {
    const Peers after = watch_.fanout_of(name);
    if (*topic.published + model_.params.mesh.fanout_ttl < now_.mono) {
      require(after.empty());
      topic.fanout.clear();
      topic.published.reset();
      return;
    }
    const Peers possible = model_.choosable(name, model_.params.thresholds.publish);
    std::erase_if(topic.fanout, [&](const PeerId& id) { return !possible.contains(id); });
    require(std::includes(after.begin(), after.end(), topic.fanout.begin(), topic.fanout.end()));
    require(std::includes(possible.begin(), possible.end(), after.begin(), after.end()));
    require(after.size() == std::min(topic.sizes.degree, possible.size()));
    topic.fanout = after;
    gossip(name, topic.fanout, {});
  }

  static Peers newcomers_of(KnownTopic& topic) {
    Peers out = std::exchange(topic.newcomers, {});
    std::erase_if(out, [&](const PeerId& id) { return !topic.mesh.contains(id); });
    return out;
  }

  // The router chooses whom; what and how many is fixed. Who is new in the mesh is told in any case.
  void gossip(const std::string& name, const Peers& excluded, const Peers& newcomers) {
    Ids ids;
    for (const auto& [id, entry] : model_.cache) {
      if (entry.topic == name && model_.cached(id, model_.params.gossip.gossip_windows)) ids.insert(id);
    }
    Peers possible = model_.choosable(name, model_.params.thresholds.gossip);
    std::erase_if(possible, [&](const PeerId& id) { return excluded.contains(id); });
    const auto share =
        static_cast<std::size_t>(model_.params.mesh.gossip_factor * static_cast<double>(possible.size()));
    const bool in_parts = !model_.groups.empty() && model_.own_partial(name) != PartialUse::none;
    std::size_t left =
        ids.empty() && !in_parts ? 0 : std::min(possible.size(), std::max(model_.params.mesh.lazy, share));
    watch_.look();
    Peers told = in_parts ? partial_gossip(name, possible, newcomers) : Peers();
    for (const PeerId& id : newcomers) {
      const bool by_parts = in_parts && model_.takes_parts(id, name);
      if (by_parts) require(told.erase(id) != 0 || missing_groups(name, id).empty());
      if (!by_parts && !ids.empty()) expected_.sent[id].ihave[name] = ids;
    }
    require(told.size() <= left);
    left -= told.size();
    std::size_t unseen = 0;  // may be among the chosen: there was nothing to say to them
    for (const PeerId& id : possible) {
      const bool by_parts = in_parts && model_.takes_parts(id, name);
      if (by_parts ? !told.contains(id) && missing_groups(name, id).empty() : ids.empty()) ++unseen;
      if (by_parts || ids.empty()) continue;
      const auto found = watch_.sent().find(id);
      if (left == 0 || found == watch_.sent().end() || !found->second.ihave.contains(name)) continue;
      expected_.sent[id].ihave[name] = ids;
      --left;
    }
    require(left <= unseen);
  }

  // Groups of ours that the peer has not heard of.
  std::set<Bytes> missing_groups(const std::string& name, const PeerId& id) const {
    std::set<Bytes> out;
    for (const auto& [key, group] : model_.groups) {
      if (key.first == name && group.is_own && !group.members.contains(id)) out.insert(key.second);
    }
    return out;
  }
  // Who is named by PartialGossip, each with all of those: it is in them now.
  Peers partial_gossip(const std::string& name, const Peers& possible, const Peers& newcomers) {
    std::map<PeerId, std::set<Bytes>> named;
    for (const Action& action : watch_.actions()) {
      const auto* gossip = std::get_if<PartialGossip>(&action);
      if (gossip == nullptr || gossip->topic != name) continue;
      for (const PeerId& id : gossip->peers) require(named[id].insert(gossip->group).second);
    }
    Peers out;
    for (const auto& [id, groups] : named) {
      require((possible.contains(id) || newcomers.contains(id)) && model_.takes_parts(id, name));
      require(groups == missing_groups(name, id));
      for (const Bytes& group : groups) model_.groups.at({name, group}).members.try_emplace(id);
      out.insert(id);
    }
    return out;
  }

  Reference& reference_;
  Model& model_;
  RouterWatch& watch_;
  const Now& now_;
  Outcome& expected_;
};

}  // namespace libp2p::gossipsub::model
