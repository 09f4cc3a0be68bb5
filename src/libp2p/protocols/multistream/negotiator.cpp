#include "libp2p/protocols/multistream/negotiator.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/peer_text.hpp"
#include "libp2p/multiformats/varint.hpp"

namespace libp2p::multistream {
namespace {

constexpr std::string_view kNotAvailable = "na";
constexpr std::string_view kList = "ls";

// Text from a peer, fit for an error message.
std::string shown(std::string_view text) { return peer_text(text, 64); }

}  // namespace

void append_message(Bytes& out, std::string_view text) {
  multiformats::append_varint(out, text.size() + 1);
  append(out, as_bytes(text));
  out.push_back('\n');
}

Negotiator Negotiator::dialer(std::vector<std::string> protocols) {
  for (const auto& protocol : protocols)
    OPP2P_ASSERT(protocol.size() < kMaxMessage, "a protocol that is proposed fits into a message", protocol.size());
  Negotiator made;
  made.dialing_ = true;
  made.proposals_ = std::move(protocols);
  append_message(made.out_, kProtocolId);
  if (!made.proposals_.empty()) append_message(made.out_, made.proposals_.front());
  return made;
}

Negotiator Negotiator::listener(const Matcher* accepts, const Lister* list) {
  Negotiator made;
  made.accepts_ = accepts;
  made.list_ = list;
  append_message(made.out_, kProtocolId);
  return made;
}

Bytes Negotiator::take_output() { return std::exchange(out_, {}); }

Result<std::size_t> Negotiator::on_bytes(ByteView in) {
  if (state_ == State::failed) return Error(Errc::closed, "the negotiation has failed before");
  std::size_t taken = 0;
  while (state_ != State::settled && taken < in.size()) {
    // The prefix says how much belongs to the message, so that not a byte of what follows it is touched.
    partial_.push_back(in[taken++]);
    const auto prefix = multiformats::read_varint(partial_);
    if (!prefix && prefix.error() == Errc::truncated) continue;
    if (!prefix || prefix->value > kMaxMessage) {
      state_ = State::failed;
      if (!prefix) return prefix.error().within("multistream-select message length");
      return Error(Errc::too_large, "multistream-select message of " + std::to_string(prefix->value) +
                                        " bytes, at most " + std::to_string(kMaxMessage) + " are allowed");
    }
    const std::size_t whole = prefix->size + static_cast<std::size_t>(prefix->value);
    OPP2P_ASSERT(partial_.size() <= whole, "no byte behind a message is touched", partial_, whole);
    const std::size_t more = std::min(whole - partial_.size(), in.size() - taken);
    append(partial_, in.subspan(taken, more));
    taken += more;
    if (partial_.size() < whole) continue;
    const Bytes message = std::exchange(partial_, {});
    if (prefix->value == 0 || message.back() != '\n') {
      state_ = State::failed;
      return Error(Errc::malformed, "multistream-select message without a newline at its end");
    }
    const auto body = as_text(ByteView(message).subspan(prefix->size));
    if (auto done = on_message(body.substr(0, body.size() - 1)); !done) {
      state_ = State::failed;
      return std::move(done).error();
    }
  }
  OPP2P_ASSERT(settled() || taken == in.size(), "all bytes are taken, or those up to the settling message", taken, in);
  return taken;
}

Result<void> Negotiator::on_message(std::string_view text) {
  if (state_ == State::header) {
    if (text != kProtocolId)
      return Error(Errc::mismatch, "the peer opened with '" + shown(text) + "' instead of " + std::string(kProtocolId));
    state_ = State::exchange;
    return {};
  }
  return dialing_ ? on_answer(text) : on_proposal(text);
}

Result<void> Negotiator::on_answer(std::string_view text) {
  if (count_ < proposals_.size() && text == proposals_[count_]) {
    protocol_ = std::move(proposals_[count_]);
    state_ = State::settled;
    return {};
  }
  if (text != kNotAvailable)
    return Error(Errc::mismatch, "the peer answered a proposal with '" + shown(text) + "', which was not proposed");
  if (++count_ < proposals_.size()) {
    append_message(out_, proposals_[count_]);
    return {};
  }
  std::string tried;
  for (const auto& protocol : proposals_) tried += (tried.empty() ? "" : ", ") + protocol;
  return Error(Errc::unsupported, "the peer speaks none of the proposed protocols (" + tried + ")");
}

Result<void> Negotiator::on_proposal(std::string_view text) {
  if (accepts_ != nullptr && *accepts_ && (*accepts_)(text)) {
    append_message(out_, text);
    protocol_ = std::string(text);
    state_ = State::settled;
    return {};
  }
  if (++count_ > kMaxProposals)
    return Error(Errc::exhausted,
                 "the peer made more than " + std::to_string(kMaxProposals) + " proposals and none is spoken here");
  if (text == kList && list_ != nullptr && *list_) {
    append_list();
  } else {
    append_message(out_, kNotAvailable);
  }
  return {};
}

void Negotiator::check() const {
  OPP2P_CHECK(partial_.size() < kMaxMessage + 2, "the beginning of a message is shorter than the longest message",
              partial_);
  OPP2P_CHECK(state_ == State::failed || !settled() || partial_.empty(), "nothing is held behind the settling message",
              partial_);
  OPP2P_CHECK(dialing_ ? count_ <= proposals_.size() : proposals_.empty(), "a dialer proposes what it was given",
              count_, proposals_);
  OPP2P_CHECK(state_ == State::failed || count_ <= (dialing_ ? proposals_.size() : kMaxProposals),
              "answers are bounded", count_);
  OPP2P_CHECK(state_ != State::header || count_ == 0, "nothing is answered before the header", count_);
  OPP2P_CHECK(settled() || protocol_.empty(), "a protocol is agreed once it is settled", protocol_);
}

// One message whose text is a run of messages: each protocol with its own length and newline.
void Negotiator::append_list() {
  Bytes lines;
  for (const auto& protocol : (*list_)()) append_message(lines, protocol);
  append_message(out_, as_text(lines));
}

}  // namespace libp2p::multistream
