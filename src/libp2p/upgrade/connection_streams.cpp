// The streams of a connection engine: multistream-select on each, and the way between the user and the muxer.
#include <utility>

#include "libp2p/upgrade/connection_engine.hpp"
#include "libp2p/seams/secure_channel.hpp"
#include "libp2p/protocols/multistream/negotiator.hpp"
#include "libp2p/protocols/yamux/session.hpp"

namespace libp2p {

using multistream::Negotiator;

// ---- the user's side ----

Result<StreamId> ConnectionEngine::open_stream(std::vector<std::string> protocols, Now now) {
  if (protocols.empty()) return Error(Errc::invalid_argument, "a stream needs a protocol to propose");
  for (const auto& protocol : protocols)
    if (protocol.size() >= multistream::kMaxMessage)
      return Error(Errc::invalid_argument,
                   "a protocol name of " + std::to_string(protocol.size()) + " bytes is too long");
  if (phase_ == Phase::failed) return Error(Errc::closed, "the connection has ended: " + failure_->message());
  if (phase_ != Phase::ready) return Error(Errc::invalid_argument, "the connection is not ready for streams");
  OPP2P_TRY(const StreamId id, muxer_->open(now));
  const bool lazy = protocols.size() == 1;
  auto negotiator = std::make_unique<Negotiator>(Negotiator::dialer(std::move(protocols)));
  muxer_->send(id, negotiator->take_output());
  negotiating_.emplace(id, Negotiation{std::move(negotiator),
                                       now.mono + config_.limits.stream_negotiation_timeout, false, lazy, false});
  return id;
}

std::size_t ConnectionEngine::send(StreamId id, ByteView data) {
  if (!muxer_) return 0;
  const auto at = negotiating_.find(id);
  if (at != negotiating_.end() && !at->second.may_send) return 0;
  return muxer_->send(id, data);
}

bool ConnectionEngine::send(StreamId id, SharedBytes data, std::size_t offset) {
  if (!muxer_) return false;
  const auto at = negotiating_.find(id);
  if (at != negotiating_.end() && !at->second.may_send) return false;
  return muxer_->send(id, std::move(data), offset);
}

void ConnectionEngine::close_write(StreamId id) {
  if (!muxer_) return;
  const auto at = negotiating_.find(id);
  if (at != negotiating_.end()) {
    // Even where data may go ahead: js-libp2p (3.3) resets a stream whose end comes before it has answered the proposal.
    at->second.close_when_settled = true;
  } else {
    muxer_->close_write(id);
  }
}

void ConnectionEngine::reset(StreamId id) {
  if (!muxer_) return;
  forget(id);
  muxer_->reset(id);
}

void ConnectionEngine::consume(StreamId id, std::size_t n) {
  if (muxer_) muxer_->consume(id, n);
}

std::size_t ConnectionEngine::send_queue_bytes(StreamId id) const { return muxer_ ? muxer_->send_queue_bytes(id) : 0; }

std::size_t ConnectionEngine::stream_count() const { return muxer_ ? muxer_->stream_count() : 0; }

// ---- the muxer's side ----

void ConnectionEngine::on_muxer_stream(StreamId id) {
  if (negotiating_inbound_ >= config_.limits.max_negotiating_inbound) return muxer_->reset(id);
  auto negotiator = std::make_unique<Negotiator>(
      Negotiator::listener(&config_.accepts_protocol, config_.list_protocols ? &config_.list_protocols : nullptr));
  // Our header goes out with the first answer: every dialer speaks first.
  negotiating_.emplace(id, Negotiation{std::move(negotiator),
                                       now_.mono + config_.limits.stream_negotiation_timeout, true, false, false});
  ++negotiating_inbound_;
}

void ConnectionEngine::on_muxer_data(StreamId id, ByteView data) {
  // What a dialer may have sent before it could know that its proposal is refused.
  constexpr std::size_t kMostDiscarded = yamux::kInitialWindow;
  const auto at = negotiating_.find(id);
  if (at == negotiating_.end()) return events_.on_stream_data(id, data);
  if (at->second.negotiator) return negotiate(at, data);
  at->second.discarded += data.size();
  if (at->second.discarded > kMostDiscarded)
    return refuse(at, Error(Errc::exhausted, "the peer goes on sending on a stream whose protocol was refused"));
  muxer_->consume(id, data.size());
}

void ConnectionEngine::negotiate(Negotiations::iterator at, ByteView data) {
  const StreamId id = at->first;
  auto& negotiator = *at->second.negotiator;
  const auto taken = negotiator.on_bytes(data);
  // Also when what follows a refused proposal is early data and no proposal: the dialer has to learn of the refusal.
  const Bytes answer = negotiator.take_output();
  if (muxer_->send(id, answer) < answer.size())
    return refuse(at, Error(Errc::exhausted, "the peer does not read the answers to its proposals"));
  muxer_->consume(id, taken ? *taken : data.size());
  if (!taken) return turn_away(at, taken.error());
  if (negotiator.settled()) settle(at, data.subspan(*taken));
}

void ConnectionEngine::settle(Negotiations::iterator at, ByteView rest) {
  const StreamId id = at->first;
  const Negotiation done = std::move(at->second);
  forget(id);
  // Only now, so that a peer's backlog of streams is also the bound of those that negotiate here.
  if (done.inbound) muxer_->acknowledge(id);
  if (done.close_when_settled) muxer_->close_write(id);
  events_.on_stream_opened(id, done.negotiator->protocol(), done.inbound);
  if (!rest.empty() && muxer_->has(id)) events_.on_stream_data(id, rest);
}

void ConnectionEngine::refuse(Negotiations::iterator at, const Error& error) {
  const StreamId id = at->first;
  const bool inbound = at->second.inbound;
  forget(id);
  muxer_->reset(id);
  if (!inbound) events_.on_stream_reset(id, error);
}

// Ends the negotiation of a stream so that the peer reads the last answer. A reset would overtake the "na" in the queue,
// and a dialer that gets it (go-yamux) forgets what it has not read yet: it would see a reset where it should see that
// the protocol is not spoken. So our side ends behind the answer, what the dialer has sent ahead is thrown away, and the
// stream ends with the dialer's side, at the latest at the negotiation's deadline.
void ConnectionEngine::turn_away(Negotiations::iterator at, const Error& error) {
  auto& negotiation = at->second;
  if (!negotiation.negotiator->has_refused()) return refuse(at, error);
  negotiation.negotiator.reset();
  muxer_->close_write(at->first);
}

// True when the stream is one that the user has heard of.
bool ConnectionEngine::forget(StreamId id) {
  const auto at = negotiating_.find(id);
  if (at == negotiating_.end()) return true;
  const bool inbound = at->second.inbound;
  if (inbound) --negotiating_inbound_;
  negotiating_.erase(at);
  return !inbound;
}

void ConnectionEngine::on_muxer_end(StreamId id) {
  const auto at = negotiating_.find(id);
  if (at == negotiating_.end()) return events_.on_stream_end(id);
  if (at->second.negotiator == nullptr) return;  // turned away: the muxer closes it when our end is sent
  turn_away(at, Error(Errc::unsupported, "the peer ended the stream before a protocol was agreed"));
}

void ConnectionEngine::on_muxer_reset(StreamId id, const Error& error) {
  if (forget(id)) events_.on_stream_reset(id, error);
}

void ConnectionEngine::on_muxer_closed(StreamId id) {
  if (forget(id)) events_.on_stream_closed(id);
}

void ConnectionEngine::on_muxer_writable(StreamId id) {
  const auto at = negotiating_.find(id);
  if (at == negotiating_.end() || at->second.may_send) events_.on_stream_writable(id);
}

}  // namespace libp2p
