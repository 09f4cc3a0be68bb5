// The security protocols and multiplexers that are built in (kinds.def), by their short names, for options and for
// HostConfig. Functions without state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/result.hpp"
#include "libp2p/seams/secure_channel.hpp"
#include "libp2p/seams/stream_mux.hpp"

namespace libp2p {

// "noise", "yamux": all that there are, in order of preference.
std::vector<std::string_view> security_names();
std::vector<std::string_view> muxer_names();

// Those that a host offers unless it is told otherwise.
std::vector<SecurityFactory> default_securities();
std::vector<MuxerKind> default_muxers();

// Those with these names, in this order. Errc::not_found for a name that is none, with the names that there are.
Result<std::vector<SecurityFactory>> securities_named(const std::vector<std::string>& names);
Result<std::vector<MuxerKind>> muxers_named(const std::vector<std::string>& names);

}  // namespace libp2p
