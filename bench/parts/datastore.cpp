// The cost of what a host remembers: the scores of 100 peers, written peer by peer (as op-node does every slot, though
// without a sync) and in one batch, in the datastore in LMDB. In memory (/dev/shm where there is one), so that what is
// measured is the work, and in the folder for temporary files (TMPDIR), with the disk's syncs.
#include <benchmark/benchmark.h>

#include <filesystem>

#include "libp2p/storage/lmdb/lmdb_datastore.hpp"

namespace {

namespace fs = std::filesystem;
using libp2p::Bytes;
using libp2p::storage::Change;
using libp2p::storage::LmdbDatastore;

constexpr std::size_t kPeers = 100;
constexpr std::size_t kScoreBytes = 330;  // of the JSON of a score

class ScoreFolder {
 public:
  explicit ScoreFolder(const fs::path& parent) {
    std::string name = (parent / "opp2p-bench-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~ScoreFolder() { fs::remove_all(path_); }
  ScoreFolder(const ScoreFolder&) = delete;
  ScoreFolder& operator=(const ScoreFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

fs::path parent_of(bool on_disk) {
  return !on_disk && fs::is_directory("/dev/shm") ? "/dev/shm" : fs::temp_directory_path();
}

void write_scores(benchmark::State& state, std::size_t at_once) {
  const ScoreFolder folder(parent_of(state.range(0) != 0));
  const auto store = LmdbDatastore::open(folder.path()).value();
  std::vector<Change> changes(kPeers);
  std::uint8_t slot = 0;
  for (auto _ : state) {
    ++slot;
    for (std::size_t i = 0; i < kPeers; ++i)
      changes[i] = {"/peers/scores/" + std::string(60, 'A') + std::to_string(i), Bytes(kScoreBytes, slot)};
    for (std::size_t i = 0; i < kPeers; i += at_once)
      if (!store->apply(std::span(changes).subspan(i, at_once))) return state.SkipWithError("the disk refuses");
  }
}

void scores_peer_by_peer(benchmark::State& state) { write_scores(state, 1); }
void scores_in_one_batch(benchmark::State& state) { write_scores(state, kPeers); }

BENCHMARK(scores_peer_by_peer)->ArgName("disk")->Arg(0)->Arg(1)->UseRealTime();
BENCHMARK(scores_in_one_batch)->ArgName("disk")->Arg(0)->Arg(1)->UseRealTime();

}  // namespace
