#include "opp2p/store/lmdb_store.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "opp2p/store/chain_check.hpp"
#include "opp2p/store/lmdb_store_database.hpp"

namespace opp2p {

// The thread that writes. What is given waits in `waiting`; the thread takes all of it at once.
struct LmdbStore::Writer {
  Writer(Database& d, const LmdbStoreConfig& c, Post p) : database(d), config(c), post(std::move(p)) {
    thread = std::thread([this] { run(); });
  }

  void add(std::unique_ptr<StoreWrite> item) {
    const std::size_t size = item->memory_bytes();
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
      item->fail(*refused);
      post([item = std::shared_ptr<StoreWrite>(std::move(item))] { item->answer(); });
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
      StoreWrites batch = take();
      if (batch.empty()) return;
      std::size_t held = 0;
      for (const auto& item : batch) held += item->memory_bytes();
      for (const auto& item : batch) item->prepare(batch.size() == 1);
      database.write(batch);
      {
        const std::lock_guard lock(mutex);
        pending -= held;
      }
      auto finished = std::make_shared<StoreWrites>(std::move(batch));
      post([finished] {
        for (auto& item : *finished) item->answer();
      });
    }
  }

  // Waits for the first write, and where the last batch is not long ago for company too; takes as much as one commit
  // may hold. Empty when stopped and nothing is left.
  StoreWrites take() {
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
      bytes += waiting[count]->bytes();
      if (count > 0 && bytes > most) break;
    }
    if (count == waiting.size()) return std::exchange(waiting, {});
    const auto cut = waiting.begin() + static_cast<std::ptrdiff_t>(count);
    StoreWrites batch(std::make_move_iterator(waiting.begin()), std::make_move_iterator(cut));
    waiting.erase(waiting.begin(), cut);
    return batch;
  }

  Database& database;
  const LmdbStoreConfig config;
  const Post post;
  std::mutex mutex;
  std::condition_variable wake;
  StoreWrites waiting;
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

void LmdbStore::keep(StoredBlock block, std::optional<Attestation> attestation, bool extends_head,
                     Done<KeptBlock> done) {
  writer_->add(std::make_unique<KeepWrite>(std::move(block), std::move(attestation), extends_head, std::move(done)));
}

void LmdbStore::move_head(const HeadMove& move, Done<MovedHead> done) {
  writer_->add(move_head_write(move, std::move(done)));
}

void LmdbStore::open_era(const opstack::rules::Address& signer, UnixTime now, Done<EraRecord> done) {
  writer_->add(open_era_write(signer, now, std::move(done)));
}

void LmdbStore::start_at(const BlockRef& genesis, std::uint64_t timestamp, Done<KeptBlock> done) {
  writer_->add(start_at_write(genesis, timestamp, std::move(done)));
}

void LmdbStore::rewind(std::uint64_t to, const std::optional<Hash>& deny, Done<Rewound> done) {
  writer_->add(rewind_write(to, deny, std::move(done)));
}

void LmdbStore::allow(const Hash& hash, Done<std::uint64_t> done) {
  writer_->add(small_write<std::uint64_t>([hash](ChainWriter& chain) { return chain.allow(hash); }, std::move(done)));
}

Result<std::optional<StoredBlock>> LmdbStore::as_stored(std::uint64_t number) const {
  return database_->read([&](const ChainReader& chain, const TableTxn&) { return chain.as_stored(number); });
}

Result<std::optional<StoredBlock>> LmdbStore::by_number(std::uint64_t number) const {
  OPP2P_TRY(auto stored, as_stored(number));
  if (!stored) return stored;
  OPP2P_TRY(auto block, unframed(*std::move(stored)));
  return std::optional<StoredBlock>(std::move(block));
}

Result<std::optional<FoundBlock>> LmdbStore::by_hash(const Hash& hash) const {
  OPP2P_TRY(auto found,
            database_->read([&](const ChainReader& chain, const TableTxn&) { return chain.by_hash(hash); }));
  if (!found) return found;
  OPP2P_TRY(found->block, unframed(std::move(found->block)));
  return found;
}

Result<StoreSummary> LmdbStore::summary() const {
  OPP2P_TRY(auto out, database_->read([](const ChainReader& chain, const TableTxn&) { return chain.summary(); }));
  out.pruned = database_->pruned();
  return out;
}

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
  std::optional<Hash> after;
  while (from <= to) {
    OPP2P_TRY(const auto blocks, database_->read([&](const ChainReader& chain, const TableTxn&) {
      return chain.range(from, to, kAtOnce, with_bodies, after);
    }));
    if (blocks.empty()) return {};
    for (const auto& block : blocks)
      if (!visit(block)) return {};
    if (blocks.back().number == UINT64_MAX) return {};
    from = blocks.back().number + 1;
    after = blocks.back().hash;
  }
  return {};
}

Result<ChainView> LmdbStore::view(std::size_t window) const {
  return database_->read(
      [&](const ChainReader& chain, const TableTxn&) { return chain.view(window, database_->now()); });
}

Result<Descent> LmdbStore::descend(const BlockRef& from) const {
  return database_->read([&](const ChainReader& chain, const TableTxn&) { return chain.descend(from); });
}

Result<StoreCheck> LmdbStore::check(const CheckDepth& depth) const {
  return database_->read([&](const ChainReader&, const TableTxn& txn) { return check_chain(txn, depth); });
}

UnixTime system_time() {
  return UnixTime(std::chrono::duration_cast<Nanos>(std::chrono::system_clock::now().time_since_epoch()));
}

std::string summary_text(const StoreSummary& summary) {
  if (!summary.head) {
    return summary.orphans == 0 ? "no blocks"
                                : "no canonical block; " + std::to_string(summary.orphans) + " other blocks";
  }
  const std::string head = "head " + std::to_string(summary.head->number) + " " + libp2p::to_hex0x(summary.head->hash);
  std::string out = "no blocks but genesis, " + head;
  if (summary.lowest) {
    out = std::to_string(summary.blocks) + " blocks, " + std::to_string(*summary.lowest) + " to " +
          std::to_string(summary.head->number) + ", head " + libp2p::to_hex0x(summary.head->hash);
  }
  const std::size_t holes = summary.segments.size() - 1;
  if (holes > 0) out += "; " + std::to_string(holes) + (holes == 1 ? " hole (" : " holes (");
  for (std::size_t i = 0; i < holes; ++i) {
    const std::uint64_t first = summary.segments[i].highest + 1;
    const std::uint64_t last = summary.segments[i + 1].lowest.number - 1;
    if (i == 3) out += ", ...";
    if (i >= 3) continue;
    out += (i > 0 ? ", " : "") +
           (first > last ? "below " + std::to_string(first) : std::to_string(first) + " to " + std::to_string(last));
  }
  if (holes > 0) out += ")";
  if (summary.orphans > 0) out += "; " + std::to_string(summary.orphans) + " blocks that are not canonical";
  return out;
}

}  // namespace opp2p
