// Whole nodes for the tests of server and client, in a simulated world: real Noise and Yamux over links in memory, on a
// virtual clock; identify, a store in memory behind the runtime's workers, a follower that only wants gaps filled, and
// a chain of real blocks.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "libp2p/services/identify/identify_service.hpp"
#include "libp2p/testing/sim_hosts.hpp"
#include "opstack/sync/drive/sync_client.hpp"
#include "opstack/sync/drive/sync_server.hpp"

namespace opstack::sync::testing_hosts {

namespace codec = opstack::sync::wire;
using libp2p::Host;
using libp2p::Millis;
using libp2p::Seconds;
using libp2p::Stream;
using libp2p::runtime::Task;

inline constexpr std::uint64_t kGenesisTime =
    1'759'990'000;  // 10,000 s before the world begins: blocks up to 5000 are due

// Up to `last`, Ecotone or Isthmus.
inline chain::RollupConfig rollup_config(chain::Fork last = chain::Fork::ecotone) {
  chain::RollupConfig out;
  out.l2_chain_id = 901;
  out.block_time = 2;
  out.genesis.l2_time = kGenesisTime;
  out.genesis.l2.number = 0;
  out.genesis.l2.hash[0] = 0xaa;
  out.set_activation_time(chain::Fork::canyon, 0);
  out.set_activation_time(chain::Fork::ecotone, 0);
  if (last == chain::Fork::isthmus) out.set_activation_time(last, 0);
  return out;
}

// A chain of real blocks: their hashes are those of their contents.
class Chain {
 public:
  Chain(std::uint64_t length, std::size_t size, payload::Version version = payload::Version::v3)
      : Chain(nullptr, 0, length, size, version, 7) {}
  // One that leaves `trunk` above `fork_point`.
  Chain(const Chain& trunk, std::uint64_t fork_point, std::uint64_t length, std::size_t size)
      : Chain(&trunk, fork_point, length, size, payload::Version::v3, 8) {}
  const Block& at(std::uint64_t number) const { return blocks_.at(number - 1); }
  std::uint64_t length() const { return blocks_.size(); }

 private:
  Chain(const Chain* trunk, std::uint64_t fork_point, std::uint64_t length, std::size_t size, payload::Version version,
        std::uint64_t seed) {
    Hash parent = rollup_config().genesis.l2.hash;
    libp2p::SeededRng rng(seed);
    for (std::uint64_t n = 1; n <= length; ++n) {
      if (n <= fork_point) {
        blocks_.push_back(trunk->at(n));
        parent = blocks_.back().hash();
        continue;
      }
      payload::Envelope envelope;
      envelope.parent_beacon_block_root = Hash{};
      auto& p = envelope.payload;
      p.block_number = n;
      p.parent_hash = parent;
      p.timestamp = kGenesisTime + 2 * n;
      p.gas_limit = 30'000'000;
      Bytes transaction(size);
      rng.fill(transaction);
      p.transactions.push_back(std::move(transaction));
      p.withdrawals.emplace();
      p.blob_gas_used = 0;
      p.excess_blob_gas = 0;
      if (payload::has_withdrawals_root(version)) p.withdrawals_root.emplace().fill(0x77);
      p.block_hash = payload::compute_block_hash(envelope);
      parent = p.block_hash;
      blocks_.push_back(encode_block(version, std::make_shared<const payload::Envelope>(std::move(envelope))));
    }
  }

  std::vector<Block> blocks_;
};

// A store in memory behind the runtime's workers.
class SimStore final : public BlockSource {
 public:
  explicit SimStore(libp2p::runtime::Runtime& runtime) : runtime_(runtime) {}

  // Its callback, and the sequence number of a look-up that hangs.
  class LookupHandle final : public libp2p::runtime::Operation {
   public:
    LookupHandle(SimStore& store, std::uint64_t id, std::shared_ptr<LookupDone> done)
        : store_(store), id_(id), done_(std::move(done)) {}
    ~LookupHandle() override {
      *done_ = nullptr;
      store_.hung.erase(id_);
    }

   private:
    SimStore& store_;
    std::uint64_t id_;
    std::shared_ptr<LookupDone> done_;
  };
  std::unique_ptr<libp2p::runtime::Operation> lookup(std::uint64_t number, LookupDone callback) override {
    auto done = std::make_shared<LookupDone>(std::move(callback));
    const std::uint64_t id = ++lookups_;
    auto handle = std::make_unique<LookupHandle>(*this, id, done);
    if (hanging) {
      hung.insert(id);
      return handle;
    }
    auto found = std::make_shared<Result<std::optional<ServedBlock>>>(std::optional<ServedBlock>());
    if (broken) {
      *found = libp2p::fail(Errc::io, "read error");
    } else if (blocks.contains(number)) {
      *found = std::optional<ServedBlock>(ServedBlock{
          blocks.at(number).version, libp2p::share(opstack::encoding::snappy_frame_encode(blocks.at(number).body))});
    }
    runtime_.run_on_worker([] {},
                           [done = std::move(done), found] {
                             const LookupDone call = *done;
                             if (call) call(std::move(*found));
                           });
    return handle;
  }

  std::map<std::uint64_t, Block> blocks;
  std::set<std::uint64_t> hung;  // look-ups that wait for ever
  bool broken = false;
  bool hanging = false;

 private:
  libp2p::runtime::Runtime& runtime_;
  std::uint64_t lookups_ = 0;
};

// A follower that only wants gaps filled: from a block that it is given down to what it knows.
class SimSink final : public GapSink {
 public:
  struct Open {
    Gap gap;
    BlockRef lowest;  // that is there
  };

  explicit SimSink(libp2p::runtime::Runtime& runtime) : runtime_(runtime) {}

  // Wants all below the block, down to the block above `known`, with less urgency than what is wanted already.
  GapId want(const Block& block, std::uint64_t known = 0) {
    const GapId id = next_id_++;
    open[id] = Open{Gap{id, block.ref(), known + 1}, block.ref()};
    list();
    return id;
  }
  void list() {
    std::vector<Gap> gaps;
    for (const auto& [id, gap] : open) gaps.push_back(gap.gap);
    inside_want_ = true;
    source->want(std::move(gaps));
    inside_want_ = false;
  }
  void on_fetched(GapId id, const PeerId& from, Block block) override {
    EXPECT_FALSE(inside_want_);
    ASSERT_TRUE(open.contains(id));
    Open& gap = open.at(id);
    EXPECT_EQ(block.hash(), gap.lowest.parent_hash);
    gap.lowest = block.ref();
    fetched.push_back(block);
    suppliers.insert(from);
    unwritten += block.memory_bytes();
    if (drops_at_once) {
      unwritten -= block.memory_bytes();
      source->on_written(block.memory_bytes());
    } else if (writes) {
      write(block.memory_bytes());
    }
    if (gap.lowest.number == gap.gap.floor) open.erase(id);
    if (lists_each_block || !open.contains(id)) {
      if (open.contains(id)) gap.gap.child = gap.lowest;
      list();
    }
  }
  void on_source_changed() override {
    EXPECT_FALSE(inside_want_);
    could_ask.push_back(source->can_ask());
  }
  void write(std::size_t bytes) {
    runtime_.run_on_worker([] {}, life_.guard([this, bytes] {
      unwritten -= bytes;
      source->on_written(bytes);
    }));
  }

  GapSource* source = nullptr;
  std::map<GapId, Open> open;
  std::vector<Block> fetched;
  std::set<PeerId> suppliers;
  std::vector<bool> could_ask;  // what GapSource::can_ask() changed to
  std::size_t unwritten = 0;
  bool writes = true;
  bool drops_at_once = false;  // inside the delivery
  bool lists_each_block = true;

 private:
  libp2p::runtime::Runtime& runtime_;
  GapId next_id_ = 1;
  bool inside_want_ = false;
  libp2p::LifeToken life_;
};

// What a node adds to a host: identify, store, server, client.
struct Node {
  Node(Host& host, const chain::RollupConfig& rollup, SyncServerConfig server_config = {}, SyncClientConfig config = {})
      : identify(std::make_unique<libp2p::IdentifyService>(host)), store(host.runtime()), sink(host.runtime()) {
    server = std::make_unique<SyncServer>(host, rollup, store, server_config);
    server_events = server->subscribe([this](const ServedRequest& request) { served.push_back(request); });
    client_events =
        events.subscribe([this](const FollowerEvent& event) { std::visit([this](const auto& k) { on(k); }, event); });
    client = std::make_unique<SyncClient>(host, rollup, sink, config, events);
    sink.source = client.get();
  }
  void on(const SyncTrace& trace) { ++traces[trace.kind]; }
  void on(const SyncFault& fault) { faults.push_back(fault); }
  void on(const PeerReport& report) { ++merits[report.peer][report.merit]; }
  template <class Other>
  void on(const Other&) {}
  void hold(const Chain& chain, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t n = from; n <= to; ++n) store.blocks.insert_or_assign(n, chain.at(n));
  }
  bool filled() const { return sink.open.empty(); }

  std::unique_ptr<libp2p::IdentifyService> identify;
  SimStore store;
  SimSink sink;
  libp2p::EventSource<FollowerEvent> events;
  std::vector<ServedRequest> served;
  std::map<SyncTraceKind, int> traces;
  std::vector<SyncFault> faults;
  std::map<PeerId, std::map<PeerMerit, int>> merits;
  std::unique_ptr<SyncServer> server;
  std::unique_ptr<SyncClient> client;
  libp2p::Subscription server_events, client_events;
};

inline Task<Result<Bytes>> ask_raw(Host& host, PeerId peer, std::string protocol, Bytes request, bool half_close) {
  std::vector<std::string> protocols;
  protocols.push_back(std::move(protocol));
  Result<Stream> opened = co_await host.open_stream(std::move(peer), std::move(protocols));
  if (!opened) co_return opened.error();
  Stream stream = std::move(*opened);
  const Result<void> sent = co_await stream.write(request);
  if (!sent) co_return sent.error();
  if (half_close) stream.close_write();
  Result<Bytes> answer = co_await stream.read_to_end(20 << 20);
  co_return answer;
}

class SyncOverHosts : public testing::Test {
 public:
  explicit SyncOverHosts(chain::RollupConfig rollup = rollup_config()) : rollup_(std::move(rollup)) {}

 protected:
  Node& add(SyncServerConfig server_config = {}, SyncClientConfig config = {}) {
    Host& host = net_.add();
    nodes_.push_back(std::make_unique<Node>(host, rollup_, server_config, config));
    return *nodes_.back();
  }
  Result<Bytes> ask(std::size_t from, std::size_t to, std::uint64_t number) {
    const auto raw = codec::encode_request(number);
    return ask_bytes(from, to, Bytes(raw.begin(), raw.end()), true);
  }
  Result<Bytes> ask_bytes(std::size_t from, std::size_t to, Bytes request, bool half_close) {
    auto answer = net_.run(from, ask_raw(net_.host(from), net_.host(to).id(), nodes_[to]->server->protocol(),
                                         std::move(request), half_close));
    return answer ? std::move(*answer) : Result<Bytes>(libp2p::fail(Errc::timed_out, "the test"));
  }
  void TearDown() override {
    nodes_.clear();
    net_.close();
  }

  libp2p::SimHosts net_{11};
  const chain::RollupConfig rollup_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace opstack::sync::testing_hosts
