#include "opp2p/base/output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "opp2p/base/file_error.hpp"
#include "opp2p/base/log_sink.hpp"

namespace opp2p {

Output::Output(int descriptor) : descriptor_(descriptor) {
  if (::isatty(descriptor) != 1) return;
  const auto path = "/proc/self/fd/" + std::to_string(descriptor);
  terminal_ = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

Output::~Output() {
  if (terminal_ >= 0) ::close(terminal_);
}

void Output::write(std::string_view text) {
  const int to = terminal_ >= 0 ? terminal_ : descriptor_;
  if (error_ == 0) error_ = write_all(to, text, [this] { return give_up_ && give_up_(); });
}

libp2p::Result<void> Output::finish() {
  const int copy = error_ == 0 ? ::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0) : -1;
  if (copy >= 0 && ::close(copy) != 0 && errno != EINTR) error_ = errno;
  switch (error_) {
    case 0: return {};
    case EPIPE:
      return libp2p::fail(libp2p::Errc::closed, "standard output is closed: the program that read it has ended");
    case EBADF: return libp2p::fail(libp2p::Errc::closed, "standard output is closed: nothing can be written to it");
    case ECANCELED:
      return libp2p::fail(libp2p::Errc::cancelled, "standard output is not read: stopped while waiting for its reader");
    default:
      return libp2p::fail(libp2p::Errc::io,
                          "standard output cannot be written: " + file_error(error_, "standard output"));
  }
}

void hold_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number is taken, which is this one.
    [[maybe_unused]] const int held = ::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace opp2p
