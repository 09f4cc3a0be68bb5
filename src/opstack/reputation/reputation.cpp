#include "opstack/reputation/reputation.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/base/assert.hpp"
#include "libp2p/host/blocking_gater.hpp"
#include "libp2p/multiformats/cidr.hpp"
#include "libp2p/storage/batch_writer.hpp"
#include "opstack/reputation/ban_keeper.hpp"
#include "opstack/reputation/fault_tracker.hpp"
#include "opstack/reputation/peer_monitor.hpp"
#include "opstack/reputation/records.hpp"
#include "opstack/reputation/score_keeper.hpp"

namespace opstack::reputation {

using libp2p::Errc;
using libp2p::runtime::Runtime;

namespace {

constexpr Nanos kCloseLimit = libp2p::Seconds(2);

// Calls something again and again, from start() to stop().
class Every {
 public:
  Every(Runtime& runtime, Nanos interval, std::function<void()> call)
      : runtime_(runtime),
        interval_(interval),
        call_(std::move(call)),
        timer_(runtime.make_timer([this] { fire(); })) {}
  void start() { timer_->arm(runtime_.now().mono + interval_); }
  void stop() { timer_->disarm(); }

 private:
  void fire() {
    start();
    call_();
  }
  Runtime& runtime_;
  Nanos interval_;
  std::function<void()> call_;
  std::unique_ptr<libp2p::runtime::Timer> timer_;
};

// op-node's slot, which is at least 1 s here as in the scoring profiles.
Nanos slot_of(Nanos block_time) {
  return block_time <= Nanos(0) ? Nanos(libp2p::Seconds(2)) : std::max<Nanos>(block_time, libp2p::Seconds(1));
}

// The ledger counts for as long as the rule that bans by its count, and has room for that many.
// Whether a rule founded the ban on faults of this kind alone.
bool is_founded_on(const Ban& ban, FaultKind kind) {
  if (ban.rule != BanRule::blamed_messages && ban.rule != BanRule::score_threshold) return false;
  const auto is_other = [kind](const Fault& fault) { return fault.kind != kind; };
  return !ban.evidence.empty() && std::none_of(ban.evidence.begin(), ban.evidence.end(), is_other);
}

}  // namespace

struct Reputation::Parts {
  Parts(Runtime& r, ReputationConfig c, std::shared_ptr<libp2p::storage::Datastore> store,
        std::shared_ptr<libp2p::Gater> inner);

  void on(const libp2p::HostEvent& event);
  void look_at_next();
  void on_blamed(const PeerId& peer, std::size_t blamed_messages);
  void on_common(FaultKind kind);
  void on_ban_ended(const PeerId& peer);
  void tell_store(const libp2p::storage::BatchWriterEvent& event);
  void ban_by_rule(const PeerId& peer, BanRule rule, double score, std::string text);
  void ban(const PeerId& peer, BanRule rule, Nanos duration, double score, std::string text, Done done);
  void answer(Done done, libp2p::Error error);
  Result<void> check_duration(Nanos duration) const;
  Result<std::optional<double>> gate_score(const PeerId& peer);
  Now now() const { return runtime.now(); }

  Runtime& runtime;
  const ReputationConfig config;
  libp2p::EventSource<ReputationEvent> events;
  libp2p::storage::BatchWriter writer;
  libp2p::Subscription store_events;
  ScoreKeeper scores;
  FaultTracker faults;
  BanKeeper bans;
  PeerMonitor monitor;
  std::shared_ptr<ScoringGater> gater;
  libp2p::Host* host = nullptr;
  std::function<bool(const PeerId&)> is_static = [](const PeerId&) { return false; };
  std::vector<libp2p::Subscription> subscriptions;
  Every looking;
  Every slots;
  Every writing;
  Every collecting;
};

Reputation::Parts::Parts(Runtime& r, ReputationConfig c, std::shared_ptr<libp2p::storage::Datastore> store,
                         std::shared_ptr<libp2p::Gater> inner)
    : runtime(r),
      config(std::move(c)),
      writer(runtime, std::move(store)),
      store_events(writer.subscribe([this](const auto& event) { tell_store(event); })),
      scores(config.scoring, runtime, writer),
      faults(scores.scorer(), events,
             {[this] { return scores.connected(); },
              [this](const PeerId& peer, std::size_t messages) { on_blamed(peer, messages); },
              [this](FaultKind kind) { on_common(kind); }},
             config.scoring),
      bans(runtime, writer, events, [this](const PeerId& peer) { on_ban_ended(peer); }),
      monitor(config.ban_threshold, config.scoring.blamed_messages_to_ban),
      looking(runtime, kMonitorInterval, [this] { look_at_next(); }),
      slots(runtime, slot_of(config.block_time), [this] { scores.on_slot(); }),
      writing(runtime, kScoreWriteInterval, [this] { scores.write(); }),
      collecting(runtime, kGarbageInterval, [this] {
        bans.end_expired();
        scores.collect_garbage();
      }) {
  if (!inner) inner = std::make_shared<libp2p::BlockingGater>();
  const auto on_refused = [this](const GateRefused& refused) { events.emit(refused); };
  auto expiry = std::make_shared<BanExpiryGater>(std::move(inner), bans, on_refused);
  const double min_score = config.gater_min_score.value_or(config.ban_threshold);
  const auto score = [this](const PeerId& peer) { return gate_score(peer); };
  gater = std::make_shared<ScoringGater>(std::move(expiry), min_score, score, on_refused);
}

// ---- what happens ----

void Reputation::Parts::on(const libp2p::HostEvent& event) {
  if (const auto* connected = std::get_if<libp2p::PeerConnected>(&event)) {
    if (host->connected(connected->peer)) scores.on_connected(connected->peer);
  } else if (const auto* gone = std::get_if<libp2p::PeerDisconnected>(&event)) {
    scores.on_disconnected(gone->peer);
  }
}

void Reputation::Parts::tell_store(const libp2p::storage::BatchWriterEvent& event) {
  if (const auto* failing = std::get_if<libp2p::storage::WritesFailing>(&event))
    events.emit(ReputationStoreFailed{failing->error});
}

// One peer of those that are connected; a score that cannot be read is looked at again in the next round.
void Reputation::Parts::look_at_next() {
  faults.on_timeout(now());
  if (!config.ban_peers || host == nullptr) return;
  const auto peer = monitor.next([this] { return host->connected_peers(); });
  if (!peer || !host->connected(*peer)) return;
  const auto score = scores.score_to_ban(*peer);
  if (!score) return events.emit(ReputationStoreFailed{score.error()});
  if (monitor.is_too_low(*score, is_static(*peer)))
    ban_by_rule(*peer, BanRule::score_threshold, *score, monitor.text_of_score(*score));
}

void Reputation::Parts::on_blamed(const PeerId& peer, std::size_t blamed_messages) {
  if (!config.ban_peers || !monitor.are_too_many(blamed_messages, is_static(peer))) return;
  const auto score = scores.score_to_ban(peer);
  ban_by_rule(peer, BanRule::blamed_messages, score ? *score : 0,
              PeerMonitor::text_of_messages(blamed_messages, config.scoring.blame_window));
}

void Reputation::Parts::on_common(FaultKind kind) {
  for (const auto& [peer, ban] : bans.book().peers.list(now().wall))
    if (is_founded_on(ban, kind) && now().wall - ban.since <= kCommonWindow) bans.end(peer, BanEnd::forgiven, nullptr);
}

// Else the peer would be banned again at once.
void Reputation::Parts::on_ban_ended(const PeerId& peer) {
  scores.clear(peer);
  faults.forget(peer);
}

// ---- bans ----

void Reputation::Parts::ban_by_rule(const PeerId& peer, BanRule rule, double score, std::string text) {
  if (bans.find(peer) != nullptr) return;  // its connections are about to be closed
  ban(peer, rule, config.ban_duration, score, std::move(text), nullptr);
}

void Reputation::Parts::ban(const PeerId& peer, BanRule rule, Nanos duration, double score, std::string text,
                            Done done) {
  Ban made;
  made.since = in_whole_seconds(now().wall);
  made.until = in_whole_seconds(now().wall + std::min(duration, kLongestBan));
  made.rule = rule;
  made.score = score;
  made.scores = scores.scores_of(peer).value_or(PeerScoreRecord());
  made.evidence = faults.ledger().last_faults_of(peer, kMostEvidence);
  made.text = std::move(text);
  bans.ban(peer, std::move(made), std::move(done));
  gater->stricter().emit(libp2p::GaterStricter());  // the host closes what is open
}

void Reputation::Parts::answer(Done done, libp2p::Error error) {
  if (done) runtime.post([done = std::move(done), error = std::move(error)] { done(error); });
}

Result<void> Reputation::Parts::check_duration(Nanos duration) const {
  if (duration >= libp2p::Seconds(1)) return {};
  return libp2p::fail(Errc::invalid_argument, "a ban lasts at least one second");
}

// Of static and protected peers nobody asks the score.
Result<std::optional<double>> Reputation::Parts::gate_score(const PeerId& peer) {
  if (is_static(peer) || (host != nullptr && host->is_protected(peer))) return std::optional<double>();
  OPP2P_TRY(const double score, scores.score_to_gate(peer));
  return std::optional(score);
}

// ---- the façade ----

Reputation::Reputation(Runtime& runtime, ReputationConfig config, std::shared_ptr<libp2p::storage::Datastore> store,
                       std::shared_ptr<libp2p::Gater> inner)
    : parts_(std::make_unique<Parts>(runtime, std::move(config), std::move(store), std::move(inner))) {}
Reputation::~Reputation() = default;

Result<void> Reputation::load() { return parts_->bans.load(); }
std::shared_ptr<libp2p::Gater> Reputation::gater() const { return parts_->gater; }
libp2p::gossipsub::PeerScores& Reputation::scores() { return parts_->scores.scores(); }
const libp2p::gossipsub::PeerScorer* Reputation::scorer() const { return parts_->scores.scorer(); }

void Reputation::attach(libp2p::Host& host, std::function<bool(const PeerId&)> is_static) {
  OPP2P_ASSERT(parts_->host == nullptr, "a host is attached once");
  parts_->host = &host;
  parts_->is_static = std::move(is_static);
  parts_->subscriptions.push_back(host.subscribe([this](const libp2p::HostEvent& event) { parts_->on(event); }));
  for (const PeerId& peer : host.connected_peers()) parts_->scores.on_connected(peer);
}

void Reputation::listen_to(gossip::BlockGossip& blocks) {
  parts_->subscriptions.push_back(blocks.subscribe([this, &blocks](const gossip::BlockGossipEvent& event) {
    const auto* verdict = std::get_if<gossip::BlockVerdict>(&event);
    if (verdict != nullptr) parts_->faults.on_verdict(*verdict, blocks.signers().configured(), parts_->now());
  }));
}

void Reputation::listen_to(sync::Follower& follower) {
  parts_->subscriptions.push_back(follower.subscribe([this](const sync::FollowerEvent& event) {
    if (const auto* report = std::get_if<sync::PeerReport>(&event)) parts_->scores.on_report(*report);
    if (const auto* fault = std::get_if<sync::SyncFault>(&event)) parts_->faults.on_sync_fault(*fault, parts_->now());
  }));
}

void Reputation::on_signer_changed() { parts_->faults.on_signer_changed(); }

void Reputation::start() {
  for (Every* every : {&parts_->looking, &parts_->slots, &parts_->writing, &parts_->collecting}) every->start();
}

void Reputation::stop() {
  for (Every* every : {&parts_->looking, &parts_->slots, &parts_->writing, &parts_->collecting}) every->stop();
}

libp2p::runtime::Task<void> Reputation::close() {
  stop();
  parts_->subscriptions.clear();
  parts_->host = nullptr;
  parts_->scores.write();
  const auto closed = co_await parts_->writer.close(kCloseLimit);
  if (!closed) parts_->events.emit(ReputationStoreFailed{closed.error()});
}

// ---- what users ask for ----

BanList Reputation::bans() const {
  const UnixTime now = parts_->now().wall;
  BanList out;
  for (auto& [peer, ban] : parts_->bans.book().peers.list(now)) out.peers.push_back({peer, std::move(ban)});
  for (auto& [ip, ban] : parts_->bans.book().ips.list(now)) out.ips.push_back({ip, std::move(ban)});
  return out;
}

BanCounts Reputation::peer_ban_counts() const { return parts_->bans.book().peers.counts(parts_->now().wall); }
BanCounts Reputation::ip_ban_counts() const { return parts_->bans.book().ips.counts(parts_->now().wall); }

std::optional<Ban> Reputation::ban_of(const PeerId& peer) const {
  const Ban* const ban = parts_->bans.find(peer);
  if (ban == nullptr) return std::nullopt;
  return *ban;
}

std::optional<Ban> Reputation::ban_of_ip(std::string_view ip) const {
  const auto canonical = libp2p::canonical_ip(ip);
  if (!canonical) return std::nullopt;
  const Ban* const ban = parts_->bans.find_address(*canonical);
  if (ban == nullptr) return std::nullopt;
  return *ban;
}

void Reputation::ban(const PeerId& peer, Nanos duration, std::string why, Done done) {
  Parts& parts = *parts_;
  if (const auto valid = parts.check_duration(duration); !valid) return parts.answer(std::move(done), valid.error());
  if (parts.host != nullptr && parts.host->id() == peer)
    return parts.answer(std::move(done), libp2p::fail(Errc::invalid_argument, "this is the node's own peer id"));
  const auto score = parts.scores.score_to_ban(peer);
  parts.ban(peer, BanRule::operator_request, duration, score ? *score : 0, std::move(why), std::move(done));
}

void Reputation::ban_ip(std::string_view ip, Nanos duration, std::string why, Done done) {
  Parts& parts = *parts_;
  const auto canonical = libp2p::canonical_ip(ip);
  if (!canonical) return parts.answer(std::move(done), canonical.error());
  if (const auto valid = parts.check_duration(duration); !valid) return parts.answer(std::move(done), valid.error());
  Ban ban;
  ban.since = in_whole_seconds(parts.now().wall);
  ban.until = in_whole_seconds(parts.now().wall + std::min(duration, kLongestBan));
  ban.rule = BanRule::operator_request;
  ban.text = std::move(why);
  parts.bans.ban_ip(*canonical, std::move(ban), std::move(done));
  parts.gater->stricter().emit(libp2p::GaterStricter());
}

// Without a ban, too, the peer's scores are cleared: they may keep it out.
void Reputation::unban(const PeerId& peer, Done done) {
  if (parts_->bans.find(peer) == nullptr) parts_->on_ban_ended(peer);
  parts_->bans.end(peer, BanEnd::undone, std::move(done));
}

void Reputation::unban_ip(std::string_view ip, Done done) {
  const auto canonical = libp2p::canonical_ip(ip);
  if (!canonical) return parts_->answer(std::move(done), canonical.error());
  parts_->bans.end_ip(*canonical, BanEnd::undone, std::move(done));
}

std::vector<Fault> Reputation::faults_of(const PeerId& peer) const { return parts_->faults.ledger().faults_of(peer); }

std::optional<PeerScoreRecord> Reputation::scores_of(const PeerId& peer) const {
  return parts_->scores.scores_of(peer);
}

std::optional<ScoreRefusal> Reputation::score_refusal(const PeerId& peer) const {
  return parts_->gater->refusal_of(peer);
}

libp2p::Subscription Reputation::subscribe(std::function<void(const ReputationEvent&)> listener) {
  return parts_->events.subscribe(std::move(listener));
}

void Reputation::check() const {
  parts_->scores.check();
  parts_->faults.check();
  parts_->bans.book().check();
  parts_->writer.check();
}

}  // namespace opstack::reputation
