// The host: an identity, its listeners and connections, and the protocols it speaks. This is the class that users of
// the library start from; examples/echo.cpp shows it: a host that serves a protocol, and one that dials it and opens a
// stream.
//
// Set what the host speaks before it listens or connects: a peer asks once, at the beginning. What is set or removed
// later is told by libp2p/services/identify/identify_service.hpp to peers that take such news, which some do only
// slowly or not at all.
//
// Thread: the network thread. Owner: the application; destroyed before its Runtime.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/base/event_source.hpp"
#include "libp2p/base/memory_account.hpp"
#include "libp2p/connection/stream.hpp"
#include "libp2p/crypto/keys.hpp"
#include "libp2p/host/connection_info.hpp"
#include "libp2p/host/connection_manager_config.hpp"
#include "libp2p/host/connection_rates.hpp"
#include "libp2p/host/host_event.hpp"
#include "libp2p/host/kinds.hpp"
#include "libp2p/host/protocol_name.hpp"
#include "libp2p/multiformats/address_blocks.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "libp2p/runtime/task.hpp"
#include "libp2p/seams/transport.hpp"

namespace libp2p {

class Peerstore;

// Bounds of a host. Each error that a limit causes names the limit, its value and the option that sets it.
struct Limits {
  // When all are taken a newcomer takes the place of a peer that is neither proven nor protected, from the address
  // block that holds most.
  std::size_t inbound_connections = 256;
  std::size_t connections_per_peer = 8;
  // Inbound connections of one address block, the half-open included, and how fast new ones may come: go-libp2p's
  // figures. Loopback and exempt addresses have no such limit.
  std::size_t connections_per_address = 8;  // an IPv4 address or a /56 of IPv6
  std::size_t connections_per_ip6_48 = 64;
  RateLimit address_rate{0.2, 16};
  RateLimit ip6_48_rate{0.5, 80};
  std::size_t pending_inbound = 64;  // half-open: accepted, not yet secured
  // When these are full one of the address block that holds most goes: one that has sent nothing before one that has,
  // the one without progress for longest. Between blocks that hold alike (loopback has none) it goes once it has been
  // without progress for this long; who dials sends at once.
  Nanos pending_patience = Seconds(1);
  Nanos pending_silence = Millis(100);  // the same for one that has sent nothing
  RateLimit handshakes{500, 250};       // inbound, in all: beyond it they wait
  std::size_t pending_dials = 160;
  std::size_t streams_per_connection = 1000;  // inbound
  std::size_t stream_send_queue = 1 << 20;    // bytes
  std::size_t connection_memory = 32 << 20;   // receive windows of all streams of a connection, bytes
  std::size_t memory = 64 << 20;              // bytes of all that strangers can make the host remember (Host::memory)
  std::vector<Cidr> exempt;                   // addresses without an address share, as loopback has none
  Nanos handshake_timeout = Seconds(10);
  Nanos dial_timeout = Seconds(10);  // per address
  Nanos negotiation_timeout = Seconds(10);
};

class Gater;

struct HostConfig {
  crypto::PrivateKey identity;
  // Asked about every connection; null: a BasicGater that blocks nobody.
  std::shared_ptr<Gater> gater;
  std::string user_agent = "opp2p";
  Limits limits;
  ConnectionManagerConfig connection_manager;
  // What connections may speak, in order of preference. Host's constructor throws std::invalid_argument for a list that
  // is empty, has one id twice, or has a security that cannot be spoken with this identity.
  std::vector<SecurityFactory> securities = default_securities();
  std::vector<MuxerKind> muxers = default_muxers();
  // What it dials and listens with: TCP, and what is added (config.transports.push_back(memory::transport(net))). The
  // first that takes an address has it. Host's constructor throws std::invalid_argument for one that is empty.
  std::vector<TransportFactory> transports;
  explicit HostConfig(crypto::PrivateKey key);
};

// What has been turned away, by cause, since the start.
struct HostCounters {
  std::uint64_t refused_pending_inbound = 0;       // Limits::pending_inbound
  std::uint64_t evicted_pending_inbound = 0;       // half-open ones that made room for a newcomer
  std::uint64_t refused_inbound_connections = 0;   // Limits::inbound_connections
  std::uint64_t evicted_inbound_connections = 0;   // unproven ones that made room for a newcomer
  std::uint64_t refused_per_address = 0;           // Limits::connections_per_address
  std::uint64_t refused_per_ip6_48 = 0;            // Limits::connections_per_ip6_48
  std::uint64_t refused_address_rate = 0;          // Limits::address_rate
  std::uint64_t refused_ip6_48_rate = 0;           // Limits::ip6_48_rate
  std::uint64_t delayed_handshakes = 0;            // Limits::handshakes
  std::uint64_t refused_connections_per_peer = 0;  // Limits::connections_per_peer
  std::uint64_t refused_pending_dials = 0;         // Limits::pending_dials
  std::uint64_t denied_by_gater = 0;
  std::uint64_t failed_handshakes = 0;  // inbound
  std::uint64_t failed_dials = 0;       // whole dials, not addresses
  std::uint64_t abandoned_dials = 0;    // nobody waited for them any more
  std::uint64_t trimmed = 0;
  std::uint64_t reset_for_memory = 0;  // streams whose unread bytes others needed the room of
};

using StreamAcceptor = std::function<runtime::Task<void>(Stream)>;

class Host {
 public:
  Host(runtime::Runtime& runtime, HostConfig config);
  // Resets what is still open. For an orderly end co_await close() first.
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  runtime::Runtime& runtime();
  const PeerId& id() const;
  const crypto::PrivateKey& identity() const;
  const HostConfig& config() const;

  // An address of one of the transports: /ip4|ip6/…/tcp/PORT, port 0 for any. Errc::io with the address and the reason
  // when it cannot be bound.
  Result<void> listen(const Multiaddr& address);
  // Whether a transport dials such an address. Errc::unsupported with what is not spoken here.
  Result<void> can_dial(const Multiaddr& address) const;
  // Where the host can be dialled: with the real ports, without /p2p. 0.0.0.0 and :: are replaced by this machine's
  // addresses, read anew with each call, those of loopback last.
  std::vector<Multiaddr> listen_addresses() const;
  std::vector<Multiaddr> bound_addresses() const;  // the same, 0.0.0.0 and :: as they were asked for

  // The acceptor's coroutine runs in the host's scope; the stream handle is its own. Protocol ids are exact. Throws
  // std::invalid_argument for an empty acceptor, and for a name that nobody can propose.
  void set_stream_handler(std::string protocol, StreamAcceptor acceptor);
  void remove_stream_handler(std::string_view protocol);
  std::vector<std::string> protocols() const;

  // Dials `address` (/ip4|ip6|dns*/…/tcp/…[/p2p/ID]); with an ID, another one at the far end is Errc::mismatch. A dial
  // that is under way to the same peer is joined; an open connection is the answer at once.
  runtime::Task<Result<PeerId>> connect(Multiaddr address);
  // Dials the addresses that the peerstore has for the peer, one after another, within a minute.
  runtime::Task<Result<PeerId>> connect(PeerId peer);
  // Closes all connections to the peer in order. False when there was none.
  bool disconnect(const PeerId& peer, std::string_view why);

  // Opens a stream over an existing connection. Dials first when the peerstore has an address and there is no
  // connection. With one protocol the stream can be written to at once, and the answer is checked when it comes: a peer
  // that does not speak it ends reads and writes with Errc::unsupported. With several, which are proposed in turn, this
  // waits for the choice. A deadline bounds the opening (Errc::timed_out), and is then the stream's for reads and
  // writes.
  runtime::Task<Result<Stream>> open_stream(PeerId peer, ProtocolName protocol,
                                            std::optional<MonoTime> deadline = std::nullopt);
  template <std::same_as<std::vector<std::string>> Protocols>  // no braces: g++ 12 miscompiles them beside a co_await
  runtime::Task<Result<Stream>> open_stream(PeerId peer, Protocols protocols,
                                            std::optional<MonoTime> deadline = std::nullopt) {
    return open(std::move(peer), std::move(protocols), deadline);
  }

  bool connected(const PeerId& peer) const;
  std::vector<PeerId> connected_peers() const;      // sorted
  std::vector<ConnectionInfo> connections() const;  // by id
  std::vector<ConnectionInfo> connections(const PeerId& peer) const;

  // A protected peer is not trimmed. Tags keep several protectors apart ("static", "api-protected").
  void protect(const PeerId& peer, std::string tag);
  bool unprotect(const PeerId& peer, std::string_view tag);  // true when another tag still protects it
  bool is_protected(const PeerId& peer) const;
  // A spared peer is not trimmed either, for as long as it is connected; but when all places are taken it has to be
  // proven to stay. For what a stranger can bring about itself, such as a place in a mesh.
  void spare(const PeerId& peer, std::string tag);
  void stop_sparing(const PeerId& peer, std::string_view tag);
  // The trimmer closes connections with the lowest value first.
  void set_value(const PeerId& peer, std::string tag, int value);

  // The blocks in whose share of a bounded pool what the peer does is counted: those of its oldest connection, empty
  // for loopback, Limits::exempt and addresses that exempt() was called with.
  AddressBlocks address_blocks(const PeerId& peer) const;
  AddressBlocks address_blocks(const Multiaddr& remote) const;
  // The address of a peer that we chose ourselves (a static one) has no address share.
  void exempt(const Cidr& addresses);
  // The same for the addresses to which the names of a peer's multiaddrs lead, as often as it is dialled. Until
  // stop_exempting().
  void exempt(const PeerId& peer);
  void stop_exempting(const PeerId& peer);
  // The peer has delivered what counts, a valid new block: proof, which no stranger's place, stream or message is.
  // Proven peers are not evicted for newcomers, neither their connections nor what the peerstore knows of them, and are
  // trimmed last.
  void mark_proven(const PeerId& peer);
  bool is_proven(const PeerId& peer) const;
  // Limits::memory: services take from it what strangers make them hold.
  MemoryAccount& memory();

  Peerstore& peerstore();
  Gater& gater();
  const HostCounters& counters() const;

  // Calls `listener` for everything that happens from now on (host_event.hpp), until the Subscription goes. A listener
  // may do anything: unsubscribe itself or others, subscribe more, destroy the host. A Subscription may outlive the
  // host.
  Subscription subscribe(std::function<void(const HostEvent&)> listener);
  // For identify: what the peer speaks; stored in the peerstore and told as PeerIdentified.
  void report_identified(const PeerId& peer, std::vector<std::string> protocols);

  // Stops listening, sends go-away, waits at most `limit` for what is being written, ends all coroutines of acceptors
  // (so none of those may await it). The host is of no use afterwards.
  runtime::Task<void> close(Nanos limit);

 private:
  class State;
  runtime::Task<Result<Stream>> open(PeerId peer, std::vector<std::string> protocols, std::optional<MonoTime> deadline);
  std::shared_ptr<State> state_;  // coroutines that were called on the host look whether it is still there
};

}  // namespace libp2p
