// Writes the seeds of the fuzz targets: fuzz_corpus FOLDER. Each is made with our own encoders, so that a mutation of
// it starts behind the first checks of a decoder; scripts for engines are drawn from a fixed seed. The same program
// always writes the same bytes. Beside them lie seeds that were made by hand, and inputs that a fuzzer found, named
// found-….
//
// The seeds of a new target stand beside it, in NAME_corpus.cpp (testing/corpus.hpp); those below are of targets that
// have none yet.
#include <cstdio>
#include <filesystem>
#include <string>

#include "fuzz_corpora.hpp"
#include "libp2p/multiformats/peer_record.hpp"
#include "libp2p/multiformats/rlp.hpp"
#include "libp2p/protocols/gossipsub/rpc.hpp"
#include "libp2p/protocols/identify/identify.hpp"
#include "libp2p/protocols/multistream/negotiator.hpp"
#include "libp2p/protocols/noise/handshake.hpp"
#include "opp2p/store/store_record.hpp"
#include "opstack/encoding/snappy_block.hpp"
#include "opstack/encoding/snappy_frame.hpp"
#include "opstack/sync/wire/codec.hpp"
#include "testing/blocks.hpp"
#include "testing/corpus.hpp"

namespace {

using namespace libp2p;
namespace fs = std::filesystem;
using fuzzing::Corpus;
using fuzzing::with_first;
using opstack::payload::Version;
using testing_blocks::block;

constexpr std::int64_t kNow = 1'700'000'000;
const Version kVersions[] = {Version::v1, Version::v2, Version::v3, Version::v4};

fs::path root;

void save(const std::string& target, const std::string& name, ByteView bytes) {
  Corpus(root, target).save(name, bytes);
}
void save(const std::string& target, const std::string& name, std::string_view text) {
  save(target, name, as_bytes(text));
}
void save_scripts(const std::string& target, std::initializer_list<std::size_t> sizes) {
  Corpus(root, target).save_scripts(sizes);
}

crypto::PrivateKey identity(std::uint64_t seed) {
  SeededRng rng(seed);
  return crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng).value();
}

void make_noise() {
  SeededRng rng(2);
  noise::Handshake dialer(true, noise::Credentials::make(identity(3), rng).value(), {}, rng);
  noise::Handshake listener(false, noise::Credentials::make(identity(4), rng).value(), {}, rng);
  const char* const names[] = {"message-1", "message-2", "message-3"};
  for (int i = 0; i < 3; ++i) {
    auto& from = i % 2 == 0 ? dialer : listener;
    auto& to = i % 2 == 0 ? listener : dialer;
    const Bytes message = from.take_output();
    save("noise", names[i], message);
    (void)to.on_bytes(message);
  }
  noise::HandshakePayload payload;
  payload.identity_key = identity(3).public_key().to_protobuf();
  payload.identity_signature = Bytes(64, 7);
  payload.extensions.stream_muxers = {"/yamux/1.0.0", "/mplex/6.7.0"};
  save("noise", "payload", noise::encode_payload(payload));
}

void make_identify() {
  identify::Message message;
  message.public_key = identity(5).public_key().to_protobuf();
  message.listen_addrs = {to_bytes(Multiaddr::from_text("/ip4/127.0.0.1/tcp/9222").value().bytes()),
                          to_bytes(Multiaddr::from_text("/ip6/::1/tcp/9222").value().bytes())};
  message.protocols = {"/meshsub/1.2.0", "/ipfs/ping/1.0.0", "/ipfs/id/1.0.0"};
  message.observed_addr = to_bytes(Multiaddr::from_text("/ip4/10.0.0.7/tcp/40000").value().bytes());
  message.protocol_version = "";
  message.agent_version = "optimism";
  save("identify", "message", identify::encode(message));
  save("identify", "stream", identify::encode_parts(message));
  message.signed_peer_record = Bytes(300, 3);
  message.protocols.assign(120, "/a-rather-long-name/1.0.0");
  save("identify", "parts", identify::encode_parts(message));
}

gossipsub::Rpc rpc_of_all_kinds(ByteView data, ByteView id) {
  gossipsub::Rpc rpc;
  rpc.subscriptions = {{true, "a", {}, {}}, {false, "b", {}, {}}};
  rpc.publish.push_back({{}, data, {}, "a", {}, {}});
  auto& control = rpc.control.emplace();
  control.ihave.push_back({"a", {id, id}});
  control.iwant.push_back({{id}});
  control.graft.push_back({"a"});
  control.prune.push_back({"b", {{id, id}}, 60});
  control.idontwant.push_back({{id}});
  return rpc;
}

// For router_fuzz: four peers agree to partial messages, open groups up to the bounds and are sent more than fits.
Bytes script_with_partial_messages() {
  Bytes out;
  const auto step = [&out](std::initializer_list<std::uint8_t> bytes) { out.insert(out.end(), bytes); };
  const auto hello = [&](std::uint8_t peer) { step({10, peer, 0, 216, 0, 1, 1, 0}); };
  const auto partial = [&](std::uint8_t peer, std::uint8_t group) {
    step({10, peer, 0, 35, 3, 9, 9, 9, group, group, 0});
  };
  const auto publish = [&](std::uint8_t group, std::uint8_t size) {
    step({1, 0, 0, 6, 19, 2, group, group, size});
    out.insert(out.end(), size, 7);
    step({5, 5, 5, 5});
  };
  for (std::uint8_t peer = 0; peer < 4; ++peer) step({0, peer, 0, 0, 5});
  step({3, 0, 0, 3, 0, 1, 1, 0, 0, 6, 0, 2, 1, 0, 1, 6, 0, 1});
  for (std::uint8_t peer = 0; peer < 4; ++peer) {
    hello(peer);
    step({8, peer, 0, 7});
  }
  for (std::uint8_t peer = 0; peer < 4; ++peer) {
    for (std::uint8_t n = 0; n < 3; ++n) partial(peer, static_cast<std::uint8_t>(10 * n + peer));
  }
  step({7, 0, 0, 26});
  for (std::uint8_t group = 0; group < 3; ++group) {
    for (const int size : {3, 9, 0}) publish(group, static_cast<std::uint8_t>(size));
  }
  step({1, 0, 0, 6, 1, 1, 1, 0, 6, 5, 1, 1, 0, 6, 2, 5, 7, 0, 0, 26});
  publish(1, 4);
  for (std::uint8_t peer = 0; peer < 4; ++peer) step({8, peer, 0, 7});
  step({1, 0, 0, 6, 0, 1});
  partial(2, 3);
  step({7, 0, 0, 26, 7, 0, 0, 26});
  publish(9, 30);
  step({2, 2, 0, 7, 0, 0, 26});
  return out;
}

void make_gossipsub() {
  const Bytes data(100, 1), id(20, 2);
  const auto rpc = rpc_of_all_kinds(data, id);
  save("rpc", "all-kinds", gossipsub::encode_rpc(rpc));
  save("rpc", "frame", *gossipsub::encode_frame(rpc));
  gossipsub::Rpc partial;
  partial.subscriptions.push_back({true, "a", true, true});
  partial.control.emplace().extensions.emplace().partial_messages = true;
  partial.partial = gossipsub::Partial{"a", id, data, id};
  save("rpc", "partial-message", gossipsub::encode_rpc(partial));
  auto authored = rpc;
  authored.publish[0].from = id;
  authored.publish[0].seqno = ByteView(id).first(8);
  authored.publish[0].signature = data;
  authored.publish[0].key = id;
  save("rpc", "authored", *gossipsub::encode_frame(authored));
  Bytes script{3, 0, 0, 0, 1, 0, 4, 0, 0, 2, 0, 5, 1, 11, 1,  0, 2, 5, 1, 2,
               3, 4, 5, 6, 0, 0, 1, 8, 2, 0, 7, 7, 0, 0,  60, 8, 1, 0, 7};
  save("router", "join-publish-forward", script);
  save("router", "partial-messages", script_with_partial_messages());
  Bytes raw{9, 1, 0};
  const Bytes encoded = gossipsub::encode_rpc(rpc);
  raw.push_back(static_cast<std::uint8_t>(encoded.size()));
  append(raw, encoded);
  Bytes whole(script.begin(), script.begin() + 13);
  append(whole, raw);
  save("router", "raw-rpc", whole);
  save_scripts("router", {200, 1000, 4000});
  save_scripts("router_model", {200, 1500, 6000});
}

void make_connection() {
  // Three bytes a step: open streams from both sides, send, move, close, reset.
  Bytes script;
  const auto step = [&script](std::uint8_t what, std::uint8_t a, std::uint8_t b) { append(script, Bytes{what, a, b}); };
  for (std::uint8_t round = 0; round < 8; ++round) {
    step(static_cast<std::uint8_t>(round % 2), round, 0);                               // open
    for (int i = 0; i < 4; ++i) step(static_cast<std::uint8_t>(120 + i % 2), 64, 200);  // move
    step(static_cast<std::uint8_t>(2 + round % 2), round, 0);                           // send
    for (int i = 0; i < 4; ++i) step(static_cast<std::uint8_t>(120 + i % 2), 255, 255);
    step(static_cast<std::uint8_t>((round % 3 == 2 ? 6 : 4) + round % 2), round, 0);  // reset or close
  }
  save("connection_engine", "streams", script);
  append(script, Bytes{254, 3, 1, 120, 255, 255, 121, 255, 255});
  save("connection_engine", "bit-flip", script);
  Bytes negotiation;
  multistream::append_message(negotiation, "/multistream/1.0.0");
  multistream::append_message(negotiation, "/noise");
  save("connection_engine", "negotiation", negotiation);
  save_scripts("connection_engine", {300, 900});
}

void make_wire() {
  Bytes list;
  libp2p::multiformats::append_rlp_string(list, Bytes(60, 5));
  libp2p::multiformats::append_rlp_uint(list, 1'700'000'000);
  libp2p::multiformats::append_rlp_string(list, {});
  Bytes rlp;
  libp2p::multiformats::append_rlp_list_header(rlp, list.size());
  append(rlp, list);
  save("rlp", "list", rlp);

  SeededRng rng(6);
  Bytes contents(3000, 'a');
  rng.fill(MutableBytes(contents).first(600));
  save("addresses", "subnet", "10.1.2.0/23");
  save("addresses", "mapped", "::ffff:192.168.1.9");
  save("addresses", "subnet-6", "fd00:1::/32");
  save("addresses", "zone", "/ip6zone/eth0/ip6/fe80::1/tcp/9222");
  save("addresses", "name", "/dns4/peer.example/tcp/9222");
  save("snappy", "block", opstack::encoding::snappy_compress(contents));
  save("snappy", "frames", opstack::encoding::snappy_frame_encode(contents));
  save("snappy", "frames-of-nothing", opstack::encoding::snappy_frame_encode({}));
}

void make_payloads() {
  for (const Version version : kVersions) {
    const std::string v = "v" + std::to_string(static_cast<int>(version));
    auto envelope = block(version, 7, kNow);
    const Bytes body = opstack::payload::encode_envelope(version, envelope);
    if (envelope.payload.withdrawals) {
      envelope.payload.withdrawals->push_back({1, 2, {}, 3});
      save("payload_ssz", v + "-withdrawal", opstack::payload::encode_envelope(version, envelope));
    }

    const std::uint8_t index = static_cast<std::uint8_t>(static_cast<int>(version) - 1);
    save("block_rules", v + "-good", with_first(static_cast<std::uint8_t>(index | 2 << 2), {}));
    save("block_rules", v + "-jovian", with_first(static_cast<std::uint8_t>(index | 2 << 2 | 16), {}));

    Bytes answer{static_cast<std::uint8_t>(40 * index),
                 0,
                 static_cast<std::uint8_t>(has_parent_beacon_block_root(version)),
                 0,
                 0,
                 0};
    opstack::encoding::append_snappy_frames(answer, body);
    save("payload_by_number", v, answer);
    Bytes judged{index, 7, 40};
    append(judged, ByteView(answer).subspan(1));
    save("answer", v, judged);
  }
  const auto request = opstack::sync::wire::encode_request(7);
  save("payload_by_number", "request", with_first(0, request));
  save("payload_by_number", "not-found", Bytes{0, 1});
  save("answer", "topic", "\x01\x02\x03/optimism/901/3/blocks");
  save_scripts("values", {100, 800});
  save_scripts("messages", {200, 1500});
  save_scripts("blocks", {200, 2000});
  save_scripts("unsafe_chain", {100, 600, 1800});
  save_scripts("request_limiter", {100, 600});
  // A value of 3 n is block n + 1 of the first signer.
  Bytes in_order{1};
  for (std::uint8_t n = 0; n < 40; ++n) append(in_order, Bytes{0, static_cast<std::uint8_t>(3 * n)});
  save("unsafe_chain", "in-order", in_order);
  Bytes backwards{1};
  for (std::uint8_t n = 40; n-- > 0;) append(backwards, Bytes{0, static_cast<std::uint8_t>(3 * n)});
  save("unsafe_chain", "backwards", backwards);
  Bytes fetched{1, 11, 0};
  for (const int n : {0, 1, 2, 30, 31}) append(fetched, Bytes{0, static_cast<std::uint8_t>(3 * n)});
  for (int i = 0; i < 30; ++i) append(fetched, Bytes{8, 0});
  save("unsafe_chain", "a-gap-that-is-fetched", fetched);
}

void make_rpc() {
  save("json_rpc", "plain", R"({"jsonrpc":"2.0","id":1,"method":"echo","params":["a",{"b":[1,2.5,null]}]})");
  save(
      "json_rpc", "batch",
      R"([{"jsonrpc":"2.0","id":"x","method":"refuse"},{"jsonrpc":"2.0","method":"echo","params":[1]},{"jsonrpc":"2.0","id":2,"method":"break"},7])");
  save("json_rpc", "unknown", R"({"jsonrpc":"2.0","id":null,"method":"none","params":{}})");
  save("json_rpc", "ids",
       R"([{"jsonrpc":"2.0","id":18446744073709551616,"method":"peer"},{"jsonrpc":"2.0","method":"words","id":1.50},)"
       R"({"jsonrpc":"2.0","id":"\u0041\"}","method":"complain"},{"jsonrpc":"2.0","id":1e999,"result":0}])");
  for (const std::string method : {"words", "complain", "peer"})
    save("json_rpc", method,
         R"({"jsonrpc":"2.0","id":1e3,"method":")" + method + R"(","params":["\u001b[2J caf\u00e9"]})");

  save("json_text", "string", "caf\xe9/1\x1b[2J\n\xe2\x98\x95");
  save("json_text", "value", R"({"z":1,"a":[true,null,-7,18446744073709551615,"x"],"half":0.5})");
  save("http_head", "get", "GET /healthz?x HTTP/1.1\r\nHost: x\r\n\r\n");
  save("http_head", "absolute", "HEAD http://user@node:9545/readyz HTTP/1.0\r\nA: b\r\n\r\nrest");
  save("http_head", "tls", std::string_view("\x16\x03\x01\x02\x00\x01", 6));
  save("http_head", "http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  save("http_head", "lf", "GET / HTTP/1.1\nHost: x\n\n");
  save("http_head", "type", "Application/JSON; charset=utf-8");
  save("rpc_client", "result", R"({"jsonrpc":"2.0","id":1,"result":{"peers":{}}})");
  save("rpc_client", "error", R"({"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no\u001b[2J"}})");
  save("rpc_client", "both", R"({"result":null,"error":null})");
}

void make_node() {
  opp2p::StoredBlock stored;
  stored.number = 7;
  stored.hash.fill(1);
  stored.parent_hash.fill(2);
  stored.timestamp = static_cast<std::uint64_t>(kNow);
  stored.version = Version::v2;
  stored.body = share(opstack::payload::encode_envelope(Version::v2, block(Version::v2, 7, kNow)));
  Bytes record(opp2p::record_size(stored));
  opp2p::write_record(stored, record);
  save("store_record", "record", record);

  const std::string id = PeerId::from_public_key(identity(8).public_key()).to_base58();
  save("config", "peers", "/ip4/127.0.0.1/tcp/9222/p2p/" + id + ",/dns4/peer.example/tcp/9222/p2p/" + id);
  save("config", "level", "debug");
  save("config", "fork", "isthmus");
  save("config", "duration", "1h1m30s500ms");
  save("config", "arguments", "--rpc.port=0x2549\n--p2p.ping=F\n-p2p.peers.grace\n+1.5h\n--p2p.bootnodes=a,b\n--l1=x");
  save("config", "number", "-0x7f_ff");
  save("config", "real", "0x1.8p-2");
  save("config", "bytes", "64MiB");
  save("config", "key", "0x" + std::string(64, '1'));
  save("config", "address", "0x" + std::string(40, 'a'));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_corpus FOLDER\n");
    return 2;
  }
  root = argv[1];
  for (const auto& maker : fuzz_corpora()) {
    Corpus corpus(root, maker.target);
    maker.make(corpus);
  }
  make_noise();
  make_identify();
  make_gossipsub();
  make_connection();
  make_wire();
  make_payloads();
  make_rpc();
  make_node();
  return 0;
}
