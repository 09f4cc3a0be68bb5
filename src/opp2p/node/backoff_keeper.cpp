#include "opp2p/node/backoff_keeper.hpp"

#include <utility>

#include "opp2p/node/backoff_record.hpp"

namespace opp2p {

BackoffKeeper::BackoffKeeper(libp2p::runtime::Runtime& runtime, libp2p::GossipsubService& gossip,
                             libp2p::storage::BatchWriter& writer)
    : runtime_(runtime), gossip_(gossip), writer_(writer), timer_(runtime.make_timer([this] { on_timer(); })) {}

libp2p::Result<void> BackoffKeeper::load() {
  OPP2P_TRY(const auto record, writer_.get(kBackoffKey));
  if (record) gossip_.restore_backoffs(read_backoff_record(libp2p::as_text(*record), runtime_.now().wall));
  timer_->arm(runtime_.now().mono + kSaveEvery);
  return {};
}

void BackoffKeeper::close() {
  timer_->disarm();
  save();
}

void BackoffKeeper::on_timer() {
  save();
  timer_->arm(runtime_.now().mono + kSaveEvery);
}

// A record stays as it is while nothing new is in it: what is over by then is left out when it is read.
void BackoffKeeper::save() {
  const auto& router = gossip_.router();
  if (router.backoff_changes() == saved_) return;
  const auto now = runtime_.now();
  const std::string text = backoff_record(router.backoffs(now.mono), now.wall);
  libp2p::storage::Change change{std::string(kBackoffKey), libp2p::to_bytes(text)};
  if (writer_.put(std::move(change))) saved_ = router.backoff_changes();
}

}  // namespace opp2p
