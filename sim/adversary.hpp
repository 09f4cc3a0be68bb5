// A peer that misbehaves: a real host that joins the gossip like an honest node. Depending on its kind, it answers
// requests with wrong blocks, not at all or with one byte a second, gossips invalid blocks, opens streams that it never
// uses, or does not read. Other kinds attack what all peers of a node share: they occupy memory and places, or flood
// the node (adversary_strangers.cpp). A peer that is disconnected connects again. For simulations and the devnet's
// intruder.
//
// Owner: a simulation or a process; destroyed after close() and before its Runtime. Thread: the network thread. Bounds:
// none for the attack itself; it keeps kHoarded streams per peer and at most kMostBlocks invented blocks.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "libp2p/host/host.hpp"
#include "libp2p/runtime/task.hpp"
#include "libp2p/services/gossipsub/gossipsub_service.hpp"
#include "libp2p/services/identify/identify_service.hpp"
#include "opstack/chain/rollup_config.hpp"
#include "sim/mischief.hpp"

namespace opp2p::sim {

enum class AdversaryKind : std::uint8_t {
  liar,             // answers payload_by_number with blocks that are wrong in every way
  silent,           // takes requests and never answers
  trickler,         // answers one byte a second
  hoarder,          // opens kHoarded streams to each peer and never uses them
  forger,           // gossips one bad message after another, most of them well signed
  deaf,             // is in the mesh and reads kDeafRate bytes a second of what it is gossiped
  frame_hoarder,    // begins a gossip frame, sends kFrameShare of it and never ends it
  request_hoarder,  // holds kHeldRequests half requests with each peer
  message_flooder,  // gossips kFloodRate small messages a second, each with a signature to check
  control_flooder,  // kControlFrames frames a second, each full of ids, grafts and prunes
  push_flooder,     // pushes its identity with a signed record, kPushes a second
};
std::string_view to_string(AdversaryKind kind);

struct AdversaryOptions {
  AdversaryKind kind = AdversaryKind::silent;
  opstack::testing::ChainOptions chain;        // of the blocks that it makes up
  opstack::chain::RollupConfig rollup;         // of the chain whose peers it plagues
  libp2p::crypto::secp256k1::Secret key{};     // its identity
  libp2p::crypto::secp256k1::Secret signer{};  // the sequencer's, for the forger (sim/mischief.hpp)
  libp2p::Multiaddr listen;
  std::vector<libp2p::Multiaddr> peers;  // with their ids
};

class Adversary {
 public:
  static constexpr std::size_t kHoarded = 200;
  static constexpr std::size_t kDeafRate = 100;
  static constexpr std::uint64_t kMostBlocks = 10'000;
  static constexpr std::size_t kFrameHoarders = 13;  // as many fill a node's room of 128 MiB, but for a few kilobytes
  static constexpr std::size_t kFrameShare = (std::size_t{128} << 20) / kFrameHoarders - 300;
  static constexpr std::size_t kHeldRequests = 64;
  static constexpr std::size_t kFloodRate = 5'000;
  static constexpr std::size_t kControlFrames = 10;
  static constexpr std::size_t kPushes = 50;

  Adversary(libp2p::runtime::Runtime& runtime, AdversaryOptions options);
  ~Adversary();
  Adversary(const Adversary&) = delete;
  Adversary& operator=(const Adversary&) = delete;

  libp2p::Result<void> start();
  libp2p::runtime::Task<void> close(libp2p::Nanos limit);

  const libp2p::Host& host() const { return host_; }
  // How often it had the occasion: requests that it took, streams that it opened or did not read, bad messages.
  std::uint64_t misdeeds() const { return misdeeds_; }
  AdversaryKind kind() const { return options_.kind; }

 private:
  libp2p::runtime::Task<void> keep_connected(libp2p::Multiaddr address);
  libp2p::runtime::Task<void> answer(libp2p::Stream stream);
  libp2p::runtime::Task<void> lie(libp2p::Stream& stream, std::uint64_t number);
  libp2p::runtime::Task<void> trickle(libp2p::Stream& stream, std::uint64_t number);
  libp2p::runtime::Task<void> forge();
  libp2p::runtime::Task<void> hoard(libp2p::Multiaddr address);
  libp2p::runtime::Task<void> read_slowly(libp2p::Stream stream);
  // Opens a gossip stream to the peer again and again, and does this with it.
  using UseStream = libp2p::runtime::Task<void> (Adversary::*)(libp2p::Stream& stream);
  libp2p::runtime::Task<void> with_gossip_stream(libp2p::Multiaddr address, UseStream use);
  libp2p::runtime::Task<void> hold_frame(libp2p::Stream& stream);
  libp2p::runtime::Task<void> hoard_requests(libp2p::Multiaddr address);
  libp2p::runtime::Task<void> flood_stream(libp2p::Stream& stream);
  libp2p::runtime::Task<void> flood_pushes(libp2p::Multiaddr address);
  Bytes small_messages();
  Bytes full_control();
  // Block `number` of its own chain: well-formed, and nobody else's.
  const Envelope& own_block(std::uint64_t number);
  Bytes encoded_answer(const Envelope& block) const;

  libp2p::runtime::Runtime& runtime_;
  const AdversaryOptions options_;
  opstack::testing::ChainBuilder chain_;
  std::vector<Envelope> blocks_;
  MischiefMaker mischief_;
  std::uint64_t misdeeds_ = 0;
  libp2p::Host host_;
  libp2p::IdentifyService identify_;
  libp2p::gossipsub::NeutralScores scores_;
  std::unique_ptr<libp2p::GossipsubService> gossip_;  // null: it writes its gossip streams by hand
  libp2p::runtime::TaskScope scope_;                  // last: its coroutines use the members above
};

}  // namespace opp2p::sim
