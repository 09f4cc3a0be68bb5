// Looks at the head of an HTTP request while it arrives, before a parser gets it. The first bytes show what is not
// HTTP/1 (a TLS handshake, HTTP/2, plain text), and a head that is too long is known before it is whole; a parser would
// wait for the empty line in both cases. Also reads what the parser leaves as text: targets, bearer tokens and media
// types.
//
// An engine without sockets or clock. Owner: the session. Bounds: keeps nothing; each byte is read once.
// Source: RFC 9112, sections 2.2, 3 and 3.2; RFC 9110, sections 5.6.2 and 8.3.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace opp2p {

class HttpHead {
 public:
  static constexpr std::size_t kMaxBytes = 64 * 1024;  // request line, headers and the empty line
  static constexpr std::size_t kMaxLines = 256;        // a parsed header takes many times the bytes of a short one
  enum class State : std::uint8_t { reading, whole, not_http, too_large };

  // `so_far` is all that has come of the request, each time.
  State on_bytes(std::string_view so_far);
  // Of the head, once it is whole.
  std::size_t size() const { return at_; }
  std::size_t lines() const { return lines_; }
  // Why it is not HTTP/1.
  std::string_view problem() const { return problem_; }
  void check() const;

 private:
  enum class Part : std::uint8_t { method, target, version, headers };
  bool take(char c);
  bool refuse(std::string_view why);

  Part part_ = Part::method;
  std::size_t at_ = 0;  // bytes that were looked at
  std::size_t part_begin_ = 0;
  std::size_t lines_ = 0;  // that have ended
  char last_ = 0;
  bool line_empty_ = false;  // nothing but perhaps CR has come of this line
  bool whole_ = false;
  std::string_view problem_;
};

struct HttpTarget {
  std::string_view authority;  // of a target in absolute form; empty in others
  std::string_view path;       // "/" when there is none
  bool has_query = false;
};

HttpTarget http_target(std::string_view text);

// The token of "Authorization: Bearer TOKEN", the scheme in any case; empty for other texts (RFC 9110, 11.1).
std::string bearer_token(std::string_view authorization);

// Whether a Content-Type is JSON as op-node's server takes it, in any case and with any parameters.
bool is_json_media_type(std::string_view text);

}  // namespace opp2p
