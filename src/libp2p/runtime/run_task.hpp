// Runs one coroutine to its end on a loop that is otherwise idle, for tests, examples and short commands. `Loop` is an
// AsioRuntime or a SimWorld. Thread: the network thread, outside of any callback.
#pragma once

#include "libp2p/runtime/task.hpp"

namespace libp2p::runtime {

// False when `limit` passed first; the task is destroyed then.
template <class Loop>
bool run_task(Loop& loop, Runtime& runtime, Task<void> task, Nanos limit) {
  TaskScope scope(runtime);
  scope.spawn(std::move(task));
  return loop.run_until([&scope] { return scope.running() == 0; }, limit);
}

}  // namespace libp2p::runtime
