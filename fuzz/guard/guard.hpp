// Ends the process when code that must be reproducible reads the real clock or real entropy. While a Guarded object
// lives, this thread may call none of: clock_gettime, gettimeofday, time, getrandom, getentropy, open or fopen of
// /dev/urandom and /dev/random, std::random_device, OpenSSL's generator. The first such call names itself on stderr and
// aborts. Outside of it, and on other threads, all of them work as ever.
//
// Linked (opp2p_guard) into every fuzz target and fuzz_replay, where it is on during each run of a target, and into
// sim_test, where the linker puts it around SimWorld::run_for and run_until. Sources take part in nothing: the
// functions are replaced at link time.
//
// Exceptions: libsodium seeds itself once, at its start, which the first Guarded brings about before it closes;
// OpenSSL's generator is refused as a whole, seeded or not; its libssl notes the time at which a TLS session began, and
// does nothing else with it here; libsecp256k1 draws nothing by itself. libFuzzer's handlers of signals may read the
// clock. What the kernel is not asked for (rdtsc, rdrand by hand) is not seen.
#pragma once

namespace libp2p::guard {

class Guarded {
 public:
  Guarded();
  ~Guarded();
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
};

}  // namespace libp2p::guard
