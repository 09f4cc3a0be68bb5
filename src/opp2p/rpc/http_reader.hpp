// Reads the requests of one HTTP/1 connection from its bytes, one after another, and refuses what is no request or is
// too large. An engine without sockets or clock.
//
// Call step() until it says `more`, `whole` or `refused`. After `more`, put bytes into prepare() and commit() them.
// After `whole`, take() the request, and next() when its answer has been written. After `refused`, nothing more is
// read.
//
// Owner: the session. Thread: the session's. Bounds: a head of HttpHead::kMaxBytes and kMaxLines, a body of kMaxBody,
// an extension or a trailer of a chunk of kMaxLine, and kReadSize bytes of what follows. held() counts them.
// Source: RFC 9112.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <string>

#include "opp2p/rpc/http_head.hpp"
#include "opp2p/rpc/http_message.hpp"

namespace opp2p {

class HttpReader {
 public:
  using Request = boost::beast::http::request<boost::beast::http::string_body>;
  static constexpr std::size_t kMaxBody = 5 * 1024 * 1024;
  static constexpr std::size_t kMaxLine = 64 * 1024;  // the parser leaves a line unread until it is whole
  static constexpr std::size_t kReadSize = 16 * 1024;

  enum class Step : std::uint8_t {
    more,        // wants more bytes
    head_whole,  // all bytes of the head are there
    head,        // the head is parsed: head() is known
    body,        // some of the body has come
    whole,
    refused,
  };
  struct RefusedRequest {
    HttpStatus status = HttpStatus::bad_request;
    std::string why;
  };

  HttpReader();

  // Where kReadSize more bytes go.
  boost::asio::mutable_buffer prepare() { return buffer_.prepare(kReadSize); }
  void commit(std::size_t size) { buffer_.commit(size); }
  Step step();

  // Nothing of a request is there.
  bool is_at_start() const { return phase_ == Phase::head && buffer_.size() == 0; }
  // Bytes behind the request have come already.
  bool has_unread() const { return buffer_.size() != 0; }
  // The request is a HEAD. Known as soon as its first bytes are there, also of one that is refused.
  bool asks_for_head() const { return asks_for_head_; }
  bool head_seen() const { return phase_ == Phase::body || phase_ == Phase::whole; }
  const Request& head() const { return parser_->get(); }
  // The client waits for "100 Continue" before it sends the body. Known with the head.
  bool expects_invitation() const;
  const RefusedRequest& refusal() const { return refusal_; }
  // Bytes that it holds for the request. Before the head is parsed, the head alone counts: who sends the body behind
  // it, and in which account that counts, the head says.
  std::size_t held() const;

  Request take();
  // Begins with the next request.
  void next();
  // Forgets everything: nothing more is asked of it but prepare().
  void discard();

  void check() const;

 private:
  // head: its bytes come. parse_head: they are there. body, whole: the head is parsed. ended: refused or discarded.
  enum class Phase : std::uint8_t { head, parse_head, body, whole, ended };
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  Step read_head();
  Step parse();
  Step refuse(HttpStatus status, std::string why);
  void skip_line_ends();

  boost::beast::flat_buffer buffer_;
  Phase phase_ = Phase::head;
  HttpHead request_head_;
  bool asks_for_head_ = false;
  std::size_t skipped_ = 0;  // line ends before this request
  std::optional<Parser> parser_;
  RefusedRequest refusal_;
};

}  // namespace opp2p
