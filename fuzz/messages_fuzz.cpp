// Messages of every protocol, made by a script: each comes back from its encoding as it was.
#include "libp2p/multiformats/rlp.hpp"
#include "libp2p/protocols/gossipsub/rpc.hpp"
#include "libp2p/protocols/identify/identify.hpp"
#include "libp2p/protocols/multistream/negotiator.hpp"
#include "libp2p/protocols/noise/payload.hpp"
#include "libp2p/protocols/noise/transport.hpp"
#include "opstack/sync/wire/codec.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using namespace libp2p;
using fuzzing::require;
using fuzzing::Script;

Bytes bytes_of(Script& script) { return to_bytes(script.take(script.below(60))); }
std::string text_of(Script& script) { return std::string(as_text(script.take(script.below(30)))); }
template <class Make>
auto maybe(Script& script, Make&& make) -> std::optional<decltype(make())> {
  if (script.next() % 4 == 0) return std::nullopt;
  return make();
}
template <class Make>
auto several(Script& script, Make&& make) {
  std::vector<decltype(make())> out;
  for (std::size_t left = script.below(4); left > 0; --left) out.push_back(make());
  return out;
}

// ---- gossipsub: views into the script's own bytes, compared field by field ----

bool same(const std::optional<ByteView>& a, const std::optional<ByteView>& b) {
  return a.has_value() == b.has_value() && (!a || equal(*a, *b));
}
bool same(const std::vector<ByteView>& a, const std::vector<ByteView>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](ByteView x, ByteView y) { return equal(x, y); });
}
template <class Entry, class Equal>
bool all_same(const std::vector<Entry>& a, const std::vector<Entry>& b, Equal&& one) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), one);
}

gossipsub::Rpc rpc_of(Script& script) {
  using namespace gossipsub;
  const auto view = [&] { return script.take(script.below(40)); };
  const auto topic = [&] { return as_text(script.take(script.below(20))); };
  const auto flag = [&] { return script.flip(); };
  const auto ids = [&] { return several(script, view); };
  Rpc out;
  out.subscriptions = several(script, [&] {
    return SubOpts{maybe(script, flag), maybe(script, topic), maybe(script, flag), maybe(script, flag)};
  });
  out.publish = several(script, [&] {
    return Message{maybe(script, view),  maybe(script, view), maybe(script, view),
                   maybe(script, topic), maybe(script, view), maybe(script, view)};
  });
  if (script.flip()) return out;
  Control& control = out.control.emplace();
  control.ihave = several(script, [&] { return IHave{maybe(script, topic), ids()}; });
  control.iwant = several(script, [&] { return IWant{ids()}; });
  control.graft = several(script, [&] { return Graft{maybe(script, topic)}; });
  control.prune = several(script, [&] {
    const auto peers = several(script, [&] { return PeerInfo{maybe(script, view), maybe(script, view)}; });
    return Prune{maybe(script, topic), peers,
                 maybe(script, [&] { return std::uint64_t{script.next16()} << script.below(48); })};
  });
  control.idontwant = several(script, [&] { return IDontWant{ids()}; });
  if (script.flip()) control.extensions = Extensions{maybe(script, flag), maybe(script, flag)};
  return out;
}

bool same(const gossipsub::Control& a, const gossipsub::Control& b) {
  const auto ids = [](const auto& x, const auto& y) { return same(x.ids, y.ids); };
  const auto info = [](const auto& x, const auto& y) {
    return same(x.peer_id, y.peer_id) && same(x.signed_peer_record, y.signed_peer_record);
  };
  return all_same(a.ihave, b.ihave,
                  [](const auto& x, const auto& y) { return x.topic == y.topic && same(x.ids, y.ids); }) &&
         all_same(a.iwant, b.iwant, ids) && all_same(a.idontwant, b.idontwant, ids) &&
         all_same(a.graft, b.graft, [](const auto& x, const auto& y) { return x.topic == y.topic; }) &&
         all_same(a.prune, b.prune,
                  [&](const auto& x, const auto& y) {
                    return x.topic == y.topic && x.backoff == y.backoff && all_same(x.peers, y.peers, info);
                  }) &&
         a.extensions.has_value() == b.extensions.has_value() &&
         (!a.extensions || (a.extensions->partial_messages == b.extensions->partial_messages &&
                            a.extensions->test_extension == b.extensions->test_extension));
}

void gossip(Script& script) {
  const auto rpc = rpc_of(script);
  const SharedBytes frame = gossipsub::encode_frame(rpc);
  const auto read = gossipsub::decode_frame(frame, gossipsub::RpcLimits{});
  require(read.has_value() && read->ignored == 0);
  require(all_same(read->subscriptions, rpc.subscriptions, [](const auto& x, const auto& y) {
    return x.subscribe == y.subscribe && x.topic == y.topic && x.requests_partial == y.requests_partial &&
           x.supports_sending_partial == y.supports_sending_partial;
  }));
  require(all_same(read->publish, rpc.publish, [](const auto& x, const auto& y) {
    return same(x.from, y.from) && same(x.data, y.data) && same(x.seqno, y.seqno) && x.topic == y.topic &&
           same(x.signature, y.signature) && same(x.key, y.key);
  }));
  require(read->control.has_value() == rpc.control.has_value() && (!rpc.control || same(*read->control, *rpc.control)));
}

// ---- the others ----

void identify_message(Script& script) {
  identify::Message message;
  message.public_key = maybe(script, [&] { return bytes_of(script); });
  message.listen_addrs = several(script, [&] { return bytes_of(script); });
  message.protocols = several(script, [&] { return text_of(script); });
  message.observed_addr = maybe(script, [&] { return bytes_of(script); });
  message.protocol_version = maybe(script, [&] { return text_of(script); });
  message.agent_version = maybe(script, [&] { return text_of(script); });
  message.signed_peer_record = maybe(script, [&] {
    const std::uint8_t byte = script.next();
    return Bytes(script.next16() % 3000, byte);
  });
  require(identify::decode(identify::encode(message)).value() == message);
  require(identify::decode_parts(identify::encode_parts(message)).value() == message);
}

void noise_messages(Script& script) {
  noise::HandshakePayload payload;
  payload.identity_key = bytes_of(script);
  payload.identity_signature = bytes_of(script);
  payload.extensions.stream_muxers = several(script, [&] { return text_of(script); });
  payload.extensions.webtransport_certhashes = several(script, [&] { return bytes_of(script); });
  require(noise::decode_payload(noise::encode_payload(payload)).value() == payload);

  SeededRng rng(script.next());
  const auto one = rng.array<32>();
  const auto other = rng.array<32>();
  noise::Transport sender({one, other});
  noise::Transport receiver({other, one});
  Bytes wire, plain, opened;
  for (std::size_t left = 1 + script.below(3); left > 0; --left) {
    const Bytes part = bytes_of(script);
    append(plain, part);
    Bytes message(noise::kLengthSize);
    append(message, part);
    message.resize(message.size() + noise::kTagSize);
    require(sender.seal_in_place(message, part.size()).value() == message.size());
    append(wire, message);
  }
  const auto keep = [&](MutableBytes part) -> Result<void> {
    append(opened, part);
    return {};
  };
  const bool damage = script.flip();
  if (damage) wire[script.below(wire.size())] ^= static_cast<std::uint8_t>(1U << script.below(8));
  const auto taken = receiver.open_all(wire, keep);
  require(damage ? !taken || *taken < wire.size() : taken && *taken == wire.size() && opened == plain);
}

void requests(Script& script) {
  using namespace opstack::sync::wire;
  const std::uint64_t number = std::uint64_t{script.next16()} << script.below(48);
  require(decode_request(encode_request(number)).value() == number);
  const Bytes body(1 + script.next16() * std::size_t{script.next() % 4U}, script.next());  // none is no answer
  const auto version = script.flip() ? ResponseVersion::payload : ResponseVersion::envelope;
  ResponseDecoder decoder;
  require(decoder.push(encode_response(version, body)).has_value());
  require(decoder.finish().has_value() && decoder.version() == version && decoder.body() == body);
}

void negotiation(Script& script) {
  // The listener speaks what the bits say; who proposes in order must get the first of those.
  const std::uint8_t spoken = script.next();
  std::vector<std::string> proposals;
  std::string expected;
  for (std::size_t left = 1 + script.below(6); left > 0; --left) {
    const std::size_t n = script.below(8);
    proposals.push_back("/" + std::string(1 + n * 30, static_cast<char>('a' + n)));
    if (expected.empty() && (spoken >> n & 1) != 0) expected = proposals.back();
  }
  const multistream::Matcher accepts = [&](std::string_view protocol) {
    return (spoken >> (protocol[1] - 'a') & 1) != 0;
  };
  auto dialer = multistream::Negotiator::dialer(proposals);
  auto listener = multistream::Negotiator::listener(&accepts);
  bool failed = false;
  const auto carry = [&](multistream::Negotiator& from, multistream::Negotiator& to) {
    const Bytes bytes = from.take_output();
    for (std::size_t at = 0; at < bytes.size() && !failed;) {
      const std::size_t n = std::min(bytes.size() - at, 1 + script.below(50));
      failed = !to.on_bytes(ByteView(bytes).subspan(at, n));
      at += n;
    }
  };
  while (!failed && (dialer.has_output() || listener.has_output())) carry(dialer, listener), carry(listener, dialer);
  require(failed == expected.empty() && dialer.settled() == !failed);
  if (!failed) require(listener.settled() && dialer.protocol() == expected && listener.protocol() == expected);
}

// A tree of lists and strings.
void append_tree(Script& script, Bytes& out, std::vector<std::pair<std::size_t, Bytes>>& leaves, std::size_t depth) {
  for (std::size_t left = script.below(4); left > 0; --left) {
    if (depth < 4 && script.flip()) {
      Bytes inner;
      append_tree(script, inner, leaves, depth + 1);
      libp2p::multiformats::append_rlp_list_header(out, inner.size());
      append(out, inner);
    } else {
      leaves.emplace_back(depth, bytes_of(script));
      libp2p::multiformats::append_rlp_string(out, leaves.back().second);
    }
  }
}
void read_tree(libp2p::multiformats::RlpReader reader, std::vector<std::pair<std::size_t, Bytes>>& leaves,
               std::size_t depth) {
  while (!reader.done()) {
    const auto item = reader.item();
    require(item.has_value());
    if (item->list) {
      read_tree(libp2p::multiformats::RlpReader(item->payload), leaves, depth + 1);
    } else {
      leaves.emplace_back(depth, to_bytes(item->payload));
    }
  }
}
void rlp(Script& script) {
  Bytes encoded;
  std::vector<std::pair<std::size_t, Bytes>> written, read;
  append_tree(script, encoded, written, 0);
  read_tree(libp2p::multiformats::RlpReader(encoded), read, 0);
  require(read == written);
  const std::uint64_t number = std::uint64_t{script.next16()} << script.below(48);
  Bytes digits;
  libp2p::multiformats::append_rlp_uint(digits, number);
  require(libp2p::multiformats::RlpReader(digits).uint64().value() == number &&
          digits.size() == libp2p::multiformats::rlp_uint_size(number));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Script script({data, std::min<std::size_t>(size, 4000)});
  while (!script.done()) {
    switch (script.next() % 6) {
      case 0: gossip(script); break;
      case 1: identify_message(script); break;
      case 2: noise_messages(script); break;
      case 3: requests(script); break;
      case 4: negotiation(script); break;
      default: rlp(script); break;
    }
  }
  return 0;
}
