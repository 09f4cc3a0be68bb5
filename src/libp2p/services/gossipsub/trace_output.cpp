#include "libp2p/services/gossipsub/trace_output.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace libp2p {

Result<std::unique_ptr<TraceFileOutput>> TraceFileOutput::open(const std::string& path) {
  // A pipe without a reader would hold the start up without O_NONBLOCK. It cannot be cut where a write failed either.
  const int descriptor = ::open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0644);
  struct stat what{};
  if (descriptor >= 0 && ::fstat(descriptor, &what) == 0 && S_ISFIFO(what.st_mode)) {
    ::close(descriptor);
    return fail(Errc::invalid_argument, "the trace file " + path + " is a pipe; name a file");
  }
  if (descriptor < 0) {
    return fail(Errc::invalid_argument, "the trace file " + path +
                                            " cannot be opened: " + std::generic_category().message(errno) +
                                            "; name a file in a folder that exists and may be written to");
  }
  return std::unique_ptr<TraceFileOutput>(new TraceFileOutput(path, descriptor));
}

TraceFileOutput::~TraceFileOutput() { ::close(descriptor_); }

Error TraceFileOutput::failed(int error) const {
  return fail(Errc::io, "writing the trace file " + path_ + ": " + std::generic_category().message(error));
}

Result<void> TraceFileOutput::write(std::string_view records) {
  if (torn_ && ::ftruncate(descriptor_, static_cast<off_t>(size_)) != 0) return failed(errno);
  torn_ = false;
  std::size_t written = 0;
  while (written < records.size()) {
    const ssize_t more =
        ::pwrite(descriptor_, records.data() + written, records.size() - written, static_cast<off_t>(size_ + written));
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) {
      const int error = errno;
      torn_ = written != 0 && ::ftruncate(descriptor_, static_cast<off_t>(size_)) != 0;
      return failed(error);
    }
    written += static_cast<std::size_t>(more);
  }
  size_ += records.size();
  return {};
}

}  // namespace libp2p
