// Random scripts on a database and on the naive model (chain_machine_test.hpp). The fuzz target chain_tables plays them
// on the store in memory.
#include <gtest/gtest.h>

#include "opp2p/store/chain_machine_test.hpp"
#include "opp2p/store/store_test_support.hpp"

namespace opp2p {
namespace {

using namespace testing_store;

class StoreModel : public testing::TestWithParam<std::uint64_t> {
 protected:
  Played open(ChainMachine::Clock clock) {
    Played out;
    out.budget = GetParam();
    auto config = config_in(folder_.path() / std::to_string(round_));
    config.max_size = out.budget;
    config.wall = std::move(clock);
    out.store = LmdbStore::open(config, mailbox_.post()).value();
    out.run_one = [this] { mailbox_.run_one(); };
    out.reopen = [this, config](Played& played) {
      played.store.reset();  // which has the lock
      played.store = LmdbStore::open(config, mailbox_.post()).value();
    };
    return out;
  }

  Folder folder_{memory_folder()};
  Mailbox mailbox_;
  int round_ = 0;
};

TEST_P(StoreModel, a_database_does_what_the_naive_model_does) {
  libp2p::SeededRng rng(GetParam() + 1);
  for (; round_ < 4; ++round_) {
    Bytes bytes(800);
    rng.fill(bytes);
    libp2p::fuzzing::Script script(bytes);
    ChainMachine machine([this](ChainMachine::Clock clock) { return open(std::move(clock)); });
    while (!script.done()) machine.step(script);
  }
}

INSTANTIATE_TEST_SUITE_P(Budgets, StoreModel, testing::Values(0, 180'000, 120'000));

}  // namespace
}  // namespace opp2p
