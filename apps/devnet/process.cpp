#include "apps/devnet/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <thread>
#include <utility>

extern char** environ;

namespace opp2p::devnet {
namespace {

// Ours without what configures a node: an operator's OP_NODE_P2P_STATIC or OP_NODE_P2P_SEQUENCER_KEY is not meant for
// these nodes.
std::vector<char*> environment_of_nodes() {
  std::vector<char*> out;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (!std::string_view(*entry).starts_with("OP_NODE_")) out.push_back(*entry);
  out.push_back(nullptr);
  return out;
}

}  // namespace

libp2p::Result<Process> Process::start(const std::vector<std::string>& command, const std::string& log_path) {
  const int log = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0) return libp2p::fail(libp2p::Errc::io, "cannot write the log " + log_path + ": " + std::strerror(errno));
  // Everything the child needs is prepared here: between fork and exec only calls that are safe there are made.
  std::vector<char*> arguments;
  for (const auto& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
  arguments.push_back(nullptr);
  auto environment = environment_of_nodes();
  const pid_t parent = ::getpid();
  sigset_t no_signals;
  ::sigemptyset(&no_signals);
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(127);
    ::setpgid(0, 0);                                   // a Ctrl-C at the terminal is the parent's to handle
    ::sigprocmask(SIG_SETMASK, &no_signals, nullptr);  // the parent may have blocked what ends the child
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    ::execve(arguments[0], arguments.data(), environment.data());
    ::_exit(127);
  }
  const int error = errno;
  ::close(log);
  if (child < 0) return libp2p::fail(libp2p::Errc::io, "cannot start " + command[0] + ": " + std::strerror(error));
  return Process(child);
}

Process::Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)), exit_(other.exit_) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(exit_, other.exit_);
  return *this;
}

Process::~Process() {
  if (pid_ < 0 || exit_) return;
  kill();
  wait(libp2p::Seconds(5));
}

void Process::terminate() {
  if (pid_ > 0 && !exit_) ::kill(pid_, SIGTERM);
}

void Process::kill() {
  if (pid_ > 0 && !exit_) ::kill(pid_, SIGKILL);
}

std::optional<int> Process::wait(libp2p::Nanos limit) {
  if (exit_ || pid_ < 0) return exit_;
  const auto until = std::chrono::steady_clock::now() + limit;
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
    if (ended == pid_) return exit_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    if (ended < 0 && errno != EINTR) return exit_ = 127;
    if (std::chrono::steady_clock::now() >= until) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

std::string own_program() {
  constexpr const char* kSelf = "/proc/self/exe";
  std::error_code error;
  const auto path = std::filesystem::read_symlink(kSelf, error);
  // One that was replaced meanwhile, as by an upgrade, is still there under this name.
  return std::filesystem::exists(path, error) ? path.string() : kSelf;
}

}  // namespace opp2p::devnet
