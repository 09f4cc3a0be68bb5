// Standard output of the commands. Every write is complete, immediate and checked. After the first failure (a full
// disk, a reader that has ended, a closed descriptor) nothing more is written. failed() tells the command that it may
// stop, and main prints the error and ends with 1. The program ignores SIGPIPE.
//
// Owner: main, which passes it to the commands. Thread: one at a time. Bounds: none; a write blocks until the reader
// takes the bytes, or until give_up_when() says otherwise.
#pragma once

#include <functional>
#include <string_view>

#include "libp2p/base/result.hpp"

namespace opp2p {

class Output {
 public:
  explicit Output(int descriptor);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void write(std::string_view text);
  bool failed() const { return error_ != 0; }
  // Asked while a write waits for its reader. Null: never.
  void give_up_when(std::function<bool()> condition) { give_up_ = std::move(condition); }
  int descriptor() const { return descriptor_; }

  // Has the file system tell what it holds back until a file is closed. The first failure of all.
  libp2p::Result<void> finish();

 private:
  int descriptor_;
  // The same terminal, opened again without blocking: poll() calls a terminal ready that has room for one byte, and a
  // longer write then waits until it is read, deaf to give_up_when(). -1 for all else.
  int terminal_ = -1;
  int error_ = 0;  // an errno
  std::function<bool()> give_up_;
};

// Opens what is closed of the descriptors 0 to 2, so that no file or socket that is opened later becomes standard
// output. What is opened can be neither read nor written, so that the error stays. For main, before all else.
void hold_standard_descriptors();

}  // namespace opp2p
