// Anything as what a datastore holds of peers: it is loaded into a peerstore, which keeps its bounds and its
// invariants; what was loaded is written as records that are read again without a complaint.
//
// The input is a list of records: the byte of a peer, the byte of a part, two bytes of a size, the value. A part above
// those of a peer gives the key itself.
#include <memory>

#include "libp2p/host/archive_reader.hpp"
#include "libp2p/storage/memory_datastore.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using namespace libp2p;
using fuzzing::require;

constexpr Now kNow{MonoTime(Seconds(100'000)), from_unix_seconds(1'760'000'000)};

// The peer ids of four keys are as good as any: a record names its peer itself.
PeerId peer_of(std::uint8_t number) {
  Bytes digest(32, static_cast<std::uint8_t>(number % 4));
  Bytes id{0x12, 0x20};
  append(id, digest);
  return PeerId::from_bytes(id).value();
}

void fill(storage::MemoryDatastore& store, ByteView in) {
  while (in.size() >= 4) {
    const std::uint8_t part = in[1] % (kPeerParts + 1);
    const std::size_t size = std::min<std::size_t>(load_be16(&in[2]), in.size() - 4);
    storage::Change change;
    const ByteView value = in.subspan(4, size);
    change.key = part < kPeerParts
                     ? part_key(peer_of(in[0]), static_cast<PeerPart>(part))
                     : "/peers/addrs/" + std::string(as_text(value.first(std::min<std::size_t>(size, 60))));
    change.value = to_bytes(value);
    require(store.apply(std::span(&change, 1)).has_value());
    in = in.subspan(4 + size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  storage::MemoryDatastore store;
  fill(store, ByteView(data, size));
  PeerstoreLimits limits;
  limits.peers = 3;
  const auto reading = read_archive(store, limits, peer_of(3), kNow);
  require(reading.has_value() && reading->peers.size() <= limits.peers && reading->dead.size() <= kMostDead);
  Peerstore peers(limits);
  for (const ArchivedPeer& one : reading->peers) {
    require(peers.restore(one.peer, one.facts, kNow.mono));
    for (const KnownAddress& known : one.facts.addresses)
      require(known.expires > kNow.mono && known.expires <= kNow.mono + kLongestLife);
    const auto again = decode_parts(one.peer, encode_parts(one.peer, *peers.facts(one.peer), kNow), limits, kNow);
    require(again.skipped == 0);
    // Records have whole seconds: what lives for less is gone.
    std::size_t lasting = 0;
    for (const KnownAddress& known : one.facts.addresses) lasting += known.expires >= kNow.mono + Seconds(1) ? 1 : 0;
    require(again.facts.addresses.size() == lasting);
    require(again.facts.protocols == one.facts.protocols && again.facts.agent == one.facts.agent);
    require(again.facts.values == one.facts.values && again.facts.proven == one.facts.proven);
  }
  peers.check();
  return 0;
}
