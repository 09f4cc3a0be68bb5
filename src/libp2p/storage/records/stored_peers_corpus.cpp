#include "libp2p/storage/records/address_record.hpp"
#include "libp2p/storage/records/gater_records.hpp"
#include "libp2p/storage/records/metadata_value.hpp"
#include "libp2p/storage/records/peer_keys.hpp"
#include "testing/corpus.hpp"

namespace libp2p::fuzzing {
namespace {

// A text, a zero byte, a value.
Bytes seed(std::string_view text, ByteView value) {
  Bytes out = to_bytes(text);
  out.push_back(0);
  append(out, value);
  return out;
}

}  // namespace

void make_corpus(Corpus& corpus) {
  const auto peer = PeerId::from_text("16Uiu2HAkzh4QdxB7ijzVnwd6JFNNe4bcr1JBwYUypXe3pX5BRpqK").value();
  storage::AddressRecord record;
  record.peer = peer;
  record.addresses = {
      {Multiaddr::from_text("/ip4/10.0.0.1/tcp/9222").value(), from_unix_seconds(1'796'106'541), Seconds(3600)},
      {Multiaddr::from_text("/dns4/a.example/tcp/1").value(), UnixTime::max(), Nanos::max()}};
  record.signed_record = storage::StoredPeerRecord{7, {1, 2, 3}};
  corpus.save("addresses",
              seed(storage::peer_key(storage::kAddressBase, peer), storage::encode_address_record(record)));
  corpus.save("agent", seed(storage::peer_key(storage::kMetadataBase, peer, storage::kAgentName),
                            storage::encode_metadata_value("optimism")));
  corpus.save("protocols", seed(storage::peer_key(storage::kMetadataBase, peer, storage::kProtocolsName),
                                storage::encode_metadata_value(storage::StoredProtocols{{"/a", "/meshsub/1.3.0"}})));
  corpus.save("key", seed(storage::peer_key(storage::kKeyBase, peer, storage::kPublicKeyName), {}));
  corpus.save("blocked-peer", seed("", storage::blocked_peer_record(peer).value));
  for (const std::string ip : {"192.0.2.7", "2001:db8::1"})
    corpus.save(ip.find(':') == std::string::npos ? "blocked-ip4" : "blocked-ip6",
                seed(ip, storage::blocked_ip_record(ip).value().value));
  corpus.save("subnet", seed("10.0.0.0/8", storage::blocked_subnet_record("10.0.0.0/8").value().value));
}

}  // namespace libp2p::fuzzing
