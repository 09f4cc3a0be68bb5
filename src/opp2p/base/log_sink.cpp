#include "opp2p/base/log_sink.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace opp2p {
namespace {

// How long a writer that is stuck takes to see that it shall give up.
constexpr int kPollMillis = 50;

}  // namespace

int write_all(int descriptor, std::string_view text, const std::function<bool()>& give_up) {
  while (!text.empty()) {
    pollfd waiting{descriptor, POLLOUT, 0};
    const int ready = ::poll(&waiting, 1, kPollMillis);
    if (ready == 0 || (ready < 0 && errno == EINTR)) {
      if (give_up()) return ECANCELED;
      continue;
    }
    // A pipe that is writable takes this much without blocking.
    const ssize_t written = ::write(descriptor, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) {  // the room that poll() saw does not do for the next character
      if (give_up()) return ECANCELED;
      ::poll(nullptr, 0, kPollMillis);
      continue;
    }
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

bool DescriptorSink::write(std::string_view lines, const std::atomic<bool>& give_up) {
  const int error = write_all(descriptor_, lines, [&give_up] { return give_up.load(std::memory_order_relaxed); });
  last_error_.store(error, std::memory_order_relaxed);
  return error == 0;
}

}  // namespace opp2p
