// A trace as JSON lines (trace_encode.hpp), with the names that go-libp2p-pubsub 0.17 gives to the fields.
#include <chrono>
#include <initializer_list>

#include "libp2p/base/peer_text.hpp"
#include "libp2p/multiformats/multibase.hpp"
#include "libp2p/protocols/gossipsub/trace_encode.hpp"

namespace libp2p::gossipsub {
namespace {

// Writes one value of JSON after another; who calls it sees to it that they make a text. Commas are its own.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& to) : to_(to) {}

  void begin(char bracket) {
    separate();
    to_.push_back(bracket);
    first_ = true;
  }
  void end(char bracket) {
    to_.push_back(bracket);
    first_ = false;
  }
  void key(std::string_view name) {
    text(name);
    to_.push_back(':');
    first_ = true;
  }
  template <class Number>
  void number(Number value) {
    separate();
    to_.append(std::to_string(value));
  }
  void boolean(bool value) {
    separate();
    to_.append(value ? "true" : "false");
  }
  // What is no UTF-8 becomes U+FFFD, as Go's encoding/json has it.
  void text(std::string_view value) {
    separate();
    to_.push_back('"');
    while (!value.empty()) {
      const Utf8Character character = first_utf8_character(value);
      const std::size_t taken = character.bytes == 0 ? 1 : character.bytes;
      if (character.bytes == 0) {
        append_escape(to_, 0xfffd);
      } else if (is_control_character(character.point)) {
        append_escape(to_, character.point);
      } else {
        if (character.point == '"' || character.point == '\\') to_.push_back('\\');
        to_.append(value.substr(0, taken));
      }
      value.remove_prefix(taken);
    }
    to_.push_back('"');
  }
  void base64(ByteView bytes) {
    separate();
    const std::string with_prefix = multiformats::encode_multibase(multiformats::Base::base64_pad, bytes);
    to_.push_back('"');
    to_.append(with_prefix, 1);
    to_.push_back('"');
  }

 private:
  void separate() {
    if (!first_) to_.push_back(',');
    first_ = false;
  }

  std::string& to_;
  bool first_ = true;
};

struct JsonField {
  std::string_view name;
  std::string_view value;
  bool is_bytes = false;
};

JsonField bytes_field(std::string_view name, ByteView bytes) { return {name, as_text(bytes), true}; }

void put(JsonWriter& to, const JsonField& field) {
  if (field.value.empty()) return;
  to.key(field.name);
  field.is_bytes ? to.base64(as_bytes(field.value)) : to.text(field.value);
}

void put_all(JsonWriter& to, std::initializer_list<JsonField> fields) {
  for (const JsonField& field : fields) put(to, field);
}

template <class List, class Each>
void put_list(JsonWriter& to, std::string_view name, const List& list, Each each) {
  if (list.empty()) return;
  to.key(name);
  to.begin('[');
  for (const auto& entry : list) each(entry);
  to.end(']');
}

template <class List, class Each>
void put_objects(JsonWriter& to, std::string_view name, const List& list, Each each) {
  put_list(to, name, list, [&](const auto& entry) {
    to.begin('{');
    each(entry);
    to.end('}');
  });
}

void put_ids(JsonWriter& to, std::string_view name, const std::vector<std::string>& ids) {
  put_list(to, name, ids, [&](const std::string& id) { to.base64(as_bytes(id)); });
}

void put_control(JsonWriter& to, const RpcMeta& meta) {
  const auto only_ids = [&to](const std::vector<std::string>& ids) { put_ids(to, "messageIDs", ids); };
  to.key("control");
  to.begin('{');
  put_objects(to, "ihave", meta.ihave, [&](const RpcMeta::IHave& ihave) {
    put(to, {"topic", ihave.topic});
    only_ids(ihave.ids);
  });
  put_objects(to, "iwant", meta.iwant, only_ids);
  put_objects(to, "graft", meta.graft, [&](const std::string& topic) { put(to, {"topic", topic}); });
  put_objects(to, "prune", meta.prune, [&](const RpcMeta::Prune& prune) {
    put(to, {"topic", prune.topic});
    put_ids(to, "peers", prune.peers);
  });
  put_objects(to, "idontwant", meta.idontwant, only_ids);
  to.end('}');
}

void put_meta(JsonWriter& to, const RpcMeta& meta) {
  to.key("meta");
  to.begin('{');
  put_objects(to, "messages", meta.messages, [&](const RpcMeta::MessageMeta& message) {
    put_all(to, {bytes_field("messageID", message.id.bytes()), {"topic", message.topic}});
  });
  put_objects(to, "subscription", meta.subscriptions, [&](const RpcMeta::Subscription& subscription) {
    to.key("subscribe");
    to.boolean(subscription.subscribe);
    put(to, {"topic", subscription.topic});
  });
  if (meta.has_control) put_control(to, meta);
  to.end('}');
}

std::string_view name_of(TraceEventKind kind) {
  switch (kind) {
    case TraceEventKind::publish_message: return "publishMessage";
    case TraceEventKind::reject_message: return "rejectMessage";
    case TraceEventKind::duplicate_message: return "duplicateMessage";
    case TraceEventKind::deliver_message: return "deliverMessage";
    case TraceEventKind::add_peer: return "onNewOutboundStream";
    case TraceEventKind::remove_peer: return "onClosedOutboundStream";
    case TraceEventKind::receive_rpc: return "recvRPC";
    case TraceEventKind::send_rpc: return "sendRPC";
    case TraceEventKind::drop_rpc: return "dropRPC";
    case TraceEventKind::join: return "join";
    case TraceEventKind::leave: return "leave";
    case TraceEventKind::graft: return "graft";
    case TraceEventKind::prune: return "prune";
  }
  return "unknown";
}

void put_details(JsonWriter& to, const TraceEvent& event) {
  const JsonField id = bytes_field("messageID", event.id.bytes());
  const JsonField from = bytes_field("receivedFrom", event.peer.bytes());
  const JsonField peer = bytes_field("peerID", event.peer.bytes());
  const JsonField topic{"topic", event.topic};
  switch (event.kind) {
    case TraceEventKind::publish_message: return put_all(to, {id, topic});
    case TraceEventKind::reject_message: return put_all(to, {id, from, {"reason", event.detail}, topic});
    case TraceEventKind::duplicate_message:
    case TraceEventKind::deliver_message: return put_all(to, {id, from, topic});
    case TraceEventKind::add_peer: return put_all(to, {peer, {"proto", event.detail}});
    case TraceEventKind::remove_peer: return put(to, peer);
    case TraceEventKind::receive_rpc: put(to, from); break;
    case TraceEventKind::send_rpc:
    case TraceEventKind::drop_rpc: put(to, bytes_field("sendTo", event.peer.bytes())); break;
    case TraceEventKind::join:
    case TraceEventKind::leave: return put(to, topic);
    case TraceEventKind::graft:
    case TraceEventKind::prune: return put_all(to, {peer, topic});
  }
  if (event.meta != nullptr) put_meta(to, *event.meta);
}

void begin_event(JsonWriter& to, std::uint32_t type, UnixTime at) {
  to.begin('{');
  to.key("type");
  to.number(type);
  to.key("timestamp");
  to.number(at.time_since_epoch().count());
}

}  // namespace

void append_trace_json(std::string& to, const TraceEvent& event) {
  JsonWriter json(to);
  begin_event(json, static_cast<std::uint32_t>(event.kind), event.at);
  put(json, bytes_field("peerID", event.self.bytes()));
  json.key(name_of(event.kind));
  json.begin('{');
  put_details(json, event);
  json.end('}');
  json.end('}');
  to.push_back('\n');
}

void append_trace_json(std::string& to, const TraceLoss& loss) {
  JsonWriter json(to);
  begin_event(json, kTraceLossType, loss.at);
  json.key("lost");
  json.begin('{');
  json.key("noRoom");
  json.number(loss.no_room);
  json.key("unwritten");
  json.number(loss.unwritten);
  json.end('}');
  json.end('}');
  to.push_back('\n');
}

}  // namespace libp2p::gossipsub
