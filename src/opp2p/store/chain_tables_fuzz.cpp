// A script of what a node asks of its store (chain_machine_test.hpp), played on the store in memory.
// store_model_test.cpp plays scripts on a database.
#include "opp2p/store/chain_machine_test.hpp"
#include "opp2p/store/memory_store.hpp"

namespace {

using namespace opp2p;
using namespace opp2p::testing_store;

Played open(std::uint8_t first, ChainMachine::Clock clock) {
  Played out;
  out.budget = first % 4 == 1 ? 60'000 : first % 4 == 2 ? 20'000 : first % 8 == 3 ? 4000 : 0;
  auto tasks = std::make_shared<std::vector<std::function<void()>>>();
  out.store = std::make_unique<MemoryStore>([tasks](std::function<void()> task) { tasks->push_back(std::move(task)); },
                                            out.budget, std::move(clock));
  out.run_one = [tasks] {
    require(tasks->size() == 1);
    tasks->front()();
    tasks->clear();
  };
  out.reopen = [](Played& played) { dynamic_cast<MemoryStore&>(*played.store).reopen(); };
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  libp2p::fuzzing::Script script(ByteView(data, std::min<std::size_t>(size, 1000)));
  const std::uint8_t first = script.next();
  ChainMachine machine([first](ChainMachine::Clock clock) { return open(first, std::move(clock)); });
  while (!script.done()) machine.step(script);
  return 0;
}
