#include "libp2p/protocols/gossipsub/partial_groups.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace libp2p::gossipsub {

PartialGroups::Topic& PartialGroups::topic_state(std::string_view name) {
  const auto found = topics_.find(name);
  return found != topics_.end() ? found->second : topics_.emplace(std::string(name), Topic{}).first->second;
}

PartialGroups::Group* PartialGroups::publish(std::string_view name, ByteView id, std::uint64_t tick) {
  OPP2P_ASSERT(params_.max_own_groups > 0, "there is room for a group of our own");
  Topic& topic = topic_state(name);
  auto at = topic.groups.find(to_bytes(id));
  const bool is_own = at != topic.groups.end() && at->second.opened_by == 0;
  if (!is_own) {
    if (topic.own >= params_.max_own_groups) return nullptr;
    ++topic.own;
    if (at != topic.groups.end()) {
      remove_opener(topic, at->second);
      at->second.opened_by = 0;
    } else {
      at = topic.groups.emplace(to_bytes(id), Group{}).first;
    }
  }
  at->second.ends = tick + params_.group_ttl;
  return &at->second;
}

bool PartialGroups::has_its_share(std::string_view name, PeerKey peer) const {
  const auto found = topics_.find(name);
  if (found == topics_.end()) return params_.max_groups_of_peer == 0;
  const auto opened = found->second.opened.find(peer);
  return opened != found->second.opened.end() && opened->second >= params_.max_groups_of_peer;
}

bool PartialGroups::receive(std::string_view name, ByteView id, PeerKey peer, ByteView metadata, std::uint64_t tick) {
  Group* group = find_mutable(name, id);
  if (group == nullptr) {
    if (!may_open(name, peer) || bytes_ + metadata.size() > params_.max_metadata_bytes) return false;
    Topic& topic = topic_state(name);
    ++topic.opened[peer];
    group = &topic.groups.emplace(to_bytes(id), Group{tick + params_.group_ttl, peer, {}}).first->second;
  }
  Member& member = group->members[peer];
  return metadata.empty() || set(member.metadata, metadata);
}

bool PartialGroups::may_open(std::string_view name, PeerKey peer) const {
  if (params_.max_groups_of_peers == 0 || params_.max_groups_of_peer == 0) return false;
  const auto found = topics_.find(name);
  if (found == topics_.end()) return true;
  return found->second.groups.size() - found->second.own < params_.max_groups_of_peers && !has_its_share(name, peer);
}

const PartialGroups::Group* PartialGroups::find(std::string_view name, ByteView id) const {
  const auto topic = topics_.find(name);
  if (topic == topics_.end()) return nullptr;
  const auto found = topic->second.groups.find(to_bytes(id));
  return found == topic->second.groups.end() ? nullptr : &found->second;
}

PartialGroups::Group* PartialGroups::find_mutable(std::string_view name, ByteView id) {
  const auto topic = topics_.find(name);
  if (topic == topics_.end()) return nullptr;
  const auto found = topic->second.groups.find(to_bytes(id));
  return found == topic->second.groups.end() ? nullptr : &found->second;
}

bool PartialGroups::set(Bytes& text, ByteView value) {
  const std::size_t after = bytes_ - text.size() + value.size();
  if (after > params_.max_metadata_bytes) return false;
  bytes_ = after;
  text.assign(value.begin(), value.end());
  return true;
}

void PartialGroups::erase_member(Group& group, Members::iterator at) {
  bytes_ -= at->second.metadata.size() + at->second.told.size();
  group.members.erase(at);
}

void PartialGroups::forget_member(std::string_view topic, ByteView id, PeerKey peer) {
  Group* const group = find_mutable(topic, id);
  if (group == nullptr) return;
  const auto found = group->members.find(peer);
  if (found == group->members.end()) return;
  bytes_ -= found->second.metadata.size() + found->second.told.size();
  found->second = {};
}

void PartialGroups::remove_opener(Topic& topic, const Group& group) {
  const auto opener = topic.opened.find(group.opened_by);
  OPP2P_ASSERT(opener != topic.opened.end() && opener->second > 0, "who opened a group is counted for it",
               group.opened_by);
  if (--opener->second == 0) topic.opened.erase(opener);
}

PartialGroups::Groups::iterator PartialGroups::erase(Topic& topic, Groups::iterator at) {
  Group& group = at->second;
  while (!group.members.empty()) erase_member(group, group.members.begin());
  if (group.opened_by == 0) {
    --topic.own;
  } else {
    remove_opener(topic, group);
  }
  return topic.groups.erase(at);
}

// A group that it opened stays for the others, and is counted for it until it ends.
void PartialGroups::remove_peer(Topic& topic, PeerKey peer) {
  for (auto at = topic.groups.begin(); at != topic.groups.end();) {
    Group& group = at->second;
    const auto member = group.members.find(peer);
    if (member != group.members.end()) erase_member(group, member);
    at = group.members.empty() && group.opened_by != 0 ? erase(topic, at) : std::next(at);
  }
}

void PartialGroups::remove_peer(PeerKey peer) {
  for (auto at = topics_.begin(); at != topics_.end();) {
    remove_peer(at->second, peer);
    at = at->second.groups.empty() ? topics_.erase(at) : std::next(at);
  }
}

void PartialGroups::remove_peer(std::string_view name, PeerKey peer) {
  const auto found = topics_.find(name);
  if (found == topics_.end()) return;
  remove_peer(found->second, peer);
  if (found->second.groups.empty()) topics_.erase(found);
}

void PartialGroups::remove_topic(std::string_view name) {
  const auto found = topics_.find(name);
  if (found == topics_.end()) return;
  Topic& topic = found->second;
  while (!topic.groups.empty()) erase(topic, topic.groups.begin());
  topics_.erase(found);
}

std::size_t PartialGroups::on_heartbeat(std::uint64_t tick) {
  std::size_t ended = 0;
  for (auto at = topics_.begin(); at != topics_.end();) {
    Topic& topic = at->second;
    for (auto group = topic.groups.begin(); group != topic.groups.end();) {
      if (group->second.ends > tick) {
        ++group;
        continue;
      }
      ++ended;
      group = erase(topic, group);
    }
    at = topic.groups.empty() ? topics_.erase(at) : std::next(at);
  }
  return ended;
}

std::vector<Bytes> PartialGroups::published(std::string_view name) const {
  std::vector<Bytes> ids;
  const auto topic = topics_.find(name);
  if (topic == topics_.end()) return ids;
  for (const auto& [id, group] : topic->second.groups) {
    if (group.opened_by == 0) ids.push_back(id);
  }
  return ids;
}

std::size_t PartialGroups::size() const {
  std::size_t count = 0;
  for (const auto& [name, topic] : topics_) count += topic.groups.size();
  return count;
}

void PartialGroups::check_counts() const {
  std::size_t bytes = 0;
  for (const auto& [name, topic] : topics_) {
    std::size_t own = 0;
    std::map<PeerKey, std::size_t> opened;
    for (const auto& [id, group] : topic.groups) {
      OPP2P_CHECK(id.size() <= params_.max_group_id, "ids of groups are bounded", id.size());
      ++(group.opened_by == 0 ? own : opened[group.opened_by]);
      OPP2P_CHECK(group.opened_by == 0 || !group.members.empty(), "a group that peers opened has somebody in it", name);
      for (const auto& [peer, member] : group.members) {
        OPP2P_CHECK(member.metadata.size() <= params_.max_metadata && member.told.size() <= params_.max_metadata,
                    "metadata is bounded", peer);
        bytes += member.metadata.size() + member.told.size();
      }
    }
    OPP2P_CHECK(!topic.groups.empty(), "a topic without groups is forgotten", name);
    OPP2P_CHECK(own == topic.own && own <= params_.max_own_groups, "our own groups are bounded", own, topic.own);
    OPP2P_CHECK(topic.groups.size() - own <= params_.max_groups_of_peers, "groups that peers open are bounded", name);
    OPP2P_CHECK(opened == topic.opened, "who opened a group is counted for it", name);
    for (const auto& [peer, count] : opened)
      OPP2P_CHECK(count <= params_.max_groups_of_peer, "groups that one peer opens are bounded", peer, count);
  }
  OPP2P_CHECK(bytes == bytes_ && bytes <= params_.max_metadata_bytes, "the metadata that is held is bounded", bytes,
              bytes_);
}

}  // namespace libp2p::gossipsub
