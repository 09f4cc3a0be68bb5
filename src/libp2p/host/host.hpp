// The host: an identity, its listeners and connections, and the protocols it speaks. Users of the library start from
// this class. examples/echo.cpp shows a host that serves a protocol, and one that dials it and opens a stream.
//
// Set what the host speaks before it listens or connects: a peer asks once, at the beginning. What is set or removed
// later is told by libp2p/services/identify/identify_service.hpp to peers that take such news; some take it slowly or
// not at all.
//
// Owner: the application; destroyed before its Runtime. Thread: the network thread. Bounds: HostConfig::limits
// (limits.hpp). Re-entrancy: listeners (subscribe) are called from the runtime's queue and may do anything, also
// destroy the host. A task that a function gives may outlive the host, and then ends with Errc::closed or
// Errc::cancelled.
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
#include "libp2p/host/host_config.hpp"
#include "libp2p/host/host_counters.hpp"
#include "libp2p/host/host_event.hpp"
#include "libp2p/host/protocol_name.hpp"
#include "libp2p/host/stream_acceptor.hpp"
#include "libp2p/multiformats/address_blocks.hpp"
#include "libp2p/multiformats/cidr.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "libp2p/runtime/task.hpp"

namespace libp2p {

class Gater;
class HostState;
class Peerstore;

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

  // --- where it can be reached ---
  // An address of one of the transports: /ip4|ip6/…/tcp/PORT, port 0 for any. Errc::io with the address and the reason
  // when it cannot be bound.
  Result<void> listen(const Multiaddr& address);
  // With the real ports, without /p2p. 0.0.0.0 and :: are replaced by this machine's addresses, read anew with each
  // call, those of loopback last; not when the system does not tell them (Runtime::interface_ips).
  std::vector<Multiaddr> listen_addresses() const;
  std::vector<Multiaddr> bound_addresses() const;  // the same, 0.0.0.0 and :: as they were asked for
  // Whether a transport dials such an address. Errc::unsupported with what is not spoken here.
  Result<void> can_dial(const Multiaddr& address) const;

  // --- what it speaks ---
  // The acceptor's coroutine runs in the host's scope; the stream handle is its own. Protocol ids are exact. Throws
  // std::invalid_argument for an empty acceptor, and for a name that nobody can propose.
  void set_stream_handler(std::string protocol, StreamAcceptor acceptor);
  void remove_stream_handler(std::string_view protocol);
  std::vector<std::string> protocols() const;

  // --- connections ---
  // Dials `address` (/ip4|ip6|dns*/…/tcp/…[/p2p/ID]); with an ID, another one at the far end is Errc::mismatch. A dial
  // that is under way to the same peer is joined; an open connection is the answer at once.
  runtime::Task<Result<PeerId>> connect(Multiaddr address);
  // Dials the addresses that the peerstore has for the peer, one after another, within a minute.
  runtime::Task<Result<PeerId>> connect(PeerId peer);
  // Closes all connections to the peer in order. False when there was none.
  bool disconnect(const PeerId& peer, std::string_view why);
  bool connected(const PeerId& peer) const;
  std::vector<PeerId> connected_peers() const;      // sorted
  std::vector<ConnectionInfo> connections() const;  // by id
  std::vector<ConnectionInfo> connections(const PeerId& peer) const;

  // --- streams ---
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

  // --- what a peer's place is worth ---
  // A protected peer is not trimmed. Tags keep several protectors apart ("static", "api-protected").
  void protect(const PeerId& peer, std::string tag);
  bool unprotect(const PeerId& peer, std::string_view tag);  // true when another tag still protects it
  bool is_protected(const PeerId& peer) const;               // by any tag of protect()
  // A spared peer is not trimmed either, for as long as it is connected; but when all places are taken it has to be
  // proven to stay. For what a stranger can bring about itself, such as a place in a mesh.
  void spare(const PeerId& peer, std::string tag);
  void stop_sparing(const PeerId& peer, std::string_view tag);
  bool is_spared(const PeerId& peer) const;  // or protected: the trimmer passes over it
  // The trimmer closes connections with the lowest value first.
  void set_value(const PeerId& peer, std::string tag, int value);
  // The peer has delivered what counts, a valid new block: proof, which no stranger's place, stream or message is.
  // Proven peers are not evicted for newcomers, neither their connections nor what the peerstore knows of them, and are
  // trimmed last.
  void mark_proven(const PeerId& peer);
  bool is_proven(const PeerId& peer) const;

  // --- shares of bounded pools ---
  // The blocks in whose share of a bounded pool what the peer does is counted: those of its oldest connection.
  // Loopback, the memory transport, Limits::exempt and addresses that exempt() was called with are exempt; a peer that
  // is not connected, and an address without an IP, count in one common block.
  AddressBlocks address_blocks(const PeerId& peer) const;
  AddressBlocks address_blocks(const Multiaddr& remote) const;
  // These addresses have no address share, as long as the host lives.
  void exempt(const Cidr& addresses);
  // The same for a peer that we chose ourselves (a static one), until stop_exempting(): for the addresses to which the
  // names of its multiaddrs lead, as often as it is dialled, and for `address`. An open connection keeps what it has.
  void exempt(const PeerId& peer);
  void exempt(const PeerId& peer, const Cidr& address);
  void stop_exempting(const PeerId& peer);
  // Limits::memory: services take from it what strangers make them hold.
  MemoryAccount& memory();

  Peerstore& peerstore();
  Gater& gater();
  // Closes the connections and ends the dials under way that the gater no longer permits (Gater::permits); each is told
  // with the rule's text. Gives how many those were. A gater that emits GaterStricter needs no call: the host does this
  // from the runtime's queue.
  std::size_t recheck_gater();
  const HostCounters& counters() const;

  // --- what happens ---
  // Calls `listener` for everything that happens from now on (host_event.hpp), until the Subscription goes. A listener
  // may do anything: unsubscribe itself or others, subscribe more, destroy the host. A Subscription may outlive the
  // host.
  Subscription subscribe(std::function<void(const HostEvent&)> listener);
  // For identify: what the peer speaks; stored in the peerstore and told as PeerIdentified.
  void report_identified(const PeerId& peer, std::vector<std::string> protocols);

  // Ends the process when an invariant of the host, or of one of its connections, is violated
  // (libp2p/base/assert.hpp). Outside of the host's calls; for simulations and tests.
  void check() const;

  // Stops listening, sends go-away, waits at most `limit` for what is being written, ends all coroutines of acceptors
  // (so none of those may await it). The host is of no use afterwards.
  runtime::Task<void> close(Nanos limit);

 private:
  runtime::Task<Result<Stream>> open(PeerId peer, std::vector<std::string> protocols, std::optional<MonoTime> deadline);
  std::unique_ptr<HostState> state_;
};

}  // namespace libp2p
