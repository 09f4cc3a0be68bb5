#include "libp2p/host/archive_reader.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include "libp2p/storage/records/peer_keys.hpp"

namespace libp2p {
namespace {

class ArchiveReader {
 public:
  ArchiveReader(const storage::Datastore& store, const PeerstoreLimits& limits, const PeerId& self, Now now)
      : store_(store), limits_(limits), self_(self), now_(now) {}

  Result<ArchiveReading> read() {
    const auto visit_addresses = [this](std::string_view key, ByteView value) {
      on_addresses(key, value);
      return true;
    };
    const auto on_damaged = [this](std::string_view key, const Error& why) {
      if (const auto named = storage::read_peer_key(storage::kAddressBase, key)) alive_.push_back(mark_of(named->peer));
      skip(key, why);
    };
    OPP2P_TRYV(store_.scan(storage::kAddressBase, visit_addresses, on_damaged));
    std::sort(alive_.begin(), alive_.end());
    for (const auto base : {storage::kKeyBase, storage::kMetadataBase, kOwnPeerBase}) {
      const auto visit = [&](std::string_view key, ByteView) {
        on_other(base, key);
        return out_.dead.size() < kMostDead;
      };
      OPP2P_TRYV(store_.scan(base, visit, [&](std::string_view key, const Error&) { on_other(base, key); }));
    }
    OPP2P_TRYV(read_newest());
    return std::move(out_);
  }

 private:
  static std::size_t mark_of(const PeerId& peer) { return std::hash<std::string_view>()(as_text(peer.bytes())); }

  void skip(std::string_view key, const Error& why) {
    ++out_.skipped;
    if (!out_.first_skipped) out_.first_skipped = std::string(key) + ": " + why.message();
  }

  void on_addresses(std::string_view key, ByteView value) {
    const auto named = storage::read_peer_key(storage::kAddressBase, key);
    if (!named) return skip(key, named.error());
    const auto latest = latest_expiry(named->peer, value, now_.wall);
    if (!latest) {
      alive_.push_back(mark_of(named->peer));  // what does not parse is left alone
      return skip(key, latest.error());
    }
    if (named->peer == self_) return;
    if (!*latest) {
      if (out_.dead.size() < kMostDead) out_.dead.emplace_back(named->peer, key);
      return;
    }
    alive_.push_back(mark_of(named->peer));
    newest_.emplace(**latest, named->peer);
    if (newest_.size() <= limits_.peers) return;
    ++out_.left_out;
    newest_.erase(newest_.begin());
  }

  void on_other(std::string_view base, std::string_view key) {
    const auto named = storage::read_peer_key(base, key);
    if (!named || named->peer == self_) return;
    if (!std::binary_search(alive_.begin(), alive_.end(), mark_of(named->peer)))
      out_.dead.emplace_back(named->peer, key);
  }

  Result<void> read_newest() {
    std::size_t bytes = 0;
    for (auto at = newest_.rbegin(); at != newest_.rend(); ++at) {
      PeerParts parts;
      for (std::size_t i = 0; i < kPeerParts; ++i) {
        const auto key = part_key(at->second, static_cast<PeerPart>(i));
        auto part = store_.get(key);
        if (!part && part.error() != Errc::malformed) return part.error();
        if (part)
          parts[i] = std::move(*part);
        else
          skip(key, part.error());
      }
      DecodedPeer decoded = decode_parts(at->second, parts, limits_, now_);
      out_.skipped += decoded.skipped;
      if (!out_.first_skipped) out_.first_skipped = std::move(decoded.first_skipped);
      if (decoded.facts.addresses.empty()) continue;
      bytes += Peerstore::cost_of(decoded.facts);
      if (bytes > limits_.bytes) {
        out_.left_out += static_cast<std::size_t>(std::distance(at, newest_.rend()));
        return {};
      }
      out_.addresses += decoded.facts.addresses.size();
      out_.peers.push_back({at->second, std::move(decoded.facts), marks_of(parts)});
    }
    return {};
  }

  const storage::Datastore& store_;
  const PeerstoreLimits& limits_;
  const PeerId& self_;
  const Now now_;
  std::vector<std::size_t> alive_;  // marks of the peers that have a good address
  std::set<std::pair<UnixTime, PeerId>> newest_;
  ArchiveReading out_;
};

}  // namespace

ArchiveMarks marks_of(const PeerParts& parts) {
  ArchiveMarks out{};
  for (std::size_t i = 0; i < kPeerParts; ++i)
    if (parts[i]) out[i] = std::hash<std::string_view>()(as_text(*parts[i])) | 1;
  return out;
}

Result<ArchiveReading> read_archive(const storage::Datastore& store, const PeerstoreLimits& limits, const PeerId& self,
                                    Now now) {
  return ArchiveReader(store, limits, self, now).read();
}

}  // namespace libp2p
