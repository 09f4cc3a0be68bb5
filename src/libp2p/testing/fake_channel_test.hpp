// A security protocol for tests, with a selectable defect. With ChannelDefect::none it passes the secure channel suite;
// with any other defect a case of the suite must report it. It protects nothing. For secure_channel_suite_test.cpp.
// Thread: one. Bounds: a message has at most 4 KiB.
//
// Handshake: the dialer's hello, then the listener's. A hello has a length (2 bytes), a nonce (8), muxers and key (each
// with a length of one byte), and a checksum (8) over all bytes of the handshake so far. A message has a length (2),
// then type (1) and plain text under a key stream, then a checksum (8).
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "libp2p/base/rng.hpp"
#include "libp2p/seams/secure_channel.hpp"

namespace libp2p {

enum class ChannelDefect {
  none,
  wrong_key,
  takes_a_part,
  takes_what_follows,
  accepts_any_peer,
  each_prefers_its_own,
  believes_any_hello,
  waits_for_endless_hellos,
  takes_any_size,
  writes_too_much,
  loses_the_last_byte,
  hides_nothing,
  believes_any_message,
  forgets_the_order,
  one_key_for_all,
  hands_tickets_on,
  promises_output,
  tells_no_end,
  waits_for_endless_messages,
};

class FakeChannel final : public SecureChannel {
 public:
  FakeChannel(ChannelDefect defect, Role role, const crypto::PublicKey& ours, std::optional<PeerId> expected,
              std::vector<std::string> muxers, Rng& rng)
      : defect_(defect), role_(role), ours_(ours), expected_(std::move(expected)), muxers_(std::move(muxers)) {
    rng.fill(nonce_);
    if (defect_ == ChannelDefect::one_key_for_all) nonce_ = {};
    if (role_ == Role::dialer) say_hello();
  }

  std::string_view protocol() const override { return "/fake-security"; }
  Result<std::size_t> on_handshake(ByteView in) override {
    if (theirs_ || failed_) return std::size_t{0};
    if (defect_ == ChannelDefect::takes_a_part && in.size() == 1) return std::size_t{1};
    if (in.size() < 2) return std::size_t{0};
    const std::size_t size = load_be16(in.data());
    if (size > kMostHello && defect_ != ChannelDefect::waits_for_endless_hellos) return refuse(Errc::too_large);
    if (in.size() < 2 + size) return std::size_t{0};
    const ByteView hello = in.subspan(2, size);
    if (size < 8 + 2 + 8) return refuse(Errc::truncated);
    const ByteView body = hello.first(size - 8);
    if (load_be64(hello.last(8).data()) != mix(transcript_, body) && defect_ != ChannelDefect::believes_any_hello)
      return refuse(Errc::mismatch);
    if (!read_hello(body)) return refuse(refusal_);
    transcript_ = mix(transcript_, body);
    if (role_ == Role::listener) say_hello();
    return defect_ == ChannelDefect::takes_what_follows ? in.size() : 2 + size;
  }
  Bytes take_handshake_output() override { return std::exchange(hello_, {}); }
  bool established() const override { return theirs_.has_value(); }
  const crypto::PublicKey& remote_key() const override {
    return defect_ == ChannelDefect::wrong_key ? ours_ : *theirs_;
  }
  const std::string& early_muxer() const override { return muxer_; }
  std::size_t header_size() const override { return 3; }
  std::size_t overhead() const override { return 3 + 8; }
  std::size_t max_plain() const override { return kMostPlain; }
  std::size_t max_unread() const override { return kMostPlain + overhead() - 1; }

  Result<std::size_t> seal(MutableBytes message, std::size_t plain_size) override {
    if (plain_size > kMostPlain && defect_ != ChannelDefect::takes_any_size)
      return Error(Errc::invalid_argument, "too much");
    const std::size_t size = seal_as(0, message, plain_size);
    return defect_ == ChannelDefect::writes_too_much ? size + 1 : size;
  }
  Result<Opened> open(MutableBytes in) override {
    if (in.size() < 2) return Opened{};
    const std::size_t size = load_be16(in.data());
    if (size > kMostPlain + 1 + 8 && defect_ != ChannelDefect::waits_for_endless_messages)
      return Error(Errc::too_large, "no such message");
    if (in.size() < 2 + size) return Opened{};
    if (size < 1 + 8) return Error(Errc::truncated, "no such message");
    const MutableBytes body = in.subspan(2, size - 8);
    const std::uint64_t key = stream_key(role_ == Role::dialer ? Role::listener : Role::dialer, read_);
    const bool good = load_be64(&in[2 + size - 8]) == mix(key, body);
    if (!good && defect_ != ChannelDefect::believes_any_message)
      return Error(Errc::mismatch, "the message was changed");
    ++read_;
    if (defect_ != ChannelDefect::hides_nothing) cover(key, body);
    const MutableBytes plain = body.subspan(1);
    if (body[0] == 2) return Opened{2 + size, {}, defect_ != ChannelDefect::tells_no_end};
    if (body[0] == 1)
      return Opened{2 + size, defect_ == ChannelDefect::hands_tickets_on ? plain : MutableBytes(), false};
    const bool short_of_one = defect_ == ChannelDefect::loses_the_last_byte && plain.size() == kMostPlain;
    return Opened{2 + size, short_of_one ? plain.first(plain.size() - 1) : plain, false};
  }

  // The listener has a ticket to give, and both the end.
  std::size_t poll_output(MutableBytes out) override {
    if (!wants_output() || defect_ == ChannelDefect::promises_output) return 0;
    const bool ticket = role_ == Role::listener && !std::exchange(gave_ticket_, true);
    if (!ticket) end_due_ = false;
    std::fill_n(out.begin() + 3, 5, std::uint8_t{7});
    return seal_as(ticket ? 1 : 2, out.first(16), ticket ? 5 : 0);
  }
  bool wants_output() const override { return end_due_ || (established() && role_ == Role::listener && !gave_ticket_); }
  void close() override { end_due_ = true; }

 private:
  static constexpr std::size_t kMostHello = 512, kMostPlain = 4096;

  static std::uint64_t mix(std::uint64_t state, ByteView bytes) {
    for (const std::uint8_t byte : bytes) state = (state ^ byte) * 0x100000001b3 + 0x9e3779b97f4a7c15;
    return state ^ state >> 29;
  }
  std::uint64_t stream_key(Role sender, std::uint64_t number) const {
    Bytes seed(9);
    seed[0] = sender == Role::dialer ? 1 : 2;
    store_be64(&seed[1], defect_ == ChannelDefect::forgets_the_order ? 0 : number);
    return mix(transcript_, seed);
  }
  static void cover(std::uint64_t key, MutableBytes bytes) {
    Bytes stream(bytes.size());
    SeededRng(key).fill(stream);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] ^= stream[i];
  }
  std::size_t seal_as(std::uint8_t type, MutableBytes message, std::size_t plain_size) {
    const std::uint64_t key = stream_key(role_, sent_++);
    const MutableBytes body = message.subspan(2, 1 + plain_size);
    store_be16(message.data(), static_cast<std::uint16_t>(1 + plain_size + 8));
    body[0] = type;
    if (defect_ != ChannelDefect::hides_nothing) cover(key, body);
    store_be64(&message[3 + plain_size], mix(key, body));
    return 3 + plain_size + 8;
  }
  Error refuse(Errc why) {
    failed_ = true;
    return {why, "the hello is refused"};
  }
  void say_hello() {
    std::string list;
    for (const auto& muxer : muxers_) list += muxer + ",";
    Bytes body(nonce_.begin(), nonce_.end());
    body.push_back(static_cast<std::uint8_t>(list.size()));
    append(body, as_bytes(list));
    append(body, ours_.to_protobuf());
    hello_.resize(2);
    append(hello_, body);
    hello_.resize(hello_.size() + 8);
    store_be16(hello_.data(), static_cast<std::uint16_t>(body.size() + 8));
    store_be64(&hello_[hello_.size() - 8], mix(transcript_, body));
    transcript_ = mix(transcript_, body);
  }
  bool read_hello(ByteView body) {
    refusal_ = Errc::malformed;
    const std::size_t list_size = body[8];
    if (body.size() < 9 + list_size) return false;
    std::vector<std::string> list;
    for (std::string text(as_text(body.subspan(9, list_size))); text.find(',') != std::string::npos;) {
      list.push_back(text.substr(0, text.find(',')));
      text.erase(0, text.find(',') + 1);
    }
    const auto key = crypto::PublicKey::from_protobuf(body.subspan(9 + list_size));
    if (!key) return false;
    refusal_ = Errc::mismatch;
    if (expected_ && !expected_->matches(*key) && defect_ != ChannelDefect::accepts_any_peer) return false;
    const bool ours_first = role_ == Role::dialer || defect_ == ChannelDefect::each_prefers_its_own;
    const auto& first = ours_first ? muxers_ : list;
    const auto& second = ours_first ? list : muxers_;
    for (auto it = first.rbegin(); it != first.rend(); ++it)
      if (std::find(second.begin(), second.end(), *it) != second.end()) muxer_ = *it;
    theirs_ = *key;
    return true;
  }

  const ChannelDefect defect_;
  const Role role_;
  const crypto::PublicKey ours_;
  const std::optional<PeerId> expected_;
  const std::vector<std::string> muxers_;
  ByteArray<8> nonce_{};
  std::uint64_t transcript_ = 1;
  Bytes hello_;
  std::optional<crypto::PublicKey> theirs_;
  std::string muxer_;
  Errc refusal_ = Errc::malformed;
  std::uint64_t sent_ = 0, read_ = 0;
  bool failed_ = false, gave_ticket_ = false, end_due_ = false;
};

inline SecurityFactory fake_security(ChannelDefect defect) {
  const auto make = [defect](const crypto::PrivateKey& identity, Rng&) -> Result<SecurityKind> {
    const auto begin = [defect, ours = identity.public_key()](ChannelStart start,
                                                              Rng& rng) -> Result<std::unique_ptr<SecureChannel>> {
      return std::unique_ptr<SecureChannel>(
          std::make_unique<FakeChannel>(defect, start.role, ours, std::move(start.expected), start.muxers, rng));
    };
    return SecurityKind{"/fake-security", begin};
  };
  return {"/fake-security", make};
}

}  // namespace libp2p
