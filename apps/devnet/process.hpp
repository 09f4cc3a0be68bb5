// A child process of the devnet. Its output goes to a file. It is ended by SIGTERM, and by SIGKILL after a time limit.
// When this process dies, the kernel ends the child. Thread: the caller's. Owner: one.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"

namespace opp2p::devnet {

class Process {
 public:
  // `command` is the program's path and its arguments. Standard output and error go to `log_path`, appended.
  static libp2p::Result<Process> start(const std::vector<std::string>& command, const std::string& log_path);
  ~Process();  // by force when it still runs
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;

  pid_t id() const { return pid_; }
  // Asks it to end (SIGTERM). wait() then answers whether it did.
  void terminate();
  void kill();
  // The exit code, or 128 + the signal's number; nothing when it still runs at the limit.
  std::optional<int> wait(libp2p::Nanos limit);
  bool running() { return !wait(libp2p::Nanos(0)); }

 private:
  explicit Process(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
  std::optional<int> exit_;
};

// The path of the running program, to start itself again.
std::string own_program();

}  // namespace opp2p::devnet
