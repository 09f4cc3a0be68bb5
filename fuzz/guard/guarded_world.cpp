// What the linker calls in place of SimWorld::run_for and run_until (fuzz/guard/CMakeLists.txt says so): the same under
// the guard.
#include "guard.hpp"
#include "libp2p/runtime/sim/sim_world.hpp"

using libp2p::Nanos;
using libp2p::guard::Guarded;
using libp2p::runtime::SimWorld;

#define RUN_FOR "_ZN6libp2p7runtime8SimWorld7run_forENSt6chrono8durationIlSt5ratioILl1ELl1000000000EEEE"
#define RUN_UNTIL \
  "_ZN6libp2p7runtime8SimWorld9run_untilERKSt8functionIFbvEENSt6chrono8durationIlSt5ratioILl1ELl1000000000EEEE"

// A member function takes its object as the first argument.
void real_run_for(SimWorld* world, Nanos duration) __asm__("__real_" RUN_FOR);
void guarded_run_for(SimWorld* world, Nanos duration) __asm__("__wrap_" RUN_FOR);
bool real_run_until(SimWorld* world, const std::function<bool()>& done, Nanos limit) __asm__("__real_" RUN_UNTIL);
bool guarded_run_until(SimWorld* world, const std::function<bool()>& done, Nanos limit) __asm__("__wrap_" RUN_UNTIL);

void guarded_run_for(SimWorld* world, Nanos duration) {
  const Guarded guarded;
  real_run_for(world, duration);
}

bool guarded_run_until(SimWorld* world, const std::function<bool()>& done, Nanos limit) {
  const Guarded guarded;
  return real_run_until(world, done, limit);
}
