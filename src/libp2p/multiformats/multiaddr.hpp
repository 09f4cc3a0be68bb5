// A multiaddr: a self-describing network address. As text it is "/ip4/127.0.0.1/tcp/9222/p2p/16Uiu2…", in binary a
// sequence of protocol codes and values. All protocols of the registry that libp2p uses are known. A value; always
// valid; compares by bytes.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/multiformats/peer_id.hpp"

namespace libp2p::multiformats {

// Codes of the multiaddr protocol table.
enum class Protocol : std::uint32_t {
  ip4 = 4,
  tcp = 6,
  dccp = 33,
  ip6 = 41,
  ip6zone = 42,
  ipcidr = 43,
  dns = 53,
  dns4 = 54,
  dns6 = 55,
  dnsaddr = 56,
  sctp = 132,
  udp = 273,
  p2p_webrtc_direct = 276,
  webrtc_direct = 280,
  webrtc = 281,
  p2p_circuit = 290,
  udt = 301,
  utp = 302,
  unix_path = 400,
  p2p = 421,
  https = 443,
  onion = 444,
  onion3 = 445,
  garlic64 = 446,
  garlic32 = 447,
  tls = 448,
  sni = 449,
  noise = 454,
  quic = 460,
  quic_v1 = 461,
  webtransport = 465,
  certhash = 466,
  ws = 477,
  wss = 478,
  http = 480,
  http_path = 481,
  memory = 777,
  plaintextv2 = 7367777,
};
// "tcp", "quic-v1", …: the name in the text of an address.
std::string_view to_string(Protocol protocol);

// The text of an address, as given and in canonical form, and its bytes have at most this size: Errc::too_large beyond.
inline constexpr std::size_t kMaxMultiaddrSize = 4096;

class Multiaddr {
 public:
  struct Component {
    Protocol protocol;
    Bytes value;  // binary form, without a length prefix
  };

  Multiaddr() = default;
  // Verdicts are go-multiaddr's, which reads some texts that are not canonical ("/tcp/080/", "/ipfs/Qm…").
  static Result<Multiaddr> from_text(std::string_view text);
  static Result<Multiaddr> from_bytes(ByteView binary);

  // Canonical, whatever the address was made from.
  const std::string& text() const { return text_; }
  ByteView bytes() const { return binary_; }
  std::vector<Component> components() const;
  bool empty() const { return binary_.empty(); }
  // The first value of a protocol: "127.0.0.1" for ip4, "9222" for tcp.
  std::optional<std::string> value_of(Protocol protocol) const;
  bool has(Protocol protocol) const;
  // The id behind the last /p2p.
  std::optional<PeerId> peer_id() const;
  // This with /p2p/ID at its end (unchanged when it ends with one), and this without the /p2p/ID at its end, if it ends
  // with one.
  Multiaddr with_peer_id(const PeerId& id) const;
  Multiaddr without_peer_id() const;

  // Whether `prefix` is how this begins, in whole components.
  bool starts_with(const Multiaddr& prefix) const;

  friend bool operator==(const Multiaddr& a, const Multiaddr& b) { return a.binary_ == b.binary_; }
  friend auto operator<=>(const Multiaddr& a, const Multiaddr& b) { return a.binary_ <=> b.binary_; }

 private:
  Multiaddr(Bytes binary, std::string text) : binary_(std::move(binary)), text_(std::move(text)) {}
  Bytes binary_;
  std::string text_;
};

}  // namespace libp2p::multiformats

namespace libp2p {
using multiformats::Multiaddr;
}
