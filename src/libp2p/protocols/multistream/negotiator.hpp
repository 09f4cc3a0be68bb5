// multistream-select 1.0: how two peers agree on the protocol of a connection or a stream. Each side sends the header,
// the dialer proposes protocols in turn, the listener echoes the one it takes or answers "na". A pure engine: bytes in,
// bytes out. Owned by whoever owns the stream, for as long as the negotiation lasts; no thread of its own.
//
// The dialer is lazy: the header and the first proposal are its output from the start, and with a single protocol the
// caller may send its first data right behind them, without waiting for the answer, which is checked when it comes.
//
// Bounds: a message is at most kMaxMessage bytes (as in go-multistream) and a partial one is all that is buffered; a
// listener answers at most kMaxProposals messages. Specification: connections, section "multistream-select".
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"

namespace libp2p::multistream {

inline constexpr std::string_view kProtocolId = "/multistream/1.0.0";
// What a length prefix may say: the bytes of the message with its newline.
inline constexpr std::size_t kMaxMessage = 1024;
inline constexpr std::size_t kMaxProposals = 64;

// Appends one message: length, text, newline.
void append_message(Bytes& out, std::string_view text);

using Matcher = std::function<bool(std::string_view protocol)>;
using Lister = std::function<std::vector<std::string>()>;

class Negotiator {
 public:
  // Proposes these in order; at least one, none longer than kMaxMessage - 1.
  static Negotiator dialer(std::vector<std::string> protocols);
  // `accepts` decides on every proposal. `list`, if not null, answers `ls`; without it `ls` is a protocol like any
  // other, as with go-multistream, and gets "na". Both must outlive the negotiator; they are only called inside
  // on_bytes.
  static Negotiator listener(const Matcher* accepts, const Lister* list = nullptr);

  // Takes bytes from the front and answers how many: all of them, or, once a protocol is settled, those up to and with
  // its message; what follows belongs to the protocol. Errors: too_large and malformed (the peer breaks the format),
  // mismatch (it does not speak multistream-select 1.0 or confirms what was not proposed), unsupported (nothing in
  // common), exhausted (more than kMaxProposals). After an error the negotiator takes no more.
  Result<std::size_t> on_bytes(ByteView in);

  // Bytes to send, in order. take_output hands them over and leaves none.
  bool has_output() const { return !out_.empty(); }
  Bytes take_output();

  // Listener: the dialer has been answered, with "na" or a list, and nothing is settled. Who gives up now lets the
  // answer leave first.
  bool has_refused() const { return !dialing_ && count_ > 0 && state_ != State::settled; }

  // The agreed protocol. For the dialer: agreed means that the listener has confirmed it.
  bool settled() const { return state_ == State::settled; }
  const std::string& protocol() const { return protocol_; }
  void check() const;

 private:
  enum class State : std::uint8_t { header, exchange, settled, failed };
  Negotiator() = default;

  Result<void> on_message(std::string_view text);
  Result<void> on_answer(std::string_view text);
  Result<void> on_proposal(std::string_view text);
  void append_list();

  bool dialing_ = false;
  State state_ = State::header;
  const Matcher* accepts_ = nullptr;
  const Lister* list_ = nullptr;
  std::vector<std::string> proposals_;
  std::size_t count_ = 0;  // dialer: index of the proposal that waits for its answer; listener: messages answered
  std::string protocol_;
  Bytes partial_;  // the beginning of a message, with its length prefix
  Bytes out_;
};

}  // namespace libp2p::multistream
