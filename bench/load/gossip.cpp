// Blocks through a node: a publisher and receivers are connected only to the node between them. Blocks are made,
// signed and compressed before the clock starts. A block has arrived when the first receiver has it; `copies` counts
// those of every receiver. A block that has not arrived after `lost-ms` counts as lost, and the next one is sent.
#include <cstdio>
#include <deque>

#include "lib/made_chain.hpp"
#include "load.hpp"
#include "opstack/gossip/block_gossip.hpp"
#include "opstack/rules/block_message.hpp"
#include "opstack/rules/topics.hpp"

namespace bench {

using libp2p::MonoTime;
using libp2p::Nanos;
using libp2p::runtime::AsioRuntime;
namespace gossip_rules = opstack::rules;

namespace {

constexpr auto kWarmUpLimit = libp2p::Seconds(30);
constexpr auto kGossipLimit = libp2p::Seconds(300);

struct GossipPeer : Peer {
  GossipPeer(AsioRuntime& runtime, std::uint64_t chain_id)
      : Peer(runtime, libp2p::crypto::KeyType::secp256k1),
        service(std::make_unique<libp2p::GossipsubService>(*host, opstack::gossip::block_gossip_config(chain_id, {}),
                                                           scores)) {}
  libp2p::gossipsub::NeutralScores scores;
  std::unique_ptr<libp2p::GossipsubService> service;
};

class Run {
 public:
  explicit Run(const Arguments& arguments)
      : arguments_(arguments),
        made_(arguments.number("genesis", 0), arguments.number("size", 1000)),
        version_(opstack::testing::version_of(made_.chain.options().fork)),
        topic_(gossip_rules::blocks_topic(made_.chain.options().chain_id, version_)),
        publisher_(runtime_, made_.chain.options().chain_id),
        count_(arguments.number("count", 0)),
        paced_(arguments.number("paced", 0)),
        window_(arguments.number("window", 4)),
        interval_(libp2p::Micros(static_cast<std::int64_t>(arguments.number("interval-us", 0)))),
        lost_after_(libp2p::Millis(static_cast<std::int64_t>(arguments.number("lost-ms", 1000)))),
        at_once_(arguments.number("at-once", 0) != 0),
        flood_(libp2p::Seconds(static_cast<std::int64_t>(arguments.number("flood-seconds", 0)))) {
    if (count_ + paced_ == 0) count_ = 1;
    for (std::uint64_t i = 0; i < arguments.number("receivers", 1); ++i)
      receivers_.push_back(std::make_unique<GossipPeer>(runtime_, made_.chain.options().chain_id));
  }

  int go() {
    make_blocks();
    connect(runtime_, *publisher_.host, address_of(arguments_.at(0)));
    join(publisher_, [](const auto&) {});
    for (const auto& receiver : receivers_) {
      connect(runtime_, *receiver->host, address_of(arguments_.at(0)));
      join(*receiver, [this](const libp2p::gossipsub::Deliver& message) { received(message); });
    }
    warm_up();
    // The driver reads the node's figures around each part: it says when to go on.
    print({{"ready", true}, {"message_bytes", blocks_.front().data->size()}});
    std::getchar();
    if (flood_ > Nanos(0)) {
      flood();
      report(0, blocks_.size());
    } else if (count_ > 0) {
      measure(0, count_, Nanos(0));
      report(0, count_);
    }
    std::getchar();
    if (paced_ > 0) {
      measure(count_, count_ + paced_, interval_);
      report(count_, count_ + paced_);
      std::getchar();
    }
    return 0;
  }

 private:
  struct Block {
    libp2p::SharedBytes data;
    MonoTime sent;
    std::optional<MonoTime> came;
  };

  Block make_block() { return pack(made_.chain.next()); }

  Block pack(const opstack::payload::Envelope& envelope) const {
    auto message = gossip_rules::make_block_message(made_.chain.options().chain_id, version_, envelope, made_.signer);
    if (!message) give_up(message.error().message());
    return {message->data, {}, {}};
  }

  void make_blocks() {
    for (std::uint64_t i = 0; i < count_ + paced_; ++i) blocks_.push_back(make_block());
  }

  // Of the blocks from `begin` up to `end`.
  void report(std::size_t begin, std::size_t end) const {
    std::vector<double> times;
    for (std::size_t i = begin; i < end; ++i) {
      if (blocks_[i].came) times.push_back(seconds(*blocks_[i].came - blocks_[i].sent));
    }
    print({{"count", end - begin},
           {"lost", end - begin - times.size()},
           {"copies", copies_},
           {"per_second", static_cast<double>(times.size()) / seconds(last_ - started_)},
           {"p50_us", quantile(times, 0.5) * 1e6},
           {"p99_us", quantile(times, 0.99) * 1e6}});
  }

  void join(GossipPeer& peer, libp2p::GossipsubService::Subscriber subscriber) {
    if (const auto joined = peer.service->join(topic_, nullptr, std::move(subscriber)); !joined)
      give_up(joined.error().message());
  }

  void publish(const libp2p::SharedBytes& data) {
    const auto done = publisher_.service->publish(topic_, *data, libp2p::gossipsub::LocalCheck::already_valid);
    if (!done) give_up("publishing: " + done.error().message());
  }

  // The numbers that begin a message tell it from the others: compressed, its signature comes first.
  static std::string_view key_of(libp2p::ByteView data) {
    return libp2p::as_text(data.first(std::min<std::size_t>(data.size(), 72)));
  }

  void received(const libp2p::gossipsub::Deliver& message) {
    const auto found = by_key_.find(key_of(message.data.view()));
    warm_ = true;
    if (found == by_key_.end()) return;
    ++copies_;
    if (blocks_[found->second].came) return;
    last_ = runtime_.now().mono;
    blocks_[found->second].came = last_;
    ++received_;
  }

  // Blocks until one gets through: then the meshes stand. Their time is not that of their number, so that the node
  // forwards them and does not follow them.
  void warm_up() {
    const auto until = runtime_.now().mono + kWarmUpLimit;
    while (!warm_) {
      if (runtime_.now().mono > until) give_up("no block came through the node within 30 s");
      auto envelope = made_.chain.next();
      ++envelope.payload.timestamp;
      envelope.payload.block_hash = opstack::payload::compute_block_hash(envelope);
      publish(pack(envelope).data);
      runtime_.run_until([this] { return warm_; }, libp2p::Millis(250));
    }
    runtime_.run_until([] { return false; }, libp2p::Millis(1500));
  }

  // Blocks are made while it lasts, because so many would fill the memory: all of them one block under other numbers
  // and parents.
  void flood() {
    auto envelope = made_.chain.next();
    started_ = last_ = runtime_.now().mono;
    blocks_.clear();
    while (runtime_.now().mono - started_ < flood_) {
      envelope.payload.parent_hash = envelope.payload.block_hash;
      ++envelope.payload.block_number;
      ++envelope.payload.timestamp;
      envelope.payload.block_hash = opstack::payload::compute_block_hash(envelope);
      blocks_.push_back(pack(envelope));
      runtime_.run_until([] { return false; }, Nanos(1));  // what has come meanwhile
      auto& block = blocks_.back();
      by_key_.emplace(keys_.emplace_back(key_of(*block.data)), blocks_.size() - 1);
      wait_for_room();
      block.sent = runtime_.now().mono;
      publish(block.data);
      block.data = nullptr;
      open_.push_back(&block);
    }
    runtime_.run_until([this] { return received_ == blocks_.size(); }, lost_after_ + libp2p::Seconds(2));
  }

  // Publishes the blocks from `begin` up to `end`: one each `interval`, or when that is zero as fast as the window lets
  // them.
  void measure(std::size_t begin, std::size_t end, Nanos interval) {
    for (std::size_t i = begin; i < end; ++i) by_key_.emplace(key_of(*blocks_[i].data), i);
    started_ = last_ = runtime_.now().mono;
    received_ = copies_ = 0;
    open_.clear();
    auto due = started_;
    for (std::size_t i = begin; i < end; ++i) {
      auto& block = blocks_[i];
      if (interval > Nanos(0)) {
        due += interval;
        while (runtime_.now().mono < due) runtime_.run_until([] { return false; }, due - runtime_.now().mono);
      } else if (!at_once_) {
        wait_for_room();
      }
      block.sent = runtime_.now().mono;
      publish(block.data);
      open_.push_back(&block);
    }
    runtime_.run_until([&] { return received_ == end - begin; },
                       std::min<Nanos>(kGossipLimit, lost_after_ + libp2p::Seconds(2)));
  }

  void wait_for_room() {
    const auto settled = [this] {
      while (!open_.empty() && (open_.front()->came || runtime_.now().mono - open_.front()->sent > lost_after_))
        open_.pop_front();
      return open_.size() < window_;
    };
    if (settled()) return;
    if (!runtime_.run_until(settled, kGossipLimit)) give_up("no progress");
  }

  AsioRuntime runtime_{1};
  Arguments arguments_;
  MadeChain made_;
  opstack::payload::Version version_;
  std::string topic_;
  GossipPeer publisher_;
  std::vector<std::unique_ptr<GossipPeer>> receivers_;
  std::uint64_t count_;
  std::uint64_t paced_;
  std::uint64_t window_;
  Nanos interval_;
  Nanos lost_after_;
  bool at_once_;
  Nanos flood_;
  std::deque<Block> blocks_;
  std::deque<Block*> open_;
  std::deque<std::string> keys_;  // of a flood, whose data is let go
  std::map<std::string_view, std::size_t> by_key_;
  std::uint64_t received_ = 0;
  std::uint64_t copies_ = 0;  // that receivers got of the blocks of this part
  bool warm_ = false;
  MonoTime started_;
  MonoTime last_;
};

}  // namespace

int gossip(const Arguments& arguments) { return Run(arguments).go(); }

}  // namespace bench
