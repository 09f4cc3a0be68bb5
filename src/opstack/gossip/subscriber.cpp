#include "opstack/gossip/subscriber.hpp"

#include <exception>
#include <utility>

#include "opstack/rules/topics.hpp"

namespace opstack::gossip {

namespace {

libp2p::gossipsub::ValidationResult to_router(rules::Verdict verdict) {
  switch (verdict) {
    case rules::Verdict::accept: return libp2p::gossipsub::ValidationResult::accept;
    case rules::Verdict::ignore: return libp2p::gossipsub::ValidationResult::ignore;
    case rules::Verdict::reject: break;
  }
  return libp2p::gossipsub::ValidationResult::reject;
}

}  // namespace

// Shared by the network thread and, while it is being examined, the worker that does so.
struct Subscriber::Job : libp2p::LiveCounted<Job> {
  Job(libp2p::gossipsub::Validate m, libp2p::GossipsubService::Done d, Now now)
      : message(std::move(m)), done(std::move(d)), arrived(now) {}

  libp2p::gossipsub::Validate message;
  libp2p::GossipsubService::Done done;
  // The message is judged by the clock of its arrival: what it waits here is not the sender's fault.
  Now arrived;
  rules::Examined examined;
  std::optional<rules::DecodedBlock> decoded;  // of a block that is examined in two parts
  int parts = 0;                               // that are on the pool
};

Subscriber::Subscriber(libp2p::GossipsubService& gossip, libp2p::runtime::Runtime& runtime, ValidationQueue& queue,
                       rules::SignerState& signers, rules::BlockRulesConfig config, VerdictFn on_verdict,
                       PayloadFn on_payload)
    : gossip_(gossip),
      runtime_(runtime),
      queue_(queue),
      signers_(signers),
      topic_(rules::blocks_topic(config.chain_id, config.version)),
      rules_(std::make_shared<rules::BlockRules>(std::move(config))),
      on_verdict_(std::move(on_verdict)),
      on_payload_(std::move(on_payload)) {}

Subscriber::~Subscriber() { leave(); }

Result<void> Subscriber::join() {
  auto validator = [this, alive = std::weak_ptr<int>(alive_)](const libp2p::gossipsub::Validate& message,
                                                              libp2p::GossipsubService::Done done) {
    if (alive.expired()) return done(libp2p::gossipsub::ValidationResult::ignore);
    validate(message, std::move(done));
  };
  // Accepted blocks are handed on with their verdict, already decoded; the router's delivery adds nothing to that.
  OPP2P_TRYV(gossip_.join(topic_, std::move(validator), nullptr));
  joined_ = true;
  return {};
}

void Subscriber::leave() {
  if (std::exchange(joined_, false)) gossip_.leave(topic_);
}

void Subscriber::validate(const libp2p::gossipsub::Validate& message, libp2p::GossipsubService::Done done) {
  submit(std::make_shared<Job>(message, std::move(done), runtime_.now()));
}

void Subscriber::submit(const std::shared_ptr<Job>& job) {
  // A large block that comes alone is examined by two workers at once: the hash of all of it for the signature takes as
  // long as decoding it and the tries of its own hash. Under load the pool is busy anyhow.
  const std::size_t size = job->message.contents ? job->message.contents->size() : 0;
  if (size >= kLarge && rules_->expects_to_count(size) && queue_.items() == 0 &&
      queue_.has_room(2, job->message.data.view.size()))
    return submit_parts(job);
  auto work = [job, rules = std::shared_ptr<const rules::BlockRules>(rules_), signers = signers_] {
    job->examined = rules->examine(job->message.data.view, job->message.contents, signers, job->arrived.wall);
  };
  auto done = [this, job, alive = std::weak_ptr<int>(alive_)] {
    if (alive.expired()) return job->done(libp2p::gossipsub::ValidationResult::ignore);
    conclude(job);
  };
  if (queue_.submit(job->message.data.view.size(), std::move(work), std::move(done))) return;
  rules::Outcome full;
  full.verdict = rules::Verdict::ignore;
  full.reason = rules::Reason::internal_error;
  full.detail = "the validation queue is full";
  finish(*job, full);
}

void Subscriber::submit_parts(const std::shared_ptr<Job>& job) {
  job->parts = 2;
  auto signature = [job, rules = std::shared_ptr<const rules::BlockRules>(rules_), signers = signers_] {
    job->examined = rules->examine_signature(job->message.data.view, job->message.contents, signers, job->arrived.wall);
  };
  auto block = [job, rules = std::shared_ptr<const rules::BlockRules>(rules_)] {
    job->decoded.emplace(rules->decode(*job->message.contents, true));
  };
  auto done = [this, job, alive = std::weak_ptr<int>(alive_)] {
    if (--job->parts > 0) return;
    if (alive.expired()) return job->done(libp2p::gossipsub::ValidationResult::ignore);
    if (job->examined.signer_counts) rules_->complete(job->examined, *job->decoded);
    conclude(job);
  };
  (void)queue_.submit(job->message.data.view.size(), std::move(signature), done);  // there is room
  (void)queue_.submit(0, std::move(block), done);
}

void Subscriber::conclude(const std::shared_ptr<Job>& job) {
  std::optional<rules::Outcome> outcome;
  try {
    outcome = rules_->conclude(std::move(job->examined), signers_);
  } catch (const std::exception& thrown) {
    outcome.emplace();  // a reject, as everything that goes wrong inside
    outcome->detail = thrown.what();
  }
  if (outcome) {
    finish(*job, *outcome);
  } else {
    submit(job);  // the signers have changed meanwhile
  }
}

void Subscriber::finish(const Job& job, const rules::Outcome& outcome) {
  job.done(to_router(outcome.verdict));
  const MonoTime now = runtime_.now().mono;
  if (on_verdict_) {
    on_verdict_(BlockVerdict{topic_, rules_->config().version, job.message.id, job.message.from, job.message.local,
                             outcome, job.message.data.view.size(), now - job.arrived.mono});
  }
  if (outcome.verdict != rules::Verdict::accept || job.message.local || !on_payload_) return;
  // From the queue: first the block goes on to others.
  runtime_.post([this, alive = std::weak_ptr<int>(alive_), from = job.message.from, block = outcome.envelope] {
    if (!alive.expired()) on_payload_(from, block);
  });
}

}  // namespace opstack::gossip
