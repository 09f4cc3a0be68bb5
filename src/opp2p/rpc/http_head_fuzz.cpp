// Any bytes as a request: what is known of them does not depend on how they come, and the parser agrees on where a head
// ends.
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "opp2p/rpc/http_head.hpp"
#include "testing/fuzz_script.hpp"

namespace {

namespace http = boost::beast::http;
using libp2p::fuzzing::require;
using opp2p::HttpHead;
using State = HttpHead::State;

State in_parts(std::string_view input, HttpHead& head) {
  auto out = State::reading;
  for (std::size_t end = 1; end <= input.size() && out == State::reading; end += end % 7 + 1) {
    out = head.on_bytes(input.substr(0, end));
    head.check();
  }
  return out == State::reading ? head.on_bytes(input) : out;
}

void check_targets(std::string_view text) {
  const auto target = opp2p::http_target(text);
  require(!target.path.empty() && target.path.find('?') == std::string_view::npos);
  require(target.authority.find('/') == std::string_view::npos);
  (void)opp2p::is_json_media_type(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check_targets(input);
  HttpHead whole, parts;
  const auto state = whole.on_bytes(input);
  whole.check();
  require(in_parts(input, parts) == state);
  require(whole.problem().empty() == (state != State::not_http));
  if (state == State::reading) require(size < HttpHead::kMaxBytes && whole.size() == size);
  if (state != State::whole) return 0;
  require(whole.size() == parts.size() && whole.size() <= HttpHead::kMaxBytes);
  http::request_parser<http::string_body> parser;
  parser.header_limit(2 * HttpHead::kMaxBytes);
  boost::system::error_code error;
  const auto taken = parser.put(boost::asio::buffer(input.data(), input.size()), error);
  if (!error) require(parser.is_header_done() && taken == whole.size());
  return 0;
}
