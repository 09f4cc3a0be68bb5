// Blocks, folders and a mailbox for the tests of the block store.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <mutex>

#include "libp2p/base/rng.hpp"
#include "opp2p/store/lmdb_store.hpp"

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

// For tests that open thousands of databases and whose disk is Disk (store_test_disk.hpp): a real one would only make
// them wait.
inline fs::path memory_folder() { return fs::is_directory("/dev/shm") ? "/dev/shm" : fs::temp_directory_path(); }

class Folder {
 public:
  explicit Folder(const fs::path& parent = fs::temp_directory_path()) {
    std::string name = (parent / "opp2p-store-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

inline Hash hash_of(std::uint64_t number, std::uint8_t fork = 0) {
  Hash hash{};
  libp2p::store_be64(hash.data(), number * 0x9e3779b97f4a7c15u + 1);
  hash[31] = fork;
  return hash;
}

inline StoredBlock block_at(std::uint64_t number, std::size_t size = 300, std::uint8_t fork = 0) {
  StoredBlock block;
  block.number = number;
  block.hash = hash_of(number, fork);
  block.parent_hash = hash_of(number - 1);
  block.timestamp = 1000 + 2 * number;
  block.version = Version::v3;
  libp2p::SeededRng rng(number);
  Bytes body(size);
  rng.fill(body);
  block.body = libp2p::share(std::move(body));
  return block;
}

inline StagedRecord staged_at(std::uint64_t number, std::size_t size = 300) {
  return {Bytes{1, 2, 3}, block_at(number, size)};
}

inline LmdbStoreConfig config_in(const fs::path& folder) {
  LmdbStoreConfig config;
  config.folder = folder;
  config.chain = "901:0xabc";
  config.initial_map = 1 << 20;
  return config;
}

}  // namespace opp2p::testing_store
