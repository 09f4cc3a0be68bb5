// A trace as length-delimited protobuf (trace_encode.hpp). Numbers of fields: trace.proto.
#include <chrono>
#include <protozero/pbf_writer.hpp>

#include "libp2p/multiformats/varint.hpp"
#include "libp2p/protocols/gossipsub/trace_encode.hpp"

namespace libp2p::gossipsub {
namespace {

using EventWriter = protozero::pbf_writer;

constexpr std::uint32_t kType = 1, kSelf = 2, kTimestamp = 3, kFirstOfKinds = 4;
constexpr std::uint32_t kMeta = 2;  // of the RPC events

void put_text(EventWriter& to, std::uint32_t number, std::string_view text) {
  if (!text.empty()) to.add_bytes(number, text.data(), text.size());
}
void put_bytes(EventWriter& to, std::uint32_t number, ByteView bytes) { put_text(to, number, as_text(bytes)); }
void put_peer(EventWriter& to, std::uint32_t number, const PeerId& peer) { put_bytes(to, number, peer.bytes()); }

// protozero's own nested writer leaves an empty message out; here it has to be there.
template <class Fill>
void put_message(EventWriter& to, std::uint32_t number, Fill fill) {
  std::string inner;
  EventWriter writer(inner);
  fill(writer);
  to.add_message(number, inner.data(), inner.size());
}

void put_ids(EventWriter& to, std::uint32_t number, const std::vector<std::string>& ids) {
  for (const auto& id : ids) to.add_bytes(number, id.data(), id.size());
}

void put_control(EventWriter& to, const RpcMeta& meta) {
  for (const auto& ihave : meta.ihave) {
    put_message(to, 1, [&](EventWriter& entry) {
      put_text(entry, 1, ihave.topic);
      put_ids(entry, 2, ihave.ids);
    });
  }
  for (const auto& ids : meta.iwant) put_message(to, 2, [&](EventWriter& entry) { put_ids(entry, 1, ids); });
  for (const auto& topic : meta.graft) put_message(to, 3, [&](EventWriter& entry) { put_text(entry, 1, topic); });
  for (const auto& prune : meta.prune) {
    put_message(to, 4, [&](EventWriter& entry) {
      put_text(entry, 1, prune.topic);
      put_ids(entry, 2, prune.peers);
    });
  }
  for (const auto& ids : meta.idontwant) put_message(to, 5, [&](EventWriter& entry) { put_ids(entry, 1, ids); });
}

void put_meta(EventWriter& to, const RpcMeta& meta) {
  for (const auto& message : meta.messages) {
    put_message(to, 1, [&](EventWriter& entry) {
      put_bytes(entry, 1, message.id.bytes());
      put_text(entry, 2, message.topic);
    });
  }
  for (const auto& subscription : meta.subscriptions) {
    put_message(to, 2, [&](EventWriter& entry) {
      entry.add_bool(1, subscription.subscribe);
      put_text(entry, 2, subscription.topic);
    });
  }
  if (meta.has_control) put_message(to, 3, [&](EventWriter& control) { put_control(control, meta); });
}

void put_details(EventWriter& to, const TraceEvent& event) {
  switch (event.kind) {
    case TraceEventKind::publish_message: put_bytes(to, 1, event.id.bytes()); return put_text(to, 2, event.topic);
    case TraceEventKind::reject_message:
      put_bytes(to, 1, event.id.bytes());
      put_peer(to, 2, event.peer);
      put_text(to, 3, event.detail);
      return put_text(to, 4, event.topic);
    case TraceEventKind::duplicate_message:
      put_bytes(to, 1, event.id.bytes());
      put_peer(to, 2, event.peer);
      return put_text(to, 3, event.topic);
    case TraceEventKind::deliver_message:
      put_bytes(to, 1, event.id.bytes());
      put_text(to, 2, event.topic);
      return put_peer(to, 3, event.peer);
    case TraceEventKind::add_peer: put_peer(to, 1, event.peer); return put_text(to, 2, event.detail);
    case TraceEventKind::remove_peer: return put_peer(to, 1, event.peer);
    case TraceEventKind::receive_rpc:
    case TraceEventKind::send_rpc:
    case TraceEventKind::drop_rpc:
      put_peer(to, 1, event.peer);
      if (event.meta != nullptr) put_message(to, kMeta, [&](EventWriter& meta) { put_meta(meta, *event.meta); });
      return;
    case TraceEventKind::join: return put_text(to, 1, event.topic);
    case TraceEventKind::leave: return put_text(to, 2, event.topic);  // trace.proto has it so
    case TraceEventKind::graft:
    case TraceEventKind::prune: put_peer(to, 1, event.peer); return put_text(to, 2, event.topic);
  }
}

void append_delimited(std::string& to, const std::string& message) {
  Bytes length;
  multiformats::append_varint(length, message.size());
  to.append(as_text(length)).append(message);
}

}  // namespace

void append_trace_protobuf(std::string& to, const TraceEvent& event) {
  const auto kind = static_cast<std::uint32_t>(event.kind);
  std::string message;
  EventWriter writer(message);
  writer.add_enum(kType, static_cast<std::int32_t>(kind));
  put_peer(writer, kSelf, event.self);
  writer.add_int64(kTimestamp, event.at.time_since_epoch().count());
  put_message(writer, kFirstOfKinds + kind, [&](EventWriter& details) { put_details(details, event); });
  append_delimited(to, message);
}

void append_trace_protobuf(std::string& to, const TraceLoss& loss) {
  std::string message;
  EventWriter writer(message);
  writer.add_enum(kType, static_cast<std::int32_t>(kTraceLossType));
  writer.add_int64(kTimestamp, loss.at.time_since_epoch().count());
  put_message(writer, kTraceLossType, [&](EventWriter& counts) {
    counts.add_uint64(1, loss.no_room);
    counts.add_uint64(2, loss.unwritten);
  });
  append_delimited(to, message);
}

}  // namespace libp2p::gossipsub
