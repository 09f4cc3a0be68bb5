#include "protocols/gossipsub/rpc.hpp"

#include <protozero/types.hpp>
#include <protozero/varint.hpp>

#include "multiformats/varint.hpp"
#include "protocols/gossipsub/rpc_fields.hpp"

namespace libp2p::gossipsub {
namespace {

using protozero::pbf_wire_type;

constexpr std::size_t kMaxGroupDepth = 64;

struct Field {
  std::uint32_t number = 0;
  pbf_wire_type type{};
  std::uint64_t value = 0;  // varint
  ByteView bytes;           // length-delimited
};

// Walks over the fields of one message. protozero's reader refuses groups, which are obsolete but lawful in an unknown field;
// so this goes from field to field itself, with protozero's primitives.
class Fields {
 public:
  // `start`: offset of the first byte in what the caller was given, for error texts.
  Fields(ByteView bytes, const std::uint8_t* start) : begin_(bytes.data()), at_(begin_), end_(at_ + bytes.size()), start_(start) {}

  // False at the end.
  Result<bool> next(Field& out) {
    while (at_ != end_) {
      OPP2P_TRYV(read_tag(out));
      if (out.type == pbf_wire_type{3}) {
        OPP2P_TRYV(skip_group(out.number));
        continue;
      }
      OPP2P_TRYV(read_value(out));
      return true;
    }
    return false;
  }

  // Bytes that were gone over.
  std::size_t position() const { return static_cast<std::size_t>(at_ - begin_); }

  Error error(Errc code, std::string_view what) const {
    return Error::at(static_cast<std::size_t>(at_ - start_), code, "gossipsub RPC: " + std::string(what));
  }

 private:
  Result<std::uint64_t> read_varint() {
    const char* at = reinterpret_cast<const char*>(at_);
    try {
      const std::uint64_t value = protozero::decode_varint(&at, reinterpret_cast<const char*>(end_));
      at_ = reinterpret_cast<const std::uint8_t*>(at);
      return value;
    } catch (const protozero::end_of_buffer_exception&) {
      return error(Errc::truncated, "a number goes past the end");
    } catch (const protozero::exception&) {
      return error(Errc::malformed, "a number is longer than ten bytes");
    }
  }

  Result<void> read_tag(Field& out) {
    OPP2P_TRY(const auto tag, read_varint());
    const std::uint64_t number = tag >> 3;
    const auto type = static_cast<std::uint8_t>(tag & 7);
    if (number == 0 || number > 536'870'911) return error(Errc::malformed, "a field has an impossible number");
    if (type > 5) return error(Errc::malformed, "a field has an unknown wire type");
    out.number = static_cast<std::uint32_t>(number);
    out.type = static_cast<pbf_wire_type>(type);
    return {};
  }

  Result<void> read_value(Field& out) {
    switch (static_cast<int>(out.type)) {
      case 0: {
        OPP2P_TRY(out.value, read_varint());
        return {};
      }
      case 1: return take(8, out);
      case 2: {
        OPP2P_TRY(const auto size, read_varint());
        return take(size, out);
      }
      case 5: return take(4, out);
      default: return error(Errc::malformed, "a group ends that did not begin");
    }
  }

  Result<void> take(std::uint64_t size, Field& out) {
    if (size > static_cast<std::uint64_t>(end_ - at_)) return error(Errc::truncated, "a field goes past the end");
    out.bytes = ByteView(at_, static_cast<std::size_t>(size));
    at_ += size;
    return {};
  }

  Result<void> skip_group(std::uint32_t number) {
    std::vector<std::uint32_t> open{number};
    while (!open.empty()) {
      if (at_ == end_) return error(Errc::truncated, "a group does not end");
      Field inner;
      OPP2P_TRYV(read_tag(inner));
      if (inner.type == pbf_wire_type{3}) {
        if (open.size() == kMaxGroupDepth) return error(Errc::malformed, "groups are nested too deeply");
        open.push_back(inner.number);
      } else if (inner.type == pbf_wire_type{4}) {
        if (open.back() != inner.number) return error(Errc::malformed, "a group ends that did not begin");
        open.pop_back();
      } else {
        OPP2P_TRYV(read_value(inner));
      }
    }
    return {};
  }

  const std::uint8_t* begin_;
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  const std::uint8_t* start_;
};

bool is_bytes(const Field& f) { return f.type == pbf_wire_type::length_delimited; }
bool is_varint(const Field& f) { return f.type == pbf_wire_type::varint; }

// Decodes one RPC within its limits. A field of a known number but another wire type is an unknown field and skipped.
class Decoder {
 public:
  Decoder(const std::uint8_t* start, const RpcLimits& limits)
      : start_(start), limits_(limits), entries_left_(limits.max_entries), ids_left_(limits.max_ids) {}

  Result<void> rpc(ByteView bytes, Rpc& out) {
    std::size_t data_size = 0;
    Fields fields(bytes, start_);
    // Seen before a part is gone into: what is too much must not cost more than to see it.
    const auto check_control = [&]() -> Result<void> {
      if (fields.position() - data_size <= limits_.max_control) return {};
      return fields.error(Errc::too_large, "all but the data of its messages is more than " +
                                               std::to_string(limits_.max_control) + " bytes");
    };
    for (Field f;;) {
      OPP2P_TRY(const bool more, fields.next(f));
      if (!more) break;
      if (is_bytes(f) && f.number == field::publish) {
        if (out.publish.size() == limits_.max_messages) return fields.error(Errc::too_large, "it has too many messages");
        OPP2P_TRY(auto parsed, message(f.bytes));
        data_size += parsed.data ? parsed.data->size() : 0;
        out.publish.push_back(parsed);
      }
      OPP2P_TRYV(check_control());
      if (!is_bytes(f)) continue;
      if (f.number == field::subscriptions) {
        OPP2P_TRYV(subscription(f.bytes, out));
      } else if (f.number == field::control) {
        if (!out.control) out.control.emplace();  // a second one is merged into the first
        OPP2P_TRYV(control(f.bytes, *out.control));
      } else if (f.number == field::test_extension) {
        OPP2P_TRYV(skip(f.bytes));
        out.test_extension = true;
      }
    }
    OPP2P_TRYV(check_control());
    out.ignored = ignored_;
    return {};
  }

  Result<Message> message(ByteView bytes) {
    Message out;
    Fields fields(bytes, start_);
    for (Field f;;) {
      OPP2P_TRY(const bool more, fields.next(f));
      if (!more) return out;
      if (!is_bytes(f)) continue;
      switch (f.number) {
        case field::from: out.from = f.bytes; break;
        case field::data: out.data = f.bytes; break;
        case field::seqno: out.seqno = f.bytes; break;
        case field::topic: out.topic = as_text(f.bytes); break;
        case field::signature: out.signature = f.bytes; break;
        case field::key: out.key = f.bytes; break;
        default: break;
      }
    }
  }

 private:
  Result<void> skip(ByteView bytes) {
    Fields fields(bytes, start_);
    for (Field f;;) {
      OPP2P_TRY(const bool more, fields.next(f));
      if (!more) return {};
    }
  }

  bool take(std::size_t& left) {
    if (left == 0) {
      ++ignored_;
      return false;
    }
    --left;
    return true;
  }

  Result<void> subscription(ByteView bytes, Rpc& rpc) {
    Subscription out;
    Fields fields(bytes, start_);
    for (Field f;;) {
      OPP2P_TRY(const bool more, fields.next(f));
      if (!more) break;
      if (f.number == field::topicid && is_bytes(f)) out.topic = as_text(f.bytes);
      if (!is_varint(f)) continue;
      if (f.number == field::subscribe) out.subscribe = f.value != 0;
      if (f.number == field::requests_partial) out.requests_partial = f.value != 0;
      if (f.number == field::supports_sending_partial) out.supports_sending_partial = f.value != 0;
    }
    if (take(entries_left_)) rpc.subscriptions.push_back(out);
    return {};
  }

  Result<void> control(ByteView bytes, Control& out) {
    Fields fields(bytes, start_);
    for (Field f;;) {
      OPP2P_TRY(const bool more, fields.next(f));
      if (!more) return {};
      if (!is_bytes(f)) continue;
      switch (f.number) {
        case field::ihave: OPP2P_TRYV(ihave(f.bytes, out)); break;
        case field::iwant: OPP2P_TRYV(id_list(f.bytes, out.iwant)); break;
        case field::graft: OPP2P_TRYV(graft(f.bytes, out)); break;
        case field::prune: OPP2P_TRYV(prune(f.bytes, out)); break;
        case field::idontwant: OPP2P_TRYV(id_list(f.bytes, out.idontwant)); break;
        case field::extensions: OPP2P_TRYV(extensions(f.bytes, out)); break;
        default: break;
      }
    }
  }

  Result<void> ihave(ByteView bytes, Control& control) {
    IHave out;
    Fields fields(bytes, start_);
    for (Field f;;) {
      OPP2P_TRY(const bool more, fields.next(f));
      if (!more) break;
      if (!is_bytes(f)) continue;
      if (f.number == field::ihave_topic) out.topic = as_text(f.bytes);
      if (f.number == field::ihave_ids && take(ids_left_)) out.ids.push_back(f.bytes);
    }
    if (take(entries_left_)) control.ihave.push_back(std::move(out));
    return {};
  }

  template <class Entry>
  Result<void> id_list(ByteView bytes, std::vector<Entry>& list) {
    Entry out;
    Fields fields(bytes, start_);
    for (Field f;;) {
      OPP2P_TRY(const bool more, fields.next(f));
      if (!more) break;
      if (f.number == field::ids && is_bytes(f) && take(ids_left_)) out.ids.push_back(f.bytes);
    }
    if (take(entries_left_)) list.push_back(std::move(out));
    return {};
  }

  Result<void> graft(ByteView bytes, Control& control) {
    Graft out;
    Fields fields(bytes, start_);
    for (Field f;;) {
      OPP2P_TRY(const bool more, fields.next(f));
      if (!more) break;
      if (f.number == field::graft_topic && is_bytes(f)) out.topic = as_text(f.bytes);
    }
    if (take(entries_left_)) control.graft.push_back(out);
    return {};
  }

  Result<void> prune(ByteView bytes, Control& control) {
    Prune out;
    Fields fields(bytes, start_);
    for (Field f;;) {
      OPP2P_TRY(const bool more, fields.next(f));
      if (!more) break;
      if (f.number == field::prune_backoff && is_varint(f)) out.backoff = f.value;
      if (!is_bytes(f)) continue;
      if (f.number == field::prune_topic) out.topic = as_text(f.bytes);
      if (f.number == field::prune_peers) {
        OPP2P_TRY(const auto info, peer_info(f.bytes));
        if (take(entries_left_)) out.peers.push_back(info);
      }
    }
    if (take(entries_left_)) control.prune.push_back(std::move(out));
    return {};
  }

  Result<PeerInfo> peer_info(ByteView bytes) {
    PeerInfo out;
    Fields fields(bytes, start_);
    for (Field f;;) {
      OPP2P_TRY(const bool more, fields.next(f));
      if (!more) return out;
      if (!is_bytes(f)) continue;
      if (f.number == field::peer_id) out.peer_id = f.bytes;
      if (f.number == field::signed_peer_record) out.signed_peer_record = f.bytes;
    }
  }

  Result<void> extensions(ByteView bytes, Control& control) {
    if (!control.extensions) control.extensions.emplace();
    Fields fields(bytes, start_);
    for (Field f;;) {
      OPP2P_TRY(const bool more, fields.next(f));
      if (!more) return {};
      if (!is_varint(f)) continue;
      if (f.number == field::partial_messages) control.extensions->partial_messages = f.value != 0;
      if (f.number == field::extensions_test) control.extensions->test_extension = f.value != 0;
    }
  }

  const std::uint8_t* start_;
  const RpcLimits& limits_;
  std::size_t entries_left_;
  std::size_t ids_left_;
  std::size_t ignored_ = 0;
};

}  // namespace

Result<Rpc> decode_frame(SharedBytes frame, const RpcLimits& limits) {
  OPP2P_TRY(const auto prefix, multiformats::read_varint(*frame));
  const ByteView body = ByteView(*frame).subspan(prefix.size);
  if (prefix.value != body.size()) {
    return Error::at(0, Errc::malformed, "gossipsub frame: the length in front is not that of the RPC");
  }
  if (body.size() > limits.max_rpc) return Error::at(0, Errc::too_large, "gossipsub frame: the RPC is too large");
  Rpc out;
  OPP2P_TRYV(Decoder(frame->data(), limits).rpc(body, out));
  out.frame = std::move(frame);
  return out;
}

Result<Rpc> decode_rpc(ByteView bytes, const RpcLimits& limits) {
  if (bytes.size() > limits.max_rpc) return Error::at(0, Errc::too_large, "gossipsub RPC: it is too large");
  Rpc out;
  OPP2P_TRYV(Decoder(bytes.data(), limits).rpc(bytes, out));
  return out;
}

Result<Message> decode_message(ByteView bytes) {
  const RpcLimits limits;
  return Decoder(bytes.data(), limits).message(bytes);
}

}  // namespace libp2p::gossipsub
