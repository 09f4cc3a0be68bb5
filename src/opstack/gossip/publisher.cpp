#include "opstack/gossip/publisher.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/base/assert.hpp"

namespace opstack::gossip {

namespace {

using libp2p::Errc;
using libp2p::Error;
using libp2p::fail;

constexpr std::size_t kMaxInMaking = 64;

// "0x<block hash>:<number>", as op-node names a payload.
std::string payload_id(const payload::ExecutionPayload& payload) {
  return libp2p::to_hex0x(payload.block_hash) + ":" + std::to_string(payload.block_number);
}

}  // namespace

// Shared by the network thread and, while the message is made, the worker that does so.
struct Publisher::Job {
  Job(payload::SharedEnvelope e, Done d) : envelope(std::move(e)), done(std::move(d)) {
    if (!done) done = [](const Result<PublishedBlock>&) {};  // nobody wants to know
  }

  payload::SharedEnvelope envelope;
  Done done;
  std::optional<Secret> key;
  Signature signature{};
  Version version = Version::v1;
  std::optional<Result<rules::BlockMessage>> message;
  rules::Outcome fields;
  PublishedBlock block;
  bool kept = false;
  libp2p::MonoTime begun;
};

Publisher::Publisher(libp2p::GossipsubService& gossip, libp2p::runtime::Runtime& runtime, rules::BlockRulesConfig rules,
                     VersionAt version_at)
    : gossip_(gossip), runtime_(runtime), rules_(std::move(rules)), version_at_(std::move(version_at)) {}

std::optional<Address> Publisher::signer() const {
  if (!key_) return std::nullopt;
  return libp2p::crypto::secp256k1::address_of(*key_);
}

void Publisher::publish(payload::SharedEnvelope envelope, Done done) {
  auto job = std::make_shared<Job>(std::move(envelope), std::move(done));
  if (!key_) {
    job->done(fail(Errc::denied,
                   "node has no p2p signer, payload " + payload_id(job->envelope->payload) + " cannot be published"));
    return;
  }
  job->key = key_;
  make(std::move(job));
}

void Publisher::publish_signed(payload::SharedEnvelope envelope, const Signature& signature, Done done) {
  auto job = std::make_shared<Job>(std::move(envelope), std::move(done));
  job->signature = signature;
  make(std::move(job));
}

void Publisher::make(std::shared_ptr<Job> job) {
  if (!version_at_) {
    job->done(fail(Errc::invalid_argument,
                   "BlockGossipConfig::version_at is empty, so payload " + payload_id(job->envelope->payload) +
                       " cannot be published: set it to what tells a block's version by its time"));
    return;
  }
  if (making_ >= kMaxInMaking) {
    job->done(
        fail(Errc::exhausted, "there are " + std::to_string(kMaxInMaking) + " blocks waiting to be published already"));
    return;
  }
  ++making_;
  job->begun = runtime_.now().mono;
  job->version = version_at_(job->envelope->payload.timestamp);
  auto work = [job, config = rules_]() mutable {
    const auto& chain_id = config.chain_id;
    job->message = job->key ? rules::make_block_message(chain_id, job->version, *job->envelope, *job->key)
                            : rules::make_signed_block_message(chain_id, job->version, *job->envelope, job->signature);
    if (!*job->message) return;
    config.version = job->version;
    job->fields = rules::check_block_fields(config, *job->envelope);
    const rules::BlockMessage& message = **job->message;
    PublishedBlock& block = job->block;
    block.topic = message.topic;
    block.version = message.version;
    block.signature = message.signature;
    block.bytes = message.data->size();
    block.block = payload::Block(message.version, job->envelope, message.body);
    block.block.header = message.header;
    if (job->key) {
      block.signer = libp2p::crypto::secp256k1::address_of(*job->key);
    } else if (const auto signer = rules::recover_signer(chain_id, message.body, message.signature)) {
      block.signer = *signer;
    }
  };
  runtime_.run_on_worker(std::move(work), [this, job, life = life_.watch()] {
    if (!life) {
      job->done(fail(Errc::closed, "the publisher is closed"));
      return;
    }
    OPP2P_ASSERT(making_ > 0 && making_ <= kMaxInMaking, "a block that was being made is done", making_);
    --making_;
    on_made(job);
  });
}

void Publisher::on_made(const std::shared_ptr<Job>& job) {
  if (!*job->message) {
    job->done(job->message->error().within("publishing payload " + payload_id(job->envelope->payload)));
    return;
  }
  if (!keep_ || !allows_(job->block.signer)) return send(job);
  if (auto why = refusal(*job)) return job->done(*std::move(why));
  keep_(job->block, [this, job, life = life_.watch()](const Result<void>& kept) {
    if (!life) {
      job->done(fail(Errc::closed, "the publisher is closed"));
      return;
    }
    if (!kept) {
      job->done(kept.error().within("keeping payload " + payload_id(job->envelope->payload)));
      return;
    }
    job->kept = true;
    job->block.kept_after = runtime_.now().mono - job->begun;
    send(job);
  });
}

std::optional<Error> Publisher::refusal(const Job& job) const {
  const auto because = [&job](const std::string& why) {
    return fail(Errc::mismatch, "validation failed for payload " + payload_id(job.envelope->payload) + ": " + why);
  };
  if (job.fields.verdict != rules::Verdict::accept) return because(job.fields.text());
  const std::int64_t now = std::max<std::int64_t>(0, libp2p::unix_seconds(runtime_.now().wall));
  const std::uint64_t timestamp = job.envelope->payload.timestamp;
  if (timestamp <= static_cast<std::uint64_t>(now + rules::kMaxFutureSeconds)) return std::nullopt;
  return because(sentence(rules::Reason::too_new,
                          rules::TimeEvidence{timestamp, static_cast<std::uint64_t>(now), rules::kMaxFutureSeconds}));
}

void Publisher::send(const std::shared_ptr<Job>& job) {
  const rules::BlockMessage& message = **job->message;
  const auto publish_done = [&runtime = runtime_](Job& of) {  // the publisher may have gone
    of.block.done_after = runtime.now().mono - of.begun;
    of.done(std::move(of.block));
  };
  const auto not_gossiped = [publish_done](Job& of, Error why) {
    if (!of.kept) return of.done(std::move(why));
    of.block.not_gossiped = why.message();
    publish_done(of);
  };
  auto judged = [job, not_gossiped, publish_done](const libp2p::gossipsub::Published& end) {
    if (end.verdict != libp2p::gossipsub::ValidationResult::accept) {
      const bool rejected = end.verdict == libp2p::gossipsub::ValidationResult::reject;
      return not_gossiped(
          *job,
          fail(Errc::mismatch, std::string(rejected ? "validation failed" : "validation ignored") + " for payload " +
                                   payload_id(job->envelope->payload) + ": this node's own block rules refuse it"));
    }
    job->block.message_id = end.id;
    publish_done(*job);
  };
  const auto publication =
      gossip_.publish(message.topic, *message.data, libp2p::gossipsub::LocalCheck::validate, std::move(judged));
  if (!publication) {
    not_gossiped(*job, publication.error().within("publishing payload " + payload_id(job->envelope->payload)));
  } else if (publication->request == 0) {
    // Known already: published before, which is no error.
    job->block.message_id = publication->id;
    publish_done(*job);
  }
}

// Between the callback and the coroutine that waits for it; whichever goes first leaves the other intact.
struct Publisher::Wait {
  explicit Wait(libp2p::runtime::Runtime& runtime) : event(runtime) {}
  libp2p::runtime::Event event;
  std::optional<Result<PublishedBlock>> result;
};

libp2p::runtime::Task<Result<PublishedBlock>> Publisher::wait_for(std::shared_ptr<Wait> wait) {
  const Result<void> woken = co_await wait->event.wait();
  if (!woken) co_return woken.error();
  co_return std::move(*wait->result);
}

libp2p::runtime::Task<Result<PublishedBlock>> Publisher::publish(payload::SharedEnvelope envelope) {
  auto wait = std::make_shared<Wait>(runtime_);
  publish(std::move(envelope), [wait](Result<PublishedBlock> result) {
    wait->result = std::move(result);
    wait->event.signal();
  });
  return wait_for(std::move(wait));
}

libp2p::runtime::Task<Result<PublishedBlock>> Publisher::publish_signed(payload::SharedEnvelope envelope,
                                                                        Signature signature) {
  auto wait = std::make_shared<Wait>(runtime_);
  publish_signed(std::move(envelope), signature, [wait](Result<PublishedBlock> result) {
    wait->result = std::move(result);
    wait->event.signal();
  });
  return wait_for(std::move(wait));
}

}  // namespace opstack::gossip
