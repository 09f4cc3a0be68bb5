// The invariants of a connection, for simulations, fuzzers and tests: what each phase has, and what is left to be sent.
#include "libp2p/protocols/multistream/negotiator.hpp"
#include "libp2p/seams/secure_channel.hpp"
#include "libp2p/upgrade/connection_engine.hpp"

namespace libp2p {

void ConnectionEngine::check() const {
  OPP2P_CHECK(!entered_, "the engine is checked outside of its events");
  OPP2P_CHECK(failed() == failure_.has_value(), "a connection that has failed says why, and no other");
  OPP2P_CHECK(progress_ <= now_.mono, "progress was made in the past", progress_, now_.mono);
  switch (phase_) {
    case Phase::security_choice:
      OPP2P_CHECK(choice_ != nullptr && !remote_key_ && muxer_ == nullptr, "the security protocol is being chosen");
      break;
    case Phase::security:
      OPP2P_CHECK(choice_ == nullptr && channel_ != nullptr && !channel_->established() && muxer_ == nullptr,
                  "the handshake is under way");
      break;
    case Phase::muxer_choice:
      OPP2P_CHECK(choice_ != nullptr && channel_ != nullptr && channel_->established() && muxer_ == nullptr,
                  "the muxer is being chosen");
      break;
    case Phase::ready:
      OPP2P_CHECK(choice_ == nullptr && channel_ != nullptr && channel_->established() && muxer_ != nullptr,
                  "a connection that is ready has a channel and a muxer");
      OPP2P_CHECK(!muxer_->failed(), "a connection fails with its muxer");
      break;
    case Phase::failed:
      OPP2P_CHECK(choice_ == nullptr && (muxer_ == nullptr || (muxer_->failed() && stream_count() == 0)),
                  "a connection that has failed has no streams", stream_count());
      break;
  }
  OPP2P_CHECK(remote_key_.has_value() == !remote_peer_.empty(), "the peer is known by its key", remote_peer_);
  OPP2P_CHECK(!ready() || remote_key_.has_value(), "a connection that is ready is authenticated");
  OPP2P_CHECK(muxer_id_.empty() == (muxer_ == nullptr), "the muxer is named once it is settled", muxer_id_);
  OPP2P_CHECK(muxer_ != nullptr || streams_.negotiating() == 0, "a stream has a muxer", streams_.negotiating());
  if (choice_) choice_->check();
  if (channel_) channel_->check();
  if (muxer_) muxer_->check();
  streams_.check();
  check_output();
}

void ConnectionEngine::check_output() const {
  OPP2P_CHECK(
      handshake_sent_ <= handshake_out_.size() && (handshake_out_.empty() || handshake_sent_ < handshake_out_.size()),
      "what is sent is freed", handshake_sent_, handshake_out_);
  OPP2P_CHECK(plain_out_.empty() || remote_key_.has_value(), "the muxer is negotiated under seal", plain_out_);
  OPP2P_CHECK(!going_away_ || muxer_ != nullptr, "only a connection with streams says good-bye");
  OPP2P_CHECK(!channel_has_end_ || channel_closed_, "a channel says its end once it is closed");
  OPP2P_CHECK(!channel_closed_ || going_away_ || failed(), "a channel is closed when the connection ends");
  OPP2P_CHECK(channel_ == nullptr || failed() || channel_->max_unread() < kInput, "a driver has room for each message");
  OPP2P_CHECK(next_deadline().has_value() || ready() || failed(), "a handshake has a deadline");
}

}  // namespace libp2p
