#include "opp2p/log/log_fatal.hpp"

#include <signal.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <ctime>

namespace opp2p {
namespace {

constexpr int kLooks = 100;
constexpr timespec kBetweenLooks{0, 10'000'000};

// Handlers of signals get no context, hence the one variable of the process.
std::atomic<const std::atomic<std::size_t>*> lines_waiting{nullptr};
static_assert(std::atomic<std::size_t>::is_always_lock_free);

// Who handled the signals before, a sanitizer for one. When wait_for_log() returns, it is theirs again: a faulting
// instruction faults again, abort() raises again, and what kill() sent is sent again.
constexpr std::array kSignals = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
std::array<struct sigaction, kSignals.size()> handlers_before{};

void wait_for_lines() {
  const auto* waiting = lines_waiting.load();
  for (int i = 0; i < kLooks && waiting != nullptr && waiting->load() > 0; ++i) ::nanosleep(&kBetweenLooks, nullptr);
}

void wait_for_log(int signal, siginfo_t* info, void*) {
  const int kept = errno;
  wait_for_lines();
  for (std::size_t i = 0; i < kSignals.size(); ++i)
    if (kSignals[i] == signal) ::sigaction(signal, &handlers_before[i], nullptr);
  if (signal != SIGABRT && info->si_code <= 0) ::raise(signal);
  errno = kept;
}

}  // namespace

FlushLogOnFatalSignals::FlushLogOnFatalSignals(const Log& log) {
  lines_waiting = log.waiting();
  // Once: what was registered stays so, and without a log it does not wait.
  [[maybe_unused]] static const int registered = std::at_quick_exit(wait_for_lines);
  struct sigaction action{};
  action.sa_sigaction = wait_for_log;
  action.sa_flags = SA_SIGINFO;
  ::sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &action, &handlers_before[i]);
}

FlushLogOnFatalSignals::~FlushLogOnFatalSignals() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &handlers_before[i], nullptr);
  lines_waiting = nullptr;
}

}  // namespace opp2p
