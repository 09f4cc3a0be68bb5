// The name of one protocol, as an argument: text of any kind, a literal too, and also in braces. A view that the call
// copies before it returns. It owns nothing, so that g++ 12 cannot destroy it twice in `co_await host.open_stream(peer,
// "/echo/1.0.0")`, and it is made of exactly one text, so that {"/a", "/b"} does not compile. Thread: any. Bounds:
// none.
#pragma once

#include <string>
#include <string_view>

namespace libp2p {

class ProtocolName {
 public:
  ProtocolName(const char* text) : text_(text) {}         // NOLINT(google-explicit-constructor)
  ProtocolName(std::string_view text) : text_(text) {}    // NOLINT(google-explicit-constructor)
  ProtocolName(const std::string& text) : text_(text) {}  // NOLINT(google-explicit-constructor)
  ProtocolName(std::nullptr_t) = delete;
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

}  // namespace libp2p
