#define OPENSSL_SUPPRESS_DEPRECATED  // RAND_METHOD is the one place that every draw of OpenSSL's own passes
#include "guard.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>

#include "libp2p/crypto/sodium.hpp"

namespace {

thread_local int depth = 0;

void note(const char* what) {
  if (depth == 0) return;
  depth = 0;  // what reports the abort may read the clock
  std::fprintf(stderr, "guard: %s was called where clock and entropy must come from outside (fuzz/guard/guard.hpp)\n",
               what);
  std::abort();
}

void note_path(const char* path) {
  if (path != nullptr && (std::strcmp(path, "/dev/urandom") == 0 || std::strcmp(path, "/dev/random") == 0)) note(path);
}

timespec real_time(clockid_t clock) {
  timespec out{};
  syscall(SYS_clock_gettime, clock, &out);
  return out;
}

bool real_entropy(void* out, std::size_t size) {
  for (auto* at = static_cast<unsigned char*>(out); size > 0;) {
    const long got = syscall(SYS_getrandom, at, size, 0);
    if (got < 0 && errno != EINTR) return false;
    if (got > 0) at += got, size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool is_libssl(const void* caller) {
  Dl_info found{};
  return dladdr(caller, &found) != 0 && found.dli_fname != nullptr && std::strstr(found.dli_fname, "libssl") != nullptr;
}

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

const RAND_METHOD& watched_generator() {
  static const RAND_METHOD method = [] {
    RAND_METHOD out = *RAND_OpenSSL();
    out.bytes = [](unsigned char* bytes, int size) {
      note("OpenSSL's RAND_bytes");
      return RAND_OpenSSL()->bytes(bytes, size);
    };
    out.pseudorand = out.bytes;
    return out;
  }();
  return method;
}

// libFuzzer reads the clock in its handlers of signals, which come on this thread in the middle of a run: the alarm, to
// see how long an input has run already, and those of a crash, for its report.
constexpr int kSignals[] = {SIGALRM, SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGINT, SIGTERM};
struct sigaction handlers[NSIG];

void on_signal(int signal, siginfo_t* info, void* context) {
  const int kept = depth;
  depth = 0;
  const auto& handler = handlers[signal];
  if ((handler.sa_flags & SA_SIGINFO) != 0) {
    handler.sa_sigaction(signal, info, context);
  } else {
    handler.sa_handler(signal);
  }
  depth = kept;
}

void let_handlers_through() {
  for (const int signal : kSignals) {
    struct sigaction& handler = handlers[signal];
    if (sigaction(signal, nullptr, &handler) != 0) continue;
    const bool plain = (handler.sa_flags & SA_SIGINFO) == 0;
    if (plain && (handler.sa_handler == SIG_DFL || handler.sa_handler == SIG_IGN)) continue;
    struct sigaction ours = handler;
    ours.sa_sigaction = on_signal;
    ours.sa_flags |= SA_SIGINFO;
    sigaction(signal, &ours, nullptr);
  }
}

bool prepare() {
  libp2p::crypto::ensure_sodium();
  let_handlers_through();
  return RAND_set_rand_method(&watched_generator()) == 1;
}

}  // namespace

namespace libp2p::guard {

Guarded::Guarded() {
  static const bool ready = prepare();
  if (!ready) std::abort();
  ++depth;
}

Guarded::~Guarded() { --depth; }

}  // namespace libp2p::guard

// These stand before the C library's own, for every caller in the process.
extern "C" {

int clock_gettime(clockid_t clock, timespec* out) noexcept {
  note("clock_gettime");
  return static_cast<int>(syscall(SYS_clock_gettime, clock, out));
}

int gettimeofday(timeval* out, void*) noexcept {
  note("gettimeofday");
  const timespec now = real_time(CLOCK_REALTIME);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* out) noexcept {
  if (depth == 0 || !is_libssl(__builtin_return_address(0))) note("time");
  const time_t now = real_time(CLOCK_REALTIME).tv_sec;
  if (out != nullptr) *out = now;
  return now;
}

ssize_t getrandom(void* out, size_t size, unsigned flags) {
  note("getrandom");
  return syscall(SYS_getrandom, out, size, flags);
}

int getentropy(void* out, size_t size) {
  note("getentropy");
  return real_entropy(out, size) ? 0 : -1;
}

int open(const char* path, int flags, ...) {
  note_path(path);
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

FILE* fopen(const char* path, const char* mode) {
  note_path(path);
  return next<FILE* (*)(const char*, const char*)>("fopen")(path, mode);
}

FILE* fopen64(const char* path, const char* mode) {
  note_path(path);
  return next<FILE* (*)(const char*, const char*)>("fopen64")(path, mode);
}
}

// libstdc++'s own, which takes the processor's instruction where there is one.
std::random_device::result_type std::random_device::_M_getval() {
  note("std::random_device");
  result_type out = 0;
  if (!real_entropy(&out, sizeof out)) std::abort();
  return out;
}
