#include "opp2p/node/block_intake.hpp"

#include "opstack/rules/block_rules.hpp"

namespace opp2p {
using libp2p::Errc;
using libp2p::fail;
using opstack::payload::SharedEnvelope;

void BlockIntake::publish(SharedEnvelope envelope, Done done) {
  parts_.blocks->publisher().publish(std::move(envelope), telling(std::move(done)));
}

void BlockIntake::publish_signed(SharedEnvelope envelope, const opstack::rules::Signature& signature, Done done) {
  parts_.blocks->publisher().publish_signed(std::move(envelope), signature, telling(std::move(done)));
}

opstack::gossip::Publisher::Done BlockIntake::telling(Done done) {
  return [this, done = std::move(done)](const Result<opstack::gossip::PublishedBlock>& sent) {
    if (!sent) return done(sent.error());
    events_.tell(BlockPublished{*sent->block.envelope, *sent});
    done({});
  };
}

void BlockIntake::post_unsafe_payload(SharedEnvelope envelope, Done done) {
  const auto actual = opstack::payload::compute_block_hash(*envelope);
  // op-node's words for this method, to the letter: they are not those of its gossip, which sentence() has.
  if (actual != envelope->payload.block_hash)
    return done(fail(Errc::mismatch, "payload has bad block hash: " + libp2p::to_hex0x(envelope->payload.block_hash) +
                                         ", actual block hash is: " + libp2p::to_hex0x(actual)));
  // What breaks the rules of its fork, no peer would take from us.
  const auto fields = opstack::rules::check_block_fields(config_.rollup, *envelope);
  if (fields.verdict != opstack::rules::Verdict::accept)
    return done(fail(Errc::mismatch, fields.text() + "; fields by fork are checked here, unlike in op-node"));
  const auto version = config_.rollup.payload_version(envelope->payload.timestamp);
  if (const auto encodable = opstack::payload::check_encodable(version, *envelope); !encodable)
    return done(encodable.error());
  parts_.follower->on_vouched(opstack::payload::encode_block(version, std::move(envelope)), std::move(done));
}

}  // namespace opp2p
