#include "libp2p/upgrade/connection_engine.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/security/noise/noise_channel.hpp"
#include "libp2p/seams/secure_channel.hpp"
#include "libp2p/protocols/multistream/negotiator.hpp"
#include "libp2p/protocols/noise/handshake.hpp"
#include "libp2p/protocols/yamux/session.hpp"

// The connection as a whole: choice of the security protocol, handshake, choice of the muxer, sealed bytes. What
// concerns single streams is in connection_streams.cpp.
namespace libp2p {
namespace {

const multistream::Matcher kIsNoise = [](std::string_view protocol) { return protocol == noise::kProtocolId; };
const multistream::Matcher kIsYamux = [](std::string_view protocol) { return protocol == yamux::kProtocolId; };

}  // namespace

class ConnectionEngine::MuxerEvents final : public yamux::SessionEvents {
 public:
  explicit MuxerEvents(ConnectionEngine& engine) : engine_(engine) {}
  void on_inbound_stream(StreamId id) override { engine_.on_muxer_stream(id); }
  void on_data(StreamId id, ByteView data) override { engine_.on_muxer_data(id, data); }
  void on_end(StreamId id) override { engine_.on_muxer_end(id); }
  void on_reset(StreamId id, const Error& error) override { engine_.on_muxer_reset(id, error); }
  void on_writable(StreamId id) override { engine_.on_muxer_writable(id); }
  void on_closed(StreamId id) override { engine_.on_muxer_closed(id); }
  bool may_grow(std::size_t bytes) override { return !engine_.config_.may_grow || engine_.config_.may_grow(bytes); }

 private:
  ConnectionEngine& engine_;
};

ConnectionEngine::ConnectionEngine(Role role, ConnectionConfig config, ConnectionEvents& events, Now now, Rng& rng)
    : role_(role),
      config_(std::move(config)),
      events_(events),
      rng_(rng),
      now_(now),
      handshake_deadline_(now.mono + config_.limits.handshake_timeout),
      progress_(now.mono) {
  using multistream::Negotiator;
  if (role_ == Role::listener) {
    choice_ = std::make_unique<Negotiator>(Negotiator::listener(&kIsNoise));
    handshake_out_ = choice_->take_output();
    return;
  }
  // One flight: header, proposal and the first message of the handshake.
  choice_ = std::make_unique<Negotiator>(Negotiator::dialer({std::string(noise::kProtocolId)}));
  handshake_out_ = choice_->take_output();
  if (auto started = start_security(); !started) {
    handshake_out_ = {};
    stop(std::move(started).error());
  }
}

ConnectionEngine::~ConnectionEngine() = default;

// ---- input ----

Result<std::size_t> ConnectionEngine::on_bytes(MutableBytes in, Now now) {
  now_ = now;
  std::size_t taken = 0;
  while (phase_ != Phase::failed && taken < in.size()) {
    const auto step = take(in.subspan(taken));
    if (!step) return stop(step.error());
    if (*step == 0) break;
    taken += *step;
  }
  if (phase_ == Phase::failed) return *failure_;
  return taken;
}

Result<std::size_t> ConnectionEngine::take(MutableBytes in) {
  if (phase_ == Phase::security_choice) return take_security_choice(in);
  if (phase_ == Phase::security) return take_handshake(in);
  return take_sealed(in);
}

Result<std::size_t> ConnectionEngine::take_security_choice(ByteView in) {
  const auto taken = choice_->on_bytes(in);
  append(handshake_out_, choice_->take_output());
  if (!taken) return taken.error().within("negotiating the security protocol");
  if (choice_->settled()) {
    choice_.reset();
    if (role_ == Role::listener) OPP2P_TRYV(start_security());
    phase_ = Phase::security;
    progress_ = now_.mono;
  }
  return taken;
}

Result<void> ConnectionEngine::start_security() {
  std::optional<noise::Credentials> own;
  if (config_.noise_credentials == nullptr) {
    if (config_.identity == nullptr) return Error(Errc::invalid_argument, "a connection needs an identity key");
    OPP2P_TRY(own, noise::Credentials::make(*config_.identity, rng_));
  }
  channel_ = std::make_unique<NoiseChannel>(role_ == Role::dialer, own ? *own : *config_.noise_credentials,
                                            std::vector<std::string>{std::string(yamux::kProtocolId)},
                                            std::exchange(config_.expected_peer, std::nullopt), rng_);
  append(handshake_out_, channel_->take_handshake_output());
  return {};
}

Result<std::size_t> ConnectionEngine::take_handshake(ByteView in) {
  OPP2P_TRY(const std::size_t taken, channel_->on_handshake(in));
  if (taken > 0) progress_ = now_.mono;
  append(handshake_out_, channel_->take_handshake_output());
  if (channel_->established()) on_authenticated();
  return taken;
}

void ConnectionEngine::on_authenticated() {
  remote_key_ = channel_->remote_key();
  remote_peer_ = PeerId::from_public_key(*remote_key_);
  if (!channel_->early_muxer().empty()) return start_muxer();
  phase_ = Phase::muxer_choice;
  using multistream::Negotiator;
  choice_ = std::make_unique<Negotiator>(role_ == Role::dialer ? Negotiator::dialer({std::string(yamux::kProtocolId)})
                                                               : Negotiator::listener(&kIsYamux));
  plain_out_ = choice_->take_output();
}

void ConnectionEngine::start_muxer() {
  muxer_events_ = std::make_unique<MuxerEvents>(*this);
  const auto side = role_ == Role::dialer ? yamux::Side::client : yamux::Side::server;
  muxer_ = std::make_unique<yamux::Session>(side, config_.limits.muxer, *muxer_events_, now_);
  phase_ = Phase::ready;
  events_.on_ready();
}

Result<std::size_t> ConnectionEngine::take_sealed(MutableBytes in) {
  OPP2P_TRY(const auto opened, channel_->open(in));
  OPP2P_TRYV(take_plain(opened.plain));
  return opened.taken;
}

Result<void> ConnectionEngine::take_plain(ByteView plain) {
  if (phase_ == Phase::muxer_choice) {
    const auto taken = choice_->on_bytes(plain);
    append(plain_out_, choice_->take_output());
    if (!taken) return taken.error().within("negotiating the muxer");
    if (!choice_->settled()) return {};
    plain = plain.subspan(*taken);
    choice_.reset();
    start_muxer();
  }
  return plain.empty() ? Result<void>() : muxer_->on_bytes(plain, now_);
}

// ---- time ----

std::optional<MonoTime> ConnectionEngine::next_deadline() const {
  if (phase_ == Phase::failed) return std::nullopt;
  if (phase_ != Phase::ready) return handshake_deadline_;
  auto deadline = muxer_->next_deadline();
  if (!negotiating_.empty()) {
    const MonoTime first = negotiating_.begin()->second.deadline;
    deadline = deadline ? std::min(*deadline, first) : first;
  }
  return deadline;
}

Result<void> ConnectionEngine::on_timeout(Now now) {
  now_ = now;
  if (phase_ == Phase::failed) return *failure_;
  if (phase_ != Phase::ready) {
    if (now.mono < handshake_deadline_) return {};
    const auto waited = std::chrono::duration_cast<Millis>(config_.limits.handshake_timeout).count();
    return stop(Error(Errc::timed_out, "the handshake was not complete after " + std::to_string(waited) + " ms"));
  }
  while (!negotiating_.empty() && negotiating_.begin()->second.deadline <= now.mono)
    refuse(negotiating_.begin(), Error(Errc::timed_out, "no protocol was agreed on the stream in time"));
  if (auto alive = muxer_->on_timeout(now); !alive) return stop(std::move(alive).error());
  return {};
}

// ---- output ----

bool ConnectionEngine::wants_transmit() const {
  if (!handshake_out_.empty() || !plain_out_.empty()) return true;
  return muxer_ != nullptr && muxer_->wants_output();
}

std::size_t ConnectionEngine::poll_transmit(MutableBytes out, Now now) {
  now_ = now;
  const std::size_t written = poll_handshake(out);
  if (!handshake_out_.empty() || !channel_ || !channel_->established()) return written;
  return written + seal_messages(out.subspan(written));
}

std::size_t ConnectionEngine::poll_handshake(MutableBytes out) {
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
  const std::size_t least = channel_->overhead() + yamux::kHeaderSize + 1;
  std::size_t written = 0;
  while (out.size() - written >= least) {
    const auto room = out.subspan(written);
    const std::size_t plain_room = std::min(channel_->max_plain(), room.size() - channel_->overhead());
    const std::size_t n = poll_plain(room.subspan(channel_->header_size(), plain_room));
    if (n == 0) break;
    const auto sealed = channel_->seal(room, n);
    if (!sealed) {
      stop(sealed.error());
      break;
    }
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

// ---- ends ----

// The first error is the one that counts. The muxer has reset its streams already when the error is its own.
const Error& ConnectionEngine::stop(Error error) {
  if (phase_ == Phase::failed) return *failure_;
  phase_ = Phase::failed;
  failure_ = std::move(error);
  choice_.reset();
  if (muxer_ && !muxer_->failed()) muxer_->abort(*failure_);
  return *failure_;
}

void ConnectionEngine::abort(const Error& reason) {
  handshake_out_ = {};
  handshake_sent_ = 0;
  plain_out_ = {};
  if (muxer_) muxer_->abort(reason);
  stop(reason);
}

void ConnectionEngine::go_away(CloseCode reason) {
  if (muxer_) muxer_->go_away(static_cast<yamux::GoAwayCode>(reason));
}

std::optional<Nanos> ConnectionEngine::round_trip() const {
  return muxer_ ? muxer_->round_trip() : std::nullopt;
}

std::string_view ConnectionEngine::security() const {
  return channel_ && channel_->established() ? channel_->protocol() : std::string_view();
}

std::string_view ConnectionEngine::muxer() const { return muxer_ ? yamux::kProtocolId : std::string_view(); }

}  // namespace libp2p
