#include "opp2p/base/small_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "opp2p/base/file_error.hpp"

namespace opp2p {
namespace {

using libp2p::Errc;
using libp2p::fail;

struct Descriptor {
  int number = -1;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

}  // namespace

libp2p::Result<std::string> read_small_file(const std::filesystem::path& path, std::size_t most) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.number < 0 && (errno == ENOENT || errno == ENOTDIR))
    return fail(Errc::not_found, "there is no " + path.string());
  struct stat found{};
  if (file.number < 0 || ::fstat(file.number, &found) != 0) return io_error("cannot read", path, errno);
  if (!S_ISREG(found.st_mode)) return fail(Errc::malformed, path.string() + " is no regular file");
  std::string text;
  while (text.size() <= most) {
    const std::size_t before = text.size();
    text.resize(before + 4096);
    const auto taken = ::read(file.number, text.data() + before, text.size() - before);
    if (taken < 0 && errno != EINTR) return io_error("cannot read", path, errno);
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(taken, 0)));
    if (taken == 0) return text;
  }
  return fail(Errc::too_large, path.string() + " has more than " + std::to_string(most) + " bytes");
}

}  // namespace opp2p
