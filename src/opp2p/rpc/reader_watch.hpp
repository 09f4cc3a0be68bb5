// Tells when the reader of a pipe has ended, also while nothing is written to it: a daemon whose log nobody reads any
// more has no other way to learn of it. What has a name (a FIFO, a file, a terminal) is not watched: a reader may come
// back.
//
// Owner: who wants to know. Thread: one of its own, which sleeps until it happens, and from which it tells, once; it
// has ended when the destructor returns.
#pragma once

#include <functional>
#include <thread>

namespace opp2p {

class ReaderWatch {
 public:
  // The descriptor stays the caller's.
  ReaderWatch(int descriptor, std::function<void()> gone);
  ~ReaderWatch();
  ReaderWatch(const ReaderWatch&) = delete;
  ReaderWatch& operator=(const ReaderWatch&) = delete;

 private:
  int stop_ = -1;  // an eventfd
  std::thread thread_;
};

}  // namespace opp2p
