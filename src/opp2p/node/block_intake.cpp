#include "opp2p/node/block_intake.hpp"

#include <optional>
#include <utility>

#include "opstack/rules/block_rules.hpp"

namespace opp2p {
using libp2p::Errc;
using libp2p::fail;
using opstack::payload::SharedEnvelope;
namespace payload = opstack::payload;

void BlockIntake::publish(SharedEnvelope envelope, Done done) {
  parts_.blocks->publisher().publish(std::move(envelope), telling(std::move(done)));
}

void BlockIntake::publish_signed(SharedEnvelope envelope, const opstack::rules::Signature& signature, Done done) {
  parts_.blocks->publisher().publish_signed(std::move(envelope), signature, telling(std::move(done)));
}

opstack::gossip::Publisher::Done BlockIntake::telling(Done done) {
  return [this, done = std::move(done)](const Result<opstack::gossip::PublishedBlock>& sent) {
    if (!sent) {
      events_.tell(PublishFailed{sent.error()});
      return done(sent.error());
    }
    events_.tell(BlockPublished{*sent->block.envelope, *sent});
    done({});
  };
}

// Shared by the network thread and, while the block is made, the worker that does so.
struct BlockIntake::Vouched {
  Vouched(SharedEnvelope e, Done d) : envelope(std::move(e)), done(std::move(d)) {}

  SharedEnvelope envelope;
  Done done;
  payload::Version version = payload::Version::v1;
  Result<void> fields;  // what the rules of its fork say
  std::optional<Result<payload::Block>> made;
};

void BlockIntake::stop() {
  // A copy, because who is answered may look at the intake.
  for (const auto& job : std::exchange(vouched_, {})) job->done(fail(Errc::closed, "the node is stopping"));
}

void BlockIntake::post_unsafe_payload(SharedEnvelope envelope, Done done) {
  if (vouched_.size() >= kMostVouched) {
    std::string why = std::to_string(kMostVouched);
    why += " posted payloads are being examined; try again";
    return done(fail(Errc::exhausted, why));
  }
  auto job = std::make_shared<Vouched>(std::move(envelope), std::move(done));
  job->version = config_.rollup.payload_version(job->envelope->payload.timestamp);
  // What breaks the rules of its fork, no peer would take from us.
  const auto fields = opstack::rules::check_block_fields(config_.rollup, *job->envelope);
  if (fields.verdict != opstack::rules::Verdict::accept)
    job->fields = fail(Errc::mismatch, fields.text() + "; fields by fork are checked here, unlike in op-node");
  vouched_.push_back(job);
  // The worker holds the job and nothing of the node.
  parts_.host->runtime().run_on_worker([job] { job->made.emplace(make_vouched(*job)); },
                                       life_.guard([this] { hand_over(); }));
}

Result<payload::Block> BlockIntake::make_vouched(const Vouched& job) {
  auto [rlp, actual] = payload::make_header(*job.envelope);
  // op-node's words for this method, to the letter: they are not those of its gossip, which sentence() has.
  if (const auto& said = job.envelope->payload.block_hash; actual != said)
    return fail(Errc::mismatch, "payload has bad block hash: " + libp2p::to_hex0x(said) +
                                    ", actual block hash is: " + libp2p::to_hex0x(actual));
  OPP2P_TRYV(job.fields);
  OPP2P_TRYV(payload::check_encodable(job.version, *job.envelope));
  auto block = payload::encode_block(job.version, job.envelope);
  block.header = libp2p::share(std::move(rlp));  // so that the store does not hash the transactions again
  return block;
}

void BlockIntake::hand_over() {
  const auto life = life_.watch();
  while (life && !vouched_.empty() && vouched_.front()->made) {
    const auto job = std::move(vouched_.front());
    vouched_.pop_front();
    if (*job->made)
      parts_.follower->on_vouched(**std::move(job->made), std::move(job->done));
    else
      job->done(job->made->error());
  }
}

}  // namespace opp2p
