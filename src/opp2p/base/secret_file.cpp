#include "opp2p/base/secret_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "libp2p/base/bytes.hpp"
#include "opp2p/base/file_error.hpp"

namespace opp2p {
namespace {

constexpr std::size_t kTokenBytes = 32;

libp2p::Error token_error(const std::string& path, std::string_view action, int code) {
  return libp2p::fail(libp2p::Errc::io, "--data-dir: the file with the RPC's token " + path + " cannot be " +
                                            std::string(action) + ": " + file_error(code, path));
}

// Owner of a descriptor.
struct File {
  int descriptor;
  ~File() { ::close(descriptor); }
};

}  // namespace

bool is_rpc_token(std::string_view text) {
  return text.size() == 2 * kTokenBytes && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::optional<SecretFileError> write_secret_file(const std::string& path, std::string_view text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return SecretFileError{"created", errno};
  const ssize_t written = ::write(file, text.data(), text.size());
  int code = written < 0 ? errno : written == static_cast<ssize_t>(text.size()) ? 0 : ENOSPC;
  if (code == 0 && ::fsync(file) != 0) code = errno;
  ::close(file);
  if (code == 0) return std::nullopt;
  ::unlink(path.c_str());  // half a secret would keep the next start from making a whole one
  return SecretFileError{"written", code};
}

libp2p::Result<std::string> load_or_create_token(const std::string& data_dir, libp2p::Rng& rng) {
  const auto path = (std::filesystem::path(data_dir) / "rpc.token").string();
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);  // no pipe
  if (descriptor < 0) {
    if (errno != ENOENT) return token_error(path, "read", errno);
    libp2p::Bytes random(kTokenBytes);
    rng.fill(random);
    auto token = libp2p::to_hex(random);
    if (const auto failed = write_secret_file(path, token)) return token_error(path, failed->action, failed->code);
    return token;
  }
  const File file{descriptor};
  std::string text(4096, '\0');
  const ssize_t size = ::read(descriptor, text.data(), text.size());
  if (size < 0) return token_error(path, "read", errno);
  text.resize(static_cast<std::size_t>(size));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  if (!is_rpc_token(text))
    return libp2p::fail(libp2p::Errc::malformed, "--data-dir: " + path +
                                                     " holds no token, which has 64 hexadecimal digits in " +
                                                     "lower case; remove the file and the next start makes one");
  if (::fchmod(descriptor, 0600) != 0) return token_error(path, "closed to others", errno);
  return text;
}

}  // namespace opp2p
