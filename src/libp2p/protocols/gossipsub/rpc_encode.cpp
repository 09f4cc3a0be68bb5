// The codec's writing half. An RPC is gone over twice: its bytes are counted, and then written to one block of that
// size. What is nested is counted once more for each message around it, of which there are three at most.
#include "libp2p/base/assert.hpp"
#include "libp2p/multiformats/varint.hpp"
#include "libp2p/protocols/gossipsub/rpc.hpp"
#include "libp2p/protocols/gossipsub/rpc_fields.hpp"

namespace libp2p::gossipsub {
namespace {

using multiformats::varint_size;
using multiformats::write_varint;

constexpr std::uint64_t kVarintType = 0;
constexpr std::uint64_t kBytesType = 2;

constexpr std::uint64_t tag_of(std::uint32_t number, std::uint64_t type) { return std::uint64_t{number} << 3 | type; }

// The two have the same functions: one counts what the other writes.
class Counter {
 public:
  void bytes(std::uint32_t number, ByteView value) {
    size_ += varint_size(tag_of(number, kBytesType)) + varint_size(value.size()) + value.size();
  }
  void varint(std::uint32_t number, std::uint64_t value) {
    size_ += varint_size(tag_of(number, kVarintType)) + varint_size(value);
  }
  template <class Fill>
  void inner(std::uint32_t number, Fill fill) {
    Counter counter;
    fill(counter);
    size_ += varint_size(tag_of(number, kBytesType)) + varint_size(counter.size_) + counter.size_;
  }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};

class Writer {
 public:
  // What is written is no more than was counted.
  explicit Writer(std::uint8_t* at) : at_(at) {}

  void bytes(std::uint32_t number, ByteView value) {
    put(tag_of(number, kBytesType));
    put(value.size());
    if (!value.empty()) std::memcpy(at_, value.data(), value.size());
    at_ += value.size();
  }
  void varint(std::uint32_t number, std::uint64_t value) {
    put(tag_of(number, kVarintType));
    put(value);
  }
  template <class Fill>
  void inner(std::uint32_t number, Fill fill) {
    Counter counter;
    fill(counter);
    put(tag_of(number, kBytesType));
    put(counter.size());
    fill(*this);
  }
  void put(std::uint64_t value) { at_ += write_varint(at_, value); }
  const std::uint8_t* at() const { return at_; }

 private:
  std::uint8_t* at_;
};

template <class To>
void put(To& to, std::uint32_t number, const std::optional<ByteView>& value) {
  if (value) to.bytes(number, *value);
}
template <class To>
void put(To& to, std::uint32_t number, const std::optional<std::string_view>& value) {
  if (value) to.bytes(number, as_bytes(*value));
}
template <class To>
void put(To& to, std::uint32_t number, const std::optional<bool>& value) {
  if (value) to.varint(number, *value ? 1 : 0);
}
template <class To>
void put_ids(To& to, std::uint32_t number, const std::vector<ByteView>& ids) {
  for (const auto& id : ids) to.bytes(number, id);
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
void write(To& to, const IWant& iwant) {
  put_ids(to, field::ids, iwant.ids);
}
template <class To>
void write(To& to, const IDontWant& idontwant) {
  put_ids(to, field::ids, idontwant.ids);
}
template <class To>
void write(To& to, const Graft& graft) {
  put(to, field::graft_topic, graft.topic);
}

template <class To>
void write(To& to, const PeerInfo& info) {
  put(to, field::peer_id, info.peer_id);
  put(to, field::signed_peer_record, info.signed_peer_record);
}

template <class To, class Entry>
void write_each(To& to, std::uint32_t number, const std::vector<Entry>& entries) {
  for (const auto& entry : entries) to.inner(number, [&](auto& inner) { write(inner, entry); });
}

template <class To>
void write(To& to, const Prune& prune) {
  put(to, field::prune_topic, prune.topic);
  write_each(to, field::prune_peers, prune.peers);
  if (prune.backoff) to.varint(field::prune_backoff, *prune.backoff);
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
    to.inner(field::extensions, [&](auto& inner) { write(inner, *control.extensions); });
  }
}

template <class To>
void write(To& to, const Rpc& rpc) {
  write_each(to, field::subscriptions, rpc.subscriptions);
  write_each(to, field::publish, rpc.publish);
  if (rpc.control) to.inner(field::control, [&](auto& inner) { write(inner, *rpc.control); });
  if (rpc.test_extension) to.inner(field::test_extension, [](auto&) {});
}

enum class Prefix : std::uint8_t { none, length };

template <class Value>
Bytes encode(const Value& value, Prefix prefix) {
  Counter counter;
  write(counter, value);
  Bytes out(counter.size() + (prefix == Prefix::length ? varint_size(counter.size()) : 0));
  Writer to(out.data());
  if (prefix == Prefix::length) to.put(counter.size());
  write(to, value);
  OPP2P_ASSERT(to.at() == out.data() + out.size(), "as many bytes are written as were counted", out);
  return out;
}

}  // namespace

Bytes encode_rpc(const Rpc& rpc) { return encode(rpc, Prefix::none); }
Bytes encode_message(const Message& message) { return encode(message, Prefix::none); }
SharedBytes encode_frame(const Rpc& rpc) { return share(encode(rpc, Prefix::length)); }

std::size_t frame_size(const Rpc& rpc) {
  Counter counter;
  write(counter, rpc);
  return varint_size(counter.size()) + counter.size();
}

}  // namespace libp2p::gossipsub
