#include "libp2p/protocols/gossipsub/peer_index.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "libp2p/base/rng.hpp"

namespace libp2p::gossipsub {
namespace {

struct NamedRow {
  PeerId id;
};
struct IdOfNamedRow {
  const PeerId& operator()(const NamedRow& row) const { return row.id; }
};
using TestIndex = PeerIndex<NamedRow, IdOfNamedRow>;

PeerId numbered_peer(std::uint32_t n) {
  Bytes multihash = {0x00, 0x04, 0, 0, 0, 0};
  store_be32(multihash.data() + 2, n);
  return PeerId::from_bytes(multihash).value();
}

TEST(GossipsubPeerIndex, is_empty_at_first) {
  TestIndex index(1);
  EXPECT_EQ(index.find(numbered_peer(1)), nullptr);
  index.erase(numbered_peer(1));
  EXPECT_EQ(index.size(), 0U);
}

TEST(GossipsubPeerIndex, takes_one_row_of_an_id) {
  TestIndex index(1);
  NamedRow first{numbered_peer(1)};
  NamedRow second{numbered_peer(1)};
  EXPECT_TRUE(index.insert(first));
  EXPECT_FALSE(index.insert(second));
  EXPECT_EQ(index.find(numbered_peer(1)), &first);
}

// A few ids, so that most of what is asked for is there, and they often stand in each other's places.
TEST(GossipsubPeerIndex, finds_what_an_ordered_map_finds_after_any_insertions_and_erasures) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SeededRng rng(seed);
    TestIndex index(rng.next_u64());
    std::map<PeerId, std::unique_ptr<NamedRow>> rows;
    const std::uint64_t most = 1 + rng.below(200);
    for (int step = 0; step < 2000; ++step) {
      const PeerId id = numbered_peer(static_cast<std::uint32_t>(rng.below(most)));
      if (rng.below(2) == 0) {
        auto row = std::make_unique<NamedRow>(NamedRow{id});
        EXPECT_EQ(index.insert(*row), !rows.contains(id));
        rows.try_emplace(id, std::move(row));
      } else {
        index.erase(id);
        rows.erase(id);
      }
      const PeerId other = numbered_peer(static_cast<std::uint32_t>(rng.below(most)));
      const auto known = rows.find(other);
      ASSERT_EQ(index.find(other), known == rows.end() ? nullptr : known->second.get()) << seed << " " << step;
      ASSERT_EQ(index.size(), rows.size());
    }
  }
}

}  // namespace
}  // namespace libp2p::gossipsub
