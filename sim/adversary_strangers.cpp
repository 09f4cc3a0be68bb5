// Adversaries that attack what all peers of a node share: they occupy unfinished frames and places for requests, and
// flood the node with messages, control entries and pushes.
#include "libp2p/multiformats/peer_record.hpp"
#include "libp2p/protocols/gossipsub/rpc.hpp"
#include "libp2p/protocols/identify/identify.hpp"
#include "opstack/encoding/snappy_block.hpp"
#include "opstack/rules/topics.hpp"
#include "opstack/sync/wire/codec.hpp"
#include "sim/adversary.hpp"

namespace opp2p::sim {
namespace gossipsub = libp2p::gossipsub;
namespace identify = libp2p::identify;
using libp2p::ByteView;
using libp2p::Millis;
using libp2p::Nanos;
using libp2p::PeerId;
using libp2p::Result;
using libp2p::Seconds;
using libp2p::Stream;
using libp2p::runtime::sleep_for;
using libp2p::runtime::Task;

namespace {

constexpr auto kAgain = Millis(200);  // after a stream was lost
constexpr std::size_t kPiece = 64 * 1024;
constexpr std::size_t kInFrame = 256;  // messages
constexpr std::size_t kSignature = 65;
constexpr std::size_t kBody = 32;
constexpr std::size_t kIdsInFrame = 2000;
constexpr std::size_t kGraftsInFrame = 200;

std::vector<std::string> gossip_protocols() {
  const auto ids = gossipsub::protocol_ids();
  return {ids.begin(), ids.end()};
}

std::string newest_topic(const AdversaryOptions& options) {
  return opstack::rules::blocks_topic(options.rollup.l2_chain_id, opstack::testing::version_of(options.chain.fork));
}

Bytes bytes_of(const libp2p::SharedBytes& frame) { return Bytes(frame->begin(), frame->end()); }

}  // namespace

// --- hoarding ---

Task<void> Adversary::with_gossip_stream(libp2p::Multiaddr address, UseStream use) {
  const PeerId peer = address.peer_id().value();
  for (;;) {
    if (host_.connected(peer)) {
      PeerId whom = peer;
      auto protocols = gossip_protocols();
      auto opened = co_await host_.open_stream(std::move(whom), std::move(protocols));
      if (opened) {
        auto used = (this->*use)(*opened);
        co_await used;
      }
    }
    const auto slept = co_await sleep_for(runtime_, kAgain);
    if (!slept) co_return;
  }
}

Task<void> Adversary::hold_frame(Stream& stream) {
  // The length of a frame of 10 MiB, which never comes whole.
  const Bytes length = {0x80, 0x80, 0x80, 0x05};
  const auto begun = co_await stream.write(length);
  if (!begun) co_return;
  ++misdeeds_;
  const Bytes zeros(kPiece);
  for (std::size_t sent = 0; sent < kFrameShare; sent += kPiece) {
    const auto piece = ByteView(zeros).first(std::min(kPiece, kFrameShare - sent));
    const auto written = co_await stream.write(piece);
    if (!written) co_return;
  }
  while (stream.alive()) {
    const auto slept = co_await sleep_for(runtime_, kAgain);
    if (!slept) co_return;
  }
}

Task<void> Adversary::hoard_requests(libp2p::Multiaddr address) {
  const PeerId peer = address.peer_id().value();
  const Bytes half = {1, 0, 0, 0};
  std::vector<Stream> held;
  for (;;) {
    std::erase_if(held, [](const Stream& stream) { return !stream.alive(); });
    while (host_.connected(peer) && held.size() < kHeldRequests) {
      PeerId whom = peer;
      std::vector<std::string> protocols;
      protocols.push_back(opstack::sync::wire::protocol_id(std::to_string(options_.rollup.l2_chain_id)));
      auto opened = co_await host_.open_stream(std::move(whom), std::move(protocols));
      if (!opened) break;
      const auto written = co_await opened->write(half);
      if (!written) break;
      ++misdeeds_;
      held.push_back(std::move(*opened));
    }
    const auto slept = co_await sleep_for(runtime_, kAgain);
    if (!slept) co_return;
  }
}

// --- flooding ---

Bytes Adversary::small_messages() {
  const std::string topic = newest_topic(options_);
  gossipsub::Rpc rpc;
  std::vector<Bytes> contents;
  for (std::size_t i = 0; i < kInFrame; ++i) {
    // What looks like a signature, so that it is checked on a worker before the message is refused.
    auto unpacked = runtime_.rng().array<kSignature + kBody>();
    unpacked[kSignature - 1] &= 1;
    contents.push_back(opstack::encoding::snappy_compress(unpacked));
  }
  for (const Bytes& one : contents) {
    gossipsub::Message message;
    message.data = one;
    message.topic = topic;
    rpc.publish.push_back(message);
  }
  return bytes_of(gossipsub::encode_frame(rpc));
}

Bytes Adversary::full_control() {
  const std::string topic = newest_topic(options_);
  gossipsub::Rpc rpc;
  gossipsub::Control& control = rpc.control.emplace();
  Bytes ids(kIdsInFrame * 20);
  runtime_.rng().fill(ids);
  gossipsub::IHave& have = control.ihave.emplace_back();
  have.topic = topic;
  gossipsub::IWant& want = control.iwant.emplace_back();
  gossipsub::IDontWant& unwanted = control.idontwant.emplace_back();
  for (std::size_t i = 0; i < kIdsInFrame; ++i) {
    const auto id = ByteView(ids).subspan(i * 20, 20);
    (i % 3 == 0 ? have.ids : i % 3 == 1 ? want.ids : unwanted.ids).push_back(id);
  }
  for (std::size_t i = 0; i < kGraftsInFrame; ++i) {
    control.graft.emplace_back().topic = topic;
    control.prune.emplace_back().topic = topic;
  }
  return bytes_of(gossipsub::encode_frame(rpc));
}

Task<void> Adversary::flood_stream(Stream& stream) {
  const bool messages = options_.kind == AdversaryKind::message_flooder;
  const Nanos pause = messages ? Nanos(Seconds(1)) * kInFrame / kFloodRate : Nanos(Seconds(1)) / kControlFrames;
  for (;;) {
    const auto slept = co_await sleep_for(runtime_, pause);
    if (!slept) co_return;
    const Bytes frame = messages ? small_messages() : full_control();
    const auto written = co_await stream.write(frame);
    if (!written) co_return;
    ++misdeeds_;
  }
}

Task<void> Adversary::flood_pushes(libp2p::Multiaddr address) {
  const PeerId peer = address.peer_id().value();
  libp2p::multiformats::PeerRecord record;
  record.peer_id = host_.id();
  for (;;) {
    const auto slept = co_await sleep_for(runtime_, Nanos(Seconds(1)) / kPushes);
    if (!slept) co_return;
    if (!host_.connected(peer)) continue;
    ++record.seq;
    identify::Message message;
    if (auto sealed = record.seal(host_.identity())) message.signed_peer_record = std::move(*sealed);
    const Bytes bytes = identify::encode_parts(message);
    PeerId whom = peer;
    std::vector<std::string> protocols;
    protocols.emplace_back(identify::kPushProtocol);
    auto opened = co_await host_.open_stream(std::move(whom), std::move(protocols));
    if (!opened) continue;
    const auto written = co_await opened->write(bytes);
    if (!written) continue;
    opened->close_write();
    ++misdeeds_;
  }
}

}  // namespace opp2p::sim
