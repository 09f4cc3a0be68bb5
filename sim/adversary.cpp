#include "sim/adversary.hpp"

#include "libp2p/host/peerstore.hpp"
#include "libp2p/services/stream_tools.hpp"
#include "opstack/gossip/block_gossip.hpp"
#include "opstack/rules/topics.hpp"
#include "opstack/sync/engine/answer.hpp"
#include "opstack/sync/wire/codec.hpp"

namespace opp2p::sim {
namespace codec = opstack::sync::wire;
namespace gossip = opstack::gossip;
using libp2p::Nanos;
using libp2p::PeerId;
using libp2p::Result;
using libp2p::Seconds;
using libp2p::Stream;
using libp2p::runtime::sleep_for;
using libp2p::runtime::Task;

namespace {

constexpr auto kForgeInterval = libp2p::Millis(700);  // between two bad messages
constexpr auto kRetry = Seconds(1);                   // between dials, and between fillings of the hoard

// What a liar answers, one after the other.
enum class Lie : std::uint8_t { other_chain, other_number, wrong_hash, garbage, broken_off, empty_handed };
constexpr std::uint64_t kLies = 6;

libp2p::HostConfig host_config(const AdversaryOptions& options) {
  auto key = libp2p::crypto::PrivateKey::from_raw(libp2p::crypto::KeyType::secp256k1, options.key).value();
  return libp2p::HostConfig(std::move(key));
}

bool answers_requests(AdversaryKind kind) {
  return kind == AdversaryKind::liar || kind == AdversaryKind::silent || kind == AdversaryKind::trickler;
}

// Of one peer a node reads one gossip stream, the last that was opened.
bool gossips_by_hand(AdversaryKind kind) {
  return kind == AdversaryKind::frame_hoarder || kind == AdversaryKind::message_flooder ||
         kind == AdversaryKind::control_flooder;
}

std::string request_protocol(const AdversaryOptions& options) {
  return codec::protocol_id(std::to_string(options.rollup.l2_chain_id));
}

}  // namespace

std::string_view to_string(AdversaryKind kind) {
  switch (kind) {
    case AdversaryKind::liar: return "liar";
    case AdversaryKind::silent: return "silent";
    case AdversaryKind::trickler: return "trickler";
    case AdversaryKind::hoarder: return "hoarder";
    case AdversaryKind::forger: return "forger";
    case AdversaryKind::deaf: return "deaf";
    case AdversaryKind::frame_hoarder: return "frame_hoarder";
    case AdversaryKind::request_hoarder: return "request_hoarder";
    case AdversaryKind::message_flooder: return "message_flooder";
    case AdversaryKind::control_flooder: return "control_flooder";
    case AdversaryKind::push_flooder: return "push_flooder";
  }
  return "unknown";
}

Adversary::Adversary(libp2p::runtime::Runtime& runtime, AdversaryOptions options)
    : runtime_(runtime),
      options_(std::move(options)),
      chain_(options_.chain, runtime.rng()),
      mischief_(options_.chain, options_.signer, runtime.rng()),
      host_(runtime, host_config(options_)),
      identify_(host_),
      scope_(runtime) {
  if (gossips_by_hand(options_.kind)) return;
  auto config = gossip::block_gossip_config(options_.rollup.l2_chain_id, {});
  gossip_ = std::make_unique<libp2p::GossipsubService>(host_, std::move(config), scores_);
}

Adversary::~Adversary() = default;

Result<void> Adversary::start() {
  // It takes every block for good, and passes it on.
  for (const auto& topic : opstack::rules::blocks_topics(options_.rollup.l2_chain_id)) {
    if (gossip_) OPP2P_TRYV(gossip_->join(topic, nullptr, nullptr));
  }
  if (answers_requests(options_.kind)) {
    libp2p::serve_in_scope(host_, scope_, request_protocol(options_),
                           [this](Stream stream) { return answer(std::move(stream)); });
  }
  if (options_.kind == AdversaryKind::deaf) {
    for (const auto id : libp2p::gossipsub::protocol_ids())
      libp2p::serve_in_scope(host_, scope_, id, [this](Stream stream) { return read_slowly(std::move(stream)); });
  }
  OPP2P_TRYV(host_.listen(options_.listen));
  if (options_.kind == AdversaryKind::forger) scope_.spawn(forge());
  for (const auto& peer : options_.peers) {
    scope_.spawn(keep_connected(peer));
    if (options_.kind == AdversaryKind::hoarder) scope_.spawn(hoard(peer));
    if (options_.kind == AdversaryKind::frame_hoarder) scope_.spawn(with_gossip_stream(peer, &Adversary::hold_frame));
    if (options_.kind == AdversaryKind::request_hoarder) scope_.spawn(hoard_requests(peer));
    if (options_.kind == AdversaryKind::message_flooder || options_.kind == AdversaryKind::control_flooder)
      scope_.spawn(with_gossip_stream(peer, &Adversary::flood_stream));
    if (options_.kind == AdversaryKind::push_flooder) scope_.spawn(flood_pushes(peer));
  }
  return {};
}

Task<void> Adversary::close(Nanos limit) {
  host_.remove_stream_handler(request_protocol(options_));
  co_await scope_.close();
  if (gossip_) co_await gossip_->close();
  co_await identify_.close();
  co_await host_.close(limit);
}

Task<void> Adversary::keep_connected(libp2p::Multiaddr address) {
  const PeerId peer = address.peer_id().value();
  for (;;) {
    if (!host_.connected(peer)) {
      const auto dialled = co_await host_.connect(address);
      if (!dialled && dialled.error() == libp2p::Errc::cancelled) co_return;
    }
    const auto slept = co_await sleep_for(runtime_, kRetry);
    if (!slept) co_return;
  }
}

// --- requests ---

Task<void> Adversary::answer(Stream stream) {
  ++misdeeds_;
  const auto request = co_await stream.read_to_end(codec::kRequestSize);
  if (!request) co_return;
  const auto number = codec::decode_request(*request);
  if (!number || *number == 0 || *number > kMostBlocks) co_return;
  if (options_.kind == AdversaryKind::liar) co_await lie(stream, *number);
  if (options_.kind == AdversaryKind::trickler) co_await trickle(stream, *number);
  if (options_.kind != AdversaryKind::silent) co_return;
  libp2p::runtime::Event never(runtime_);
  (void)co_await never.wait();
}

Task<void> Adversary::lie(Stream& stream, std::uint64_t number) {
  Bytes bytes;
  switch (static_cast<Lie>(misdeeds_ % kLies)) {
    case Lie::other_chain: bytes = encoded_answer(own_block(number)); break;
    case Lie::other_number: bytes = encoded_answer(own_block(number + 1)); break;
    case Lie::wrong_hash: {
      Envelope changed = own_block(number);
      changed.payload.gas_used ^= 1;
      bytes = encoded_answer(changed);
      break;
    }
    case Lie::garbage:
      bytes.resize(1000);
      runtime_.rng().fill(bytes);
      bytes[0] = 0;
      break;
    case Lie::broken_off:
      bytes = encoded_answer(own_block(number));
      bytes.resize(bytes.size() / 2);
      break;
    case Lie::empty_handed: bytes = codec::encode_refusal(codec::ResultCode::not_found); break;
  }
  const auto written = co_await stream.write(bytes);
  if (written) stream.close_write();
}

Task<void> Adversary::trickle(Stream& stream, std::uint64_t number) {
  const Bytes bytes = encoded_answer(own_block(number));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto piece = libp2p::ByteView(bytes).subspan(i, 1);
    const auto written = co_await stream.write(piece);
    if (!written) co_return;
    const auto slept = co_await sleep_for(runtime_, Seconds(1));
    if (!slept) co_return;
  }
  stream.close_write();
}

const Envelope& Adversary::own_block(std::uint64_t number) {
  while (blocks_.size() < number) blocks_.push_back(chain_.next());
  return blocks_[number - 1];
}

Bytes Adversary::encoded_answer(const Envelope& block) const {
  const auto version = options_.rollup.payload_version(block.payload.timestamp);
  return codec::encode_response(opstack::sync::response_version(version),
                                opstack::payload::encode_envelope(version, block));
}

// --- gossip ---

Task<void> Adversary::forge() {
  for (;; ++misdeeds_) {
    const auto slept = co_await sleep_for(runtime_, kForgeInterval);
    if (!slept) co_return;
    const auto now = static_cast<std::uint64_t>(libp2p::unix_seconds(runtime_.now().wall));
    const auto message = mischief_.make(static_cast<Mischief>(misdeeds_ % kMischiefs), now);
    (void)gossip_->publish(message.topic, message.data, libp2p::gossipsub::LocalCheck::already_valid);
  }
}

// --- streams ---

Task<void> Adversary::hoard(libp2p::Multiaddr address) {
  const PeerId peer = address.peer_id().value();
  std::vector<Stream> hoarded;
  std::size_t next = 0;
  for (;;) {
    std::erase_if(hoarded, [](const Stream& stream) { return !stream.alive(); });
    while (hoarded.size() < kHoarded) {
      auto spoken = host_.peerstore().protocols(peer);
      if (spoken.empty() || !host_.connected(peer)) break;
      std::vector<std::string> protocols;
      protocols.push_back(std::move(spoken[next++ % spoken.size()]));
      PeerId whom = peer;
      auto opened = co_await host_.open_stream(std::move(whom), std::move(protocols));
      if (!opened) break;
      ++misdeeds_;
      hoarded.push_back(std::move(*opened));
    }
    const auto slept = co_await sleep_for(runtime_, kRetry);
    if (!slept) co_return;
  }
}

Task<void> Adversary::read_slowly(Stream stream) {
  ++misdeeds_;
  Bytes buffer(kDeafRate);
  for (;;) {
    const auto got = co_await stream.read_some(buffer);
    if (!got || *got == 0) co_return;
    const auto slept = co_await sleep_for(runtime_, Seconds(1));
    if (!slept) co_return;
  }
}

}  // namespace opp2p::sim
