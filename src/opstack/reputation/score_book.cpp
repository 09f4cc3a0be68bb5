#include "opstack/reputation/score_book.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/storage/records/record_time.hpp"
#include "opstack/reputation/records.hpp"

namespace opstack::reputation {

ScoreBook::ScoreBook(Nanos retention, Read read, std::size_t capacity)
    : retention_(std::max(retention, Nanos(0))), read_(std::move(read)), cache_(capacity) {}

bool ScoreBook::is_expired(UnixTime updated, UnixTime now) const {
  return retention_ == Nanos(0) || libp2p::storage::saturated_sum(updated, retention_) < now;
}

Result<std::optional<PeerScoreRecord>> ScoreBook::get(const PeerId& peer, UnixTime now) {
  if (retention_ == Nanos(0)) return std::optional<PeerScoreRecord>();
  const Cached* cached = cache_.get(peer);
  if (cached == nullptr) {
    OPP2P_TRY(auto stored, read_(peer));
    const UnixTime written = stored ? stored->updated : UnixTime();
    cache_.put(peer, {std::move(stored), written});
    cached = cache_.peek(peer);
  }
  if (!cached->score || is_expired(cached->score->updated, now)) return std::optional<PeerScoreRecord>();
  return std::optional(cached->score->scores);
}

std::optional<StoredScore> ScoreBook::set(const PeerId& peer, const PeerScoreRecord& scores, UnixTime now) {
  if (retention_ == Nanos(0)) return std::nullopt;
  const StoredScore score{scores, in_whole_seconds(now)};
  const Cached* const before = cache_.get(peer);
  const bool same = before != nullptr && before->score && before->score->scores == scores;
  const bool fresh =
      same && now >= before->written && now < libp2p::storage::saturated_sum(before->written, retention_ / 4);
  const UnixTime written = fresh ? before->written : score.updated;
  cache_.put(peer, {score, written});
  if (fresh) return std::nullopt;
  return score;
}

}  // namespace opstack::reputation
