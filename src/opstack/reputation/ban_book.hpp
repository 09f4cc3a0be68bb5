// BanBook: the bans of peers and of IP addresses, by when they end. A pure engine: a ban that has expired stays until
// somebody asks about it (take_expired) or takes it. No ban lasts longer than kLongestBan.
//
// Owner: Reputation. Thread: the network thread. Bounds: BanBookLimits. Overflow policy: of the bans that a rule made,
// the one that ends first goes for a new one, and is counted; a book full of the operator's bans refuses new ones.
// Source: op-node surface, sections 3, 4 and 14.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "libp2p/base/assert.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/storage/records/record_time.hpp"
#include "opstack/reputation/ban.hpp"

namespace opstack::reputation {

using libp2p::PeerId;

// Of the peers, or of the addresses.
template <class Key>
class BanTable {
 public:
  using Entry = std::pair<Key, Ban>;

  explicit BanTable(std::size_t capacity) : capacity_(capacity) {}

  // A ban that is there already is replaced. Answers the ban that had to go because the table was full.
  std::optional<Entry> put(const Key& key, Ban ban) {
    ban.until = std::min(ban.until, libp2p::storage::saturated_sum(ban.since, kLongestBan));
    take(key);
    by_end_.emplace(ban.until, key);
    bans_.emplace(key, std::move(ban));
    if (bans_.size() <= capacity_) return std::nullopt;
    ++overflows_;
    const Key goes = first_to_go(key);
    return Entry(goes, *take(goes));
  }
  std::optional<Ban> take(const Key& key) {
    auto node = bans_.extract(key);
    if (node.empty()) return std::nullopt;
    by_end_.erase({node.mapped().until, key});
    return std::move(node.mapped());
  }
  // The ban of this key, if there is one that has expired.
  std::optional<Ban> take_expired(const Key& key, UnixTime now) {
    const auto found = bans_.find(key);
    if (found == bans_.end() || now < found->second.until) return std::nullopt;
    return take(key);
  }
  std::vector<Entry> take_expired(UnixTime now) {
    std::vector<Entry> out;
    while (!by_end_.empty() && by_end_.begin()->first <= now) {
      const Key key = by_end_.begin()->second;
      out.emplace_back(key, *take(key));
    }
    return out;
  }

  // Null when there is none that is in force.
  const Ban* find(const Key& key, UnixTime now) const {
    const auto found = bans_.find(key);
    return found == bans_.end() || now >= found->second.until ? nullptr : &found->second;
  }
  // Those in force, in the order of their keys.
  std::vector<Entry> list(UnixTime now) const {
    std::vector<Entry> out;
    for (const auto& [key, ban] : bans_)
      if (now < ban.until) out.emplace_back(key, ban);
    return out;
  }

  // How many are in force, by their rule.
  BanCounts counts(UnixTime now) const {
    BanCounts out{};
    for (const auto& [key, ban] : bans_)
      if (now < ban.until) ++out[static_cast<std::size_t>(ban.rule)];
    return out;
  }

  std::size_t size() const { return bans_.size(); }  // with those that have expired
  std::uint64_t overflows() const { return overflows_; }

  void check() const {
    OPP2P_CHECK(bans_.size() <= capacity_, "bans are bounded", bans_, capacity_);
    OPP2P_CHECK(by_end_.size() == bans_.size(), "every ban stands in the order of their ends once", by_end_, bans_);
    for (const auto& [until, key] : by_end_) {
      const auto found = bans_.find(key);
      OPP2P_CHECK(found != bans_.end() && found->second.until == until, "the order of ends leads to each ban", until);
      OPP2P_CHECK(found->second.until - found->second.since <= kLongestBan, "no ban is longer than the longest", until);
    }
  }

 private:
  // Of those that a rule made, but not the new one, the ban that ends first; else the new one.
  Key first_to_go(const Key& newcomer) const {
    for (const auto& [until, key] : by_end_)
      if (key != newcomer && bans_.at(key).rule != BanRule::operator_request) return key;
    return newcomer;
  }

  std::size_t capacity_;
  std::map<Key, Ban> bans_;
  std::set<std::pair<UnixTime, Key>> by_end_;
  std::uint64_t overflows_ = 0;
};

struct BanBookLimits {
  std::size_t peers = 2048;
  std::size_t ips = 1024;
};

struct BanBook {
  explicit BanBook(BanBookLimits limits = {}) : peers(limits.peers), ips(limits.ips) {}

  BanTable<PeerId> peers;
  BanTable<std::string> ips;  // by their canonical texts (libp2p::canonical_ip)

  void check() const {
    peers.check();
    ips.check();
  }
};

}  // namespace opstack::reputation
