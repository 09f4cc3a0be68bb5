// The small protocols that the interop tests speak with peers of other implementations; interop/README.md says what
// each side does. Their contents are a pattern, the bytes 0, 1, … 250, 0, 1, …, so that a lost or repeated byte is
// seen.
#pragma once

#include <cstdint>
#include <string_view>

#include "libp2p/host/host.hpp"

namespace interop {

inline constexpr std::string_view kEcho = "/echo/1.0.0";
inline constexpr std::string_view kSink = "/sink/1.0.0";
inline constexpr std::string_view kReset = "/reset/1.0.0";
inline constexpr std::string_view kHalfClose = "/half-close/1.0.0";

inline constexpr std::string_view kNobodySpeaks = "/opp2p-nobody-speaks-this/1.0.0";

inline constexpr std::size_t kChunk = 64 * 1024;  // what is written or read at once
inline constexpr std::size_t kResetAfter = 1024;  // what /reset reads before it resets

class Pattern {
 public:
  // The next bytes.
  void fill(libp2p::MutableBytes out);
  // Whether these are the next bytes.
  bool matches(libp2p::ByteView bytes);

 private:
  std::uint8_t at_ = 0;
};

// Serves the four on `host`.
void serve_test_protocols(libp2p::Host& host);

}  // namespace interop
