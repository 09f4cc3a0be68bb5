// Reads values as Go's library does, because op-node's options are read by it: strconv.ParseBool, ParseUint and
// ParseInt with base 0, ParseFloat, time.ParseDuration. Errors have Go's words. Errc::too_large is Go's "value out of
// range", Errc::malformed every other error. Pure functions of any text. tests/vectors/op_node_flags_test.cpp compares
// them with the real library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"

namespace opp2p {

// 1, t, T, TRUE, true, True and 0, f, F, FALSE, false, False.
libp2p::Result<bool> parse_bool(std::string_view text);
// "9222", "0x2406", "0b1", "0o17", "017" (octal), "9_222".
libp2p::Result<std::uint64_t> parse_unsigned(std::string_view text);
libp2p::Result<std::int64_t> parse_signed(std::string_view text);
// "-100", "1e3", "0x1p-2", "inf", "nan".
libp2p::Result<double> parse_real(std::string_view text);
// "1h", "1m30s", "+60s", "-1s", "30µs", ".5s".
libp2p::Result<libp2p::Nanos> parse_duration(std::string_view text);
// "1m30s": as Go prints it, and parse_duration() reads it back.
std::string duration_text(libp2p::Nanos time);
// In double quotes, with what cannot be printed escaped (strconv.Quote).
std::string go_quote(std::string_view text);

}  // namespace opp2p
