#include "libp2p/base/result.hpp"

#include <stdexcept>

namespace libp2p {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::truncated: return "truncated";
    case Errc::malformed: return "malformed";
    case Errc::too_large: return "too large";
    case Errc::unsupported: return "unsupported";
    case Errc::mismatch: return "mismatch";
    case Errc::denied: return "denied";
    case Errc::exhausted: return "exhausted";
    case Errc::not_found: return "not found";
    case Errc::closed: return "closed";
    case Errc::reset: return "reset";
    case Errc::timed_out: return "timed out";
    case Errc::cancelled: return "cancelled";
    case Errc::would_block: return "would block";
    case Errc::unreachable: return "unreachable";
    case Errc::io: return "input/output";
    case Errc::invalid_argument: return "invalid argument";
  }
  return "unknown";
}

std::string Error::message() const {
  std::string out(to_string(code_));
  if (!text_.empty()) out.append(": ").append(text_);
  if (offset_) out.append(" (at byte ").append(std::to_string(*offset_)).append(")");
  return out;
}

Error Error::within(std::string_view context) const {
  Error out(code_, std::string(context) + ": " + text_);
  out.offset_ = offset_;
  return out;
}

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
  throw std::runtime_error(error.message() + " [" + where.file_name() + ":" + std::to_string(where.line()) + "]");
}

}  // namespace libp2p
