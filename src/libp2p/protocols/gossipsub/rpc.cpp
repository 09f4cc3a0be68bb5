#include "libp2p/protocols/gossipsub/rpc.hpp"

#include <algorithm>

#include "libp2p/base/protobuf.hpp"
#include "libp2p/multiformats/varint.hpp"
#include "libp2p/protocols/gossipsub/rpc_fields.hpp"

namespace libp2p::gossipsub {
namespace {

using Field = ProtobufField;

constexpr std::string_view kContext = "gossipsub RPC";

bool is_bytes(const Field& f) { return f.is_bytes(); }
bool is_varint(const Field& f) { return f.is_varint(); }

// Decodes one RPC within its limits. A field of a known number but another wire type is an unknown field and skipped.
class Decoder {
 public:
  Decoder(const std::uint8_t* start, const RpcLimits& limits)
      : start_(start),
        limits_(limits),
        entries_left_(limits.max_entries),
        ids_left_(limits.max_ids),
        misread_left_(limits.max_control) {}

  Result<void> rpc(ByteView bytes, Rpc& out) {
    ProtobufReader fields = reader(bytes);
    // Seen before a part is gone into: what is too much must not cost more than to see it.
    const auto check_control = [&]() -> Result<void> {
      const auto most = static_cast<std::int64_t>(limits_.max_control);
      if (control_size_ <= most) return {};
      const std::string_view what = limits_.partial_messages || control_size_ - partial_size_ > most
                                        ? "all but the data of its messages is more than "
                                        : "with its partial message it is more than ";
      return fields.error(Errc::too_large, std::string(what) + std::to_string(limits_.max_control) + " bytes");
    };
    for (Field f;;) {
      const ByteView from_here = fields.rest();
      OPP2P_TRY(const bool more, fields.next(f));
      if (!more) break;
      const auto size = static_cast<std::int64_t>(f.tag_size + f.value_size);
      if (f.number == field::partial) partial_size_ += size;
      if (f.number != field::partial || !limits_.partial_messages) control_size_ += size;
      if (f.number == field::publish) {
        if (!is_bytes(f)) {
          OPP2P_TRYV(discount_misread_data(from_here.subspan(f.tag_size)));
        } else {
          if (out.publish.size() == limits_.max_messages)
            return fields.error(Errc::too_large, "it has too many messages");
          OPP2P_TRY(auto parsed, message(f.bytes));
          out.publish.push_back(parsed);
        }
      }
      OPP2P_TRYV(check_control());
      if (!is_bytes(f)) continue;
      if (f.number == field::subscriptions) {
        OPP2P_TRYV(subscription(f.bytes, out));
      } else if (f.number == field::control) {
        if (!out.control) out.control.emplace();  // a second one is merged into the first
        OPP2P_TRYV(control(f.bytes, *out.control));
      } else if (f.number == field::partial) {
        if (!out.partial) out.partial.emplace();  // a second one is merged into the first
        OPP2P_TRYV(partial(f.bytes, *out.partial));
      } else if (f.number == field::test_extension) {
        OPP2P_TRYV(check_protobuf(f.bytes, kContext, start_, Errc::truncated));
        out.test_extension = true;
      }
    }
    out.ignored = ignored_;
    return {};
  }

  Result<Message> message(ByteView bytes) {
    Message out;
    ProtobufReader fields = reader(bytes);
    // op-node up to v1.19.2 passes these on as gogo/protobuf reads them.
    if (limits_.older_fields) fields.keep_unknown_above(field::key, limits_.max_control);
    std::size_t first_data = 0;
    bool other_type = false;  // of a field that is known: gogo/protobuf refuses it
    for (Field f;;) {
      OPP2P_TRY(const bool more, fields.next(f));
      if (!more) break;
      if (is_bytes(f)) {
        if (f.number == field::data && !out.data) first_data = f.value_size;
        keep(f, out);
      } else if (f.number <= field::key) {
        other_type = true;
      }
      if (fields.position() - first_data > limits_.max_control)
        return fields.error(Errc::too_large, "all but the data of a message is too much");
    }
    // Then it is one for v1.19.6 or for nobody.
    if (other_type && limits_.older_fields) OPP2P_TRYV(check_protobuf(bytes, kContext, start_, Errc::truncated));
    control_size_ -= static_cast<std::int64_t>(first_data);
    return out;
  }

 private:
  ProtobufReader reader(ByteView bytes) const { return ProtobufReader(bytes, kContext, start_, Errc::truncated); }

  static void keep(const Field& f, Message& out) {
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

  // pubsub's check of the size of control takes a `publish` of any wire type for one of bytes, and reads on from there.
  // So it refuses some RPCs that are protobuf otherwise. Each of these readings may go over all that follows, so
  // together they have a bound.
  Result<void> discount_misread_data(ByteView from) {
    const auto length = read_uvarint(from);
    if (length.fault != Uvarint::Fault::none || length.value > from.size() - length.size)
      return Error::at(static_cast<std::size_t>(from.data() - start_), Errc::truncated,
                       "gossipsub RPC: a message of another wire type goes past the end");
    const auto size = static_cast<std::size_t>(length.value);
    const std::size_t most = std::min(size, misread_left_);
    ProtobufReader fields = reader(from.subspan(length.size, most));
    fields.allow_high_numbers();
    for (Field f;;) {
      const auto more = fields.next(f);
      if (most < size && (!more || !*more))
        return fields.error(Errc::too_large, "its messages of another wire type are more than " +
                                                 std::to_string(limits_.max_control) + " bytes");
      if (!more) return more.error();
      if (*more && (f.number != field::data || !is_bytes(f))) continue;
      misread_left_ -= fields.position();
      if (*more) control_size_ -= static_cast<std::int64_t>(f.value_size);
      return {};
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
    SubOpts out;
    ProtobufReader fields = reader(bytes);
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
    ProtobufReader fields = reader(bytes);
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
    ProtobufReader fields = reader(bytes);
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
    ProtobufReader fields = reader(bytes);
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
    ProtobufReader fields = reader(bytes);
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
    ProtobufReader fields = reader(bytes);
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
    ProtobufReader fields = reader(bytes);
    for (Field f;;) {
      OPP2P_TRY(const bool more, fields.next(f));
      if (!more) return out;
      if (!is_bytes(f)) continue;
      if (f.number == field::peer_id) out.peer_id = f.bytes;
      if (f.number == field::signed_peer_record) out.signed_peer_record = f.bytes;
    }
  }

  Result<void> partial(ByteView bytes, Partial& out) const {
    ProtobufReader fields = reader(bytes);
    for (Field f;;) {
      OPP2P_TRY(const bool more, fields.next(f));
      if (!more) return {};
      if (!is_bytes(f)) continue;
      switch (f.number) {
        case field::partial_topic: out.topic = as_text(f.bytes); break;
        case field::partial_group: out.group = f.bytes; break;
        case field::partial_message: out.message = f.bytes; break;
        case field::partial_metadata: out.metadata = f.bytes; break;
        default: break;
      }
    }
  }

  Result<void> extensions(ByteView bytes, Control& control) {
    if (!control.extensions) control.extensions.emplace();
    ProtobufReader fields = reader(bytes);
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
  std::size_t misread_left_;
  std::size_t ignored_ = 0;
  // Of what was gone over: all but the first data of each message, as pubsub counts. It leaves partial messages out.
  // Where we do not speak them they count, so that nobody makes us walk over 10 MiB of them.
  std::int64_t control_size_ = 0;
  std::int64_t partial_size_ = 0;
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
