// BanKeeper: the bans in force, in the book and in the store. It reads them at the start, writes each as two records
// (op-node's with its expiry, and ours with the reason) in one batch, ends those that have expired when somebody asks
// about them, and tells what begins and ends.
//
// Owner: Reputation. Thread: the network thread. Bounds: BanBook's. Re-entrancy: `on_ended` and listeners are called
// inside its calls and must not change bans. Source: op-node surface, sections 3 and 4.
#pragma once

#include <functional>

#include "libp2p/base/event_source.hpp"
#include "libp2p/base/life_token.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "libp2p/storage/batch_writer.hpp"
#include "opstack/reputation/ban_book.hpp"
#include "opstack/reputation/gaters.hpp"

namespace opstack::reputation {

class BanKeeper final : public ActiveBans {
 public:
  using Done = std::function<void(Result<bool>)>;
  using OnEnded = std::function<void(const PeerId&)>;  // before it is told

  // All outlive it.
  BanKeeper(libp2p::runtime::Runtime& runtime, libp2p::storage::BatchWriter& writer,
            libp2p::EventSource<ReputationEvent>& events, OnEnded on_ended, BanBookLimits limits = {});

  // Until it has succeeded, look-ups fail. A record that cannot be read is told as ReputationStoreFailed, and the ban
  // stays in force: until the end that its reason names, or for kLongestBan from now. It is written anew.
  Result<void> load();

  Result<const Ban*> ban_of_peer(const PeerId& peer) override;
  Result<const Ban*> ban_of_address(const std::string& canonical_ip) override;
  const Ban* find(const PeerId& peer) const override { return book_.peers.find(peer, wall()); }
  const Ban* find_address(const std::string& canonical_ip) const override {
    return book_.ips.find(canonical_ip, wall());
  }

  // Replaces a ban that is there. `done`, which may be empty, when it is durable.
  void ban(const PeerId& peer, Ban ban, Done done);
  void ban_ip(const std::string& canonical_ip, Ban ban, Done done);
  // False in `done` when there was none; the records of a peer are erased then, too.
  void end(const PeerId& peer, BanEnd how, Done done);
  void end_ip(const std::string& canonical_ip, BanEnd how, Done done);
  void end_expired();

  const BanBook& book() const { return book_; }

 private:
  Result<void> load_peers();
  Result<void> load_ips();
  void tell_unreadable(std::string_view key, const libp2p::Error& why);
  Ban ban_of_unreadable(const std::optional<Ban>& reason, const libp2p::Error& why) const;
  void on_end(const PeerId& peer, const Ban& ban, BanEnd how);
  void on_end(const std::string& ip, const Ban& ban, BanEnd how);
  void erase_later(const PeerId& peer);
  void erase_later(const std::string& ip);
  void answer(Done done, Result<bool> result);
  void write(std::vector<libp2p::storage::Change> changes, Done done, bool result = true);
  UnixTime wall() const { return runtime_.now().wall; }

  libp2p::runtime::Runtime& runtime_;
  libp2p::storage::BatchWriter& writer_;
  libp2p::EventSource<ReputationEvent>& events_;
  OnEnded on_ended_;
  BanBook book_;
  bool loaded_ = false;
};

}  // namespace opstack::reputation
