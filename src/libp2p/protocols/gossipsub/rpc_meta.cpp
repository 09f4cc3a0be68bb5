#include "libp2p/protocols/gossipsub/rpc_meta.hpp"

namespace libp2p::gossipsub {
namespace {

// Of an entry of a list, beside its text.
constexpr std::size_t kEntryBytes = 48;

std::string topic_of(const std::optional<std::string_view>& topic) {
  return std::string(topic.value_or(std::string_view()));
}

std::vector<std::string> texts_of(const std::vector<ByteView>& ids) {
  std::vector<std::string> texts;
  texts.reserve(ids.size());
  for (const ByteView id : ids) texts.emplace_back(as_text(id));
  return texts;
}

std::size_t bytes_of(const std::vector<std::string>& texts) {
  std::size_t bytes = kEntryBytes;
  for (const auto& text : texts) bytes += kEntryBytes + text.size();
  return bytes;
}

void add_control(RpcMeta& meta, const Control& control) {
  meta.has_control = true;
  for (const auto& ihave : control.ihave) meta.ihave.push_back({topic_of(ihave.topic), texts_of(ihave.ids)});
  for (const auto& iwant : control.iwant) meta.iwant.push_back(texts_of(iwant.ids));
  for (const auto& graft : control.graft) meta.graft.push_back(topic_of(graft.topic));
  for (const auto& prune : control.prune) {
    auto& entry = meta.prune.emplace_back();
    entry.topic = topic_of(prune.topic);
    for (const auto& info : prune.peers) entry.peers.emplace_back(as_text(info.peer_id.value_or(ByteView())));
  }
  for (const auto& idontwant : control.idontwant) meta.idontwant.push_back(texts_of(idontwant.ids));
}

}  // namespace

RpcMeta meta_of(const Rpc& rpc) {
  RpcMeta meta;
  meta.messages.reserve(rpc.publish.size());
  for (const auto& message : rpc.publish) meta.messages.push_back({MessageId(), topic_of(message.topic)});
  for (const auto& subscription : rpc.subscriptions) {
    meta.subscriptions.push_back({subscription.subscribe.value_or(false), topic_of(subscription.topic)});
  }
  if (rpc.control) add_control(meta, *rpc.control);
  return meta;
}

std::size_t RpcMeta::memory_bytes() const {
  std::size_t bytes = sizeof(RpcMeta);
  for (const auto& message : messages) bytes += sizeof(MessageMeta) + message.topic.size();
  for (const auto& subscription : subscriptions) bytes += sizeof(Subscription) + subscription.topic.size();
  for (const auto& entry : ihave) bytes += kEntryBytes + entry.topic.size() + bytes_of(entry.ids);
  for (const auto& ids : iwant) bytes += bytes_of(ids);
  bytes += bytes_of(graft);
  for (const auto& entry : prune) bytes += kEntryBytes + entry.topic.size() + bytes_of(entry.peers);
  for (const auto& ids : idontwant) bytes += bytes_of(ids);
  return bytes;
}

}  // namespace libp2p::gossipsub
