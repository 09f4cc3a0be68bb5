#include "libp2p/services/gossipsub/gossip_outbound.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/base/assert.hpp"

namespace libp2p {

GossipOutbound::GossipOutbound(runtime::Runtime& runtime, Stream stream, Owner& owner)
    : runtime_(runtime),
      peer_(stream.peer()),
      stream_(std::move(stream)),
      owner_(owner),
      opened_(runtime.now().mono),
      front_since_(opened_) {}

GossipOutbound::~GossipOutbound() { stream_.set_handler(nullptr); }

std::size_t GossipOutbound::queued_bytes() const { return stream_.send_queue_bytes(); }

void GossipOutbound::note_progress(MonoTime now) {
  OPP2P_ASSERT(queued_.empty() || queued_.back() == handed_over_, "the last queued frame ends where the stream does",
               handed_over_);
  const std::uint64_t left = handed_over_ - std::min<std::uint64_t>(handed_over_, stream_.send_queue_bytes());
  while (!queued_.empty() && queued_.front() <= left) {
    queued_.pop_front();
    front_since_ = now;
  }
}

void GossipOutbound::pump() {
  const MonoTime now = runtime_.now().mono;
  note_progress(now);
  std::size_t sent = 0;
  bool more = false;
  while (stream_.alive()) {
    if (!waiting_) {
      const auto next = sent > 0 ? owner_.next_frame_size(peer_) : std::nullopt;
      more = next && (*next >= kLarge || sent + *next > kPortion);
      if (more) break;
      auto frame = owner_.next_frame(peer_);
      if (!frame) break;
      waiting_ = std::move(*frame);
    }
    const std::size_t size = waiting_->size();
    if (!stream_.try_send(waiting_, true)) break;
    waiting_.reset();
    if (queued_.empty()) front_since_ = now;
    sent += size;
    handed_over_ += size;
    queued_.push_back(handed_over_);
  }
  stream_.flush();
  if (more) owner_.on_portion_sent(*this);
}

bool GossipOutbound::is_stalled(Nanos write_timeout) {
  const MonoTime now = runtime_.now().mono;
  note_progress(now);
  return !queued_.empty() && now - front_since_ >= write_timeout;
}

void GossipOutbound::on_reset(const Error& why) { owner_.on_outbound_lost(*this, why); }

}  // namespace libp2p
