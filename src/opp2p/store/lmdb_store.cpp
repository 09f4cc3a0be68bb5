#include "opp2p/store/lmdb_store.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "opp2p/store/lmdb_store_database.hpp"
#include "opstack/sync/wire/codec.hpp"

namespace opp2p {

// The thread that writes. What is put waits in `waiting`; the thread takes all of it at once.
struct LmdbStore::Writer {
  Writer(Database& d, const LmdbStoreConfig& c, Post p) : database(d), config(c), post(std::move(p)) {
    thread = std::thread([this] { run(); });
  }

  void add(StoreWrite item) {
    const std::size_t size = item.memory_bytes();
    std::optional<Error> refused;
    bool first = false;
    {
      const std::lock_guard lock(mutex);
      if (stopping) {
        refused = Error(Errc::closed, "the block store is closed");
      } else if (size > config.max_pending - std::min(pending, config.max_pending) && pending > 0) {
        refused =
            Error(Errc::exhausted, "more than " + std::to_string(config.max_pending) +
                                       " bytes wait for the disk; the block store takes no more until it catches up");
      } else {
        pending += size;
        waiting.push_back(std::move(item));
        first = waiting.size() == 1;  // later ones find the writer awake, or waiting for company
      }
    }
    if (refused) {
      post([done = std::move(item.done), error = *refused] {
        if (done) done(error);
      });
    } else if (first) {
      wake.notify_one();
    }
  }

  void stop() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    wake.notify_one();
    if (thread.joinable()) thread.join();
  }

  void run() {
    while (true) {
      std::vector<StoreWrite> batch = take();
      if (batch.empty()) return;
      std::size_t held = 0;
      for (const auto& item : batch) held += item.memory_bytes();
      if (batch.size() == 1 && worth_framing(batch[0])) batch[0].block = framed(std::move(batch[0].block));
      database.write(batch);
      {
        const std::lock_guard lock(mutex);
        pending -= held;
      }
      auto finished = std::make_shared<std::vector<StoreWrite>>(std::move(batch));
      post([finished] {
        for (auto& item : *finished)
          if (item.done) item.done(item.outcome);
      });
    }
  }

  static bool worth_framing(const StoreWrite& item) {
    constexpr std::size_t kSmall = 4096;
    return item.kind == StoreWrite::Kind::put && item.block.body.size() > kSmall &&
           item.block.body.size() <= opstack::sync::wire::kMaxDecompressed;
  }

  // Waits for the first write, and where the last batch is not long ago for company too; takes as much as one commit
  // may hold. Empty when stopped and nothing is left.
  std::vector<StoreWrite> take() {
    std::unique_lock lock(mutex);
    wake.wait(lock, [&] { return stopping || !waiting.empty(); });
    if (last_taken) {
      const auto next = *last_taken + std::min<Nanos>(config.commit_interval, libp2p::Millis(50));
      wake.wait_until(lock, next, [&] { return stopping; });
    }
    last_taken = std::chrono::steady_clock::now();
    const std::uint64_t most =
        config.max_size == 0 ? UINT64_MAX : std::max<std::uint64_t>(config.max_size / 16, 1 << 20);
    std::size_t count = 0;
    for (std::uint64_t bytes = 0; count < waiting.size(); ++count) {
      bytes += waiting[count].bytes();
      if (count > 0 && bytes > most) break;
    }
    if (count == waiting.size()) return std::exchange(waiting, {});
    const auto cut = waiting.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<StoreWrite> batch(std::make_move_iterator(waiting.begin()), std::make_move_iterator(cut));
    waiting.erase(waiting.begin(), cut);
    return batch;
  }

  Database& database;
  const LmdbStoreConfig config;
  const Post post;
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<StoreWrite> waiting;
  std::size_t pending = 0;  // bytes in `waiting` and in the batch that is being written
  bool stopping = false;
  std::optional<std::chrono::steady_clock::time_point> last_taken;  // of the thread alone
  std::thread thread;
};

Result<std::unique_ptr<LmdbStore>> LmdbStore::open(LmdbStoreConfig config, Post post) {
  OPP2P_TRY(auto database, Database::open(config));
  auto writer = std::make_unique<Writer>(*database, config, std::move(post));
  return std::unique_ptr<LmdbStore>(new LmdbStore(std::move(database), std::move(writer)));
}

LmdbStore::LmdbStore(std::unique_ptr<Database> database, std::unique_ptr<Writer> writer)
    : database_(std::move(database)), writer_(std::move(writer)) {}

LmdbStore::~LmdbStore() { close(); }

void LmdbStore::close() { writer_->stop(); }

const std::string& LmdbStore::recovered() const { return database_->recovered(); }

void LmdbStore::put(StoredBlock block, Done done) {
  StoreWrite item;
  item.kind = StoreWrite::Kind::put;
  item.block = std::move(block);
  item.done = std::move(done);
  writer_->add(std::move(item));
}

void LmdbStore::stage(std::uint64_t segment, StagedRecord record, Done done) {
  StoreWrite item;
  item.kind = StoreWrite::Kind::stage;
  item.segment = segment;
  item.staged = std::move(record);
  item.done = std::move(done);
  writer_->add(std::move(item));
}

void LmdbStore::drop_staged(std::uint64_t segment, Done done) {
  StoreWrite item;
  item.kind = StoreWrite::Kind::drop_staged;
  item.segment = segment;
  item.done = std::move(done);
  writer_->add(std::move(item));
}

Result<std::optional<StoredBlock>> LmdbStore::by_number(std::uint64_t number) const {
  return database_->by_number(number);
}

Result<std::optional<StoredBlock>> LmdbStore::as_stored(std::uint64_t number) const {
  return database_->as_stored(number);
}

Result<std::optional<StoredBlock>> LmdbStore::by_hash(const Hash& hash) const { return database_->by_hash(hash); }

Result<StoreSummary> LmdbStore::summary() const { return database_->summary(); }

Result<void> LmdbStore::for_each(std::uint64_t from, std::uint64_t to,
                                 const std::function<bool(const StoredBlock&)>& visit) const {
  return for_each_of(from, to, true, visit);
}

Result<void> LmdbStore::for_each_head(std::uint64_t from, std::uint64_t to,
                                      const std::function<bool(const StoredBlock&)>& visit) const {
  return for_each_of(from, to, false, visit);
}

Result<void> LmdbStore::for_each_of(std::uint64_t from, std::uint64_t to, bool with_bodies,
                                    const std::function<bool(const StoredBlock&)>& visit) const {
  // In short reads: a long one would keep the map from growing and freed pages from being used again.
  constexpr std::size_t kAtOnce = 16;
  while (from <= to) {
    OPP2P_TRY(const auto blocks, database_->range(from, to, kAtOnce, with_bodies));
    if (blocks.empty()) return {};
    for (const auto& block : blocks)
      if (!visit(block)) return {};
    if (blocks.back().number == UINT64_MAX) return {};
    from = blocks.back().number + 1;
  }
  return {};
}

Result<std::vector<StagedRecord>> LmdbStore::read_staged(std::uint64_t segment, std::uint64_t from,
                                                         std::size_t max_blocks, std::size_t max_bytes) const {
  return database_->read_staged(segment, from, max_blocks, max_bytes);
}

}  // namespace opp2p
