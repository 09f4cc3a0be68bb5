// GossipSub's RPC message (specifications pubsub/README and gossipsub v1.0 to v1.3) and its codec. A decoded Rpc is a
// set of views into the frame that it came in; `frame` keeps that alive. Nothing is copied, and what is allocated is
// bounded by RpcLimits. Fields are optional as in the protobuf schema (proto2), so that a decoded message encodes to
// the same bytes. A frame is an RPC with its length in front, as it stands on the stream. Stateless; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/protocols/gossipsub/params.hpp"

namespace libp2p::gossipsub {

struct SubOpts {
  std::optional<bool> subscribe;
  std::optional<std::string_view> topic;
  std::optional<bool> requests_partial;          // field 3, of an extension that is not spoken here
  std::optional<bool> supports_sending_partial;  // field 4, likewise
};

struct Message {
  std::optional<ByteView> from;
  std::optional<ByteView> data;
  std::optional<ByteView> seqno;
  std::optional<std::string_view> topic;
  std::optional<ByteView> signature;
  std::optional<ByteView> key;

  // StrictNoSign: whether none of the four author fields is there, not even empty.
  bool anonymous() const { return !from && !seqno && !signature && !key; }
};

struct IHave {
  std::optional<std::string_view> topic;
  std::vector<ByteView> ids;
};
struct IWant {
  std::vector<ByteView> ids;
};
struct IDontWant {
  std::vector<ByteView> ids;
};
struct Graft {
  std::optional<std::string_view> topic;
};
struct PeerInfo {
  std::optional<ByteView> peer_id;
  std::optional<ByteView> signed_peer_record;
};
struct Prune {
  std::optional<std::string_view> topic;
  std::vector<PeerInfo> peers;
  std::optional<std::uint64_t> backoff;  // seconds
};
struct Extensions {
  std::optional<bool> partial_messages;
  std::optional<bool> test_extension;
};

struct Control {
  std::vector<IHave> ihave;
  std::vector<IWant> iwant;
  std::vector<Graft> graft;
  std::vector<Prune> prune;
  std::vector<IDontWant> idontwant;
  std::optional<Extensions> extensions;
};

struct Rpc {
  std::vector<SubOpts> subscriptions;
  std::vector<Message> publish;
  std::optional<Control> control;
  bool test_extension = false;  // field 6492434: present, its (empty) message read
  std::size_t ignored = 0;      // entries and ids beyond RpcLimits, not kept
  SharedBytes frame;            // owns what the views above show; null for an Rpc that was built by hand
};

// Reads `uvarint length || rpc`, which must be the whole of `frame`. What pubsub v0.17 (op-node v1.19.6) reads is read,
// and nothing else but unknown fields of a Message that op-node up to v1.19.2 passes on. Unknown fields are skipped,
// groups too. Errc::malformed or truncated with the byte of the frame; Errc::too_large for a bound of `limits`.
Result<Rpc> decode_frame(SharedBytes frame, const RpcLimits& limits);
// The same without the length prefix; the views point into `bytes`, which the caller keeps alive.
Result<Rpc> decode_rpc(ByteView bytes, const RpcLimits& limits);
// One pubsub Message on its own.
Result<Message> decode_message(ByteView bytes);

// Deterministic: fields in the order of their numbers.
Bytes encode_rpc(const Rpc& rpc);
Bytes encode_message(const Message& message);
// With the length in front.
SharedBytes encode_frame(const Rpc& rpc);
// The size of that, without encoding.
std::size_t frame_size(const Rpc& rpc);

}  // namespace libp2p::gossipsub
