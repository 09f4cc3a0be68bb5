#include "libp2p/services/peer_records.hpp"

#include <gmock/gmock.h>

namespace libp2p {
namespace {

using testing::IsEmpty;

class PeerRecords : public testing::Test {
 protected:
  PeerRecords() : key_(make_key()), peer_(PeerId::from_public_key(key_.public_key())) {}
  static crypto::PrivateKey make_key() {
    SeededRng rng(9);
    return crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng).value();
  }
  Bytes sealed(std::uint64_t seq, std::size_t addresses = 1) {
    multiformats::PeerRecord record;
    record.peer_id = peer_;
    record.seq = seq;
    for (std::size_t i = 0; i < addresses; ++i)
      record.addresses.push_back(Multiaddr::from_text("/ip4/10.0.0.1/tcp/" + std::to_string(i + 1)).value());
    return record.seal(key_).value();
  }
  bool keep(const Bytes& envelope) {
    return keep_peer_record(store_, multiformats::PeerRecord::open(envelope).value(), envelope);
  }

  crypto::PrivateKey key_;
  PeerId peer_;
  Peerstore store_;
};

TEST_F(PeerRecords, are_kept_and_replaced_by_newer_ones_only) {
  EXPECT_THAT(newest_peer_record(store_, peer_), IsEmpty());
  EXPECT_TRUE(keep(sealed(5)));
  EXPECT_EQ(newest_peer_record(store_, peer_), sealed(5));
  EXPECT_FALSE(keep(sealed(4)));
  EXPECT_EQ(newest_peer_record(store_, peer_), sealed(5));
  EXPECT_TRUE(keep(sealed(5))) << "the same again";
  EXPECT_TRUE(keep(sealed(6)));
  EXPECT_EQ(newest_peer_record(store_, peer_), sealed(6));
}

TEST_F(PeerRecords, of_hosts_with_many_addresses_are_kept_up_to_what_a_prune_may_name) {
  const Bytes longest = sealed(7, 64);
  ASSERT_GT(longest.size(), 800U);
  ASSERT_LE(longest.size(), PeerstoreLimits().value_bytes);
  EXPECT_TRUE(keep(longest));
  EXPECT_EQ(newest_peer_record(store_, peer_), longest);
}

TEST_F(PeerRecords, that_are_too_long_leave_no_older_one_behind) {
  EXPECT_TRUE(keep(sealed(5)));
  EXPECT_TRUE(keep(sealed(6, 100)));
  EXPECT_THAT(newest_peer_record(store_, peer_), IsEmpty());
  EXPECT_FALSE(keep(sealed(5)));
}

}  // namespace
}  // namespace libp2p
