// libp2p/noise-xx.json: the bare pattern. libp2p/noise-libp2p.json: whole handshakes with fixed keys, then transport
// frames.
#include <gtest/gtest.h>

#include <iostream>

#include "libp2p/protocols/noise/handshake.hpp"
#include "libp2p/protocols/noise/transport.hpp"
#include "testing/vectors.hpp"

namespace noise_vectors {
namespace {

using namespace testing_vectors;
using namespace libp2p;
using noise::Credentials;
using noise::Handshake;
using noise::HandshakeState;
using noise::Transport;

crypto::X25519KeyPair key_pair(const Bytes& secret) {
  ByteArray<32> key{};
  EXPECT_EQ(secret.size(), key.size());
  if (secret.size() == key.size()) std::copy(secret.begin(), secret.end(), key.begin());
  return crypto::X25519KeyPair::from_secret(key);
}

// The field under either of its two names.
Bytes either(const json::object& item, std::string_view one, std::string_view other) {
  if (has(item, one)) return bytes(item, one);
  return has(item, other) ? bytes(item, other) : Bytes{};
}

void expect_transport(Transport& from, Transport& to, ByteView plain, const Bytes& framed) {
  Bytes sealed(plain.size() + noise::kOverhead);
  std::copy(plain.begin(), plain.end(), sealed.begin() + noise::kLengthSize);
  ASSERT_TRUE(from.seal_in_place(sealed, plain.size()));
  EXPECT_EQ(to_hex(sealed), to_hex(framed));
  Bytes received = framed;
  const auto opened = to.open_front(received);
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(opened->taken, framed.size());
  EXPECT_TRUE(equal(opened->plain, plain));
}

Bytes with_length(const Bytes& message) {
  Bytes framed(noise::kLengthSize);
  store_be16(framed.data(), static_cast<std::uint16_t>(message.size()));
  append(framed, message);
  return framed;
}

// Transport messages alternate, but the collections differ in who begins: only the right key opens the first one.
bool is_from_responder(const noise::TransportKeys& initiators, const Bytes& cipher) {
  Transport initiator(initiators);
  Bytes framed = with_length(cipher);
  return initiator.open_front(framed).has_value();
}

void check_xx(const json::object& item) {
  const auto name = has(item, "handshake") ? text(item, "handshake") : text(item, "protocol_name");
  ASSERT_EQ(name, noise::kProtocolName);
  ASSERT_TRUE(!has(item, "init_psks") || item.at("init_psks").as_array().empty());
  ASSERT_TRUE(!has(item, "resp_psks") || item.at("resp_psks").as_array().empty());
  HandshakeState initiator(true, either(item, "prologue", "init_prologue"), key_pair(bytes(item, "init_static")),
                           key_pair(either(item, "gen_init_ephemeral", "init_ephemeral")));
  HandshakeState responder(false, either(item, "prologue", "resp_prologue"), key_pair(bytes(item, "resp_static")),
                           key_pair(either(item, "gen_resp_ephemeral", "resp_ephemeral")));
  std::optional<Transport> initiating, responding;
  bool responder_first = true;
  std::size_t index = 0;
  for (const auto& entry : item.at("messages").as_array()) {
    const auto& message = entry.as_object();
    for (const auto& field : message) EXPECT_TRUE(field.key() == "payload" || field.key() == "ciphertext");
    const auto payload = bytes(message, "payload");
    const auto cipher = bytes(message, "ciphertext");
    if (index < 3) {
      auto& from = index == 1 ? responder : initiator;
      auto& to = index == 1 ? initiator : responder;
      EXPECT_EQ(to_hex(from.write_message(payload).value()), to_hex(cipher));
      EXPECT_EQ(to_hex(to.read_message(cipher).value()), to_hex(payload));
    } else {
      if (index == 3) {
        initiating.emplace(initiator.split());
        responding.emplace(responder.split());
        responder_first = is_from_responder(initiator.split(), cipher);
      }
      const bool by_responder = (index % 2 == 1) == responder_first;
      expect_transport(by_responder ? *responding : *initiating, by_responder ? *initiating : *responding, payload,
                       with_length(cipher));
    }
    ++index;
  }
  ASSERT_GE(index, 3U);
  EXPECT_EQ(initiator.handshake_hash(), responder.handshake_hash());
}

TEST(NoiseVectors, bare_pattern) {
  expect_known_root_keys("libp2p/noise-xx", {"cases"});
  for_each_case("libp2p/noise-xx", "cases",
                {"source", "kind", "about", "name", "handshake", "protocol_name", "init_static", "resp_static",
                 "gen_init_ephemeral", "gen_resp_ephemeral", "init_ephemeral", "resp_ephemeral", "prologue",
                 "init_prologue", "resp_prologue", "init_psks", "resp_psks", "messages"},
                [](const json::object& item, const std::string&) { check_xx(item); });
}

// One side of a recorded handshake.
struct Party {
  explicit Party(const json::object& item)
      : static_key(key_pair(bytes(item, "static_private"))),
        ephemeral(key_pair(bytes(item, "ephemeral_private"))),
        identity(crypto::PrivateKey::from_protobuf(bytes(item, "identity_private_key_protobuf")).value()),
        peer(PeerId::from_text(text(item, "peer_id")).value()) {
    for (const auto& field : item)
      EXPECT_TRUE(field.key() == "static_private" || field.key() == "static_public" ||
                  field.key() == "ephemeral_private" || field.key() == "identity_private_key_protobuf" ||
                  field.key() == "peer_id" || field.key() == "stream_muxers")
          << field.key();
    EXPECT_EQ(to_hex0x(static_key.public_key), text(item, "static_public"));
    EXPECT_EQ(PeerId::from_public_key(identity.public_key()), peer);
    for (const auto& muxer : item.at("stream_muxers").as_array())
      extensions.stream_muxers.emplace_back(muxer.as_string());
  }

  crypto::X25519KeyPair static_key;
  crypto::X25519KeyPair ephemeral;
  crypto::PrivateKey identity;
  PeerId peer;
  noise::Extensions extensions;
};

struct Recorded {
  Bytes framed, message, payload;
};

// Our engine as one side, the recorded messages (written by a bare pattern with the recorded payloads) as the other.
void check_engine(bool initiator, const Party& own, const Party& other, const Bytes& prologue,
                  const std::vector<Recorded>& messages) {
  HandshakeState peer(!initiator, prologue, other.static_key, other.ephemeral);
  const auto credentials = Credentials::make(own.identity, own.static_key).value();
  Handshake engine(initiator, credentials, {prologue, own.extensions, other.peer}, own.ephemeral);
  for (std::size_t i = 0; i < 3; ++i) {
    if ((i % 2 == 0) == initiator) {
      Bytes sent = engine.take_output();
      ASSERT_GT(sent.size(), noise::kLengthSize);
      const auto payload = peer.read_message(ByteView(sent).subspan(noise::kLengthSize)).value();
      const auto decoded = noise::decode_payload(payload).value();
      EXPECT_EQ(decoded.extensions, i > 0 ? own.extensions : noise::Extensions{});
    } else {
      const Bytes framed = with_length(peer.write_message(messages[i].payload).value());
      const auto taken = engine.on_bytes(framed);
      ASSERT_TRUE(taken) << taken.error().message();
      EXPECT_EQ(*taken, framed.size());
    }
  }
  ASSERT_TRUE(engine.finished());
  EXPECT_EQ(engine.remote_peer(), other.peer);
  EXPECT_EQ(engine.remote_extensions(), other.extensions);
  // Not the recorded hash: a signature of ours may differ from the recorded one and be as valid.
  EXPECT_EQ(engine.handshake_hash(), peer.handshake_hash());
}

// The bare pattern with the recorded keys and payloads gives the recorded bytes, hash and transport frames. That can
// only be held where the recorded ephemeral keys are the ones that the recording used: where the public key that opens
// a message is not that of the recorded secret, the file contradicts itself and nothing can be derived from it; such
// cases are counted.
void check_replay(const json::object& item, const Party& initiator, const Party& responder, const Bytes& prologue,
                  const std::vector<Recorded>& messages) {
  const auto opens = [](const Bytes& message, const Party& party) {
    return message.size() >= 32 && equal(ByteView(message).first(32), party.ephemeral.public_key);
  };
  if (!opens(messages[0].message, initiator) || !opens(messages[1].message, responder)) {
    std::cout << "  " << text(item, "name")
              << ": the recorded ephemeral keys are not those of the messages, not replayed\n";
    return;
  }
  HandshakeState from(true, prologue, initiator.static_key, initiator.ephemeral);
  HandshakeState to(false, prologue, responder.static_key, responder.ephemeral);
  for (std::size_t i = 0; i < 3; ++i) {
    auto& writer = i == 1 ? to : from;
    auto& reader = i == 1 ? from : to;
    EXPECT_EQ(to_hex(writer.write_message(messages[i].payload).value()), to_hex(messages[i].message));
    EXPECT_EQ(to_hex(reader.read_message(messages[i].message).value()), to_hex(messages[i].payload));
  }
  EXPECT_EQ(to_hex0x(from.handshake_hash()), text(item, "handshake_hash"));
  EXPECT_EQ(to_hex0x(to.handshake_hash()), text(item, "handshake_hash"));
  Transport initiating(from.split()), responding(to.split());
  for (const auto& entry : item.at("transport").as_array()) {
    const auto& frame = entry.as_object();
    const bool by_initiator = text(frame, "from") == "initiator";
    expect_transport(by_initiator ? initiating : responding, by_initiator ? responding : initiating,
                     bytes(frame, "plaintext"), bytes(frame, "framed"));
  }
}

void check_libp2p(const json::object& item) {
  const auto prologue = bytes(item, "prologue");
  const Party initiator(item.at("initiator").as_object()), responder(item.at("responder").as_object());
  std::vector<Recorded> messages;
  for (const auto& entry : item.at("handshake").as_array()) {
    const auto& message = entry.as_object();
    for (const auto& field : message)
      EXPECT_TRUE(field.key() == "framed" || field.key() == "from" || field.key() == "message" ||
                  field.key() == "payload");
    EXPECT_EQ(text(message, "from"), messages.size() % 2 == 0 ? "initiator" : "responder");
    messages.push_back({bytes(message, "framed"), bytes(message, "message"), bytes(message, "payload")});
    EXPECT_EQ(messages.back().framed, with_length(messages.back().message));
  }
  ASSERT_EQ(messages.size(), 3U);
  for (const auto& entry : item.at("transport").as_array())
    for (const auto& field : entry.as_object())
      EXPECT_TRUE(field.key() == "framed" || field.key() == "from" || field.key() == "plaintext");

  check_replay(item, initiator, responder, prologue, messages);

  // The recorded payloads are what a peer of the recorded identity sends: they re-encode to their bytes, name the
  // identity, and carry its signature and its muxers. And the whole engine takes either part against them.
  for (std::size_t i = 1; i < 3; ++i) {
    const Party& writer = i == 1 ? responder : initiator;
    const auto payload = noise::decode_payload(messages[i].payload).value();
    EXPECT_EQ(to_hex(noise::encode_payload(payload)), to_hex(messages[i].payload));
    EXPECT_EQ(payload.identity_key, writer.identity.public_key().to_protobuf());
    EXPECT_EQ(payload.extensions, writer.extensions);
  }
  check_engine(true, initiator, responder, prologue, messages);
  check_engine(false, responder, initiator, prologue, messages);
  const auto muxer = noise::choose_muxer(initiator.extensions, responder.extensions);
  EXPECT_EQ(muxer.empty(), initiator.extensions.stream_muxers.empty() || responder.extensions.stream_muxers.empty());
}

TEST(NoiseVectors, libp2p_handshakes) {
  expect_known_root_keys("libp2p/noise-libp2p", {"cases"});
  for_each_case("libp2p/noise-libp2p", "cases",
                {"name", "about", "source", "kind", "prologue", "initiator", "responder", "handshake", "handshake_hash",
                 "transport"},
                [](const json::object& item, const std::string&) {
                  SCOPED_TRACE(text(item, "name"));
                  check_libp2p(item);
                });
}

}  // namespace
}  // namespace noise_vectors
