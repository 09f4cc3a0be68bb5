// What an error of the file system means to whoever runs the node: the system's words, and what to do about it where
// that is known. A pure function but for one look at the free space, because a full disk has several names.
#pragma once

#include <filesystem>
#include <string>

namespace opp2p {

// `code` is an errno that an operation on `path` ended with: "No space left on device; make room on the disk of /data".
std::string file_error(int code, const std::filesystem::path& path);

}  // namespace opp2p
