#include "opp2p/rpc/http_head.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace opp2p {
namespace {

constexpr std::string_view kNotHttp =
    "this is no HTTP/1.1 request; the server speaks HTTP/1.0 and HTTP/1.1 without TLS: use http://, not https://";
constexpr std::string_view kLineFeedAlone = "the lines of a request end with CR and LF, not with LF alone";
constexpr std::size_t kMaxMethod = 32;
constexpr std::string_view kVersions[] = {"HTTP/1.0\r\n", "HTTP/1.1\r\n"};

bool is_token(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kOthers.find(c) != std::string_view::npos;
}

bool equal_in_any_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b; });
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

HttpHead::State HttpHead::on_bytes(std::string_view so_far) {
  while (!whole_ && problem_.empty() && at_ < so_far.size()) {
    if (at_ == kMaxBytes || lines_ > kMaxLines) return State::too_large;
    const char c = so_far[at_];
    if (!take(c)) break;
    last_ = c;
    lines_ += c == '\n';
    ++at_;
  }
  if (!problem_.empty()) return State::not_http;
  if (whole_) return State::whole;
  return at_ == kMaxBytes || lines_ > kMaxLines ? State::too_large : State::reading;
}

void HttpHead::check() const {
  OPP2P_CHECK(at_ <= kMaxBytes && lines_ <= kMaxLines + 1, "a head has a bound", at_, lines_);
  OPP2P_CHECK(part_begin_ <= at_, "a part begins where bytes were looked at", part_begin_, at_);
  OPP2P_CHECK(!whole_ || (problem_.empty() && part_ == Part::headers && last_ == '\n'), "a head ends with its headers");
}

bool HttpHead::refuse(std::string_view why) {
  problem_ = why;
  return false;
}

// False: the request is refused.
bool HttpHead::take(char c) {
  OPP2P_DEBUG_ASSERT(part_begin_ <= at_, "a part begins where bytes were looked at", part_begin_, at_);
  const auto length = at_ - part_begin_;
  switch (part_) {
    case Part::method:
      if (c != ' ') return (is_token(c) && length < kMaxMethod) || refuse(kNotHttp);
      if (length == 0) return refuse(kNotHttp);
      break;
    case Part::target:
      if (c != ' ') return (static_cast<unsigned char>(c) > ' ' && c != '\x7f') || refuse(kNotHttp);
      if (length == 0) return refuse(kNotHttp);
      break;
    case Part::version: {
      const auto fits = [&](std::string_view version) { return version[length] == c; };
      const bool minor_known = length > 7;  // both versions end alike
      if (c == '\n' && length == 8) return refuse(kLineFeedAlone);
      if (!fits(kVersions[0]) && (minor_known || !fits(kVersions[1]))) return refuse(kNotHttp);
      if (length + 1 < kVersions[0].size()) return true;
      line_empty_ = true;
      break;
    }
    case Part::headers:
      if (c == '\n' && last_ != '\r') return refuse(kLineFeedAlone);
      whole_ = c == '\n' && line_empty_;
      line_empty_ = c == '\n' || (c == '\r' && line_empty_ && last_ == '\n');
      return true;
  }
  part_ = static_cast<Part>(static_cast<int>(part_) + 1);
  part_begin_ = at_ + 1;
  return true;
}

HttpTarget http_target(std::string_view text) {
  HttpTarget out;
  out.has_query = text.find('?') != std::string_view::npos;
  auto path = text.substr(0, text.find('?'));
  const auto scheme = path.find("://");
  if (!path.starts_with('/') && scheme != std::string_view::npos &&
      (equal_in_any_case(path.substr(0, scheme), "http") || equal_in_any_case(path.substr(0, scheme), "https"))) {
    path.remove_prefix(scheme + 3);
    const auto slash = std::min(path.find('/'), path.size());
    out.authority = path.substr(0, slash);
    // "http://user@host/": the host is what stands behind the user.
    if (const auto at = out.authority.rfind('@'); at != std::string_view::npos) out.authority.remove_prefix(at + 1);
    path.remove_prefix(slash);
  }
  out.path = path.empty() ? std::string_view("/") : path;
  return out;
}

std::string bearer_token(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size() || !equal_in_any_case(authorization.substr(0, kScheme.size()), kScheme))
    return {};
  authorization.remove_prefix(kScheme.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  return std::string(authorization);
}

bool is_json_media_type(std::string_view text) {
  const auto type = trimmed(text.substr(0, text.find(';')));
  constexpr std::string_view kTypes[] = {"application/json", "application/json-rpc", "application/jsonrequest"};
  return std::any_of(std::begin(kTypes), std::end(kTypes), [&](auto known) { return equal_in_any_case(type, known); });
}

}  // namespace opp2p
