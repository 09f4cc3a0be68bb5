// Gathers changes on the network thread and hands them to a Datastore in batches, on a worker, one batch at a time. Of
// each key only the newest value is kept. A batch starts when its oldest change has waited for `delay`, when half of
// the bound is used, or at once for put_now() and flush(). The changes of one call are in one batch, so all of them are
// written or none.
//
// Nothing is lost silently. A batch that fails is kept and tried again with back-off; a newer value of a key replaces
// the one that failed. When the datastore is full, the changes of calls that only erase are written by themselves, so
// that room can be made. That writing fails is told once, and once that it goes again. Overflow policy "refuse the
// newest": a call that does not fit answers Errc::exhausted, is counted, and changes nothing; the last eighth of the
// bound is kept for put_now().
//
// Reading: get() answers the newest value, written or not. Datastore::scan() sees only what is written: scan before the
// first change, or behind a flush().
//
// Owner: one part of a host or of a node; the Runtime outlives it. Two writers of one Datastore are fine when they
// write different keys. Destroying it drops what is not written, as the end of the process would: close() first.
// Thread: the network thread. Bounds: BatchWriterConfig, in changes and bytes, with those that are being written;
// kMaxWaiting callbacks. Re-entrancy: callbacks come from the runtime's queue and may do anything, also destroy the
// writer.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <variant>
#include <vector>

#include "libp2p/base/event_source.hpp"
#include "libp2p/base/life_token.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/runtime/runtime.hpp"
#include "libp2p/runtime/task.hpp"
#include "libp2p/storage/datastore.hpp"

namespace libp2p::storage {

struct BatchWriterConfig {
  Nanos delay = Seconds(3);  // the longest that a change waits for others
  std::size_t max_changes = 16384;
  std::size_t max_bytes = 8 << 20;  // of keys and values, with BatchWriter::kChangeCost for each
  Nanos first_retry = Seconds(1);   // after a batch has failed; then twice as long each time
  Nanos last_retry = Seconds(60);
};

// A batch could not be written: the first one since the start, or since WritesRecovered.
struct WritesFailing {
  Error error;
  std::size_t changes = 0;  // that wait now
};
// A batch was written again. `refused` calls did not fit meanwhile.
struct WritesRecovered {
  std::size_t changes = 0;  // that it wrote
  std::uint64_t refused = 0;
};
using BatchWriterEvent = std::variant<WritesFailing, WritesRecovered>;

struct BatchWriterCounters {
  std::uint64_t changes = 0;     // that were put
  std::uint64_t superseded = 0;  // of these, replaced by a newer value before they were written
  std::uint64_t written = 0;
  std::uint64_t batches = 0;         // that were written
  std::uint64_t failed_batches = 0;  // attempts
  std::uint64_t refused = 0;         // calls that did not fit
};

class BatchWriter {
 public:
  // The result is an error while the changes are not durable. They are kept then, unless the code is Errc::exhausted,
  // Errc::closed, Errc::invalid_argument or Errc::too_large with a text that says that they were refused.
  using Done = std::function<void(Result<void>)>;
  static constexpr std::size_t kChangeCost = 128;
  static constexpr std::size_t kMaxWaiting = 4096;

  BatchWriter(runtime::Runtime& runtime, std::shared_ptr<Datastore> store, BatchWriterConfig config = {});
  ~BatchWriter();
  BatchWriter(const BatchWriter&) = delete;
  BatchWriter& operator=(const BatchWriter&) = delete;

  // Written within `delay`. An error says that the changes were refused; nothing is changed then.
  Result<void> put(Change change);
  Result<void> put(std::vector<Change> changes);
  Result<void> erase(std::string key) { return put(Change{std::move(key), std::nullopt}); }
  // Written as soon as the batch before is. `done` when they are durable, or when the first attempt has failed.
  void put_now(Change change, Done done);
  void put_now(std::vector<Change> changes, Done done);
  // `done` when everything that was put before is durable, or when the attempt has failed.
  void flush(Done done);

  // The newest value, written or not. What is not in the writer is read from the datastore, within this call.
  Result<std::optional<Bytes>> get(std::string_view key) const;

  Subscription subscribe(std::function<void(const BatchWriterEvent&)> listener) {
    return events_.subscribe(std::move(listener));
  }

  // Takes no more changes, and writes those that wait, at most for `limit`. The error says how many are not written.
  runtime::Task<Result<void>> close(Nanos limit);

  const std::shared_ptr<Datastore>& store() const { return store_; }
  std::size_t changes() const;  // that are not written yet
  std::size_t bytes() const { return waiting_bytes_ + batch_bytes_; }
  const BatchWriterCounters& counters() const { return counters_; }
  void check() const;

 private:
  struct Batch;
  struct Waiting {
    std::optional<Bytes> value;
    bool frees = false;  // of a call that only erases
  };
  struct Waiter {
    Done done;
    bool frees = false;
  };

  Result<void> take(std::vector<Change> changes, std::size_t max_changes, std::size_t max_bytes);
  Result<void> check_room(const std::vector<Change>& changes, std::size_t max_changes, std::size_t max_bytes) const;
  void refuse(Done done, Error error);
  void wait(Done done, bool frees);
  void schedule();
  bool may_free() const;
  void write();
  void fill(Batch& batch, bool only_what_frees);
  void on_written(Batch& batch);
  void take_back(Batch& batch);

  runtime::Runtime& runtime_;
  const std::shared_ptr<Datastore> store_;
  const BatchWriterConfig config_;
  std::map<std::string, Waiting, std::less<>> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::vector<Waiter> callbacks_;  // of what waits
  std::shared_ptr<Batch> batch_;   // that is being written
  std::size_t batch_bytes_ = 0;
  bool urgent_ = false;
  bool failing_ = false;
  bool is_full_ = false;  // the datastore, when the last batch failed
  bool closed_ = false;
  MonoTime due_{};  // when what waits is to be written
  Nanos retry_;     // after the next failure
  MonoTime retry_at_{};
  std::uint64_t refused_before_ = 0;  // when writing began to fail
  BatchWriterCounters counters_;
  EventSource<BatchWriterEvent> events_;
  std::unique_ptr<runtime::Timer> timer_;
  LifeToken life_;
};

}  // namespace libp2p::storage
