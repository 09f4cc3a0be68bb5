// For tests: a security protocol that seals nothing, and shows everything that the seam allows: several of it, output
// at any time, an end of its own, a failure that says why. Each side says its key first; after that a message is a byte
// for its kind, two for its length, and its bytes. No thread, no IO; bounds: what the seam asks for.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libp2p/seams/secure_channel.hpp"

namespace libp2p::testing_pair {

class FakeChannel;

struct FakeSecurity {
  std::string early_muxer = {};                 // settled in the handshake
  bool has_end = true;                          // close() says an end
  std::size_t max_unread = 65'538;              // of a message of 65,535 bytes all but its last
  std::size_t overhead = 3;                     // a byte for the kind, two for the length
  std::optional<crypto::PublicKey> knows = {};  // the peer without a handshake
  bool refuses = false;                         // the handshake fails, and says why
  bool stands_still = false;                    // no message is ever whole
  std::vector<FakeChannel*> channels = {};      // that were made
};

class FakeChannel final : public SecureChannel {
 public:
  static constexpr std::uint8_t kData = 0, kOwn = 1, kEnd = 2, kAlert = 0xff;
  static constexpr std::size_t kHeader = 3;

  FakeChannel(std::string_view id, const FakeSecurity& behaviour, std::optional<PeerId> expected,
              const crypto::PublicKey& key)
      : id_(id), behaviour_(behaviour), expected_(std::move(expected)) {
    remote_key_ = behaviour.knows;
    if (remote_key_) return;
    const Bytes encoded = key.to_protobuf();
    out_.push_back(static_cast<std::uint8_t>(encoded.size()));
    append(out_, encoded);
  }

  std::string_view protocol() const override { return id_; }
  Result<std::size_t> on_handshake(ByteView in) override {
    if (remote_key_ || in.empty() || in.size() < 1U + in[0]) return std::size_t{0};
    if (behaviour_.refuses) {
      out_.push_back(kAlert);
      return fail(Errc::denied, "the fake refuses");
    }
    OPP2P_TRY(auto key, crypto::PublicKey::from_protobuf(in.subspan(1, in[0])));
    if (expected_ && *expected_ != PeerId::from_public_key(key)) return fail(Errc::mismatch, "another peer");
    remote_key_ = std::move(key);
    return std::size_t{1} + in[0];
  }
  Bytes take_handshake_output() override { return std::exchange(out_, {}); }
  bool established() const override { return remote_key_.has_value(); }
  const crypto::PublicKey& remote_key() const override { return *remote_key_; }
  const std::string& early_muxer() const override { return behaviour_.early_muxer; }
  std::size_t header_size() const override { return kHeader; }
  std::size_t overhead() const override { return behaviour_.overhead; }
  std::size_t max_plain() const override { return 65'535; }
  std::size_t max_unread() const override { return behaviour_.max_unread; }
  Result<std::size_t> seal(MutableBytes message, std::size_t plain_size) override {
    if (ended_) return fail(Errc::closed, "sealed behind the end");
    if (breaks) return fail(Errc::closed, "the fake seals nothing more");
    message[0] = kData;
    store_be16(message.data() + 1, static_cast<std::uint16_t>(plain_size));
    return kHeader + plain_size;
  }
  Result<Opened> open(MutableBytes in) override {
    if (behaviour_.stands_still || in.size() < kHeader) return Opened{};
    const std::size_t size = load_be16(in.data() + 1);
    if (in.size() < kHeader + size) return Opened{};
    if (in[0] == kOwn) ++own_seen;
    const MutableBytes plain = in[0] == kData ? in.subspan(kHeader, size) : MutableBytes();
    return Opened{kHeader + size, plain, in[0] == kEnd};
  }
  // Whole messages only.
  std::size_t poll_output(MutableBytes out) override {
    if (own_.empty() || own_.front().size() > out.size()) return 0;
    const Bytes message = std::move(own_.front());
    own_.pop_front();
    std::copy(message.begin(), message.end(), out.begin());
    return message.size();
  }
  bool wants_output() const override { return !own_.empty(); }
  void close() override {
    ++closes;
    if (!behaviour_.has_end) return;
    say(kEnd);
    ended_ = true;
  }

  // A message of the protocol's own is to be sent.
  void say(std::uint8_t kind, std::size_t size = 0) {
    Bytes message(kHeader + size);
    message[0] = kind;
    store_be16(message.data() + 1, static_cast<std::uint16_t>(size));
    own_.push_back(std::move(message));
  }

  bool breaks = false;  // no message can be sealed any more
  int own_seen = 0;
  int closes = 0;

 private:
  std::string_view id_;
  const FakeSecurity& behaviour_;
  std::optional<PeerId> expected_;
  std::optional<crypto::PublicKey> remote_key_;
  Bytes out_;
  std::deque<Bytes> own_;
  bool ended_ = false;
};

// `behaviour` must outlive what is made of it.
inline SecurityFactory fake_security(std::string_view id, FakeSecurity& behaviour) {
  return {id, [id, &behaviour](const crypto::PrivateKey& identity, Rng&) -> Result<SecurityKind> {
            const auto begin = [id, &behaviour, key = identity.public_key()](
                                   ChannelStart start, Rng&) -> Result<std::unique_ptr<SecureChannel>> {
              auto channel = std::make_unique<FakeChannel>(id, behaviour, std::move(start.expected), key);
              behaviour.channels.push_back(channel.get());
              return std::unique_ptr<SecureChannel>(std::move(channel));
            };
            return SecurityKind{id, begin};
          }};
}

}  // namespace libp2p::testing_pair
