#include <protozero/pbf_writer.hpp>

#include "libp2p/multiformats/varint.hpp"
#include "libp2p/protocols/gossipsub/rpc.hpp"
#include "libp2p/protocols/gossipsub/rpc_fields.hpp"

namespace libp2p::gossipsub {
namespace {

using Writer = protozero::pbf_writer;

void put(Writer& to, std::uint32_t number, const std::optional<ByteView>& value) {
  if (value) to.add_bytes(number, reinterpret_cast<const char*>(value->data()), value->size());
}
void put(Writer& to, std::uint32_t number, const std::optional<std::string_view>& value) {
  if (value) to.add_string(number, value->data(), value->size());
}
void put(Writer& to, std::uint32_t number, const std::optional<bool>& value) {
  if (value) to.add_bool(number, *value);
}
void put_ids(Writer& to, std::uint32_t number, const std::vector<ByteView>& ids) {
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

void write(Writer& to, const Message& message) {
  put(to, field::from, message.from);
  put(to, field::data, message.data);
  put(to, field::seqno, message.seqno);
  put(to, field::topic, message.topic);
  put(to, field::signature, message.signature);
  put(to, field::key, message.key);
}

void write(Writer& to, const SubOpts& subscription) {
  put(to, field::subscribe, subscription.subscribe);
  put(to, field::topicid, subscription.topic);
  put(to, field::requests_partial, subscription.requests_partial);
  put(to, field::supports_sending_partial, subscription.supports_sending_partial);
}

void write(Writer& to, const IHave& ihave) {
  put(to, field::ihave_topic, ihave.topic);
  put_ids(to, field::ihave_ids, ihave.ids);
}

void write(Writer& to, const IWant& iwant) { put_ids(to, field::ids, iwant.ids); }
void write(Writer& to, const IDontWant& idontwant) { put_ids(to, field::ids, idontwant.ids); }
void write(Writer& to, const Graft& graft) { put(to, field::graft_topic, graft.topic); }

void write(Writer& to, const PeerInfo& info) {
  put(to, field::peer_id, info.peer_id);
  put(to, field::signed_peer_record, info.signed_peer_record);
}

void write(Writer& to, const Prune& prune);

template <class Entry>
void write_each(Writer& to, std::uint32_t number, const std::vector<Entry>& entries) {
  for (const auto& entry : entries) put_inner(to, number, [&](Writer& inner) { write(inner, entry); });
}

void write(Writer& to, const Prune& prune) {
  put(to, field::prune_topic, prune.topic);
  write_each(to, field::prune_peers, prune.peers);
  if (prune.backoff) to.add_uint64(field::prune_backoff, *prune.backoff);
}

void write(Writer& to, const Extensions& extensions) {
  put(to, field::partial_messages, extensions.partial_messages);
  put(to, field::extensions_test, extensions.test_extension);
}

void write(Writer& to, const Control& control) {
  write_each(to, field::ihave, control.ihave);
  write_each(to, field::iwant, control.iwant);
  write_each(to, field::graft, control.graft);
  write_each(to, field::prune, control.prune);
  write_each(to, field::idontwant, control.idontwant);
  if (control.extensions) {
    put_inner(to, field::extensions, [&](Writer& inner) { write(inner, *control.extensions); });
  }
}

// The same once more, in bytes alone.
constexpr std::size_t kTestExtensionTag = 4;  // a field number of 23 bits, and the wire type
constexpr std::size_t kFlag = 2;              // tag and value

template <class View>
std::size_t size_of(const std::optional<View>& view) {
  return view ? field_size(view->size()) : 0;
}
std::size_t size_of(const std::optional<bool>& flag) { return flag ? kFlag : 0; }

std::size_t size_of(const Message& message) {
  return size_of(message.from) + size_of(message.data) + size_of(message.seqno) + size_of(message.topic) +
         size_of(message.signature) + size_of(message.key);
}
std::size_t size_of(const SubOpts& subscription) {
  return size_of(subscription.subscribe) + size_of(subscription.topic) + size_of(subscription.requests_partial) +
         size_of(subscription.supports_sending_partial);
}
std::size_t size_of(const std::vector<ByteView>& ids) {
  std::size_t size = 0;
  for (const auto& id : ids) size += field_size(id.size());
  return size;
}
std::size_t size_of(const IHave& ihave) { return size_of(ihave.topic) + size_of(ihave.ids); }
std::size_t size_of(const IWant& iwant) { return size_of(iwant.ids); }
std::size_t size_of(const IDontWant& idontwant) { return size_of(idontwant.ids); }
std::size_t size_of(const Graft& graft) { return size_of(graft.topic); }
std::size_t size_of(const PeerInfo& info) { return size_of(info.peer_id) + size_of(info.signed_peer_record); }
std::size_t size_of(const Prune& prune);

template <class Entry>
std::size_t size_of_each(const std::vector<Entry>& entries) {
  std::size_t size = 0;
  for (const auto& entry : entries) size += field_size(size_of(entry));
  return size;
}

std::size_t size_of(const Prune& prune) {
  return size_of(prune.topic) + size_of_each(prune.peers) +
         (prune.backoff ? 1 + multiformats::varint_size(*prune.backoff) : 0);
}

std::size_t size_of(const Control& control) {
  std::size_t size = size_of_each(control.ihave) + size_of_each(control.iwant) + size_of_each(control.graft) +
                     size_of_each(control.prune) + size_of_each(control.idontwant);
  if (const auto& extensions = control.extensions) {
    size +=
        field_size(size_of(extensions->partial_messages) + (extensions->test_extension ? kTestExtensionTag + 1 : 0));
  }
  return size;
}

std::string write(const Rpc& rpc) {
  std::string out;
  Writer to(out);
  write_each(to, field::subscriptions, rpc.subscriptions);
  write_each(to, field::publish, rpc.publish);
  if (rpc.control) put_inner(to, field::control, [&](Writer& inner) { write(inner, *rpc.control); });
  if (rpc.test_extension) put_inner(to, field::test_extension, [](Writer&) {});
  return out;
}

}  // namespace

Bytes encode_rpc(const Rpc& rpc) { return to_bytes(write(rpc)); }

Bytes encode_message(const Message& message) {
  std::string out;
  Writer to(out);
  write(to, message);
  return to_bytes(out);
}

SharedBytes encode_frame(const Rpc& rpc) {
  const std::string body = write(rpc);
  Bytes frame;
  frame.reserve(multiformats::varint_size(body.size()) + body.size());
  multiformats::append_varint(frame, body.size());
  append(frame, as_bytes(body));
  return share(std::move(frame));
}

std::size_t frame_size(const Rpc& rpc) {
  std::size_t body = size_of_each(rpc.subscriptions) + size_of_each(rpc.publish);
  if (rpc.control) body += field_size(size_of(*rpc.control));
  if (rpc.test_extension) body += kTestExtensionTag + 1;
  return multiformats::varint_size(body) + body;
}

}  // namespace libp2p::gossipsub
