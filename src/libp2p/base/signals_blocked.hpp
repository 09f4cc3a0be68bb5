// Blocks signals for the calling thread while it lives: a thread that is started meanwhile inherits that for good, so
// that signals come to other threads, and a pipe whose reader is gone (SIGPIPE) is an error of write(). Signals of
// faults stay, for they belong to the thread that runs into them. Owner: a scope. Thread: the one that made it.
#pragma once

#include <pthread.h>
#include <signal.h>

namespace libp2p {

class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    for (const int fault : {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE}) ::sigdelset(&all, fault);
    ::pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace libp2p
