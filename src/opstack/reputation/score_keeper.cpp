#include "opstack/reputation/score_keeper.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "libp2p/storage/records/peer_keys.hpp"
#include "opstack/reputation/ban.hpp"
#include "opstack/reputation/gossip_scores.hpp"
#include "opstack/reputation/records.hpp"

namespace opstack::reputation {

using libp2p::Bytes;
using libp2p::ByteView;
using libp2p::gossipsub::PeerScoreParts;
using libp2p::gossipsub::PeerScorer;
using libp2p::storage::peer_key;

namespace {

Result<std::optional<StoredScore>> read_score(const libp2p::storage::BatchWriter& writer, const PeerId& peer) {
  OPP2P_TRY(const auto bytes, writer.get(peer_key(kScoreBase, peer)));
  if (!bytes) return std::optional<StoredScore>();
  OPP2P_TRY(const auto entry, decode_scores(*bytes));
  return std::optional<StoredScore>({entry.scores, entry.last_update});
}

// The books whose records expire by their age, and when. Bans and metadata have op-node's seven days.
struct AgingBook {
  std::string_view base;
  Nanos retention;
};

Result<UnixTime> last_update(std::string_view base, ByteView value) {
  if (base == kScoreBase) {
    OPP2P_TRY(const auto entry, decode_scores(value));
    return entry.last_update;
  }
  if (base == kPeerMetadataBase) {
    OPP2P_TRY(const auto entry, decode_metadata(value));
    return entry.last_update;
  }
  OPP2P_TRY(const auto entry, decode_ban(value));
  return entry.last_update;
}

bool is_expired(const AgingBook& book, ByteView value, UnixTime now) {
  const auto updated = last_update(book.base, value);
  return updated && *updated < now - book.retention;
}

}  // namespace

struct ScoreKeeper::Expired {
  std::vector<AgingBook> books;
  UnixTime now{};
  std::vector<std::pair<std::size_t, std::string>> keys;  // with the index of the book

  void scan(const libp2p::storage::Datastore& store) {
    for (std::size_t at = 0; at < books.size(); ++at) {
      const auto visit = [this, at](std::string_view key, ByteView value) {
        if (is_expired(books[at], value, now)) keys.emplace_back(at, key);
        return keys.size() < kMostExpired;
      };
      static_cast<void>(store.scan(books[at].base, visit));  // what cannot be read now is looked at the next time
    }
  }
};

ScoreKeeper::ScoreKeeper(const ScoringProfile& profile, libp2p::runtime::Runtime& runtime,
                         libp2p::storage::BatchWriter& writer)
    : bans_on_live_score_(profile.params && profile.bans_on_live_score),
      ignores_colocation_(profile.params && profile.ban_ignores_ip_colocation),
      runtime_(runtime),
      writer_(writer),
      book_(profile.params ? profile.params->retain_score : Nanos(0),
            [&writer](const PeerId& peer) { return read_score(writer, peer); }) {
  if (!profile.params) return;
  scorer_ = std::make_unique<PeerScorer>(*profile.params, runtime.rng().next_u64(), runtime.now(),
                                         [this](const PeerId& peer) { return application_.score_of(peer); });
}

libp2p::gossipsub::PeerScores& ScoreKeeper::scores() {
  if (scorer_) return *scorer_;
  return neutral_;
}

// ---- peers ----

// What cannot be read counts as zero here, as in op-node; a gate denies for it.
void ScoreKeeper::on_connected(const PeerId& peer) {
  const auto known = book_.get(peer, wall());
  application_.on_connected(peer, known && *known ? (*known)->req_resp : ReqRespScores());
  set_application_score(peer);
}

void ScoreKeeper::on_disconnected(const PeerId& peer) {
  if (!application_.is_connected(peer)) return;
  std::optional<PeerScoreParts> parts;
  if (scorer_) parts = scorer_->snapshot_of(peer);
  store(peer, live_record(peer, parts ? &*parts : nullptr));
  application_.on_disconnected(peer);
}

void ScoreKeeper::on_report(const sync::PeerReport& report) {
  if (application_.on_report(report.peer, report.merit)) return set_application_score(report.peer);
  const auto known = book_.get(report.peer, wall());
  if (!known) return;  // it has gone, and its record cannot be read
  PeerScoreRecord record = known->value_or(PeerScoreRecord());
  add_merit(record.req_resp, report.merit);
  store(report.peer, record);
}

void ScoreKeeper::on_slot() {
  for (const PeerId& peer : application_.decay()) set_application_score(peer);
}

void ScoreKeeper::set_application_score(const PeerId& peer) {
  if (scorer_) scorer_->set_application_score(peer, application_.score_of(peer));
}

void ScoreKeeper::clear(const PeerId& peer) {
  application_.clear(peer);
  if (scorer_) scorer_->clear(peer);
  book_.erase(peer);
  static_cast<void>(writer_.erase(peer_key(kScoreBase, peer)));  // the cache is the newer one, and it expires
}

// ---- the book ----

PeerScoreRecord ScoreKeeper::live_record(const PeerId& peer, const PeerScoreParts* parts) {
  PeerScoreRecord record;
  if (parts != nullptr) {
    record.gossip = gossip_scores(*parts);
  } else if (const auto known = book_.get(peer, wall()); known && *known) {
    record = **known;
  }
  if (application_.is_connected(peer)) record.req_resp = application_.scores_of(peer);
  return record;
}

void ScoreKeeper::store(const PeerId& peer, const PeerScoreRecord& record) {
  if (record == PeerScoreRecord()) {  // as good as no record
    const auto known = book_.get(peer, wall());
    if (known && !*known) return;
  }
  const auto changed = book_.set(peer, record, wall());
  if (!changed) return;
  // A change that is refused is not lost: the cache has it, and the next one is soon.
  static_cast<void>(writer_.put({peer_key(kScoreBase, peer), encode_scores({changed->updated, changed->scores})}));
}

void ScoreKeeper::write() {
  std::set<PeerId> written;
  if (scorer_) {
    scorer_->snapshot(snapshot_);
    for (const PeerScoreParts& parts : snapshot_.peers) {
      store(parts.peer, live_record(parts.peer, &parts));
      written.insert(parts.peer);
    }
  }
  for (const PeerId& peer : application_.peers())
    if (!written.contains(peer)) store(peer, live_record(peer, nullptr));
}

void ScoreKeeper::collect_garbage() {
  const auto expired = std::make_shared<Expired>();
  if (book_.retention() > Nanos(0)) expired->books.push_back({kScoreBase, book_.retention()});
  for (const auto base : {kPeerBanBase, kIpBanBase, kPeerMetadataBase}) expired->books.push_back({base, kLongestBan});
  expired->now = wall();
  const auto work = [expired, store = writer_.store()] { expired->scan(*store); };
  runtime_.run_on_worker(work, life_.guard([this, expired] { erase_expired(*expired); }));
}

// A record may have been written meanwhile.
void ScoreKeeper::erase_expired(const Expired& expired) {
  for (const auto& [book, key] : expired.keys) {
    const auto value = writer_.get(key);
    if (!value || !*value || !is_expired(expired.books[book], **value, expired.now)) continue;
    static_cast<void>(writer_.erase(key));
  }
}

// ---- what is known ----

std::optional<PeerScoreRecord> ScoreKeeper::scores_of(const PeerId& peer) {
  std::optional<PeerScoreParts> parts;
  if (scorer_) parts = scorer_->snapshot_of(peer);
  if (parts || application_.is_connected(peer)) return live_record(peer, parts ? &*parts : nullptr);
  const auto known = book_.get(peer, wall());
  if (!known) return std::nullopt;
  return *known;
}

double ScoreKeeper::total_to_compare(const GossipScores& scores) const {
  if (!ignores_colocation_) return scores.total;
  return scores.total - scores.ip_colocation_factor * scorer_->params().ip_colocation_factor_weight;
}

Result<double> ScoreKeeper::score_to_ban(const PeerId& peer) {
  if (!bans_on_live_score_) return score_to_gate(peer);
  const auto parts = scorer_->snapshot_of(peer);
  if (parts) return total_to_compare(gossip_scores(*parts));
  return application_.score_of(peer) * scorer_->params().app_specific_weight;  // it speaks no GossipSub
}

Result<double> ScoreKeeper::score_to_gate(const PeerId& peer) {
  OPP2P_TRY(const auto known, book_.get(peer, wall()));
  return known ? total_to_compare(known->gossip) : 0;
}

void ScoreKeeper::check() const {
  book_.check();
  application_.check();
  if (scorer_) scorer_->check();
}

}  // namespace opstack::reputation
