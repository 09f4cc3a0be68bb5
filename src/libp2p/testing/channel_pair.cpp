#include "libp2p/testing/channel_pair.hpp"

#include <algorithm>
#include <utility>

namespace libp2p {
namespace {

constexpr int kMostChannelSteps = 10'000;
constexpr std::size_t kReadAtOnce = 32 * 1024;

}  // namespace

ChannelPair::ChannelPair(const SecurityKind& dialing, const SecurityKind& listening, Findings& findings, Rng& rng,
                         ChannelPairOptions options)
    : findings_(findings) {
  constexpr UnixTime kBegun = from_unix_seconds(1'800'000'000);
  auto first = dialing.begin({Role::dialer, options.expected, options.dialer_muxers, kBegun}, rng);
  auto second = listening.begin({Role::listener, std::nullopt, options.listener_muxers, kBegun}, rng);
  findings.expect(first.has_value() && second.has_value(), "a handshake to begin");
  if (first) dialer.channel = std::move(*first);
  if (second) listener.channel = std::move(*second);
}

void ChannelPair::take_output(ChannelEnd& from) {
  if (!from.channel) return;
  append(other(from).wire, from.channel->take_handshake_output());
  findings_.expect(from.channel->take_handshake_output().empty(), "take_handshake_output to leave nothing");
}

std::size_t ChannelPair::read_handshake(ChannelEnd& to, std::size_t most) {
  if (to.failure || !to.channel) return 0;
  const auto presented = ByteView(to.wire).first(std::min(most, to.wire.size()));
  const bool was = to.channel->established();
  const auto taken = to.channel->on_handshake(presented);
  if (!taken) {
    to.failure = taken.error();
    findings_.expect(!to.channel->established(), "no channel to be established whose handshake has failed");
    return 0;
  }
  findings_.expect(*taken <= presented.size(), "on_handshake to take no more than it is given");
  findings_.expect(!was || *taken == 0, "on_handshake to take nothing once the handshake is over");
  if (*taken == 0 && !to.channel->established())
    findings_.expect(
        presented.size() <= to.channel->max_unread(),
        "a handshake message to be whole within max_unread, " + std::to_string(to.channel->max_unread()) + " bytes",
        std::to_string(presented.size()) + " that are not");
  to.wire.erase(to.wire.begin(), to.wire.begin() + static_cast<std::ptrdiff_t>(std::min(*taken, to.wire.size())));
  return *taken;
}

bool ChannelPair::shake(const Cut& cut) {
  if (!dialer.channel || !listener.channel) return false;
  for (int i = 0; i < kMostChannelSteps; ++i) {
    std::size_t moved = 0;
    for (ChannelEnd* end : {&dialer, &listener}) {
      take_output(*end);
      ChannelEnd& to = other(*end);
      std::size_t part = cut ? std::min(cut(to.wire.size()), to.wire.size()) : to.wire.size();
      while (!to.channel->established() && !to.failure && !to.wire.empty()) {
        const std::size_t taken = read_handshake(to, part);
        moved += taken;
        if (taken == 0 && part >= to.wire.size()) break;
        part = taken > 0 ? to.wire.size() : part + 1;
      }
    }
    if (moved == 0) break;
  }
  return dialer.established() && listener.established();
}

bool ChannelPair::connect() {
  const bool both = shake();
  const auto why = [](const ChannelEnd& end) {
    return end.failure ? end.failure->message() : std::string("no end of it");
  };
  return findings_.expect(both, "both ends to be established",
                          "dialer: " + why(dialer) + ", listener: " + why(listener));
}

void ChannelPair::flush(ChannelEnd& from) {
  Bytes out(kReadAtOnce);
  for (int i = 0; i < 100; ++i) {
    const bool wants = from.channel->wants_output();
    const std::size_t n = from.channel->poll_output(out);
    findings_.expect(wants == (n > 0), "output exactly where wants_output promises some");
    if (n == 0 || n > out.size()) return;
    append(other(from).wire, ByteView(out).first(n));
  }
  findings_.expect(false, "an end of what the channel itself has to say");
}

Bytes ChannelPair::seal(ChannelEnd& from, ByteView plain) {
  SecureChannel& channel = *from.channel;
  findings_.expect(channel.header_size() <= channel.overhead(), "header_size within overhead");
  Bytes message(channel.overhead() + plain.size());
  std::copy(plain.begin(), plain.end(), message.begin() + static_cast<std::ptrdiff_t>(channel.header_size()));
  const auto size = channel.seal(message, plain.size());
  if (!findings_.expect(size.has_value(), "seal() of " + std::to_string(plain.size()) + " bytes",
                        size ? "" : size.error().message()))
    return {};
  findings_.expect(*size >= plain.size() && *size <= message.size(),
                   "a sealed message of at most " + std::to_string(message.size()) + " bytes", std::to_string(*size));
  message.resize(std::min(*size, message.size()));
  return message;
}

void ChannelPair::send(ChannelEnd& from, ByteView plain) {
  flush(from);
  append(other(from).wire, seal(from, plain));
}

void ChannelPair::receive(ChannelEnd& to, std::size_t most) {
  std::size_t begin = 0;
  const std::size_t end = std::min(most, to.wire.size());
  while (begin < end && !to.failure) {
    const MutableBytes in = MutableBytes(to.wire).subspan(begin, end - begin);
    const auto opened = to.channel->open(in);
    if (!opened) {
      to.failure = opened.error();
      break;
    }
    if (opened->taken == 0) {
      findings_.expect(
          in.size() <= to.channel->max_unread(),
          "a message to be whole within max_unread, " + std::to_string(to.channel->max_unread()) + " bytes",
          std::to_string(in.size()) + " that are not");
      break;
    }
    if (!findings_.expect(opened->taken <= in.size(), "open() to take no more than it is given")) break;
    const MutableBytes plain = opened->plain;
    findings_.expect(
        plain.empty() || (plain.data() >= in.data() && plain.data() + plain.size() <= in.data() + opened->taken),
        "the plain text inside the message");
    findings_.expect(!to.ended || plain.empty(), "nothing behind the end");
    append(to.plain, plain);
    findings_.expect(!to.ended || !opened->ended, "one end");
    to.ended = to.ended || opened->ended;
    begin += opened->taken;
  }
  to.wire.erase(to.wire.begin(), to.wire.begin() + static_cast<std::ptrdiff_t>(begin));
}

}  // namespace libp2p
