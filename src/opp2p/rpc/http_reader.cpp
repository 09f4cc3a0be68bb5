#include "opp2p/rpc/http_reader.hpp"

#include <boost/beast/core/string.hpp>

#include "libp2p/base/assert.hpp"

namespace opp2p {
namespace beast = boost::beast;
namespace http = beast::http;

namespace {

constexpr std::size_t kKeptBuffer = 2 * HttpReader::kReadSize;  // of a connection that waits for its next request
constexpr std::size_t kPerLine = 128;   // bytes that the parser's table takes for a header, but for its text
constexpr std::size_t kMaxSkipped = 4;  // line ends before a request

}  // namespace

HttpReader::HttpReader() { next(); }

void HttpReader::next() {
  OPP2P_ASSERT(phase_ != Phase::ended, "nothing is read after a refusal");
  phase_ = Phase::head;
  request_head_ = HttpHead();
  asks_for_head_ = false;
  skipped_ = 0;
  parser_.emplace();
  parser_->body_limit(kMaxBody);
  parser_->header_limit(2 * HttpHead::kMaxBytes);  // request_head_ holds the limit
  if (buffer_.size() == 0 && buffer_.capacity() > kKeptBuffer) buffer_.shrink_to_fit();
}

void HttpReader::discard() {
  phase_ = Phase::ended;
  parser_.reset();
  buffer_.clear();
}

HttpReader::Step HttpReader::step() {
  switch (phase_) {
    case Phase::head: return read_head();
    case Phase::parse_head:
    case Phase::body: return parse();
    case Phase::whole: return Step::whole;
    case Phase::ended: break;
  }
  return Step::refused;
}

HttpReader::Step HttpReader::refuse(HttpStatus status, std::string why) {
  phase_ = Phase::ended;
  refusal_ = {status, std::move(why)};
  return Step::refused;
}

// Some clients end a body with CR and LF that its length does not count. As many are forgiven as by Go's server.
void HttpReader::skip_line_ends() {
  const auto* text = static_cast<const char*>(buffer_.cdata().data());
  std::size_t count = 0;
  while (skipped_ + count < kMaxSkipped && count < buffer_.size() && (text[count] == '\r' || text[count] == '\n'))
    ++count;
  buffer_.consume(count);
  skipped_ += count;
}

HttpReader::Step HttpReader::read_head() {
  if (request_head_.size() == 0) skip_line_ends();
  const auto unread = buffer_.cdata();
  const std::string_view so_far(static_cast<const char*>(unread.data()), unread.size());
  asks_for_head_ = so_far.starts_with("HEAD ");
  switch (request_head_.on_bytes(so_far)) {
    case HttpHead::State::not_http: return refuse(HttpStatus::bad_request, std::string(request_head_.problem()) + "\n");
    case HttpHead::State::too_large:
      return refuse(HttpStatus::request_header_fields_too_large,
                    "the headers are larger than " + std::to_string(HttpHead::kMaxBytes) +
                        " bytes, or have more than " + std::to_string(HttpHead::kMaxLines) + " lines\n");
    case HttpHead::State::reading: return Step::more;
    case HttpHead::State::whole: break;
  }
  phase_ = Phase::parse_head;
  return Step::head_whole;
}

HttpReader::Step HttpReader::parse() {
  if (parser_->is_done()) {
    phase_ = Phase::whole;
    return Step::whole;
  }
  const bool had_head = phase_ == Phase::body;
  if (had_head && buffer_.size() == 0) return Step::more;
  beast::error_code error;
  buffer_.consume(parser_->put(buffer_.data(), error));
  if (error == http::error::need_more && had_head && buffer_.size() < kMaxLine) return Step::more;
  if (error == http::error::need_more && had_head)
    return refuse(HttpStatus::request_header_fields_too_large,
                  "an extension or a trailer of a chunk is longer than " + std::to_string(kMaxLine) + " bytes\n");
  if (error == http::error::body_limit)
    return refuse(HttpStatus::payload_too_large, "the request is larger than " + std::to_string(kMaxBody) + " bytes\n");
  if (error) return refuse(HttpStatus::bad_request, "the request is no valid HTTP: " + error.message() + "\n");
  if (had_head) return Step::body;
  OPP2P_ASSERT(parser_->is_header_done(), "the parser ends a head where HttpHead does", request_head_.size());
  phase_ = Phase::body;
  parser_->eager(true);
  return Step::head;
}

bool HttpReader::expects_invitation() const {
  OPP2P_ASSERT(head_seen(), "the head says it");
  return beast::iequals(parser_->get()[http::field::expect], "100-continue") && !parser_->is_done();
}

// The parser has a copy of the head, and more for each of its lines.
std::size_t HttpReader::held() const {
  if (!head_seen()) return request_head_.size();
  return buffer_.size() + request_head_.size() + kPerLine * request_head_.lines() + parser_->get().body().capacity();
}

HttpReader::Request HttpReader::take() {
  OPP2P_ASSERT(phase_ == Phase::whole, "a request is taken once it is whole", phase_);
  return parser_->release();
}

void HttpReader::check() const {
  OPP2P_CHECK(phase_ == Phase::ended || parser_.has_value(), "a parser waits for each request");
  OPP2P_CHECK(skipped_ <= kMaxSkipped, "few line ends before a request are skipped", skipped_);
  OPP2P_CHECK(request_head_.size() <= HttpHead::kMaxBytes, "a head has a bound", request_head_.size());
  OPP2P_CHECK(!parser_ || parser_->get().body().size() <= kMaxBody, "a body has a bound",
              parser_ ? parser_->get().body().size() : 0);
  OPP2P_CHECK(phase_ != Phase::body || buffer_.size() < kMaxLine + kReadSize, "a line that is not whole has a bound",
              buffer_.size());
}

}  // namespace opp2p
