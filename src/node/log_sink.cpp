#include "node/log_sink.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace opp2p::node {
namespace {

// How long a sink that is stuck takes to see that it shall give up.
constexpr int kPollMillis = 50;

}  // namespace

bool DescriptorSink::write(std::string_view lines, const std::atomic<bool>& give_up) {
  while (!lines.empty()) {
    pollfd waiting{descriptor_, POLLOUT, 0};
    const int ready = ::poll(&waiting, 1, kPollMillis);
    if (give_up.load(std::memory_order_relaxed)) return false;
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    // A pipe that is writable takes this much without blocking.
    const ssize_t written = ::write(descriptor_, lines.data(), std::min<std::size_t>(lines.size(), PIPE_BUF));
    if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (written < 0) return false;
    lines.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace opp2p::node
