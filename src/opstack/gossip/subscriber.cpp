#include "opstack/gossip/subscriber.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/base/assert.hpp"
#include "opstack/rules/blame.hpp"
#include "opstack/rules/topics.hpp"

namespace opstack::gossip {

namespace {

libp2p::gossipsub::ValidationResult to_router(const rules::Outcome& outcome, bool signer_known) {
  using libp2p::gossipsub::ValidationResult;
  if (outcome.reason == rules::Reason::validation_queue_full) return ValidationResult::throttled;
  switch (outcome.verdict) {
    case rules::Verdict::accept: return ValidationResult::accept;
    case rules::Verdict::ignore: return ValidationResult::ignore;
    case rules::Verdict::reject: break;
  }
  const bool blamed = rules::is_blamed(outcome.reason, signer_known);
  return blamed ? ValidationResult::reject : ValidationResult::reject_unblamed;
}

}  // namespace

// A message that is being judged.
struct Subscriber::Job : libp2p::LiveCounted<Job> {
  Job(libp2p::gossipsub::Validate m, libp2p::GossipsubService::Done d, Now now)
      : message(std::move(m)), done(std::move(d)), arrived(now) {}

  libp2p::gossipsub::Validate message;
  libp2p::GossipsubService::Done done;
  // The message is judged by the clock of its arrival: what it waits here is not the sender's fault.
  Now arrived;
};

Subscriber::Subscriber(libp2p::GossipsubService& gossip, libp2p::runtime::Runtime& runtime,
                       ValidationPipeline& pipeline, rules::SignerState& signers, rules::BlockRulesConfig config,
                       VerdictFn on_verdict, PayloadFn on_payload)
    : gossip_(gossip),
      runtime_(runtime),
      pipeline_(pipeline),
      signers_(signers),
      topic_(rules::blocks_topic(config.chain_id, config.version)),
      rules_(std::move(config)),
      on_verdict_(std::move(on_verdict)),
      on_payload_(std::move(on_payload)) {}

Subscriber::~Subscriber() { leave(); }

Result<void> Subscriber::join() {
  auto validator = [this, life = life_.watch()](const libp2p::gossipsub::Validate& message,
                                                libp2p::GossipsubService::Done done) {
    if (!life) return done(libp2p::gossipsub::ValidationResult::ignore);
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
  const auto job = std::make_shared<Job>(message, std::move(done), runtime_.now());
  examine(job, rules_.begin(job->message.data.view(), job->message.contents, signers_, job->arrived.wall));
}

void Subscriber::examine(const std::shared_ptr<Job>& job, rules::Examination examination) {
  // The job, and with it the message, lives as long as `done`.
  auto done = [this, job, life = life_.watch()](rules::Examination examined) {
    if (!life) return job->done(libp2p::gossipsub::ValidationResult::ignore);
    conclude(job, std::move(examined));
  };
  if (pipeline_.examine(std::move(examination), job->message.data.size(), std::move(done))) return;
  rules::Outcome full;
  full.verdict = rules::Verdict::ignore;
  full.reason = rules::Reason::validation_queue_full;
  finish(*job, full);
}

void Subscriber::conclude(const std::shared_ptr<Job>& job, rules::Examination examination) {
  if (const auto outcome = rules_.conclude(examination, signers_)) return finish(*job, *outcome);
  examine(job, std::move(examination));  // the signers have changed meanwhile, and the block is needed
}

void Subscriber::finish(const Job& job, const rules::Outcome& outcome) {
  // Before the router: when its scores count the message, it is known why.
  const MonoTime now = runtime_.now().mono;
  if (on_verdict_) {
    on_verdict_(BlockVerdict{topic_, rules_.config().version, job.message.id, job.message.from, job.message.local,
                             outcome, job.message.data.size(), now - job.arrived.mono});
  }
  job.done(to_router(outcome, signers_.configured()));
  if (outcome.verdict != rules::Verdict::accept || job.message.local || !on_payload_) return;
  // From the queue: first the block goes on to others.
  OPP2P_ASSERT(outcome.signer && outcome.contents, "an accepted block has a signer, and the bytes that it came in");
  AcceptedBlock accepted;
  accepted.from = job.message.from;
  accepted.block = rules::block_of(rules_.config().version, outcome);
  std::copy_n(outcome.contents->begin(), accepted.signature.size(), accepted.signature.begin());
  accepted.signer = *outcome.signer;
  auto hand_on = [this, accepted = std::move(accepted)] { on_payload_(accepted); };
  runtime_.post(life_.guard(std::move(hand_on)));
}

}  // namespace opstack::gossip
