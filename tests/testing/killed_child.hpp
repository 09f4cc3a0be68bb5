// Runs a disabled test of this program as a child in a process of its own, kills it after a while, and answers what it
// told: for tests of what a kill -9 leaves on the disk. Owner: a test. Thread: any.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace testing_files {

inline constexpr int kToldOn = 9;  // the child's descriptor for what it tells
inline constexpr char kChildFolder[] = "OPP2P_CHILD_FOLDER";

// How often a test kills: OPP2P_KILLS, or 8.
inline int kills() {
  const char* text = std::getenv("OPP2P_KILLS");
  return text == nullptr ? 8 : std::atoi(text);
}

// In the child: tells a record. All records of a child have the same size.
inline void tell(const void* record, std::size_t size) {
  if (::write(kToldOn, record, size) != static_cast<ssize_t>(size)) ::_exit(4);
}

// Runs the child for about `lifetime` after it first told something, kills it, and answers what it told. `test` is its
// full name; it finds `folder` in the environment.
inline std::vector<std::uint8_t> run_and_kill(const std::string& test, const std::filesystem::path& folder,
                                              std::chrono::microseconds lifetime, std::size_t record) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ::setenv(kChildFolder, folder.c_str(), 1);
  const std::string filter = "--gtest_filter=" + test;
  const pid_t child = ::fork();
  if (child == 0) {
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(ends[1], kToldOn);
    ::dup2(null, STDOUT_FILENO);
    ::dup2(null, STDERR_FILENO);
    const char* arguments[] = {"killed_child", "--gtest_also_run_disabled_tests", filter.c_str(), nullptr};
    ::execv("/proc/self/exe", const_cast<char* const*>(arguments));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    ::_exit(7);
  }
  ::unsetenv(kChildFolder);
  ::close(ends[1]);
  std::vector<std::uint8_t> told(record);
  EXPECT_EQ(::read(ends[0], told.data(), record), static_cast<ssize_t>(record)) << "the child told nothing";
  const auto end = std::chrono::steady_clock::now() + lifetime;
  // It is killed even if it tells nothing any more.
  std::thread killer([&] {
    std::this_thread::sleep_until(end);
    ::kill(child, SIGKILL);
  });
  std::uint8_t buffer[4096];
  for (ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) told.insert(told.end(), buffer, buffer + n);
  killer.join();
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with status " << status;
  told.resize(told.size() - told.size() % record);  // each was written by one call, so the last one is whole
  return told;
}

}  // namespace testing_files
