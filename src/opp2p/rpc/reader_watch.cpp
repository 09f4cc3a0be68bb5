#include "opp2p/rpc/reader_watch.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "libp2p/base/signals_blocked.hpp"

namespace opp2p {
namespace {

bool is_nameless_pipe(int descriptor) {
  std::error_code error;
  const auto target = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor), error);
  return target.string().starts_with("pipe:");
}

void watch(int descriptor, int stop, const std::function<void()>& gone) {
  std::array<pollfd, 2> ends = {pollfd{descriptor, 0, 0}, pollfd{stop, POLLIN, 0}};
  while (::poll(ends.data(), ends.size(), -1) < 0 && errno == EINTR) {
  }
  if (ends[1].revents == 0 && (ends[0].revents & POLLERR) != 0) gone();
}

}  // namespace

ReaderWatch::ReaderWatch(int descriptor, std::function<void()> gone) {
  if (!is_nameless_pipe(descriptor)) return;
  stop_ = ::eventfd(0, EFD_CLOEXEC);
  if (stop_ < 0) return;
  const libp2p::SignalsBlocked inherited;
  thread_ = std::thread([descriptor, stop = stop_, gone = std::move(gone)] { watch(descriptor, stop, gone); });
}

ReaderWatch::~ReaderWatch() {
  if (stop_ < 0) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(stop_, &one, sizeof one);
  if (thread_.joinable()) thread_.join();
  ::close(stop_);
}

}  // namespace opp2p
