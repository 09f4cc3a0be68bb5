#include "libp2p/upgrade/stream_negotiation.hpp"

#include <utility>

#include "libp2p/protocols/multistream/negotiator.hpp"

namespace libp2p {

using multistream::Negotiator;

StreamNegotiation::StreamNegotiation(Config config, StreamEvents& events)
    : config_(std::move(config)), events_(events) {}
StreamNegotiation::~StreamNegotiation() = default;

// ---- time ----

std::optional<MonoTime> StreamNegotiation::next_deadline() const {
  if (negotiating_.empty()) return std::nullopt;
  return negotiating_.begin()->second.deadline;
}

void StreamNegotiation::on_timeout(Now now) {
  const Entry entry(in_timeout_, "on_timeout is not called inside an event of its own");
  set_now(now);
  while (!negotiating_.empty() && negotiating_.begin()->second.deadline <= now.mono)
    refuse(negotiating_.begin(), Error(Errc::timed_out, "no protocol was agreed on the stream in time"));
}

// ---- the user's side ----

Result<StreamId> StreamNegotiation::open(std::vector<std::string> protocols, Now now) {
  if (protocols.empty()) return Error(Errc::invalid_argument, "a stream needs a protocol to propose");
  for (const auto& protocol : protocols)
    if (protocol.size() >= multistream::kMaxMessage)
      return Error(Errc::invalid_argument,
                   "a protocol name of " + std::to_string(protocol.size()) + " bytes is too long");
  if (mux_ == nullptr) return Error(Errc::invalid_argument, "the connection is not ready for streams");
  OPP2P_TRY(const StreamId id, mux_->open(now));
  const bool lazy = protocols.size() == 1;
  auto negotiator = std::make_unique<Negotiator>(Negotiator::dialer(std::move(protocols)));
  mux_->send(id, negotiator->take_output());
  const bool fresh =
      negotiating_.emplace(id, Negotiation{std::move(negotiator), now.mono + config_.timeout, false, lazy, false})
          .second;
  OPP2P_ASSERT(fresh, "a stream's id is never used again", id);
  return id;
}

bool StreamNegotiation::may_send(StreamId id) const {
  if (mux_ == nullptr) return false;
  const auto at = negotiating_.find(id);
  return at == negotiating_.end() || at->second.may_send;
}

std::size_t StreamNegotiation::send(StreamId id, ByteView data) { return may_send(id) ? mux_->send(id, data) : 0; }

bool StreamNegotiation::send(StreamId id, SharedBytes data, std::size_t offset) {
  return may_send(id) && mux_->send(id, std::move(data), offset);
}

void StreamNegotiation::close_write(StreamId id) {
  if (mux_ == nullptr) return;
  const auto at = negotiating_.find(id);
  if (at != negotiating_.end()) {
    // Even where data may go ahead: js-libp2p (3.3) resets a stream whose end comes before it has answered the
    // proposal.
    at->second.close_when_settled = true;
  } else {
    mux_->close_write(id);
  }
}

void StreamNegotiation::reset(StreamId id, std::uint64_t code) {
  if (mux_ == nullptr) return;
  forget(id);
  mux_->reset(id, code);
}

// ---- the mux's side ----

void StreamNegotiation::on_inbound_stream(StreamId id) {
  if (negotiating_inbound_ >= config_.max_inbound) return mux_->reset(id);
  auto negotiator = std::make_unique<Negotiator>(
      Negotiator::listener(&config_.accepts_protocol, config_.list_protocols ? &config_.list_protocols : nullptr));
  // Our header goes out with the first answer: every dialer speaks first.
  const bool fresh =
      negotiating_.emplace(id, Negotiation{std::move(negotiator), now_.mono + config_.timeout, true}).second;
  OPP2P_ASSERT(fresh, "a stream's id is never used again", id);
  ++negotiating_inbound_;
}

void StreamNegotiation::on_data(StreamId id, ByteView data) {
  const auto at = negotiating_.find(id);
  if (at == negotiating_.end()) return events_.on_stream_data(id, data);
  if (at->second.negotiator) return negotiate(at, data);
  at->second.discarded += data.size();
  if (at->second.discarded > kMostDiscarded)
    return refuse(at, Error(Errc::exhausted, "the peer goes on sending on a stream whose protocol was refused"));
  mux_->consume(id, data.size());
}

void StreamNegotiation::negotiate(Negotiations::iterator at, ByteView data) {
  const StreamId id = at->first;
  auto& negotiator = *at->second.negotiator;
  const auto taken = negotiator.on_bytes(data);
  // Also when what follows a refused proposal is early data and no proposal: the dialer has to learn of the refusal.
  const Bytes answer = negotiator.take_output();
  if (mux_->send(id, answer) < answer.size())
    return refuse(at, Error(Errc::exhausted, "the peer does not read the answers to its proposals"));
  mux_->consume(id, taken ? *taken : data.size());
  if (!taken) return turn_away(at, taken.error());
  if (negotiator.settled()) settle(at, data.subspan(*taken));
}

void StreamNegotiation::settle(Negotiations::iterator at, ByteView rest) {
  const StreamId id = at->first;
  const Negotiation done = std::move(at->second);
  OPP2P_ASSERT(done.negotiator && done.negotiator->settled(), "a stream is opened when its protocol is agreed", id);
  forget(id);
  // Only now, so that a peer's backlog of streams is also the bound of those that negotiate here.
  if (done.inbound) mux_->acknowledge(id);
  if (done.close_when_settled) mux_->close_write(id);
  events_.on_stream_opened(id, done.negotiator->protocol(), done.inbound);
  if (!rest.empty() && mux_->has(id)) events_.on_stream_data(id, rest);
}

void StreamNegotiation::refuse(Negotiations::iterator at, const Error& error) {
  const StreamId id = at->first;
  const bool inbound = at->second.inbound;
  forget(id);
  mux_->reset(id);
  if (!inbound) events_.on_stream_reset(id, error);
}

// Ends the negotiation of a stream so that the peer reads the last answer. A reset would overtake the "na" in the
// queue, and a dialer that gets it (go-yamux) forgets what it has not read yet: it would see a reset where it should
// see that the protocol is not spoken. So our side ends behind the answer, what the dialer has sent ahead is thrown
// away, and the stream ends with the dialer's side, at the latest at the negotiation's deadline.
void StreamNegotiation::turn_away(Negotiations::iterator at, const Error& error) {
  auto& negotiation = at->second;
  if (!negotiation.negotiator->has_refused()) return refuse(at, error);
  negotiation.negotiator.reset();
  mux_->close_write(at->first);
}

// True when the stream is one that the user has heard of.
bool StreamNegotiation::forget(StreamId id) {
  const auto at = negotiating_.find(id);
  if (at == negotiating_.end()) return true;
  const bool inbound = at->second.inbound;
  OPP2P_ASSERT(!inbound || negotiating_inbound_ > 0, "inbound streams without a protocol are counted", id);
  if (inbound) --negotiating_inbound_;
  negotiating_.erase(at);
  return !inbound;
}

void StreamNegotiation::on_end(StreamId id) {
  const auto at = negotiating_.find(id);
  if (at == negotiating_.end()) return events_.on_stream_end(id);
  if (at->second.negotiator == nullptr) return;  // turned away: the muxer closes it when our end is sent
  turn_away(at, Error(Errc::unsupported, "the peer ended the stream before a protocol was agreed"));
}

void StreamNegotiation::on_reset(StreamId id, const Error& error) {
  if (forget(id)) events_.on_stream_reset(id, error);
}

void StreamNegotiation::on_closed(StreamId id) {
  if (forget(id)) events_.on_stream_closed(id);
}

void StreamNegotiation::on_writable(StreamId id) {
  if (may_send(id)) events_.on_stream_writable(id);
}

void StreamNegotiation::check() const {
  std::size_t inbound = 0;
  MonoTime before{};
  for (const auto& [id, negotiation] : negotiating_) {
    OPP2P_CHECK(mux_ != nullptr && mux_->has(id), "a stream that negotiates is there", id);
    OPP2P_CHECK(negotiation.deadline >= before, "ids grow with time, so the first deadline is the earliest", id);
    before = negotiation.deadline;
    inbound += negotiation.inbound ? 1 : 0;
    OPP2P_CHECK(!negotiation.inbound || !(negotiation.may_send || negotiation.close_when_settled),
                "nobody here uses an inbound stream before its protocol is agreed", id);
    OPP2P_CHECK(negotiation.negotiator || negotiation.inbound, "only an inbound stream is turned away", id);
    OPP2P_CHECK(negotiation.discarded <= kMostDiscarded && (negotiation.discarded == 0 || !negotiation.negotiator),
                "what comes on a stream that was turned away is bounded", id, negotiation.discarded);
    if (!negotiation.negotiator) continue;
    OPP2P_CHECK(!negotiation.negotiator->settled(), "a stream whose protocol is settled costs nothing here", id);
    negotiation.negotiator->check();
  }
  OPP2P_CHECK(inbound == negotiating_inbound_ && inbound <= config_.max_inbound,
              "inbound streams without a protocol are counted and bounded", inbound, negotiating_inbound_);
}

}  // namespace libp2p
