#include "libp2p/protocols/gossipsub/control_frame.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/multiformats/varint.hpp"
#include "libp2p/protocols/gossipsub/rpc_fields.hpp"

namespace libp2p::gossipsub {
namespace {

constexpr std::size_t kTag = 1;           // field numbers below 16
constexpr std::size_t kMaxVarint64 = 10;  // a number of 64 bits, as protobuf writes it

}  // namespace

// The frame's length prefix, and the tag and length of the control message, are paid for beforehand.
ControlFrame::ControlFrame(std::size_t max_bytes) : max_bytes_(max_bytes) {
  const std::size_t around = kTag + 2 * multiformats::varint_size(max_bytes);
  room_ = left_ = max_bytes - std::min(max_bytes, around);
}

bool ControlFrame::take(std::size_t size) {
  if (size > left_ && !is_empty_) return false;
  left_ -= std::min(left_, size);
  is_empty_ = false;
  return true;
}

// A nested message whose size may still grow up to the bound.
std::size_t ControlFrame::entry_size(std::size_t inner) const {
  return kTag + multiformats::varint_size(max_bytes_) + inner;
}

Control& ControlFrame::control() { return rpc_.control ? *rpc_.control : rpc_.control.emplace(); }

bool ControlFrame::add_extensions() {
  constexpr std::size_t kFlag = 2;
  if (!take(entry_size(kFlag))) return false;
  control().extensions.emplace().partial_messages = true;
  return true;
}

bool ControlFrame::add_subscription(std::string_view topic, bool subscribe, PartialUse partial) {
  constexpr std::size_t kFlag = 2;
  const std::size_t flags = partial == PartialUse::none ? 0 : 2 * kFlag;
  if (!take(entry_size(kFlag + flags + field_size(topic.size())))) return false;
  SubOpts& options = rpc_.subscriptions.emplace_back();
  options.subscribe = subscribe;
  options.topic = topic;
  if (partial == PartialUse::none || !subscribe) return true;
  options.requests_partial = partial == PartialUse::requests;
  options.supports_sending_partial = true;
  return true;
}

bool ControlFrame::add_graft(std::string_view topic) {
  if (!take(entry_size(field_size(topic.size())))) return false;
  control().graft.push_back({topic});
  return true;
}

bool ControlFrame::add_prune(std::string_view topic, std::optional<std::uint64_t> backoff,
                             std::span<const NamedPeer> peers) {
  Prune prune{topic, {}, backoff};
  std::size_t size = field_size(topic.size()) + kTag + kMaxVarint64;
  for (const NamedPeer& named : peers) {
    const std::size_t more = field_size(field_size(named.peer.bytes().size()) + field_size(named.record.size()));
    if (entry_size(size + more) > room_) break;
    size += more;
    PeerInfo& info = prune.peers.emplace_back();
    info.peer_id = named.peer.bytes();
    if (!named.record.empty()) info.signed_peer_record = ByteView(named.record);
  }
  if (!take(entry_size(size))) return false;
  control().prune.push_back(std::move(prune));
  return true;
}

std::size_t ControlFrame::add_ihave(std::string_view topic, std::span<const MessageId> ids) {
  IHave ihave{topic, {}};
  const std::size_t added = add_ids(ihave.ids, entry_size(field_size(topic.size())), ids, ids.size());
  if (added != 0) control().ihave.push_back(std::move(ihave));
  return added;
}

std::size_t ControlFrame::add_iwant(const RingQueue<MessageId>& ids) {
  IWant iwant;
  const std::size_t added = add_ids(iwant.ids, entry_size(0), ids, ids.size());
  if (added != 0) control().iwant.push_back(std::move(iwant));
  return added;
}

std::size_t ControlFrame::add_idontwant(const RingQueue<MessageId>& ids, std::size_t most) {
  IDontWant idontwant;
  const std::size_t added = add_ids(idontwant.ids, entry_size(0), ids, most);
  if (added != 0) control().idontwant.push_back(std::move(idontwant));
  return added;
}

// The first id brings the entry with it.
template <class Ids>
std::size_t ControlFrame::add_ids(std::vector<ByteView>& to, std::size_t entry, const Ids& ids, std::size_t most) {
  const std::size_t count = std::min(ids.size(), most);
  to.reserve(std::min(count, left_ / 2));
  for (const MessageId& id : ids) {
    if (to.size() == count) break;
    if (!take((to.empty() ? entry : 0) + field_size(id.bytes().size()))) break;
    to.push_back(id.bytes());
  }
  return to.size();
}

SharedBytes ControlFrame::encode() const {
  OPP2P_ASSERT(!is_empty_, "a control frame says something, or an outbox with control would never run empty");
  return encode_frame(rpc_);
}

OutgoingRpc ControlFrame::take_rpc() {
  OPP2P_ASSERT(!is_empty_, "a control frame says something, or an outbox with control would never run empty");
  const std::size_t size = frame_size(rpc_);
  return {nullptr, std::make_shared<const OwnedRpc>(std::move(rpc_)), size};
}

}  // namespace libp2p::gossipsub
