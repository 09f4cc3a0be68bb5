#include "libp2p/services/gossipsub/gossip_inbound.hpp"

#include <utility>

namespace libp2p {

GossipInbound::GossipInbound(runtime::Runtime& runtime, Stream stream, std::size_t max_rpc, Owner& owner,
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

}  // namespace libp2p
