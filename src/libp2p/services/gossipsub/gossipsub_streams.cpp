#include "libp2p/services/gossipsub/gossipsub_streams.hpp"

#include <algorithm>
#include <utility>

namespace libp2p {

GossipInbound::GossipInbound(runtime::Runtime& runtime, libp2p::Stream stream, std::size_t max_rpc, Owner& owner,
                             UnfinishedFrames& frames, std::uint64_t key, const AddressBlocks& blocks)
    : runtime_(runtime),
      peer_(stream.peer()),
      stream_(std::move(stream)),
      reader_(max_rpc),
      owner_(owner),
      frames_(frames),
      key_(key) {
  frames_.add(key_, blocks);
}

GossipInbound::~GossipInbound() {
  stream_.set_handler(nullptr);
  frames_.remove(key_);
}

void GossipInbound::hold(std::size_t bytes) { frames_.change(key_, std::exchange(held_, bytes), bytes); }

void GossipInbound::on_data(ByteView bytes) {
  if (over_) return;
  if (const Result<void> taken = take(bytes); !taken) over(taken.error());
}

Result<void> GossipInbound::take(ByteView bytes) {
  std::size_t read = bytes.size();  // since the frame that is not whole began
  while (!bytes.empty()) {
    OPP2P_TRY(auto frame, reader_.next(bytes));
    if (!frame) break;
    progress_.end();
    read = bytes.size();
    OPP2P_TRYV(owner_.on_frame(peer_, std::move(*frame)));
    if (over_) return {};
  }
  if (!reader_.at_boundary()) {
    const MonoTime now = runtime_.now().mono;
    if (!progress_.begun()) progress_.begin(now);
    progress_.note(read, now);
  }
  const std::size_t before = held_;
  hold(reader_.buffered());
  if (held_ <= before) return {};
  return owner_.on_grown(*this);
}

void GossipInbound::on_end() {
  if (over_) return;
  if (reader_.at_boundary()) {
    stream_.close_write();
    over(std::nullopt);
  } else {
    over(fail(Errc::truncated, "the gossip stream ended inside a frame"));
  }
}

void GossipInbound::on_reset(const Error& why) {
  if (!over_) over(why);
}

void GossipInbound::over(const std::optional<Error>& why) {
  over_ = true;
  if (why) stream_.reset();
  hold(0);
  owner_.on_inbound_over(*this, why);
}

GossipOutbound::GossipOutbound(runtime::Runtime& runtime, libp2p::Stream stream, Owner& owner)
    : runtime_(runtime),
      peer_(stream.peer()),
      stream_(std::move(stream)),
      owner_(owner),
      opened_(runtime.now().mono),
      front_since_(opened_) {}

GossipOutbound::~GossipOutbound() { stream_.set_handler(nullptr); }

std::size_t GossipOutbound::queued_bytes() const { return stream_.send_queue_bytes(); }

void GossipOutbound::note_progress(MonoTime now) {
  const std::uint64_t left = handed_over_ - std::min<std::uint64_t>(handed_over_, stream_.send_queue_bytes());
  while (!queued_.empty() && queued_.front() <= left) {
    queued_.pop_front();
    front_since_ = now;
  }
}

void GossipOutbound::pump() {
  const MonoTime now = runtime_.now().mono;
  note_progress(now);
  while (stream_.alive()) {
    if (!waiting_) {
      auto frame = owner_.next_frame(peer_);
      if (!frame) break;
      waiting_ = std::move(*frame);
    }
    const std::size_t size = waiting_->size();
    if (!stream_.try_send(waiting_, true)) break;
    waiting_.reset();
    if (queued_.empty()) front_since_ = now;
    handed_over_ += size;
    queued_.push_back(handed_over_);
  }
  stream_.flush();
}

bool GossipOutbound::stalled(Nanos write_timeout) {
  const MonoTime now = runtime_.now().mono;
  note_progress(now);
  return !queued_.empty() && now - front_since_ >= write_timeout;
}

void GossipOutbound::on_reset(const Error& why) { owner_.on_outbound_lost(*this, why); }

}  // namespace libp2p
