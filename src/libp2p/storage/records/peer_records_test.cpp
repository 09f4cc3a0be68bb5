#include <gmock/gmock.h>

#include "libp2p/multiformats/multibase.hpp"
#include "libp2p/storage/records/address_record.hpp"
#include "libp2p/storage/records/gater_records.hpp"
#include "libp2p/storage/records/metadata_value.hpp"
#include "libp2p/storage/records/peer_keys.hpp"
#include "libp2p/storage/records/record_time.hpp"

namespace libp2p::storage {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kBase32 = "AASQQAQSEEBE4O4BV6OCENGK2COWPHHGANPNCOJDI7HGJTSAL5O42NRCRIS543Q";

PeerId some_peer() { return PeerId::from_text("16Uiu2HAkzh4QdxB7ijzVnwd6JFNNe4bcr1JBwYUypXe3pX5BRpqK").value(); }
Multiaddr address(std::string_view text) { return Multiaddr::from_text(text).value(); }

TEST(PeerKeys, are_the_base_the_id_in_base32_and_a_name) {
  EXPECT_EQ(peer_key(kAddressBase, some_peer()), "/peers/addrs/" + std::string(kBase32));
  const auto key = peer_key(kMetadataBase, some_peer(), kAgentName);
  EXPECT_EQ(key, "/peers/metadata/" + std::string(kBase32) + "/AgentVersion");
  const auto read = read_peer_key(kMetadataBase, key).value();
  EXPECT_EQ(read.peer, some_peer());
  EXPECT_EQ(read.name, "AgentVersion");
  EXPECT_EQ(read_peer_key(kAddressBase, peer_key(kAddressBase, some_peer())).value().name, "");
}

TEST(PeerKeys, are_refused_when_they_are_no_key_of_a_peer) {
  const std::string id(kBase32);
  for (const std::string& key :
       {std::string(), std::string("/peers/addrs"), std::string("/peers/addrs/"), "/peers/keys/" + id,
        "/peers/addrs/" + id + "/", "/peers/addrs/" + id + "=", "/peers/addrs/" + id.substr(1),
        std::string("/peers/addrs/7777"), "/peers/addrs//" + id})
    EXPECT_EQ(read_peer_key(kAddressBase, key).error(), Errc::malformed) << key;
  // The same id in a form under which no one looks it up.
  std::string lower = id;
  for (auto& c : lower) c = static_cast<char>(std::tolower(c));
  EXPECT_THAT(read_peer_key(kAddressBase, "/peers/addrs/" + lower).error().text(), HasSubstr("base32"));
}

AddressRecord full_record() {
  AddressRecord out;
  out.peer = some_peer();
  out.addresses = {{address("/ip4/10.0.0.1/tcp/9222"), from_unix_seconds(1'796'106'541), std::chrono::hours(1)},
                   {address("/dns4/node.example/tcp/443"), UnixTime::max(), Nanos::max()}};
  out.signed_record = StoredPeerRecord{7, {1, 2, 3}};
  return out;
}

TEST(AddressRecord, reads_back_as_it_was_written) {
  const auto record = full_record();
  EXPECT_EQ(decode_address_record(encode_address_record(record)).value(), record);
  AddressRecord bare;
  bare.peer = some_peer();
  EXPECT_EQ(decode_address_record(encode_address_record(bare)).value(), bare);
}

TEST(AddressRecord, has_the_address_that_expires_first_at_the_front) {
  auto record = full_record();
  std::swap(record.addresses[0], record.addresses[1]);
  const auto read = decode_address_record(encode_address_record(record)).value();
  EXPECT_EQ(read.addresses[0].address, full_record().addresses[0].address);
}

TEST(AddressRecord, keeps_an_expiry_beyond_the_year_2262_as_the_last_moment) {
  EXPECT_EQ(saturated_unix_time(INT64_MAX), UnixTime::max());
  EXPECT_EQ(saturated_unix_time(INT64_MIN), UnixTime::min());
  EXPECT_EQ(saturated_unix_time(1'796'106'541), from_unix_seconds(1'796'106'541));
  EXPECT_EQ(unix_seconds(saturated_unix_time(9'223'372'036)), 9'223'372'036);
}

TEST(AddressRecord, passes_over_an_address_that_is_not_understood) {
  Bytes record = encode_address_record(full_record());
  const Bytes unknown{0x12, 0x05, 0x0a, 0x03, 0xff, 0xff, 0x7f};
  append(record, unknown);
  const auto read = decode_address_record(record).value();
  EXPECT_EQ(read.addresses.size(), 2u);
  EXPECT_EQ(read.skipped_addresses, 1u);
}

TEST(AddressRecord, is_refused_when_it_is_damaged_or_too_large) {
  const Bytes good = encode_address_record(full_record());
  EXPECT_FALSE(decode_address_record(ByteView(good).first(good.size() - 1)));
  EXPECT_FALSE(decode_address_record({}));  // of no peer
  EXPECT_EQ(decode_address_record(Bytes(kMaxAddressRecord + 1)).error(), Errc::too_large);
  Bytes many = good;
  for (std::size_t i = 0; i < kMaxStoredAddresses; ++i) append(many, Bytes{0x12, 0x00});
  EXPECT_EQ(decode_address_record(many).error(), Errc::too_large);
}

TEST(MetadataValue, reads_back_as_it_was_written) {
  for (const MetadataValue& value :
       {MetadataValue("optimism"), MetadataValue(""), MetadataValue(std::string(300, 'x')),
        MetadataValue(StoredProtocols{}), MetadataValue(StoredProtocols{{"/ipfs/id/1.0.0", "/meshsub/1.3.0"}})})
    EXPECT_EQ(decode_metadata_value(encode_metadata_value(value)).value(), value);
}

TEST(MetadataValue, names_the_type_of_a_value_that_it_does_not_read) {
  const auto number = from_hex("0a100003696e7404020002").value();  // Go's int 1
  const auto read = decode_metadata_value(number);
  EXPECT_EQ(read.error(), Errc::unsupported);
  EXPECT_THAT(read.error().text(), HasSubstr("int"));
}

TEST(MetadataValue, is_refused_when_it_is_cut_off_at_any_byte_or_goes_on) {
  for (const MetadataValue& value : {MetadataValue("optimism"), MetadataValue(StoredProtocols{{"/a", "/b"}})}) {
    Bytes good = encode_metadata_value(value);
    for (std::size_t size = 0; size < good.size(); ++size)
      EXPECT_FALSE(decode_metadata_value(ByteView(good).first(size))) << size;
    good.push_back(0);
    EXPECT_FALSE(decode_metadata_value(good));
  }
}

TEST(MetadataValue, has_a_bound_of_protocols) {
  StoredProtocols many;
  for (std::size_t i = 0; i <= kMaxStoredProtocols; ++i) many.ids.push_back(std::to_string(i));
  EXPECT_EQ(decode_metadata_value(encode_metadata_value(many)).error(), Errc::too_large);
  EXPECT_EQ(decode_metadata_value(Bytes(kMaxMetadataValue + 1)).error(), Errc::too_large);
}

TEST(GaterRecords, have_one_key_for_all_spellings_of_an_address) {
  const auto plain = blocked_ip_record("192.0.2.7").value();
  EXPECT_EQ(plain.key, "/libp2p/net/conngater/addr/192.0.2.7");
  EXPECT_EQ(plain.value.size(), 16u);
  EXPECT_EQ(blocked_ip_record("::ffff:192.0.2.7").value().key, plain.key);
  EXPECT_EQ(blocked_ip_record("2001:DB8:0::1").value().key, "/libp2p/net/conngater/addr/2001:db8::1");
  EXPECT_EQ(decode_blocked_ip(plain.value).value(), "192.0.2.7");
  EXPECT_EQ(decode_blocked_ip(Bytes{192, 0, 2, 7}).value(), "192.0.2.7");
  EXPECT_EQ(decode_blocked_ip(Bytes(5)).error(), Errc::malformed);
  for (const auto* bad : {"", "192.0.2", "192.0.2.7/32", "fe80::1%eth0", "host"})
    EXPECT_EQ(blocked_ip_record(bad).error(), Errc::malformed) << bad;
}

TEST(GaterRecords, have_subnets_without_host_bits) {
  const auto subnet = blocked_subnet_record("10.1.2.3/8").value();
  EXPECT_EQ(subnet.key, "/libp2p/net/conngater/subnet/10.0.0.0/8");
  EXPECT_EQ(as_text(subnet.value), "10.0.0.0/8");
  EXPECT_EQ(decode_blocked_subnet(subnet.value).value(), "10.0.0.0/8");
  // op-node does not start with a subnet that it cannot read.
  for (const auto* bad : {"", "10.0.0.0", "10.0.0.0/33", "fe80::%eth0/64", "/8"})
    EXPECT_EQ(decode_blocked_subnet(as_bytes(bad)).error(), Errc::malformed) << bad;
}

TEST(GaterRecords, name_a_peer_in_base58) {
  const auto record = blocked_peer_record(some_peer());
  EXPECT_EQ(record.key, "/libp2p/net/conngater/peer/" + some_peer().to_base58());
  EXPECT_EQ(decode_blocked_peer(record.value).value(), some_peer());
}

}  // namespace
}  // namespace libp2p::storage
