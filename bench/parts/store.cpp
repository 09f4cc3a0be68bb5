// The cost of the block store's changes of the chain: once on a disk in memory (/dev/shm where there is one), so that
// what is measured is the work, and once in the folder for temporary files (TMPDIR), with the disk's syncs. The size is
// that of the bodies.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>

#include "libp2p/base/rng.hpp"
#include "opp2p/store/lmdb_store.hpp"

namespace {

using namespace opp2p;
namespace fs = std::filesystem;

constexpr std::uint64_t kDepth = 600;

Hash hash_of(std::uint64_t number, std::uint8_t fork) {
  Hash out{};
  libp2p::store_be64(out.data(), number * 0x9e3779b97f4a7c15u + 1);
  out[31] = fork;
  return out;
}

StoredBlock block_at(std::uint64_t number, std::uint8_t fork, const SharedBytes& body) {
  StoredBlock out;
  out.number = number;
  out.hash = hash_of(number, fork);
  out.parent_hash = hash_of(number - 1, number == 2 ? 0 : fork);
  out.body = body;
  return out;
}

// A store with two branches of kDepth blocks above block 1.
class Branches {
 public:
  Branches(std::size_t size, const fs::path& parent) {
    std::string name = (parent / "opp2p-bench-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    LmdbStoreConfig config;
    config.folder = folder_;
    config.chain = "901:0x00";
    store_ = LmdbStore::open(config, [](const std::function<void()>& task) { task(); }).value();
    Bytes body(size);
    libp2p::SeededRng(1).fill(body);
    const auto shared = libp2p::share(std::move(body));
    keep(block_at(1, 0, shared), true);
    for (std::uint64_t n = 2; n < 2 + kDepth; ++n) {
      keep(block_at(n, 0, shared), true);
      keep(block_at(n, 1, shared), false);
    }
  }
  ~Branches() {
    store_.reset();
    fs::remove_all(folder_);
  }
  Branches(const Branches&) = delete;
  Branches& operator=(const Branches&) = delete;

  void move_head(std::uint8_t fork) {
    HeadMove move;
    move.to = {1 + kDepth, hash_of(1 + kDepth, fork), {}};
    wait<MovedHead>([&](auto done) { store_->move_head(move, done); });
  }

 private:
  template <class T>
  void wait(const std::function<void(BlockStore::Done<T>)>& start) {
    std::mutex mutex;
    std::condition_variable told;
    std::optional<bool> outcome;
    start([&](const Result<T>& answer) {
      const std::lock_guard lock(mutex);
      outcome = answer.has_value();
      told.notify_one();
    });
    std::unique_lock lock(mutex);
    told.wait(lock, [&] { return outcome.has_value(); });
    if (!*outcome) std::abort();
  }
  void keep(const StoredBlock& block, bool extends_head) {
    wait<KeptBlock>([&](auto done) { store_->keep(block, std::nullopt, extends_head, done); });
  }

  fs::path folder_;
  std::unique_ptr<LmdbStore> store_;
};

// `most_ms` is the longest of all.
void reorganise(benchmark::State& state, const fs::path& folder) {
  Branches branches(static_cast<std::size_t>(state.range(0)), folder);
  std::uint8_t fork = 0;
  double most = 0;
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    branches.move_head(fork = fork == 0 ? 1 : 0);
    const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - begin;
    most = std::max(most, taken.count());
  }
  state.counters["most_ms"] = most;
}

void reorganisation_600_deep(benchmark::State& state) {
  reorganise(state, fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path());
}
BENCHMARK(reorganisation_600_deep)->Arg(1000)->Arg(100'000)->Unit(benchmark::kMillisecond)->UseRealTime();

void reorganisation_600_deep_on_disk(benchmark::State& state) { reorganise(state, fs::temp_directory_path()); }
BENCHMARK(reorganisation_600_deep_on_disk)->Arg(1000)->Arg(100'000)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
