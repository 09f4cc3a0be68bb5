// Ping: measures the round trip to a peer over a stream, and answers the pings of others. What is measured goes to the
// host's Peerstore as the peer's latency. The responder echoes 32 bytes at a time until the other side closes; a peer
// gets at most `inbound_per_peer` of these streams, and one that says nothing for `idle_timeout` is reset. As the
// specification wants, at most one ping stream is open to a peer at a time. Optionally a background task measures every
// connected peer in rounds.
//
// Owner: the application, beside its Host and destroyed before it; it outlives the calls into it. Thread: the network
// thread. Bounds: streams per peer, inbound and outbound; a round starts at most `round_rate` pings a second. Source:
// libp2p specification "ping"; op-node surface, sections 2 and 14.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string_view>

#include "libp2p/base/live_count.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/runtime/task.hpp"
#include "libp2p/services/serving_count.hpp"

namespace libp2p {

inline constexpr std::string_view kPingProtocol = "/ipfs/ping/1.0.0";

struct PingConfig {
  Nanos timeout = Seconds(10);       // for one round trip
  Nanos idle_timeout = Seconds(60);  // of an inbound stream
  std::size_t inbound_per_peer = 2;
  bool background = false;  // rounds over all connected peers
  Nanos round_interval = Seconds(180);
  double round_rate = 1;  // pings started per second within a round
  double round_burst = 10;
};

class PingService : LiveCounted<PingService> {
 public:
  using Heard = std::function<void(const PeerId&, const Result<Nanos>&)>;
  using HeardOne = std::function<void(std::size_t index, Nanos round_trip)>;

  explicit PingService(libp2p::Host& host, PingConfig config = PingConfig());
  ~PingService();
  PingService(const PingService&) = delete;
  PingService& operator=(const PingService&) = delete;

  // One round trip. Errc::exhausted while another ping to this peer is under way, Errc::timed_out, Errc::mismatch when
  // the answer is not what was sent, Errc::unsupported when the peer does not speak ping.
  runtime::Task<Result<Nanos>> ping(PeerId peer);

  // `count` round trips on one stream, started `interval` apart; `each`, if not null, hears of every one as it ends.
  // The first failure ends the run and is its result.
  runtime::Task<Result<void>> ping_many(PeerId peer, std::size_t count, Nanos interval, HeardOne each);

  // What the background rounds find.
  void on_result(Heard heard) { heard_ = std::move(heard); }

  // Stops answering and ends every coroutine of the service.
  runtime::Task<void> close();

 private:
  class Busy;
  runtime::Task<void> serve(libp2p::Stream stream);
  runtime::Task<Result<Nanos>> round_trip(libp2p::Stream& stream);
  runtime::Task<Result<void>> run(PeerId peer, std::size_t count, Nanos interval, std::unique_ptr<HeardOne> each);
  runtime::Task<void> ping_and_report(PeerId peer);
  runtime::Task<void> rounds();

  libp2p::Host& host_;
  PingConfig config_;
  Heard heard_;
  ServingCount serving_;
  std::set<PeerId> outbound_;  // peers to which a ping is under way
  runtime::TaskScope scope_;   // last: its coroutines use the members above
};

}  // namespace libp2p
