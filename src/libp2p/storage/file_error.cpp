#include "libp2p/storage/file_error.hpp"

#include <cerrno>
#include <cstring>

namespace libp2p::storage {
namespace {

// LMDB calls a write that the disk took in part an input/output error. With less than this free it was for want of
// room.
constexpr std::uintmax_t kFullBelow = 1 << 20;  // bytes

bool is_full(const std::filesystem::path& path) {
  std::error_code error;
  auto at = path;
  while (!std::filesystem::exists(at, error) && at.has_relative_path()) at = at.parent_path();
  const auto space = std::filesystem::space(at.empty() ? "." : at, error);
  return !error && space.available < kFullBelow;
}

bool folder_is_there(const std::filesystem::path& path) {
  std::error_code error;
  return !path.has_parent_path() || std::filesystem::exists(path.parent_path(), error);
}

}  // namespace

std::string file_error(int code, const std::filesystem::path& path) {
  if (code == EIO && is_full(path)) code = ENOSPC;
  const std::string what = std::strerror(code);
  switch (code) {
    case ENOSPC:
    case EDQUOT: return what + "; make room on the disk of " + path.string();
    case EFBIG: return what + "; raise the limit on the size of files, see ulimit -f";
    case EMFILE: return what + "; raise the limit on open files, see ulimit -n";
    case EACCES:
    case EPERM: return what + "; mend the permissions of " + path.string() + " or name another place";
    case EROFS: return what + "; name a place that can be written to";
    case ENOENT:
      if (folder_is_there(path)) return what + "; check the name";
      return what + "; make the folder that " + path.string() + " is to lie in, or name another";
    case ENOTDIR:
    case EISDIR: return what + "; name another place";
    case EIO: return what + "; check the disk of " + path.string();
    default: return what;
  }
}

}  // namespace libp2p::storage
