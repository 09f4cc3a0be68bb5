#include "libp2p/storage/batch_writer.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/base/assert.hpp"

namespace libp2p::storage {

using runtime::Task;

namespace {

std::size_t cost(std::string_view key, const std::optional<Bytes>& value) {
  return BatchWriter::kChangeCost + key.size() + (value ? value->size() : 0);
}

std::size_t without_reserve(std::size_t bound) { return bound - bound / 8; }

bool only_erases(const std::vector<Change>& changes) {
  return std::all_of(changes.begin(), changes.end(), [](const Change& change) { return !change.value; });
}

}  // namespace

// Shared with the worker that writes it. The changes are read on both threads and changed on none meanwhile.
struct BatchWriter::Batch {
  std::vector<Change> changes;  // by key
  std::vector<bool> frees;      // of each change
  bool only_frees = false;      // others wait
  std::vector<Done> callbacks;
  Result<void> outcome;  // written by the worker
};

BatchWriter::BatchWriter(runtime::Runtime& runtime, std::shared_ptr<Datastore> store, BatchWriterConfig config)
    : runtime_(runtime),
      store_(std::move(store)),
      config_(config),
      retry_(config.first_retry),
      timer_(runtime.make_timer([this] { write(); })) {
  OPP2P_ASSERT(store_ != nullptr, "a batch writer has a datastore");
}

BatchWriter::~BatchWriter() = default;

// ---- what is put ----

Result<void> BatchWriter::check_room(const std::vector<Change>& changes, std::size_t max_changes,
                                     std::size_t max_bytes) const {
  std::size_t more_changes = 0;
  std::size_t more_bytes = 0;
  for (const Change& change : changes) {
    const auto found = waiting_.find(change.key);
    more_bytes += cost(change.key, change.value);
    if (found == waiting_.end()) {
      ++more_changes;
    } else {
      more_bytes -= std::min(more_bytes, cost(found->first, found->second.value));
    }
  }
  if (this->changes() + more_changes <= max_changes && bytes() + more_bytes <= max_bytes) return {};
  return fail(Errc::exhausted, std::to_string(this->changes()) + " changes with " + std::to_string(bytes()) +
                                   " bytes wait for the datastore, which are as many as may; the new ones are refused");
}

Result<void> BatchWriter::take(std::vector<Change> changes, std::size_t max_changes, std::size_t max_bytes) {
  if (closed_) return fail(Errc::closed, "the writer of the datastore is closed; the changes are refused");
  OPP2P_TRYV(check_changes(changes));
  if (auto room = check_room(changes, max_changes, max_bytes); !room) {
    ++counters_.refused;
    return room;
  }
  if (waiting_.empty()) due_ = runtime_.now().mono + config_.delay;
  const bool frees = only_erases(changes);
  for (Change& change : changes) {
    ++counters_.changes;
    waiting_bytes_ += cost(change.key, change.value);
    auto [at, is_new] = waiting_.try_emplace(std::move(change.key));
    if (!is_new) {
      ++counters_.superseded;
      waiting_bytes_ -= cost(at->first, at->second.value);
    }
    at->second = {std::move(change.value), frees};
  }
  if (waiting_.size() >= max_changes / 2 || waiting_bytes_ >= max_bytes / 2) due_ = runtime_.now().mono;
  return {};
}

Result<void> BatchWriter::put(Change change) {
  std::vector<Change> changes;
  changes.push_back(std::move(change));
  return put(std::move(changes));
}

Result<void> BatchWriter::put(std::vector<Change> changes) {
  OPP2P_TRYV(take(std::move(changes), without_reserve(config_.max_changes), without_reserve(config_.max_bytes)));
  schedule();
  return {};
}

void BatchWriter::put_now(Change change, Done done) {
  std::vector<Change> changes;
  changes.push_back(std::move(change));
  put_now(std::move(changes), std::move(done));
}

void BatchWriter::put_now(std::vector<Change> changes, Done done) {
  if (callbacks_.size() >= kMaxWaiting) {
    ++counters_.refused;
    return refuse(std::move(done), fail(Errc::exhausted, std::to_string(kMaxWaiting) +
                                                             " callers wait for the datastore; the change is refused"));
  }
  const bool frees = only_erases(changes);
  if (auto taken = take(std::move(changes), config_.max_changes, config_.max_bytes); !taken)
    return refuse(std::move(done), taken.error());
  wait(std::move(done), frees);
}

void BatchWriter::refuse(Done done, Error error) {
  if (!done) return;
  runtime_.post(life_.guard([done = std::move(done), error = std::move(error)] { done(error); }));
}

void BatchWriter::flush(Done done) { wait(std::move(done), false); }

void BatchWriter::wait(Done done, bool frees) {
  if (!waiting_.empty()) {
    urgent_ = true;
    if (done) callbacks_.push_back({std::move(done), frees});
    return schedule();
  }
  if (!done) return;
  if (batch_) {
    batch_->callbacks.push_back(std::move(done));
  } else {
    runtime_.post(life_.guard([done = std::move(done)] { done({}); }));
  }
}

// ---- writing ----

void BatchWriter::schedule() {
  if (batch_) return;
  if (waiting_.empty()) return timer_->disarm();
  if (urgent_) return write();
  timer_->arm(std::max(due_, retry_at_));
}

void BatchWriter::write() {
  OPP2P_ASSERT(!batch_ && !waiting_.empty(), "one batch is written at a time, and none without changes");
  timer_->disarm();
  batch_ = std::make_shared<Batch>();
  fill(*batch_, is_full_ && may_free());
  urgent_ = false;
  runtime_.run_on_worker([batch = batch_, store = store_] { batch->outcome = store->apply(batch->changes); },
                         life_.guard([this, batch = batch_] { on_written(*batch); }));
}

// Whether some of what waits makes room, and not all of it.
bool BatchWriter::may_free() const {
  const auto frees = std::count_if(waiting_.begin(), waiting_.end(), [](const auto& one) { return one.second.frees; });
  return frees > 0 && static_cast<std::size_t>(frees) < waiting_.size();
}

void BatchWriter::fill(Batch& batch, bool only_what_frees) {
  batch.only_frees = only_what_frees;
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    const auto next = std::next(at);
    if (!only_what_frees || at->second.frees) {
      auto entry = waiting_.extract(at);
      auto& [value, frees] = entry.mapped();
      batch_bytes_ += cost(entry.key(), value);
      batch.changes.push_back({std::move(entry.key()), std::move(value)});
      batch.frees.push_back(frees);
    }
    at = next;
  }
  waiting_bytes_ -= batch_bytes_;
  std::vector<Waiter> others;
  for (Waiter& waiter : callbacks_) {
    if (!only_what_frees || waiter.frees)
      batch.callbacks.push_back(std::move(waiter.done));
    else
      others.push_back(std::move(waiter));
  }
  callbacks_ = std::move(others);
}

void BatchWriter::on_written(Batch& batch) {
  OPP2P_ASSERT(batch_.get() == &batch, "the batch that ends is the one that is being written");
  const auto kept = std::exchange(batch_, nullptr);
  const Result<void> outcome = batch.outcome;
  std::optional<BatchWriterEvent> told;
  if (outcome) {
    ++counters_.batches;
    counters_.written += batch.changes.size();
    batch_bytes_ = 0;
    is_full_ = false;
    retry_ = config_.first_retry;
    retry_at_ = {};
    if (!batch.only_frees && std::exchange(failing_, false))
      told = WritesRecovered{batch.changes.size(), counters_.refused - refused_before_};
  } else {
    ++counters_.failed_batches;
    take_back(batch);
    is_full_ = outcome.error() == Errc::exhausted;
    due_ = runtime_.now().mono;
    retry_at_ = due_ + retry_;
    retry_ = std::min(2 * retry_, config_.last_retry);
    if (!std::exchange(failing_, true)) {
      refused_before_ = counters_.refused;
      told = WritesFailing{outcome.error(), changes()};
    }
    if (is_full_ && !batch.only_frees && may_free()) urgent_ = true;
  }
  schedule();
  const LifeWatch life = life_.watch();
  if (told) events_.emit(*told);
  for (const Done& done : batch.callbacks) {
    if (!life) return;
    done(outcome);
  }
}

// What was put meanwhile is newer.
void BatchWriter::take_back(Batch& batch) {
  batch_bytes_ = 0;
  for (std::size_t i = 0; i < batch.changes.size(); ++i) {
    Change& change = batch.changes[i];
    const std::size_t bytes = cost(change.key, change.value);
    const auto [at, is_new] =
        waiting_.try_emplace(std::move(change.key), Waiting{std::move(change.value), batch.frees[i]});
    if (is_new) {
      waiting_bytes_ += bytes;
    } else {
      ++counters_.superseded;
    }
  }
}

// ---- reading ----

std::size_t BatchWriter::changes() const { return waiting_.size() + (batch_ ? batch_->changes.size() : 0); }

Result<std::optional<Bytes>> BatchWriter::get(std::string_view key) const {
  if (const auto found = waiting_.find(key); found != waiting_.end()) return found->second.value;
  if (batch_) {
    const auto& changes = batch_->changes;
    const auto at = std::lower_bound(changes.begin(), changes.end(), key,
                                     [](const Change& change, std::string_view k) { return change.key < k; });
    if (at != changes.end() && at->key == key) return at->value;
  }
  return store_->get(key);
}

// ---- the end ----

Task<Result<void>> BatchWriter::close(Nanos limit) {
  closed_ = true;
  const MonoTime deadline = runtime_.now().mono + limit;
  const auto outcome = std::make_shared<std::optional<Result<void>>>();
  const auto ended = std::make_shared<runtime::Event>(runtime_);
  const LifeWatch life = life_.watch();
  flush([outcome, ended](const Result<void>& result) {
    *outcome = result;
    ended->signal();
  });
  const Result<void> waited = co_await ended->wait_until(deadline);
  if (!life) co_return fail(Errc::cancelled, "the writer of the datastore ended before it was closed");
  timer_->disarm();
  if (*outcome && **outcome) co_return Result<void>();
  const Error why = *outcome ? (*outcome)->error() : waited ? Error(Errc::cancelled) : waited.error();
  co_return why.within("closing the writer of the datastore, " + std::to_string(changes()) +
                       " changes are not written");
}

void BatchWriter::check() const {
  std::size_t bytes = 0;
  for (const auto& [key, waiting] : waiting_) bytes += cost(key, waiting.value);
  OPP2P_CHECK(bytes == waiting_bytes_, "the bytes of what waits are counted", bytes, waiting_bytes_);
  bytes = 0;
  if (batch_)
    for (const Change& change : batch_->changes) bytes += cost(change.key, change.value);
  OPP2P_CHECK(bytes == batch_bytes_, "the bytes of the batch are counted", bytes, batch_bytes_);
  OPP2P_CHECK(changes() <= config_.max_changes && this->bytes() <= config_.max_bytes, "the writer is bounded",
              changes(), this->bytes());
  OPP2P_CHECK(callbacks_.empty() || !waiting_.empty(), "who waits waits for a change");
  OPP2P_CHECK(counters_.changes == counters_.written + counters_.superseded + changes(),
              "each change was written, replaced or waits", counters_.changes, counters_.written, counters_.superseded,
              changes());
}

}  // namespace libp2p::storage
