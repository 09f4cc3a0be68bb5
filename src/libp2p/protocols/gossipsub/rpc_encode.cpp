#include <protozero/pbf_writer.hpp>

#include "libp2p/multiformats/varint.hpp"
#include "libp2p/protocols/gossipsub/rpc.hpp"
#include "libp2p/protocols/gossipsub/rpc_fields.hpp"

namespace libp2p::gossipsub {
namespace {

using Writer = protozero::pbf_writer;

// Counts what a Writer would write.
class SizeCounter {
 public:
  void add_bytes(std::uint32_t number, const char*, std::size_t size) {
    size_ += protozero::length_of_varint(number << 3U) + multiformats::varint_size(size) + size;
  }
  void add_string(std::uint32_t number, const char* text, std::size_t size) { add_bytes(number, text, size); }
  void add_message(std::uint32_t number, const char* bytes, std::size_t size) { add_bytes(number, bytes, size); }
  void add_uint64(std::uint32_t number, std::uint64_t value) {
    size_ += static_cast<std::size_t>(protozero::length_of_varint(number << 3U)) + multiformats::varint_size(value);
  }
  void add_bool(std::uint32_t number, bool value) { add_uint64(number, value ? 1 : 0); }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};

template <class To>
void put(To& to, std::uint32_t number, const std::optional<ByteView>& value) {
  if (value) to.add_bytes(number, reinterpret_cast<const char*>(value->data()), value->size());
}
template <class To>
void put(To& to, std::uint32_t number, const std::optional<std::string_view>& value) {
  if (value) to.add_string(number, value->data(), value->size());
}
template <class To>
void put(To& to, std::uint32_t number, const std::optional<bool>& value) {
  if (value) to.add_bool(number, *value);
}
template <class To>
void put_ids(To& to, std::uint32_t number, const std::vector<ByteView>& ids) {
  for (const auto& id : ids) put(to, number, std::optional(id));
}

// protozero's own nested writer leaves an empty message out; here it has to be there.
template <class Fill>
void put_inner(Writer& to, std::uint32_t number, Fill fill) {
  std::string inner;
  Writer writer(inner);
  fill(writer);
  to.add_message(number, inner.data(), inner.size());
}
template <class Fill>
void put_inner(SizeCounter& to, std::uint32_t number, Fill fill) {
  SizeCounter inner;
  fill(inner);
  to.add_message(number, nullptr, inner.size());
}

template <class To>
void write(To& to, const Message& message) {
  put(to, field::from, message.from);
  put(to, field::data, message.data);
  put(to, field::seqno, message.seqno);
  put(to, field::topic, message.topic);
  put(to, field::signature, message.signature);
  put(to, field::key, message.key);
}

template <class To>
void write(To& to, const SubOpts& subscription) {
  put(to, field::subscribe, subscription.subscribe);
  put(to, field::topicid, subscription.topic);
  put(to, field::requests_partial, subscription.requests_partial);
  put(to, field::supports_sending_partial, subscription.supports_sending_partial);
}

template <class To>
void write(To& to, const IHave& ihave) {
  put(to, field::ihave_topic, ihave.topic);
  put_ids(to, field::ihave_ids, ihave.ids);
}

template <class To>
void write(To& to, const IWant& iwant) { put_ids(to, field::ids, iwant.ids); }
template <class To>
void write(To& to, const IDontWant& idontwant) { put_ids(to, field::ids, idontwant.ids); }
template <class To>
void write(To& to, const Graft& graft) { put(to, field::graft_topic, graft.topic); }

template <class To>
void write(To& to, const PeerInfo& info) {
  put(to, field::peer_id, info.peer_id);
  put(to, field::signed_peer_record, info.signed_peer_record);
}

template <class To>
void write(To& to, const Prune& prune);

template <class To, class Entry>
void write_each(To& to, std::uint32_t number, const std::vector<Entry>& entries) {
  for (const auto& entry : entries) put_inner(to, number, [&](auto& inner) { write(inner, entry); });
}

template <class To>
void write(To& to, const Prune& prune) {
  put(to, field::prune_topic, prune.topic);
  write_each(to, field::prune_peers, prune.peers);
  if (prune.backoff) to.add_uint64(field::prune_backoff, *prune.backoff);
}

template <class To>
void write(To& to, const Extensions& extensions) {
  put(to, field::partial_messages, extensions.partial_messages);
  put(to, field::extensions_test, extensions.test_extension);
}

template <class To>
void write(To& to, const Control& control) {
  write_each(to, field::ihave, control.ihave);
  write_each(to, field::iwant, control.iwant);
  write_each(to, field::graft, control.graft);
  write_each(to, field::prune, control.prune);
  write_each(to, field::idontwant, control.idontwant);
  if (control.extensions) {
    put_inner(to, field::extensions, [&](auto& inner) { write(inner, *control.extensions); });
  }
}

template <class To>
void write(To& to, const Partial& partial) {
  put(to, field::partial_topic, partial.topic);
  put(to, field::partial_group, partial.group);
  put(to, field::partial_message, partial.message);
  put(to, field::partial_metadata, partial.metadata);
}

template <class To>
void write(To& to, const Rpc& rpc) {
  write_each(to, field::subscriptions, rpc.subscriptions);
  write_each(to, field::publish, rpc.publish);
  if (rpc.control) put_inner(to, field::control, [&](auto& inner) { write(inner, *rpc.control); });
  if (rpc.partial) put_inner(to, field::partial, [&](auto& inner) { write(inner, *rpc.partial); });
  if (rpc.test_extension) put_inner(to, field::test_extension, [](auto&) {});
}

template <class Value>
std::string encode(const Value& value) {
  std::string out;
  Writer to(out);
  write(to, value);
  return out;
}

}  // namespace

Bytes encode_rpc(const Rpc& rpc) { return to_bytes(encode(rpc)); }
Bytes encode_message(const Message& message) { return to_bytes(encode(message)); }

SharedBytes encode_frame(const Rpc& rpc) {
  const std::string body = encode(rpc);
  Bytes frame;
  frame.reserve(multiformats::varint_size(body.size()) + body.size());
  multiformats::append_varint(frame, body.size());
  append(frame, as_bytes(body));
  return share(std::move(frame));
}

std::size_t frame_size(const Rpc& rpc) {
  SizeCounter counted;
  write(counted, rpc);
  return multiformats::varint_size(counted.size()) + counted.size();
}

}  // namespace libp2p::gossipsub
