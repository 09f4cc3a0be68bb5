#include "libp2p/storage/records/peer_keys.hpp"

#include "libp2p/multiformats/multibase.hpp"

namespace libp2p::storage {
namespace {

constexpr char kPrefix = static_cast<char>(multiformats::Base::base32_upper);

std::string base32_of(const PeerId& peer) {
  return multiformats::encode_multibase(multiformats::Base::base32_upper, peer.bytes()).substr(1);
}

}  // namespace

std::string peer_key(std::string_view base, const PeerId& peer, std::string_view name) {
  std::string out(base);
  out += base32_of(peer);
  if (!name.empty()) out.append("/").append(name);
  return out;
}

Result<PeerKey> read_peer_key(std::string_view base, std::string_view key) {
  if (!key.starts_with(base)) return fail(Errc::malformed, "key does not begin with " + std::string(base));
  const auto rest = key.substr(base.size());
  const auto slash = rest.find('/');
  const auto text = rest.substr(0, slash);
  const auto decoded = multiformats::decode_multibase(kPrefix + std::string(text));
  const auto peer = decoded ? PeerId::from_bytes(decoded->bytes) : Result<PeerId>(decoded.error());
  if (!peer) return fail(Errc::malformed, "no peer id in the key: " + peer.error().text());
  // Base32 is read in either case and with bits to spare; such a key is not the one under which the peer is looked up.
  if (base32_of(*peer) != text) return fail(Errc::malformed, "peer id in the key is not in its base32 form");
  if (slash == std::string_view::npos) return PeerKey{*peer, {}};
  const auto name = rest.substr(slash + 1);
  if (name.empty()) return fail(Errc::malformed, "key ends with a slash");
  return PeerKey{*peer, name};
}

}  // namespace libp2p::storage
