// A multiaddr: a self-describing network address, "/ip4/127.0.0.1/tcp/9222/p2p/16Uiu2…" in text, a run of (protocol code,
// value) in binary. Every protocol of the registry that libp2p uses is known. A value; always valid; compares by bytes.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "multiformats/peer_id.hpp"

namespace libp2p::multiformats {

// Codes of the multiaddr protocol table.
enum class Protocol : std::uint32_t {
  ip4 = 4, tcp = 6, ip6zone = 42, dns = 53, dns4 = 54, dns6 = 55, dnsaddr = 56, ip6 = 41, ipcidr = 43, udp = 273,
  unix_path = 400, p2p = 421, tls = 448, sni = 449, noise = 454, quic = 460, quic_v1 = 461, webtransport = 465,
  certhash = 466, ws = 477, wss = 478, http = 480, http_path = 481, memory = 777, p2p_circuit = 290, webrtc_direct = 280,
  webrtc = 281, plaintextv2 = 7367777,
};

class Multiaddr {
 public:
  struct Component {
    Protocol protocol;
    Bytes value;  // binary form, without a length prefix
  };

  Multiaddr() = default;
  static Result<Multiaddr> from_text(std::string_view text);
  static Result<Multiaddr> from_bytes(ByteView binary);

  const std::string& text() const { return text_; }
  ByteView bytes() const { return binary_; }
  std::vector<Component> components() const;
  bool empty() const { return binary_.empty(); }
  // The first value of a protocol: "127.0.0.1" for ip4, "9222" for tcp.
  std::optional<std::string> value_of(Protocol protocol) const;
  bool has(Protocol protocol) const;
  // The id behind the last /p2p.
  std::optional<PeerId> peer_id() const;
  // This with /p2p/ID at its end (unchanged when it ends with one), and this without its last /p2p/ID.
  Multiaddr with_peer_id(const PeerId& id) const;
  Multiaddr without_peer_id() const;

  friend bool operator==(const Multiaddr& a, const Multiaddr& b) { return a.binary_ == b.binary_; }
  friend auto operator<=>(const Multiaddr& a, const Multiaddr& b) { return a.binary_ <=> b.binary_; }

 private:
  Bytes binary_;
  std::string text_;
};

}  // namespace libp2p::multiformats

namespace libp2p {
using multiformats::Multiaddr;
}
