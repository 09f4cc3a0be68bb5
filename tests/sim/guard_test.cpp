// That a simulation which reads the real clock or real entropy does not pass unseen.
#include "guard.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/rand.h>
#include <sodium.h>
#include <sys/random.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <random>

#include "libp2p/runtime/entropy.hpp"
#include "libp2p/runtime/sim/sim_world.hpp"
#include "opstack/testing/chain_builder.hpp"
#include "sim/sim_network.hpp"

namespace libp2p::guard {
namespace {

struct Forbidden {
  const char* named;  // in the message
  void (*call)();
};

const Forbidden kForbidden[] = {
    {"clock_gettime", [] { static_cast<void>(std::chrono::system_clock::now()); }},
    {"clock_gettime", [] { static_cast<void>(std::chrono::steady_clock::now()); }},
    {"gettimeofday",
     [] {
       timeval now{};
       gettimeofday(&now, nullptr);
     }},
    {"time", [] { static_cast<void>(std::time(nullptr)); }},
    {"getrandom",
     [] {
       char byte = 0;
       static_cast<void>(getrandom(&byte, 1, 0));
     }},
    {"getentropy",
     [] {
       char byte = 0;
       static_cast<void>(getentropy(&byte, 1));
     }},
    {"/dev/urandom", [] { static_cast<void>(open("/dev/urandom", O_RDONLY)); }},
    {"/dev/random", [] { static_cast<void>(std::fopen("/dev/random", "r")); }},
    {"std::random_device", [] { static_cast<void>(std::random_device()()); }},
    {"RAND_bytes",
     [] {
       unsigned char byte = 0;
       RAND_bytes(&byte, 1);
     }},
    {"RAND_bytes", [] { static_cast<void>(runtime::SystemRng().next_u64()); }},
    {"getrandom|getentropy", [] { static_cast<void>(randombytes_random()); }},
};

TEST(Guard, ends_whatever_reads_the_clock_or_entropy_inside) {
  for (const auto& forbidden : kForbidden) {
    EXPECT_DEATH(
        {
          const Guarded guarded;
          forbidden.call();
        },
        forbidden.named);
  }
}

TEST(Guard, hinders_nothing_outside) {
  {
    const Guarded guarded;
  }
  for (const auto& forbidden : kForbidden) forbidden.call();
  EXPECT_GT(std::chrono::system_clock::now().time_since_epoch(), std::chrono::hours(24 * 365 * 50));
  EXPECT_NE(runtime::SystemRng().next_u64(), runtime::SystemRng().next_u64());
  EXPECT_NE(std::random_device()(), std::random_device()());  // wrong once in four billion runs
}

TEST(Guard, is_on_while_a_simulated_world_runs) {
  runtime::SimWorld world(1);
  world.at(world.now(), [] { static_cast<void>(std::chrono::steady_clock::now()); });
  EXPECT_DEATH(world.run_for(Seconds(1)), "clock_gettime");
  EXPECT_DEATH(world.run_until([] { return false; }, Seconds(1)), "clock_gettime");
}

TEST(Guard, lets_simulated_nodes_write_their_log_which_has_the_worlds_time) {
  SeededRng rng(1);
  opstack::testing::ChainOptions options;
  options.genesis_time = 1'760'000'000;
  opstack::testing::ChainBuilder chain(options, rng);
  opp2p::sim::SimNetwork network(1, opstack::chain::RollupConfig::from_json(chain.rollup_config()).value(),
                                 crypto::secp256k1::generate(rng), from_unix_seconds(1'760'000'000));
  network.set_log_level("info");
  testing::internal::CaptureStderr();
  ASSERT_TRUE(network.add({}));
  network.world().run_for(Seconds(1));
  network.close();
  const auto said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("0 t=2025-10-09T08:53:20.000Z lvl=info component=gossip msg=\"joined topic\""), said.npos)
      << said;
}

}  // namespace
}  // namespace libp2p::guard
