#include "libp2p/upgrade/connection_engine.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/protocols/multistream/negotiator.hpp"
#include "libp2p/seams/secure_channel.hpp"

namespace libp2p {

using multistream::Negotiator;

StreamNegotiation::Config ConnectionEngine::stream_config(ConnectionConfig& config) {
  return {std::move(config.accepts_protocol), std::move(config.list_protocols), std::move(config.may_grow),
          config.limits.stream_negotiation_timeout, config.limits.max_negotiating_inbound};
}

ConnectionEngine::ConnectionEngine(Role role, ConnectionConfig config, ConnectionEvents& events, Now now, Rng& rng)
    : role_(role),
      kinds_(std::move(config.kinds)),
      expected_peer_(std::move(config.expected_peer)),
      limits_(config.limits),
      events_(events),
      rng_(rng),
      now_(now),
      handshake_deadline_(now.mono + config.limits.handshake_timeout),
      progress_(now.mono),
      streams_(stream_config(config), events) {
  if (auto begun = begin(); !begun) {
    handshake_out_ = {};
    stop(std::move(begun).error());
  }
}

ConnectionEngine::~ConnectionEngine() = default;

void ConnectionEngine::set_now(Now now) {
  OPP2P_ASSERT(now.mono >= now_.mono, "the time of timers never goes back", now.mono, now_.mono);
  now_ = now;
}

Result<void> ConnectionEngine::begin() {
  if (!kinds_ || kinds_->securities.empty() || kinds_->muxers.empty())
    return Error(Errc::invalid_argument, "a connection needs a security protocol and a multiplexer that it may speak");
  if (role_ == Role::listener) {
    speaks_ = [this](std::string_view protocol) { return kinds_->find_security(protocol) != nullptr; };
    choice_ = std::make_unique<Negotiator>(Negotiator::listener(&speaks_));
    handshake_out_ = choice_->take_output();
    return {};
  }
  choice_ = std::make_unique<Negotiator>(Negotiator::dialer(kinds_->security_ids()));
  handshake_out_ = choice_->take_output();
  // One flight: header, proposal and the first message of the handshake. With several to choose from a peer that
  // answers "na" would read that message as multistream-select.
  if (kinds_->securities.size() == 1) return start_security(kinds_->securities.front().id);
  return {};
}

// ---- input ----

Result<std::size_t> ConnectionEngine::on_bytes(MutableBytes in, Now now) {
  const Entry entry(entered_, "on_bytes is not called inside an event");
  set_now(now);
  streams_.set_now(now);
  std::size_t taken = 0;
  while (phase_ != Phase::failed && taken < in.size()) {
    const auto step = take(in.subspan(taken));
    if (!step) return stop(step.error());
    if (*step == 0) break;
    taken += *step;
    OPP2P_ASSERT(taken <= in.size(), "no more is taken than there is", taken, in);
  }
  if (phase_ == Phase::failed) return *failure_;
  return taken;
}

Result<std::size_t> ConnectionEngine::take(MutableBytes in) {
  if (phase_ == Phase::security_choice) return take_security_choice(in);
  OPP2P_ASSERT(channel_ != nullptr, "there is a channel once the security protocol is chosen");
  OPP2P_TRY(const std::size_t taken, phase_ == Phase::security ? take_handshake(in) : take_sealed(in));
  if (taken == 0 && in.size() > channel_->max_unread())
    return Error(Errc::too_large, "a message of " + std::string(security_id_) + " is not whole after " +
                                      std::to_string(in.size()) + " bytes");
  return taken;
}

Result<std::size_t> ConnectionEngine::take_security_choice(ByteView in) {
  OPP2P_ASSERT(choice_ != nullptr, "the security protocol is chosen by a negotiation");
  const auto taken = choice_->on_bytes(in);
  append(handshake_out_, choice_->take_output());
  if (!taken) return taken.error().within("negotiating the security protocol");
  if (!choice_->settled()) return taken;
  const std::string agreed = choice_->protocol();
  choice_.reset();
  phase_ = Phase::security;
  progress_ = now_.mono;
  if (!channel_) OPP2P_TRYV(start_security(agreed));
  if (channel_->established()) OPP2P_TRYV(on_authenticated());
  return taken;
}

Result<void> ConnectionEngine::start_security(std::string_view id) {
  const SecurityKind* found = kinds_->find_security(id);
  OPP2P_ASSERT(found != nullptr && channel_ == nullptr, "what was agreed is spoken here, and begins once", id);
  const SecurityKind& kind = *found;
  security_id_ = kind.id;
  ChannelStart start{role_, std::exchange(expected_peer_, std::nullopt), kinds_->muxer_ids(), now_.wall};
  OPP2P_TRY(channel_, kind.begin(std::move(start), rng_));
  if (!channel_) return Error(Errc::invalid_argument, "SecurityKind::begin of " + std::string(kind.id) + " gives none");
  append(handshake_out_, channel_->take_handshake_output());
  return check_channel();
}

// A channel that asks for more room than drivers have would stand still.
Result<void> ConnectionEngine::check_channel() const {
  const bool fits = channel_->max_unread() < kInput && channel_->overhead() + kLeastMuxerRoom <= kMinTransmit;
  if (fits) return {};
  return Error(Errc::invalid_argument, std::string(security_id_) + " needs " + std::to_string(channel_->max_unread()) +
                                           " bytes of input and " + std::to_string(channel_->overhead()) +
                                           " around a message, more than connections have");
}

Result<std::size_t> ConnectionEngine::take_handshake(ByteView in) {
  auto taken = channel_->on_handshake(in);
  append(handshake_out_, channel_->take_handshake_output());  // also of one that has failed: it may say why
  if (!taken) return taken;
  if (*taken > 0) progress_ = now_.mono;
  if (channel_->established()) OPP2P_TRYV(on_authenticated());
  return taken;
}

Result<void> ConnectionEngine::on_authenticated() {
  OPP2P_ASSERT(phase_ == Phase::security && !remote_key_, "a peer is authenticated once, after the handshake", phase_);
  remote_key_ = channel_->remote_key();
  remote_peer_ = PeerId::from_public_key(*remote_key_);
  if (const std::string& early = channel_->early_muxer(); !early.empty()) {
    const MuxerKind* kind = kinds_->find_muxer(early);
    if (kind == nullptr) return Error(Errc::unsupported, "the handshake settled on the multiplexer " + early);
    return start_muxer(*kind);
  }
  phase_ = Phase::muxer_choice;
  speaks_ = [this](std::string_view protocol) { return kinds_->find_muxer(protocol) != nullptr; };
  choice_ = std::make_unique<Negotiator>(role_ == Role::dialer ? Negotiator::dialer(kinds_->muxer_ids())
                                                               : Negotiator::listener(&speaks_));
  plain_out_ = choice_->take_output();
  return {};
}

Result<void> ConnectionEngine::start_muxer(const MuxerKind& kind) {
  OPP2P_ASSERT(muxer_ == nullptr && (phase_ == Phase::security || phase_ == Phase::muxer_choice),
               "a connection becomes ready once", phase_);
  MuxerEvents& events = streams_;
  muxer_ = kind.make(role_, limits_.streams, events, now_);
  if (!muxer_) return Error(Errc::invalid_argument, "MuxerKind::make of " + std::string(kind.id) + " gives none");
  muxer_id_ = kind.id;
  streams_.attach(muxer_.get());
  phase_ = Phase::ready;
  events_.on_ready();
  return {};
}

Result<std::size_t> ConnectionEngine::take_sealed(MutableBytes in) {
  OPP2P_ASSERT(channel_->established(), "sealed messages come once the channel is established");
  OPP2P_TRY(const auto opened, channel_->open(in));
  OPP2P_ASSERT(opened.taken <= in.size() && opened.plain.size() <= opened.taken, "a message is opened in place",
               opened.taken, opened.plain, in);
  if (!opened.plain.empty()) OPP2P_TRYV(take_plain(opened.plain));
  if (opened.ended) return Error(Errc::closed, "the peer closed the connection");
  return opened.taken;
}

Result<void> ConnectionEngine::take_plain(ByteView plain) {
  if (phase_ == Phase::muxer_choice) {
    const auto taken = choice_->on_bytes(plain);
    append(plain_out_, choice_->take_output());
    if (!taken) return taken.error().within("negotiating the muxer");
    if (!choice_->settled()) return {};
    plain = plain.subspan(*taken);
    const MuxerKind* kind = kinds_->find_muxer(choice_->protocol());
    OPP2P_ASSERT(kind != nullptr, "what was agreed is spoken here", choice_->protocol());
    choice_.reset();
    OPP2P_TRYV(start_muxer(*kind));
  }
  return plain.empty() ? Result<void>() : muxer_->on_bytes(plain, now_);
}

// ---- time ----

std::optional<MonoTime> ConnectionEngine::next_deadline() const {
  if (phase_ == Phase::failed) return std::nullopt;
  if (phase_ != Phase::ready) return handshake_deadline_;
  const auto of_muxer = muxer_->next_deadline();
  const auto of_streams = streams_.next_deadline();
  if (!of_muxer || !of_streams) return of_muxer ? of_muxer : of_streams;
  return std::min(*of_muxer, *of_streams);
}

Result<void> ConnectionEngine::on_timeout(Now now) {
  const Entry entry(entered_, "on_timeout is not called inside an event");
  set_now(now);
  if (phase_ == Phase::failed) return *failure_;
  if (phase_ != Phase::ready) {
    if (now.mono < handshake_deadline_) return {};
    const auto waited = std::chrono::duration_cast<Millis>(limits_.handshake_timeout).count();
    return stop(Error(Errc::timed_out, "the handshake was not complete after " + std::to_string(waited) + " ms"));
  }
  streams_.on_timeout(now);
  if (auto alive = muxer_->on_timeout(now); !alive) return stop(std::move(alive).error());
  return {};
}

// ---- output ----

bool ConnectionEngine::wants_transmit() const {
  if (!handshake_out_.empty() || !plain_out_.empty()) return true;
  if (!channel_ || !channel_->established()) return false;
  if (channel_->wants_output() || (going_away_ && !channel_closed_)) return true;
  return !channel_has_end_ && muxer_ != nullptr && muxer_->wants_output();
}

std::size_t ConnectionEngine::poll_transmit(MutableBytes out, Now now) {
  const Entry entry(entered_, "poll_transmit is not called inside an event");
  OPP2P_ASSERT(out.size() >= kMinTransmit, "the buffer holds the least that may be sent", out);
  set_now(now);
  streams_.set_now(now);
  const std::size_t written = poll_handshake(out);
  if (!handshake_out_.empty() || !channel_ || !channel_->established()) return written;
  return written + seal_messages(out.subspan(written));
}

std::size_t ConnectionEngine::poll_handshake(MutableBytes out) {
  OPP2P_ASSERT(handshake_sent_ <= handshake_out_.size(), "no more is sent than there is", handshake_sent_,
               handshake_out_);
  const std::size_t n = std::min(out.size(), handshake_out_.size() - handshake_sent_);
  if (n > 0) std::memcpy(out.data(), handshake_out_.data() + handshake_sent_, n);
  handshake_sent_ += n;
  if (handshake_sent_ == handshake_out_.size()) {
    handshake_out_ = {};
    handshake_sent_ = 0;
  }
  return n;
}

std::size_t ConnectionEngine::seal_messages(MutableBytes out) {
  const std::size_t least = channel_->overhead() + kLeastMuxerRoom;
  std::size_t written = 0;
  while (true) {
    const auto room = out.subspan(written);
    close_channel();
    if (channel_->wants_output()) {
      const std::size_t own = channel_->poll_output(room);
      if (own == 0) break;  // it does not fit, and nothing overtakes it
      OPP2P_ASSERT(own <= room.size(), "a channel writes into its room", own, room);
      written += own;
      continue;
    }
    if (channel_has_end_ || room.size() < least) break;
    const std::size_t plain_room = std::min(channel_->max_plain(), room.size() - channel_->overhead());
    const std::size_t n = poll_plain(room.subspan(channel_->header_size(), plain_room));
    if (n == 0) break;
    OPP2P_ASSERT(n <= plain_room, "a muxer writes into its room", n, plain_room);
    const auto sealed = channel_->seal(room, n);
    if (!sealed) {
      stop(sealed.error());
      break;
    }
    OPP2P_ASSERT(*sealed == n + channel_->overhead() && *sealed <= room.size(),
                 "a sealed message is its plain text and the overhead", *sealed, n);
    written += *sealed;
  }
  return written;
}

std::size_t ConnectionEngine::poll_plain(MutableBytes out) {
  if (plain_out_.empty()) return muxer_ ? muxer_->poll_output(out, now_) : 0;
  const std::size_t n = std::min(out.size(), plain_out_.size());
  std::memcpy(out.data(), plain_out_.data(), n);
  if (n == plain_out_.size()) {
    plain_out_ = {};
  } else {
    plain_out_.erase(plain_out_.begin(), plain_out_.begin() + static_cast<std::ptrdiff_t>(n));
  }
  return n;
}

// ---- streams ----

Result<StreamId> ConnectionEngine::open_stream(std::vector<std::string> protocols, Now now) {
  if (phase_ == Phase::failed) return Error(Errc::closed, "the connection has ended: " + failure_->message());
  return streams_.open(std::move(protocols), now);
}

// ---- ends ----

// The first error is the one that counts. The muxer has reset its streams already when the error is its own.
const Error& ConnectionEngine::stop(Error error) {
  if (phase_ == Phase::failed) return *failure_;
  OPP2P_ASSERT(!failure_, "the first error is the one that counts");
  phase_ = Phase::failed;
  failure_ = std::move(error);
  choice_.reset();
  if (muxer_ && !muxer_->failed()) muxer_->abort(*failure_);
  close_channel();
  return *failure_;
}

// Once everything has been said that the muxer has to say when a connection ends. Never inside an event: what the muxer
// has just given may not be sealed yet.
void ConnectionEngine::close_channel() {
  if (channel_closed_ || !(going_away_ || phase_ == Phase::failed)) return;
  if (!channel_ || !channel_->established() || !plain_out_.empty() || (muxer_ && muxer_->wants_output())) return;
  OPP2P_ASSERT(handshake_out_.empty() || phase_ == Phase::failed, "the handshake is sent before the end");
  channel_->close();
  channel_closed_ = true;
  channel_has_end_ = channel_->wants_output();
}

void ConnectionEngine::abort(const Error& reason) {
  const Entry entry(entered_, "abort is not called inside an event");
  handshake_out_ = {};
  handshake_sent_ = 0;
  plain_out_ = {};
  if (muxer_) muxer_->abort(reason);
  channel_.reset();
  stop(reason);
}

void ConnectionEngine::go_away(CloseCode reason) {
  if (!muxer_) return;
  muxer_->go_away(reason);
  going_away_ = true;
}

std::optional<Nanos> ConnectionEngine::round_trip() const { return muxer_ ? muxer_->round_trip() : std::nullopt; }

}  // namespace libp2p
