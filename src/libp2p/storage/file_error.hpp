// The text of a file system error for the operator: the system's words, and what to do where that is known. It looks at
// the free space once, because a full disk has several error codes; otherwise it is a pure function.
#pragma once

#include <filesystem>
#include <string>

namespace libp2p::storage {

// `code` is an errno that an operation on `path` ended with: "No space left on device; make room on the disk of /data".
std::string file_error(int code, const std::filesystem::path& path);

}  // namespace libp2p::storage
