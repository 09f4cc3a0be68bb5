// Blocks, folders and a mailbox for the tests of the block store.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <stdexcept>

#include "libp2p/base/rng.hpp"
#include "opp2p/store/lmdb_store.hpp"
#include "testing/temporary_folder.hpp"

namespace opp2p::testing_store {

namespace fs = std::filesystem;

// Runs posted tasks when the test asks, and can wait for one to come.
class Mailbox {
 public:
  Post post() {
    return [this](std::function<void()> task) {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
      arrived_.notify_all();
    };
  }
  void run_one() {
    while (!run_one(std::chrono::seconds(1))) {
    }
  }
  // The same, but waits no longer than `limit`; whether there was one.
  bool run_one(std::chrono::milliseconds limit) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      if (!arrived_.wait_for(lock, limit, [&] { return !tasks_.empty(); })) return false;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
    return true;
  }
  void run_until(const std::function<bool()>& done) {
    while (!done()) run_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::function<void()>> tasks_;
};

// Callbacks run on the store's own thread, where that is all they need.
inline Post inline_post() {
  return [](const std::function<void()>& task) { task(); };
}

using testing_files::Folder;
using testing_files::memory_folder;

inline Hash hash_of(std::uint64_t number, std::uint8_t fork = 0) {
  Hash hash{};
  libp2p::store_be64(hash.data(), number * 0x9e3779b97f4a7c15u + 1);
  hash[31] = fork;
  return hash;
}

// A block of branch `fork`, whose parent is in branch `parent_fork`.
inline StoredBlock block_at(std::uint64_t number, std::size_t size = 300, std::uint8_t fork = 0,
                            std::uint8_t parent_fork = 0) {
  StoredBlock block;
  block.number = number;
  block.hash = hash_of(number, fork);
  block.parent_hash = hash_of(number - 1, parent_fork);
  block.timestamp = 1000 + 2 * number;
  block.version = Version::v3;
  libp2p::SeededRng rng(number + 1000 * fork);
  Bytes body(size);
  rng.fill(body);
  block.body = libp2p::share(std::move(body));
  return block;
}

// One that is what it says: its body decodes, and its hash is that of its header.
inline StoredBlock real_block(std::uint64_t number, const Hash& parent, std::size_t transaction = 100) {
  opstack::payload::Envelope envelope;
  auto& p = envelope.payload;
  p.block_number = number;
  p.parent_hash = parent;
  p.timestamp = 1000 + 2 * number;
  p.transactions = {Bytes(transaction, static_cast<std::uint8_t>(number))};
  p.block_hash = opstack::payload::compute_block_hash(envelope);
  return StoredBlock(opstack::payload::encode_block(
      Version::v1, std::make_shared<const opstack::payload::Envelope>(std::move(envelope))));
}

inline Attestation attestation_of(std::uint8_t signer, opstack::sync::Era era, std::int64_t seconds = 5000) {
  Attestation out;
  out.signature.fill(static_cast<std::uint8_t>(signer + 1));
  out.signer.fill(signer);
  out.era = era;
  out.arrived = libp2p::from_unix_seconds(seconds);
  return out;
}

// Writes and waits for the answer.
class Calls {
 public:
  Calls(BlockStore& store, Mailbox& mailbox) : store_(store), mailbox_(mailbox) {}

  template <class T>
  Result<T> wait(const std::function<void(BlockStore::Done<T>)>& start) {
    std::optional<Result<T>> outcome;
    start([&](Result<T> answer) { outcome = std::move(answer); });
    if (outcome) throw std::logic_error("called back within the call");
    mailbox_.run_until([&] { return outcome.has_value(); });
    return *outcome;
  }
  Result<KeptBlock> keep(const StoredBlock& block, const std::optional<Attestation>& attestation = std::nullopt) {
    return wait<KeptBlock>([&](auto done) { store_.keep(block, attestation, false, std::move(done)); });
  }
  Result<KeptBlock> extend(const StoredBlock& block, const std::optional<Attestation>& attestation = std::nullopt) {
    return wait<KeptBlock>([&](auto done) { store_.keep(block, attestation, true, std::move(done)); });
  }
  Result<MovedHead> move_head(const HeadMove& move) {
    return wait<MovedHead>([&](auto done) { store_.move_head(move, std::move(done)); });
  }
  Result<MovedHead> move_head(const StoredBlock& to, bool joined = true) {
    HeadMove move;
    move.to = to.ref();
    move.joined = joined;
    move.reason = joined ? OrphanReason::reorganised : OrphanReason::segment;
    return move_head(move);
  }
  Result<EraRecord> open_era(std::uint8_t signer, std::int64_t seconds) {
    opstack::rules::Address address;
    address.fill(signer);
    return wait<EraRecord>(
        [&](auto done) { store_.open_era(address, libp2p::from_unix_seconds(seconds), std::move(done)); });
  }
  Result<KeptBlock> start_at(std::uint64_t number) {
    return wait<KeptBlock>([&](auto done) { store_.start_at({number, hash_of(number), {}}, 1000, std::move(done)); });
  }
  Result<Rewound> rewind(std::uint64_t to, const std::optional<Hash>& deny = std::nullopt) {
    return wait<Rewound>([&](auto done) { store_.rewind(to, deny, std::move(done)); });
  }
  // Blocks of one branch, each the head in its turn.
  void extend_with(std::uint64_t from, std::uint64_t to, std::size_t size = 300, std::uint8_t fork = 0) {
    for (std::uint64_t n = from; n <= to; ++n)
      if (const auto kept = extend(block_at(n, size, fork, fork)); !kept)
        throw std::runtime_error("block " + std::to_string(n) + ": " + kept.error().message());
  }
  // A branch on block `from` - 1 of `base`, kept beside the chain.
  void branch_off(std::uint64_t from, std::uint64_t to, std::uint8_t fork, std::uint8_t base = 0,
                  std::size_t size = 300) {
    for (std::uint64_t n = from; n <= to; ++n)
      if (const auto kept = keep(block_at(n, size, fork, n == from ? base : fork)); !kept)
        throw std::runtime_error("block " + std::to_string(n) + ": " + kept.error().message());
  }

 private:
  BlockStore& store_;
  Mailbox& mailbox_;
};

inline LmdbStoreConfig config_in(const fs::path& folder) {
  LmdbStoreConfig config;
  config.folder = folder;
  config.chain = "901:0xabc";
  config.initial_map = 1 << 20;
  return config;
}

}  // namespace opp2p::testing_store
