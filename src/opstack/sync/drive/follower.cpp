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

namespace {

UnsafeChainConfig chain_config(const FollowerConfig& config) {
  UnsafeChainConfig out = config.chain;
  out.max_bytes = config.memory / 2;
  return out;
}

}  // namespace

Follower::Follower(libp2p::Host& host, const chain::RollupConfig& rollup, ChainStore& store, FollowerConfig config,
                   const ChainView& view)
    : host_(host),
      rollup_(rollup),
      store_(store),
      config_(config),
      chain_(chain_config(config), rollup, view, host.runtime().now()),
      chain_timer_(host.runtime().make_timer([this] {
        chain_.on_timeout(now());
        pump();
      })),
      check_timer_(host.runtime().make_timer([this] { check_gap(); })) {
  if (config_.req_resp) {
    SyncClientConfig client = config_.client;
    client.scheduler.max_bytes = config_.memory - config_.memory / 2;
    client_ = std::make_unique<SyncClient>(host_, rollup_, sink_, client, events_);
    sources_.push_back(client_.get());
  }
  check_timer_->arm(now().mono + interval());
  host_.runtime().post(life_.guard([this] { pump(); }));
}

Follower::~Follower() = default;

libp2p::runtime::Task<void> Follower::close() {
  closed_ = true;
  chain_timer_->disarm();
  check_timer_->disarm();
  for (GapSource* source : sources_) co_await source->close();
}

void Follower::check() const {
  chain_.check();
  if (client_) client_->scheduler().check();
}

Nanos Follower::interval() const {
  if (config_.check_interval > Nanos(0)) return config_.check_interval;
  return libp2p::Seconds(2 * static_cast<std::int64_t>(std::clamp<std::uint64_t>(rollup_.block_time, 1, 3600)));
}

// ---- blocks ----

void Follower::set_signer(const rules::Address& signer) {
  (void)chain_.on_signer(signer, now());
  pump();
}

Attestation Follower::attest(const rules::Signature& signature, const rules::Address& signer) const {
  Attestation out;
  out.signature = signature;
  out.signer = signer;
  out.era = chain_.era_of_signer(signer);
  out.arrived = now().wall;
  return out;
}

void Follower::on_block(const PeerId& peer, Block block, const rules::Signature& signature,
                        const rules::Address& signer) {
  if (closed_) return;
  (void)chain_.on_signed(peer, std::move(block), attest(signature, signer), now());
  pump();
}

void Follower::on_own_block(Block block, const rules::Signature& signature, const rules::Address& signer, Done done) {
  if (closed_) return done(libp2p::fail(Errc::closed, "the node is stopping"));
  const BlockRef ref = block.ref();
  const auto arrived = chain_.on_signed(host_.id(), std::move(block), attest(signature, signer), now(), false);
  wait_for(arrived, ref, std::move(done));
}

void Follower::on_vouched(Block block, Done done) {
  if (closed_) return done(libp2p::fail(Errc::closed, "the node is stopping"));
  const BlockRef ref = block.ref();
  const auto arrived = chain_.on_vouched(host_.id(), std::move(block), now());
  wait_for(arrived, ref, std::move(done));
}

void Follower::wait_for(const Arrived& arrived, const BlockRef& block, Done done) {
  if (arrived.write) {
    waiting_.emplace(*arrived.write, std::move(done));
    return pump();
  }
  refused_because_.clear();
  pump();
  const std::string name = "block " + std::to_string(block.number);
  switch (arrived.arrival) {
    case Arrival::known: return done({});
    case Arrival::overflow:
      return done(libp2p::fail(Errc::exhausted, name + ": too many blocks wait for the disk; try again"));
    case Arrival::not_wanted: {
      const auto head = chain_.head();
      return done(libp2p::fail(Errc::would_block, name + " neither extends the head" +
                                                      (head ? ", block " + std::to_string(head->number) + "," : "") +
                                                      " nor fills a hole; it is not kept"));
    }
    default: return done(libp2p::fail(Errc::mismatch, name + ": " + refused_because_));
  }
}

void Follower::Sink::on_fetched(GapId, const PeerId& from, Block block) {
  follower_.on_fetched(from, std::move(block));
}
void Follower::Sink::on_source_changed() { follower_.on_source_changed(); }

void Follower::on_fetched(const PeerId& from, Block block) {
  const std::size_t bytes = block.memory_bytes();
  const bool taken = !closed_ && chain_.on_fetched(from, std::move(block), now()).write.has_value();
  if (!taken)
    for (GapSource* source : sources_) source->on_written(bytes);
  pump();
}

// ---- the chain's actions ----

void Follower::pump() {
  if (pumping_ || closed_) return;  // an event called back in; the outer loop goes on
  pumping_ = true;
  const libp2p::LifeWatch alive = life_.watch();
  while (auto action = chain_.poll_action()) {
    std::visit([this](auto& kind) { handle(kind); }, *action);
    if (!alive) return;
  }
  pumping_ = false;
  tell_sources();
  if (const auto next = chain_.next_deadline())
    chain_timer_->arm(*next);
  else
    chain_timer_->disarm();
}

void Follower::handle(KeepBlock& keep) {
  store_.keep(std::move(keep.block), std::move(keep.attestation), keep.extends_head,
              life_.guard([this, id = keep.id](const Result<KeptBlock>& outcome) {
                if (closed_) return;
                chain_.on_kept(id, outcome, now());
                pump();
              }));
}

void Follower::handle(StartAt& start) {
  const auto& genesis = start.genesis;
  store_.start_at(genesis.ref, genesis.timestamp, life_.guard([this, id = start.id](const Result<KeptBlock>& outcome) {
    if (closed_) return;
    chain_.on_started(id, outcome, now());
    pump();
  }));
}

void Follower::handle(OpenEra& open) {
  store_.open_era(open.era.signer, open.era.opened, life_.guard([this, id = open.id](const Result<EraRecord>& outcome) {
    if (closed_) return;
    chain_.on_era(id, outcome, now());
    pump();
  }));
}

void Follower::handle(MoveHead& move) {
  store_.move_head(move.move, life_.guard([this, id = move.id](const Result<MovedHead>& outcome) {
    if (closed_) return;
    chain_.on_moved(id, outcome, now());
    if (outcome) on_head();
    pump();
  }));
}

void Follower::handle(Descend& descend) {
  store_.descend(descend.from, life_.guard([this, id = descend.id](const Result<Descent>& outcome) {
    if (closed_) return;
    chain_.on_descended(id, outcome, now());
    pump();
  }));
}

void Follower::handle(LoadView& load) {
  store_.view(load.window, life_.guard([this](const Result<ChainView>& view) {
    if (closed_) return;
    chain_.on_view(view, now());
    pump();
  }));
}

void Follower::handle(BlockKept& kept) {
  written(kept.fetched, kept.block);
  if (kept.is_head) on_head();
  events_.emit(BlockStored{kept.from, kept.block, kept.canonical, kept.is_head, kept.fetched});
  answer(kept.id, {});
}

void Follower::handle(BlockNotKept& lost) {
  written(lost.fetched, lost.block);
  events_.emit(StoreFailed{lost.block.ref(), lost.why, lost.again});
  if (!lost.again) answer(lost.id, lost.why);
}

void Follower::handle(HeadMoved& event) { events_.emit(std::move(event)); }
void Follower::handle(HoleChanged& event) { events_.emit(std::move(event)); }

void Follower::handle(ChainTrace& trace) {
  refused_because_ = std::string(to_string(trace.kind));
  if (!trace.text.empty()) refused_because_ += ": " + trace.text;
  if (events_.has_listeners()) events_.emit(std::move(trace));
}

void Follower::answer(WriteId id, const Result<void>& outcome) {
  std::vector<Done> due;
  const auto [first, last] = waiting_.equal_range(id);
  for (auto it = first; it != last; ++it) due.push_back(std::move(it->second));
  waiting_.erase(first, last);
  for (const auto& done : due)
    if (done) done(outcome);
}

void Follower::written(bool fetched, const Block& block) {
  if (!fetched) return;
  for (GapSource* source : sources_) source->on_written(block.memory_bytes());
}

// The head has moved: the regular look for a gap starts anew.
void Follower::on_head() {
  if (!closed_) check_timer_->arm(now().mono + interval());
}

// ---- gaps ----

bool Follower::can_ask() const {
  return std::any_of(sources_.begin(), sources_.end(), [](const GapSource* source) { return source->can_ask(); });
}

void Follower::on_source_changed() {
  if (closed_) return;
  chain_.on_sources(can_ask(), now());
  pump();
}

void Follower::tell_sources() {
  auto gaps = chain_.gaps(now().mono);
  if (gaps == told_gaps_) return;
  told_gaps_ = gaps;
  for (GapSource* source : sources_) source->want(gaps);
  const bool can = can_ask();
  if (gaps.empty() || told_can_ask_ == can) return;
  if (!can || told_can_ask_) events_.emit(GapSourcesChanged{can});
  told_can_ask_ = can;
}

void Follower::check_gap() {
  if (closed_) return;
  check_timer_->arm(now().mono + interval());
  if (!chain_.head()) return;
  const auto target = chain_.sync_target(now().mono);
  if (sources_.empty() && target && target->number > chain_.head()->number + 1 && events_.has_listeners()) {
    SyncTrace open;
    open.kind = SyncTraceKind::range_left_open;
    open.start = chain_.head()->number;
    open.end = target->number;
    open.size = target->number - open.start - 1;
    events_.emit(std::move(open));
  }
  for (GapSource* source : sources_) source->check(*chain_.head(), target);
}

}  // namespace opstack::sync
