// The groups of partial messages that are under way: who takes part in each, and what was said of it, both ways. Owned
// by the router, pure. Bounds (PartialParams): groups that peers opened, per topic and of one peer per topic; groups of
// our own per topic; bytes of metadata over all. What is beyond a bound is refused. A group ends after group_ttl
// heartbeats without a publication of ours, or, if a peer opened it, with its last peer.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/bytes.hpp"
#include "libp2p/protocols/gossipsub/admission.hpp"
#include "libp2p/protocols/gossipsub/params.hpp"

namespace libp2p::gossipsub {

class PartialGroups {
 public:
  struct Member {
    Bytes metadata;  // its newest word
    Bytes told;      // ours, as it was sent last
  };
  using Members = std::map<PeerKey, Member>;
  struct Group {
    std::uint64_t ends = 0;  // heartbeat
    PeerKey opened_by = 0;   // 0: we published to it
    Members members;
  };
  using Groups = std::map<Bytes, Group>;

  explicit PartialGroups(const PartialParams& params) : params_(params) {}

  // Null when the bound on our own groups is reached. `tick`: heartbeats so far.
  Group* publish(std::string_view topic, ByteView id, std::uint64_t tick);
  // Whether the peer has opened as many groups of the topic as one may.
  bool has_its_share(std::string_view topic, PeerKey peer) const;
  // A peer has sent something of the group: opens it if it is new, and puts the peer in. False beyond a bound.
  bool receive(std::string_view topic, ByteView id, PeerKey peer, ByteView metadata, std::uint64_t tick);
  const Group* find(std::string_view topic, ByteView id) const;

  // Puts the peer into the group. False when it was in.
  bool join(Group& group, PeerKey peer) { return group.members.try_emplace(peer).second; }
  // Replaces one of the two texts of a member. False, and nothing is changed, beyond the bound of bytes.
  bool set(Bytes& text, ByteView value);
  // The peer has to be told anew: what was sent to it last did not leave.
  void forget_member(std::string_view topic, ByteView id, PeerKey peer);

  void remove_peer(PeerKey peer);
  void remove_topic(std::string_view topic);
  // The peer has left the topic.
  void remove_peer(std::string_view topic, PeerKey peer);
  // Ends groups; answers how many.
  std::size_t on_heartbeat(std::uint64_t tick);

  // Ids of the groups that we published in the topic, in their order.
  std::vector<Bytes> published(std::string_view topic) const;
  Group* find_mutable(std::string_view topic, ByteView id);

  std::size_t size() const;
  std::size_t bytes() const { return bytes_; }
  // Every invariant, by assertion; `exists` says whether the router knows the peer.
  template <class Exists>
  void check(Exists exists) const {
    check_counts();
    for (const auto& [name, topic] : topics_) {
      for (const auto& [id, group] : topic.groups) {
        for (const auto& [peer, member] : group.members) OPP2P_CHECK(exists(peer), "who is in a group is there", peer);
      }
    }
  }

 private:
  struct Topic {
    Groups groups;
    std::size_t own = 0;  // groups with opened_by == 0
    std::map<PeerKey, std::size_t> opened;
  };
  using Topics = std::map<std::string, Topic, std::less<>>;

  Topic& topic_state(std::string_view name);
  bool may_open(std::string_view name, PeerKey peer) const;
  Groups::iterator erase(Topic& topic, Groups::iterator at);
  void erase_member(Group& group, Members::iterator at);
  static void remove_opener(Topic& topic, const Group& group);
  void remove_peer(Topic& topic, PeerKey peer);
  void check_counts() const;

  PartialParams params_;
  Topics topics_;
  std::size_t bytes_ = 0;  // of all metadata
};

}  // namespace libp2p::gossipsub
