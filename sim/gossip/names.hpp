// The library's names that every file of this folder uses, and a member of the simulated world: its index, and the peer
// ids that belong to it. Values.
#pragma once

#include <cstdint>
#include <optional>

#include "libp2p/base/connection_id.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/rng.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/multiformats/peer_id.hpp"

namespace opp2p::sim::gossip {

using libp2p::Bytes;
using libp2p::ByteView;
using libp2p::Direction;
using libp2p::Errc;
using libp2p::Error;
using libp2p::Micros;
using libp2p::Millis;
using libp2p::MonoTime;
using libp2p::Multiaddr;
using libp2p::Nanos;
using libp2p::Now;
using libp2p::PeerId;
using libp2p::Result;
using libp2p::Rng;
using libp2p::Seconds;
using libp2p::SharedBytes;
using libp2p::UnixTime;

// The place of a member in the world. It keeps it for ever, whatever becomes of the member.
using Member = std::uint32_t;

// A member's id says which member it is. `generation` grows when the member takes a new identity. The id is an identity
// multihash of 8 bytes, short enough to be held without an allocation; a real one has 38.
PeerId id_of(Member member, std::uint32_t generation);
// Nothing for an id that is not of this form.
std::optional<Member> member_of(const PeerId& id);

// One of many independent streams of numbers that one seed gives.
std::uint64_t mix(std::uint64_t a, std::uint64_t b);

}  // namespace opp2p::sim::gossip
