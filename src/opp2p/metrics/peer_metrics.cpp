#include "opp2p/metrics/peer_metrics.hpp"

#include "libp2p/base/seconds.hpp"

namespace opp2p {
namespace {

constexpr std::string_view kDirections[] = {"inbound", "outbound"};
constexpr std::string_view kStandings[] = {"good", "below_gossip", "below_publish", "below_graylist"};
static_assert(std::size(kStandings) == kScoreStandings);

std::size_t index_of(libp2p::Direction direction) { return direction == libp2p::Direction::inbound ? 0 : 1; }

}  // namespace

PeerMetrics::PeerMetrics(MetricRegistry& registry)
    : peer_count_(registry.gauge(Metric::p2p_peer_count)),
      dials_(registry.counter(Metric::dials_started)),
      static_dials_failed_(registry.counter(Metric::static_dials_failed)),
      ping_(registry.histogram(Metric::ping)),
      ping_failures_(registry.counter(Metric::ping_failures)) {
  for (std::size_t i = 0; i < std::size(kDirections); ++i) {
    opened_[i] = &registry.counter(Metric::connections_opened, {kDirections[i]});
    closed_[i] = &registry.counter(Metric::connections_closed, {kDirections[i]});
  }
  for (std::size_t i = 0; i < kRefusalKinds; ++i)
    refused_[i] = &registry.counter(Metric::inbound_refused, {refusal_id(static_cast<RefusalKind>(i))});
  for (std::size_t i = 0; i < kScoreStandings; ++i)
    crossings_[i] = &registry.counter(Metric::score_crossings, {kStandings[i]});
}

void PeerMetrics::on(const libp2p::ConnectionOpened& event, libp2p::Now) {
  peer_count_.Increment();
  opened_[index_of(event.connection.direction)]->Increment();
}

void PeerMetrics::on(const libp2p::ConnectionClosed& event, libp2p::Now) {
  peer_count_.Decrement();
  closed_[index_of(event.connection.direction)]->Increment();
  bytes_in_ += event.connection.bytes_in;
  bytes_out_ += event.connection.bytes_out;
}

void PeerMetrics::on(const InboundRefused& event, libp2p::Now) {
  refused_[static_cast<std::size_t>(event.kind)]->Increment();
}

void PeerMetrics::on(const libp2p::DialStarted&, libp2p::Now) { dials_.Increment(); }

void PeerMetrics::on(const libp2p::StaticDialFailed&, libp2p::Now) { static_dials_failed_.Increment(); }

void PeerMetrics::on(const PingEnded& event, libp2p::Now) {
  if (!event.round_trip) return ping_failures_.Increment();
  ping_.Observe(libp2p::seconds_of(*event.round_trip));
}

void PeerMetrics::on(const PeerScoreCrossed& event, libp2p::Now) {
  crossings_[static_cast<std::size_t>(event.now)]->Increment();
}

}  // namespace opp2p
