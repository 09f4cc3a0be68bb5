#include "opstack/reputation/ban_keeper.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/storage/records/peer_keys.hpp"
#include "libp2p/storage/records/record_time.hpp"
#include "opstack/reputation/ban_json.hpp"
#include "opstack/reputation/records.hpp"

namespace opstack::reputation {

using libp2p::ByteView;
using libp2p::Errc;
using libp2p::storage::Change;
using libp2p::storage::peer_key;

namespace {

std::string ip_reason_key(const std::string& ip) { return std::string(kIpBanReasonBase) + ip; }
std::string ip_key(const std::string& ip) { return std::string(kIpBanBase) + ip; }

// With the score that led to it, in one batch: else the peer would be banned again after a crash.
std::vector<Change> erasures(const PeerId& peer) {
  return {{peer_key(kPeerBanBase, peer), std::nullopt},
          {peer_key(kBanReasonBase, peer), std::nullopt},
          {peer_key(kScoreBase, peer), std::nullopt}};
}
std::vector<Change> erasures(const std::string& ip) {
  return {{ip_key(ip), std::nullopt}, {ip_reason_key(ip), std::nullopt}};
}

// A ban as the records of two programs say it. A reason that is of another ban than op-node's record, or cannot be
// read, is none. The clock of this moment does not count: it may be wrong, as on a machine that has just started.
Ban ban_of_records(const BanEntry& entry, const std::optional<Ban>& reason) {
  Ban out;
  const bool has_reason = reason && reason->until == entry.expiry;
  if (has_reason) out = *reason;
  const UnixTime first{kLongestBan};
  out.until =
      std::max(first, std::min(entry.expiry, std::min(entry.last_update, UnixTime::max() - kLongestBan) + kLongestBan));
  if (!has_reason) {
    out.since = entry.last_update;
    out.text = "the record of the ban has no reason";
  }
  out.since = std::clamp(out.since, out.until - kLongestBan, out.until);
  return out;
}

std::vector<Change> records_of(std::string key, std::string reason_key, const Ban& ban) {
  return {{std::move(key), encode_ban({ban.until, ban.since})}, {std::move(reason_key), encode_ban_reason(ban)}};
}

void append(std::vector<Change>& to, std::vector<Change> from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

libp2p::Error no_room() {
  return libp2p::Error(Errc::exhausted, "the book of bans is full, so this ban is not in force");
}

template <class Key>
std::optional<Ban> take(std::map<Key, Ban>& reasons, const Key& key) {
  auto node = reasons.extract(key);
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped());
}

}  // namespace

BanKeeper::BanKeeper(libp2p::runtime::Runtime& runtime, libp2p::storage::BatchWriter& writer,
                     libp2p::EventSource<ReputationEvent>& events, OnEnded on_ended, BanBookLimits limits)
    : runtime_(runtime), writer_(writer), events_(events), on_ended_(std::move(on_ended)), book_(limits) {}

// ---- from the store ----

void BanKeeper::tell_unreadable(std::string_view key, const libp2p::Error& why) {
  events_.emit(ReputationStoreFailed{why.within("the record " + std::string(key))});
}

Result<void> BanKeeper::load() {
  OPP2P_TRYV(load_peers());
  OPP2P_TRYV(load_ips());
  loaded_ = true;
  return {};
}

// Who was banned stays banned when the disk has changed the record: its key names the peer or the address.
Ban BanKeeper::ban_of_unreadable(const std::optional<Ban>& reason, const libp2p::Error& why) const {
  if (reason) return *reason;
  Ban out;
  out.since = in_whole_seconds(wall());
  out.until = libp2p::storage::saturated_sum(out.since, kLongestBan);
  out.text = "its record cannot be read, so the ban is kept for 7 days from now: " + why.text();
  return out;
}

Result<void> BanKeeper::load_peers() {
  std::map<PeerId, Ban> reasons;
  std::vector<std::pair<std::string, libp2p::Error>> unreadable;
  const auto skip = [&unreadable](std::string_view key, const libp2p::Error& why) {
    unreadable.emplace_back(key, why);
  };
  const auto read_reason = [&](std::string_view key, ByteView value) {
    const auto named = libp2p::storage::read_peer_key(kBanReasonBase, key);
    if (!named || !named->name.empty()) return true;
    auto reason = decode_ban_reason(value);
    if (reason) reasons.emplace(named->peer, std::move(*reason));
    if (!reason) skip(key, reason.error());
    return true;
  };
  OPP2P_TRYV(writer_.store()->scan(kBanReasonBase, read_reason, skip));
  std::vector<Change> anew;
  const auto add = [&](const PeerId& peer, Ban ban) {
    const auto gone = book_.peers.put(peer, std::move(ban));
    if (gone) skip(peer_key(kPeerBanBase, gone->first), no_room());
  };
  const auto keep_ban = [&](std::string_view key, const libp2p::Error& why) {
    skip(key, why);
    const auto named = libp2p::storage::read_peer_key(kPeerBanBase, key);
    if (!named || !named->name.empty()) return;
    Ban ban = ban_of_unreadable(take(reasons, named->peer), why);
    append(anew, records_of(peer_key(kPeerBanBase, named->peer), peer_key(kBanReasonBase, named->peer), ban));
    add(named->peer, std::move(ban));
  };
  const auto read_ban = [&](std::string_view key, ByteView value) {
    const auto named = libp2p::storage::read_peer_key(kPeerBanBase, key);
    const auto entry = decode_ban(value);
    if (!named || !entry)
      keep_ban(key, named ? entry.error() : named.error());
    else
      add(named->peer, ban_of_records(*entry, take(reasons, named->peer)));
    return true;
  };
  OPP2P_TRYV(writer_.store()->scan(kPeerBanBase, read_ban, keep_ban));
  for (const auto& [peer, reason] : reasons)  // of bans that somebody else ended
    static_cast<void>(writer_.erase(peer_key(kBanReasonBase, peer)));
  if (!anew.empty()) OPP2P_TRYV(writer_.put(std::move(anew)));
  for (const auto& [key, why] : unreadable) tell_unreadable(key, why);
  return {};
}

Result<void> BanKeeper::load_ips() {
  std::map<std::string, Ban> reasons;
  std::vector<std::pair<std::string, libp2p::Error>> unreadable;
  const auto skip = [&unreadable](std::string_view key, const libp2p::Error& why) {
    unreadable.emplace_back(key, why);
  };
  const auto read_reason = [&](std::string_view key, ByteView value) {
    auto reason = decode_ban_reason(value);
    if (reason) reasons.emplace(key.substr(kIpBanReasonBase.size()), std::move(*reason));
    if (!reason) skip(key, reason.error());
    return true;
  };
  OPP2P_TRYV(writer_.store()->scan(kIpBanReasonBase, read_reason, skip));
  std::vector<Change> anew;
  const auto add = [&](const std::string& ip, Ban ban) {
    const auto gone = book_.ips.put(ip, std::move(ban));
    if (gone) skip(ip_key(gone->first), no_room());
  };
  const auto keep_ban = [&](std::string_view key, const libp2p::Error& why) {
    skip(key, why);
    const auto ip = read_ip_ban_key(key);
    if (!ip) return;
    Ban ban = ban_of_unreadable(take(reasons, *ip), why);
    append(anew, records_of(ip_key(*ip), ip_reason_key(*ip), ban));
    add(*ip, std::move(ban));
  };
  const auto read_ban = [&](std::string_view key, ByteView value) {
    const auto ip = read_ip_ban_key(key);
    const auto entry = decode_ban(value);
    if (!ip || !entry)
      keep_ban(key, ip ? entry.error() : ip.error());
    else
      add(*ip, ban_of_records(*entry, take(reasons, *ip)));
    return true;
  };
  OPP2P_TRYV(writer_.store()->scan(kIpBanBase, read_ban, keep_ban));
  for (const auto& [ip, reason] : reasons) erase_later(ip);
  if (!anew.empty()) OPP2P_TRYV(writer_.put(std::move(anew)));
  for (const auto& [key, why] : unreadable) tell_unreadable(key, why);
  return {};
}

// ---- to the store ----

void BanKeeper::answer(Done done, Result<bool> result) {
  if (!done) return;
  runtime_.post([done = std::move(done), result = std::move(result)] { done(result); });
}

void BanKeeper::write(std::vector<Change> changes, Done done, bool result) {
  writer_.put_now(std::move(changes), [done = std::move(done), result](const Result<void>& written) {
    if (!done) return;
    if (written) return done(result);
    done(written.error());
  });
}

// What is refused now is found by the next start, as expired.
void BanKeeper::erase_later(const PeerId& peer) { static_cast<void>(writer_.put(erasures(peer))); }
void BanKeeper::erase_later(const std::string& ip) { static_cast<void>(writer_.put(erasures(ip))); }

// ---- bans ----

Result<const Ban*> BanKeeper::ban_of_peer(const PeerId& peer) {
  if (!loaded_) return libp2p::fail(Errc::io, "the bans have not been read from the peerstore");
  if (const auto ended = book_.peers.take_expired(peer, wall())) {
    erase_later(peer);
    on_end(peer, *ended, BanEnd::expired);
  }
  return book_.peers.find(peer, wall());
}

Result<const Ban*> BanKeeper::ban_of_address(const std::string& ip) {
  if (!loaded_) return libp2p::fail(Errc::io, "the bans have not been read from the peerstore");
  if (const auto ended = book_.ips.take_expired(ip, wall())) {
    erase_later(ip);
    on_end(ip, *ended, BanEnd::expired);
  }
  return book_.ips.find(ip, wall());
}

void BanKeeper::ban(const PeerId& peer, Ban ban, Done done) {
  const auto gone = book_.peers.put(peer, std::move(ban));
  if (gone && gone->first == peer)
    return answer(std::move(done), libp2p::fail(Errc::exhausted, "the book of bans is full of the operator's bans"));
  if (gone) {
    erase_later(gone->first);
    on_end(gone->first, gone->second, BanEnd::overflow);
  }
  const Ban* const kept = book_.peers.find(peer, wall());
  if (kept == nullptr)
    return answer(std::move(done), libp2p::fail(Errc::invalid_argument, "the ban has ended already"));
  write(records_of(peer_key(kPeerBanBase, peer), peer_key(kBanReasonBase, peer), *kept), std::move(done));
  events_.emit(PeerBanned{peer, *kept});
}

void BanKeeper::ban_ip(const std::string& ip, Ban ban, Done done) {
  const auto gone = book_.ips.put(ip, std::move(ban));
  if (gone && gone->first == ip)
    return answer(std::move(done), libp2p::fail(Errc::exhausted, "the book of bans is full of the operator's bans"));
  if (gone) {
    erase_later(gone->first);
    on_end(gone->first, gone->second, BanEnd::overflow);
  }
  const Ban* const kept = book_.ips.find(ip, wall());
  if (kept == nullptr)
    return answer(std::move(done), libp2p::fail(Errc::invalid_argument, "the ban has ended already"));
  write(records_of(ip_key(ip), ip_reason_key(ip), *kept), std::move(done));
  events_.emit(IpBanned{ip, *kept});
}

void BanKeeper::end(const PeerId& peer, BanEnd how, Done done) {
  const auto ban = book_.peers.take(peer);
  write(erasures(peer), std::move(done), ban.has_value());
  if (ban) on_end(peer, *ban, how);
}

void BanKeeper::end_ip(const std::string& ip, BanEnd how, Done done) {
  const auto ban = book_.ips.take(ip);
  if (!ban) return answer(std::move(done), false);
  write(erasures(ip), std::move(done));
  on_end(ip, *ban, how);
}

void BanKeeper::end_expired() {
  for (const auto& [peer, ban] : book_.peers.take_expired(wall())) {
    erase_later(peer);
    on_end(peer, ban, BanEnd::expired);
  }
  for (const auto& [ip, ban] : book_.ips.take_expired(wall())) {
    erase_later(ip);
    on_end(ip, ban, BanEnd::expired);
  }
}

void BanKeeper::on_end(const PeerId& peer, const Ban& ban, BanEnd how) {
  on_ended_(peer);
  events_.emit(PeerUnbanned{peer, ban, how});
}

void BanKeeper::on_end(const std::string& ip, const Ban& ban, BanEnd how) { events_.emit(IpUnbanned{ip, ban, how}); }

}  // namespace opstack::reputation
