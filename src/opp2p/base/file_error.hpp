// The text of a file system error for the operator (libp2p/storage/file_error.hpp), and the error with it.
#pragma once

#include <filesystem>
#include <string>

#include "libp2p/base/result.hpp"
#include "libp2p/storage/file_error.hpp"

namespace opp2p {

using libp2p::storage::file_error;

// Errc::io, for example "cannot open /data/key: Permission denied". `code` is an errno.
inline libp2p::Error io_error(const std::string& what, const std::filesystem::path& path, int code) {
  return libp2p::fail(libp2p::Errc::io, what + " " + path.string() + ": " + file_error(code, path));
}

}  // namespace opp2p
