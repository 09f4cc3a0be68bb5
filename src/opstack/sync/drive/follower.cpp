#include "opstack/sync/drive/follower.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace opstack::sync {

std::optional<BlockRef> starting_point(const chain::RollupConfig& rollup, libp2p::UnixTime now, Nanos reach) {
  // In seconds: a time from a file may be beyond what a clock of nanoseconds can hold.
  const std::int64_t seconds = libp2p::unix_seconds(now);
  const auto limit = static_cast<std::uint64_t>(std::chrono::duration_cast<libp2p::Seconds>(reach).count());
  const auto elapsed = static_cast<std::uint64_t>(std::max<std::int64_t>(seconds, 0));
  if (elapsed > rollup.genesis.l2_time && elapsed - rollup.genesis.l2_time > limit) return std::nullopt;
  BlockRef genesis;
  genesis.number = rollup.genesis.l2.number;
  genesis.hash = rollup.genesis.l2.hash;
  return genesis;
}

Follower::Follower(libp2p::Host& host, const chain::RollupConfig& rollup, ChainStore& store, FollowerConfig config,
                   std::optional<BlockRef> head)
    : host_(host),
      rollup_(rollup),
      store_(store),
      config_(config),
      start_(head),
      chain_(UnsafeChainConfig{config.memory / 2}, head),
      stored_head_(head),
      timer_(host.runtime().make_timer([this] {
        check_at_.reset();
        check_gap();
      })) {
  if (config_.req_resp) {
    SyncClientConfig client = config_.client;
    client.scheduler.max_bytes = config_.memory - config_.memory / 2;
    auto deliver = [this](const PeerId& peer, Block block) { on_block(peer, std::move(block)); };
    client_ = std::make_unique<SyncClient>(host_, rollup_, store_, client, std::move(deliver), events_);
  }
  arm(interval());
}

Follower::~Follower() = default;

libp2p::runtime::Task<void> Follower::close() {
  closed_ = true;
  timer_->disarm();
  if (client_) co_await client_->close();
}

Nanos Follower::interval() const {
  if (config_.check_interval > Nanos(0)) return config_.check_interval;
  return libp2p::Seconds(2 * static_cast<std::int64_t>(std::max<std::uint64_t>(1, rollup_.block_time)));
}

void Follower::arm(Nanos delay) {
  check_at_ = host_.runtime().now().mono + delay;
  timer_->arm(*check_at_);
}

// ---- blocks ----

void Follower::on_block(const PeerId& peer, Block block, Done done) {
  if (closed_) {
    if (done) done(libp2p::fail(Errc::closed, "the node is stopping"));
    return;
  }
  const std::size_t queued_before = chain_.queued();
  (void)chain_.on_block(peer, std::move(block));
  pump_chain(done ? &done : nullptr);
  // A block above a gap: look soon, because the missing one may be on its way, and then whether it came. More than
  // gossip could still bring are asked for at once.
  const Nanos soon = gap_is_wide() ? Nanos(0) : std::min(config_.first_check, interval());
  if (chain_.queued() > queued_before && (!check_at_ || *check_at_ > host_.runtime().now().mono + soon)) arm(soon);
}

bool Follower::gap_is_wide() const {
  const auto gap = chain_.gap();
  return gap && gap->end && gap->end->number > gap->start.number + 1 + config_.gossip_reach;
}

// What the chain makes of one block. The first thing it says about it decides what `done` gets to hear.
void Follower::pump_chain(Done* done) {
  while (auto action = chain_.poll_action()) {
    if (auto* to_append = std::get_if<AppendBlock>(&*action)) {
      append(*to_append, done != nullptr ? std::exchange(*done, nullptr) : nullptr);
      continue;
    }
    auto& trace = std::get<ChainTrace>(*action);
    const ChainTraceKind kind = trace.kind;
    const std::uint64_t number = trace.number;
    if (events_.has_listeners()) events_.emit(std::move(trace));
    if (done == nullptr || !*done || kind == ChainTraceKind::anchored || kind == ChainTraceKind::overflow) continue;
    const std::string name = "block " + std::to_string(number);
    const Done answer = std::exchange(*done, nullptr);
    if (kind == ChainTraceKind::queued) {
      answer(libp2p::fail(Errc::would_block, name + " is above a gap; it waits in memory and is not stored yet"));
    } else if (kind == ChainTraceKind::duplicate && stored_head_ && number <= stored_head_->number) {
      answer({});
    } else if (kind == ChainTraceKind::duplicate) {
      answer(libp2p::fail(Errc::would_block, name + " is known but not stored yet"));
    } else {
      answer(libp2p::fail(Errc::mismatch, name + ": " + std::string(to_string(kind))));
    }
  }
}

void Follower::append(AppendBlock& append, Done done) {
  Writing writing;
  writing.ref = append.block.ref();
  writing.done = std::move(done);
  writing_.push_back(std::move(writing));
  const auto kept = std::make_shared<AppendBlock>(std::move(append));
  if (begun_ || writing_.size() == 1) return write(kept);
  unsent_.push_back(kept);
  unsent_bytes_ += kept->block.memory_bytes();
  if (unsent_bytes_ <= config_.memory / 2) return;
  host_.runtime().post(life_.guard([this, epoch = epoch_, ref = kept->block.ref()] {
    if (epoch != epoch_ || unsent_.empty()) return;
    back_to_stored(ref, libp2p::fail(Errc::exhausted, "too many blocks wait for the first one to be stored"));
  }));
}

void Follower::write(const std::shared_ptr<AppendBlock>& kept) {
  store_.append(kept->block, life_.guard([this, epoch = epoch_, kept](const Result<void>& outcome) {
    on_appended(epoch, kept->peer, kept->block, outcome);
  }));
}

void Follower::on_appended(std::uint64_t epoch, const PeerId& peer, const Block& block, const Result<void>& outcome) {
  if (epoch != epoch_) return;
  if (!outcome) {
    back_to_stored(block.ref(), outcome.error());
    return;
  }
  OPP2P_ASSERT(!writing_.empty() && writing_.front().ref == block.ref(),
               "blocks are acknowledged in the order of writing", block.number(), writing_.size());
  Writing writing = std::move(writing_.front());
  writing_.pop_front();
  stored_head_ = writing.ref;
  if (!std::exchange(begun_, true)) {
    unsent_bytes_ = 0;
    for (const auto& waiting : std::exchange(unsent_, {})) write(waiting);
  }
  events_.emit(BlockStored{peer, block});
  if (writing.done) writing.done({});
  if (closed_) return;
  if (client_) client_->on_head(*stored_head_);
  if (writing_.empty()) {
    if (std::exchange(check_due_, false)) check_gap();
    // The head has moved: the regular check starts anew, unless one is due sooner because of a queued block.
    if (chain_.queued() == 0 || !check_at_) arm(interval());
  }
}

void Follower::back_to_stored(const BlockRef& failed, const Error& error) {
  ++epoch_;
  auto lost = std::exchange(writing_, {});
  unsent_.clear();
  unsent_bytes_ = 0;
  if (stored_head_) {
    chain_.rewind(*stored_head_);
  } else {
    chain_ = UnsafeChain(UnsafeChainConfig{config_.memory / 2}, start_);
  }
  events_.emit(StoreFailed{failed, error});
  for (auto& writing : lost)
    if (writing.done) writing.done(error);
}

// ---- gaps ----

void Follower::check_gap() {
  if (closed_) return;
  if (!writing_.empty()) {
    check_due_ = true;  // the head is about to move
    return;
  }
  if (!check_at_) arm(interval());
  const auto gap = chain_.gap();
  if (!gap) return;
  if (client_) return client_->request_range(gap->start, gap->end);
  if (!events_.has_listeners()) return;
  SyncTrace open;
  open.start = gap->start.number;
  if (gap->end) {
    open.kind = SyncTraceKind::range_left_open;
    open.end = gap->end->number;
    open.size = gap->end->number - gap->start.number - 1;
  }
  events_.emit(std::move(open));
}

}  // namespace opstack::sync
