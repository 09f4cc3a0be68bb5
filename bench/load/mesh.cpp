// GossipSub nodes in one process, each connected to each over TCP on loopback: what interop/go/gossipload and
// interop/rust/src/bin/gossipload.rs do with the other implementations, with the same words. Nodes are shared out to
// threads, each with a runtime of its own. A message that was published has to reach all other nodes. At saturation so
// many are under way at a time; paced, one leaves each interval.
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <ctime>
#include <functional>
#include <thread>

#include "libp2p/crypto/hash.hpp"
#include "libp2p/services/gossipsub/gossipsub_service.hpp"
#include "load.hpp"

namespace bench {

using libp2p::MonoTime;
using libp2p::Nanos;
using libp2p::runtime::AsioRuntime;

namespace {

const std::string kMeshTopic = "/opp2p/bench";
constexpr std::size_t kNumberBytes = 8;
constexpr std::uint64_t kWarmUps = std::uint64_t{1} << 62;  // numbers from here on are not measured
constexpr auto kStalled = std::chrono::seconds(2);
constexpr auto kSetUp = std::chrono::seconds(60);
constexpr std::size_t kIdSize = 20;

using Clock = std::chrono::steady_clock;

std::int64_t nanos_now() { return std::chrono::nanoseconds(Clock::now().time_since_epoch()).count(); }

double process_cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

libp2p::GossipsubConfig mesh_config() {
  libp2p::GossipsubConfig config;
  config.router.message_id = [](std::string_view, libp2p::ByteView data) -> libp2p::gossipsub::Named {
    return *libp2p::gossipsub::MessageId::from(libp2p::ByteView(libp2p::crypto::sha256(data)).first(kIdSize));
  };
  return config;
}

// One measurement.
struct Part {
  Part(std::uint64_t first_number, std::size_t count, std::size_t nodes)
      : first(first_number), sent(count), missing(count), times(nodes) {
    for (auto& of_message : missing) of_message = static_cast<int>(nodes) - 1;
  }
  std::uint64_t first;
  std::vector<std::atomic<std::int64_t>> sent;  // nanoseconds
  std::vector<std::atomic<int>> missing;        // nodes that have not got it
  std::vector<std::vector<double>> times;       // of each node, touched by its thread only
  std::atomic<std::int64_t> last = 0;
  std::atomic<std::uint64_t> arrived = 0;
};

struct MeshNode {
  MeshNode(AsioRuntime& on, std::size_t number)
      : runtime(on),
        peer(on, libp2p::crypto::KeyType::ed25519),
        service(*peer.host, mesh_config(), scores),
        index(number) {
    if (const auto listening = peer.host->listen(address_of("/ip4/127.0.0.1/tcp/0")); !listening)
      give_up(listening.error().message());
    address = peer.host->listen_addresses().front().with_peer_id(peer.host->id());
  }
  AsioRuntime& runtime;
  Peer peer;
  libp2p::gossipsub::NeutralScores scores;
  libp2p::GossipsubService service;
  std::size_t index;
  libp2p::Multiaddr address;
};

class Mesh {
 public:
  explicit Mesh(const Arguments& arguments)
      : arguments_(arguments),
        nodes_(arguments.number("nodes", 2)),
        publishers_(arguments.number("publishers", 1)),
        size_(std::max<std::size_t>(arguments.number("size", 1024), kNumberBytes)),
        threads_(std::min<std::size_t>(nodes_.size(),
                                       arguments.number("threads", std::max(1U, std::thread::hardware_concurrency())))),
        listening_(static_cast<std::ptrdiff_t>(threads_)) {}

  int go() {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < threads_; ++i) threads.emplace_back([this, i] { run_thread(i); });
    await([this] { return standing_ == threads_; }, "the nodes do not connect");
    warm_up();
    if (const auto count = arguments_.number("count", 0); count > 0)
      measure("saturation", count, arguments_.number("window", 64), {});
    if (const auto count = arguments_.number("paced", 0); count > 0)
      measure("paced", count, 0, std::chrono::microseconds(arguments_.number("interval-us", 1000)));
    over_ = true;
    for (auto& thread : threads) thread.join();
    return 0;
  }

 private:
  static void await(const std::function<bool()>& met, const std::string& otherwise) {
    const auto end = Clock::now() + kSetUp;
    while (!met()) {
      if (Clock::now() > end) give_up(otherwise);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  // The kernel would wake a thread on the core of the one that wrote to it, where it has to wait for that one.
  void keep_to_a_core(std::size_t thread) const {
    if (threads_ > std::thread::hardware_concurrency()) return;
    cpu_set_t allowed;
    cpu_set_t one;
    CPU_ZERO(&one);
    if (pthread_getaffinity_np(pthread_self(), sizeof allowed, &allowed) != 0) return;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (!CPU_ISSET(cpu, &allowed) || thread-- > 0) continue;
      CPU_SET(cpu, &one);
      pthread_setaffinity_np(pthread_self(), sizeof one, &one);
      return;
    }
  }

  void run_thread(std::size_t thread) {
    keep_to_a_core(thread);
    AsioRuntime runtime(1);
    std::vector<std::unique_ptr<MeshNode>> own;
    for (std::size_t i = thread; i < nodes_.size(); i += threads_) {
      nodes_[i] = own.emplace_back(std::make_unique<MeshNode>(runtime, i)).get();
      join(*nodes_[i]);
    }
    listening_.arrive_and_wait();
    for (const auto& node : own) {
      for (std::size_t other = 0; other < node->index; ++other)
        connect(runtime, *node->peer.host, nodes_[other]->address);
    }
    ++standing_;
    while (!over_) runtime.run_until([this] { return over_.load(); }, libp2p::Millis(100));
    ended_.fetch_add(1);
    // The others write to these connections until they have ended too.
    while (ended_ < threads_) runtime.run_until([this] { return ended_ == threads_; }, libp2p::Millis(10));
  }

  void join(MeshNode& node) {
    const auto joined =
        node.service.join(kMeshTopic, nullptr, [this, &node](const libp2p::gossipsub::Deliver& message) {
          received(node, libp2p::load_le64(message.data.data()));
        });
    if (!joined) give_up(joined.error().message());
  }

  // On the thread of the node, as all of the next.
  void received(const MeshNode& node, std::uint64_t number) {
    if (number >= kWarmUps) {
      ++warm_;
      return;
    }
    Part* const part = running_;
    if (part == nullptr || number < part->first || number - part->first >= part->sent.size()) return;
    const std::size_t index = number - part->first;
    const std::int64_t now = nanos_now();
    part->times[node.index].push_back(static_cast<double>(now - part->sent[index]) * 1e-3);
    if (--part->missing[index] != 0) return;
    part->last = now;
    ++part->arrived;
    if (window_ > 0 && !fill_asked_.exchange(true)) nodes_[0]->runtime.post([this] { fill(); });
  }

  void publish_on(MeshNode& node, std::uint64_t number) const {
    libp2p::Bytes data(size_);
    libp2p::store_le64(data.data(), number);
    const auto done = node.service.publish(kMeshTopic, data, libp2p::gossipsub::LocalCheck::already_valid);
    if (!done) give_up("publishing: " + done.error().message());
  }

  void publish(std::uint64_t number) {
    MeshNode& node = *nodes_[number % publishers_];
    node.runtime.post([this, &node, number] { publish_on(node, number); });
  }

  // On the first node's thread: as many messages as the window lets through.
  void fill() {
    fill_asked_ = false;
    Part* const part = running_;
    if (part == nullptr) return;
    for (; next_ < part->sent.size() && next_ - part->arrived - given_up_ < window_; ++next_) {
      const std::uint64_t number = part->first + next_;
      part->sent[next_] = nanos_now();
      MeshNode& node = *nodes_[number % publishers_];
      if (&node.runtime == &nodes_[0]->runtime) {
        publish_on(node, number);
      } else {
        publish(number);
      }
    }
  }

  // Waits for meshes: until ten messages in a row have reached all.
  void warm_up() {
    int good = 0;
    for (std::uint64_t number = 0; good < 10; ++number) {
      if (number > 100) give_up("the nodes do not find together");
      const std::uint64_t all = warm_ + nodes_.size() - 1;
      publish(kWarmUps + number);
      for (int wait = 0; wait < 100 && warm_ < all; ++wait) std::this_thread::sleep_for(std::chrono::milliseconds(10));
      good = warm_ >= all ? good + 1 : 0;
    }
    std::this_thread::sleep_for(std::chrono::seconds(2));
  }

  void measure(std::string_view name, std::size_t count, std::size_t window, std::chrono::microseconds interval) {
    Part part(first_, count, nodes_.size());
    first_ += count;
    window_ = window;
    next_ = given_up_ = 0;
    running_ = &part;
    const double cpu = process_cpu_seconds();
    const auto begin = Clock::now();
    const std::int64_t started = nanos_now();
    if (window > 0) nodes_[0]->runtime.post([this] { fill(); });
    for (std::size_t i = 0; window == 0 && i < count; ++i) {
      std::this_thread::sleep_until(begin + static_cast<std::int64_t>(i) * interval);
      part.sent[i] = nanos_now();
      publish(part.first + i);
    }
    wait(part, window);
    const std::uint64_t arrived = part.arrived;
    const double used = process_cpu_seconds() - cpu;
    settle();
    std::vector<double> times;
    for (const auto& of_node : part.times) times.insert(times.end(), of_node.begin(), of_node.end());
    print({{"part", name},
           {"count", count},
           {"lost", count - arrived},
           {"per_second", static_cast<double>(arrived) / (static_cast<double>(part.last - started) * 1e-9)},
           {"cpu_seconds", used},
           {"p50_us", quantile(times, 0.5)},
           {"p99_us", quantile(times, 0.99)}});
  }

  // Until all have arrived. Those that are under way while nothing arrives for so long are lost, and others follow.
  void wait(const Part& part, std::size_t window) {
    std::uint64_t seen = 0;
    auto last = Clock::now();
    while (part.arrived < part.sent.size()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      if (seen != part.arrived) {
        seen = part.arrived;
        last = Clock::now();
      } else if (Clock::now() - last > kStalled) {
        if (window == 0 || next_ >= part.sent.size()) return;
        given_up_ += window;
        nodes_[0]->runtime.post([this] { fill(); });
        last = Clock::now();
      }
    }
  }

  // Every thread has done what it had to do for the part, and knows that it is over.
  void settle() {
    running_ = nullptr;
    window_ = 0;
    std::atomic<std::size_t> passed = 0;
    for (std::size_t i = 0; i < threads_; ++i) nodes_[i]->runtime.post([&passed] { ++passed; });
    await([&] { return passed == threads_; }, "a node does not end its work");
  }

  Arguments arguments_;
  std::vector<MeshNode*> nodes_;
  std::uint64_t publishers_;
  std::size_t size_;
  std::size_t threads_;
  std::barrier<> listening_;
  std::atomic<std::size_t> standing_ = 0;
  std::atomic<std::size_t> ended_ = 0;
  std::atomic<bool> over_ = false;
  std::atomic<std::uint64_t> warm_ = 0;
  std::atomic<Part*> running_ = nullptr;
  std::atomic<std::size_t> window_ = 0;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<std::size_t> given_up_ = 0;
  std::atomic<bool> fill_asked_ = false;
  std::uint64_t first_ = 0;
};

}  // namespace

int mesh(const Arguments& arguments) { return Mesh(arguments).go(); }

}  // namespace bench
