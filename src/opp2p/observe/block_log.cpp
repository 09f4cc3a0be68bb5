#include "opp2p/observe/block_log.hpp"

#include <algorithm>

namespace opp2p {
namespace gossip = opstack::gossip;
using opstack::rules::Reason;

namespace {

// "0x…:12": how a payload is named in lines and errors, as op-node names its payload ids.
std::string name_of(const opstack::payload::ExecutionPayload& block) {
  return libp2p::to_hex0x(block.block_hash) + ":" + std::to_string(block.block_number);
}

}  // namespace

BlockLog::BlockLog(libp2p::runtime::Runtime& runtime, EventLog& events, Look look)
    : runtime_(runtime), events_(events), look_(std::move(look)), timer_(runtime.make_timer([this] { on_timer(); })) {}

void BlockLog::watch(BlockWatchConfig config) {
  watch_.emplace(config.patience, runtime_.now().mono + config.begins_in);
  arm();
}

void BlockLog::on(const SignerMissing&) {
  events_.log().warn(Component::gossip, "no unsafe block signer is configured: every block will be ignored",
                     {{"option", "--p2p.unsafe.block.signer"}});
}

void BlockLog::on(const gossip::TopicJoined& event) {
  events_.log().info(Component::gossip, "joined topic", {{"topic", event.topic}});
}

void BlockLog::on(const gossip::TopicLeft& event) {
  events_.log().info(Component::gossip, "left topic", {{"topic", event.topic}});
}

void BlockLog::on(const gossip::PeerJoinedTopic& event) {
  events_.log().debug(Component::gossip, "peer joined topic", {{"peer", event.peer}, {"topic", event.topic}});
}

void BlockLog::on(const gossip::PeerLeftTopic& event) {
  events_.log().debug(Component::gossip, "peer left topic", {{"peer", event.peer}, {"topic", event.topic}});
}

void BlockLog::on(const BlockPublished& event) {
  on_head();
  events_.log().info(Component::gossip, "Publishing signed execution payload on p2p",
                     {{"id", name_of(event.block.payload)}, {"topic", event.sent.topic}, {"bytes", event.sent.bytes}});
}

void BlockLog::on(const BlockJudged& event) {
  const auto& verdict = event.verdict;
  const auto& outcome = verdict.outcome;
  if (outcome.verdict == opstack::rules::Verdict::accept) {
    on_head();
  } else if (outcome.reason != Reason::already_seen) {
    if (outcome.reason == Reason::invalid_signature) expected_ = event.expected_signer;
    on_refused(verdict, event.from_static_peer);
  }
  Log& log = events_.log();
  if (!log.enabled(Component::gossip, LogLevel::debug)) return;
  std::optional<std::uint64_t> number;
  if (outcome.envelope) number = outcome.envelope->payload.block_number;
  log.debug(Component::gossip, "validated block",
            {{"topic", verdict.topic},
             {"result", to_string(outcome.verdict)},
             {"reason", outcome.text()},
             {"reason_id", reason_id(outcome.reason)},
             {"from", verdict.local ? "self" : verdict.from.to_base58()},
             {"number", number},
             {"signed_by", outcome.signer},
             {"bytes", verdict.bytes},
             {"took_us", verdict.took.count() / 1000}});
}

void BlockLog::on_head() {
  if (!watch_) return;
  if (const auto waited = watch_->on_accepted(runtime_.now().mono))
    events_.log().info(Component::gossip, "blocks are accepted", {{"after", *waited}});
}

void BlockLog::on(const NodeStopping&) {
  watch_.reset();
  timer_->disarm();
  for (std::size_t i = 0; i < refused_.size(); ++i)
    if (const auto count = refused_[i].repeats.take_all()) tell_refused(static_cast<Reason>(i), *count);
}

void BlockLog::on_refused(const gossip::BlockVerdict& verdict, bool of_static) {
  const auto& outcome = verdict.outcome;
  const auto now = runtime_.now().mono;
  if (watch_ && !verdict.local) watch_->on_refused(outcome, now, of_static);
  // Without a signer all are ignored: that is said at the start and by the watch.
  if (outcome.reason != Reason::no_signer_configured) {
    auto& row = refused_[static_cast<std::size_t>(outcome.reason)];
    row.from = verdict.from;
    row.local = verdict.local;
    row.ignored = outcome.verdict == opstack::rules::Verdict::ignore;
    row.number.reset();
    if (outcome.envelope) row.number = outcome.envelope->payload.block_number;
    row.signer = outcome.signer;
    row.detail = outcome.detail();
    if (const auto count = row.repeats.count(now)) tell_refused(outcome.reason, *count);
  }
  arm();
}

void BlockLog::tell_refused(Reason reason, std::uint64_t count) {
  const auto& row = refused_[static_cast<std::size_t>(reason)];
  const bool of_signer = reason == Reason::invalid_signature && row.signer;
  events_.tell(Told::rejected_blocks, LogLevel::warn, Component::gossip,
               row.ignored ? "ignored blocks" : "rejected blocks",
               {{"reason", to_string(reason)},
                {"reason_id", reason_id(reason)},
                {"detail", of_signer ? std::string_view() : std::string_view(row.detail)},
                {"count", count},
                {"since_start", row.repeats.total()},
                {"number", row.number},
                {"from", row.local ? "self" : row.from.to_base58()},
                {"signed_by", row.signer},
                {"expected", reason == Reason::invalid_signature ? expected_ : std::nullopt}});
}

void BlockLog::on_timer() {
  armed_.reset();
  const auto now = runtime_.now().mono;
  for (std::size_t i = 0; i < refused_.size(); ++i)
    if (const auto count = refused_[i].repeats.take(now)) tell_refused(static_cast<Reason>(i), *count);
  if (watch_ && watch_->next_deadline() <= now) {
    const auto around = look_();
    if (const auto stall = watch_->on_timeout(now, around)) {
      std::optional<std::string_view> reason, id;
      if (stall->reason) {
        reason = to_string(*stall->reason);
        id = reason_id(*stall->reason);
      }
      events_.log().warn(Component::gossip,
                         stall->since_start ? "no block has been accepted yet" : "no block comes any more",
                         {{"for", stall->waited},
                          {"refused", stall->refused},
                          {"reason", reason},
                          {"reason_id", id},
                          {"signed_by", stall->signed_by},
                          {"likely_cause", stall->cause.text},
                          {"option", stall->cause.option},
                          {"chain", around.chain},
                          {"peers", around.peers},
                          {"topic_peers", around.topic_peers}});
    }
  }
  arm();
}

// A block that is accepted moves the watch's deadline away. That is seen when the timer fires: nothing is armed for
// each block.
void BlockLog::arm() {
  std::optional<libp2p::MonoTime> next;
  if (watch_) next = watch_->next_deadline();
  for (const auto& row : refused_)
    if (const auto due = row.repeats.due()) next = std::min(next.value_or(*due), *due);
  if (!next || (armed_ && *armed_ <= *next)) return;
  armed_ = next;
  timer_->arm(*next);
}

}  // namespace opp2p
