// Reading a small file that another program has written and that may be no file at all, or one without an end.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "libp2p/base/result.hpp"

namespace opp2p {

// What the file holds. Never waits, as opening a pipe would. Errc::not_found when there is none, Errc::malformed when
// it is no regular file, Errc::too_large when it has more than `most` bytes, Errc::io when it cannot be read; the text
// says which file, and why.
libp2p::Result<std::string> read_small_file(const std::filesystem::path& path, std::size_t most);

}  // namespace opp2p
