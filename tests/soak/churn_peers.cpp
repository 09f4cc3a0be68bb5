// churn_peers ADDRESS GENESIS_TIME PLACES FORGERS STAY_MS SIGNER_KEY: peers of a MadeChain's network that come to the
// node at ADDRESS and go. Each of PLACES is taken by one peer after another: it joins the gossip of blocks, stays for
// up to twice STAY_MS, goes in order or without a word, and its successor comes a little later. Every other one returns
// with the same identity. In FORGERS of the places the peers publish a bad block each 50 ms until they are thrown out.
//
// The type of a peer's key tells what it is: secp256k1 (16Uiu2…) forges, Ed25519 (12D3Koo…) is honest.
//
// Prints a line of JSON each second with counts since the start, and ends with its standard input: everybody goes.
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "lib/made_chain.hpp"
#include "libp2p/host/host.hpp"
#include "libp2p/runtime/asio/asio_runtime.hpp"
#include "libp2p/services/gossipsub/gossipsub_service.hpp"
#include "libp2p/services/identify/identify_service.hpp"
#include "opstack/gossip/block_gossip.hpp"
#include "opstack/rules/topics.hpp"
#include "sim/mischief.hpp"

namespace {

using libp2p::Millis;
using libp2p::Nanos;
using libp2p::crypto::KeyType;
using libp2p::crypto::PrivateKey;
using libp2p::runtime::AsioRuntime;
using libp2p::runtime::sleep_for;
using libp2p::runtime::Task;
namespace mischief = opp2p::sim;

constexpr auto kForgeInterval = Millis(50);
constexpr auto kLookInterval = Millis(200);  // for honest peers that were thrown out
constexpr std::uint64_t kMostPause = 2000;   // ms between two peers of a place
constexpr auto kCloseLimit = libp2p::Seconds(2);
constexpr mischief::Mischief kForged[] = {mischief::Mischief::bad_signature, mischief::Mischief::wrong_hash,
                                          mischief::Mischief::wrong_version, mischief::Mischief::garbage};

struct Options {
  libp2p::Multiaddr node;
  opstack::testing::ChainOptions chain;
  std::uint64_t stay = 0;  // ms
  libp2p::crypto::secp256k1::Secret signer{};
};

struct Counts {
  std::uint64_t connected = 0;  // now
  std::uint64_t came = 0;
  std::uint64_t failed = 0;      // did not get in
  std::uint64_t thrown_out = 0;  // honest ones
  std::uint64_t forgers = 0;     // that were thrown out
  std::uint64_t forged = 0;
};

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "churn_peers: %s\n", why.c_str());
  std::exit(1);
}

libp2p::HostConfig host_config(const PrivateKey& key) {
  libp2p::HostConfig out(key);
  out.user_agent = "churn";
  return out;
}

struct Peer {
  Peer(AsioRuntime& runtime, const PrivateKey& key, const opstack::testing::ChainOptions& chain)
      : host(runtime, host_config(key)),
        identify(host),
        gossip(host, opstack::gossip::block_gossip_config(chain.chain_id, {}), scores) {
    for (const auto& topic : opstack::rules::blocks_topics(chain.chain_id)) {
      if (const auto joined = gossip.join(topic, nullptr, nullptr); !joined) give_up(joined.error().message());
    }
  }
  libp2p::Host host;
  libp2p::IdentifyService identify;
  libp2p::gossipsub::NeutralScores scores;
  libp2p::GossipsubService gossip;
};

class Churn {
 public:
  Churn(AsioRuntime& runtime, const Options& options) : runtime_(runtime), options_(options), scope_(runtime) {}

  void take_place(bool forges) { scope_.spawn(keep_place(forges)); }
  void tell_each_second() { scope_.spawn(tell()); }
  Task<void> close() { co_await scope_.close(); }

 private:
  PrivateKey make_key(bool forges) {
    auto key = PrivateKey::generate(forges ? KeyType::secp256k1 : KeyType::ed25519, runtime_.rng());
    if (!key) give_up(key.error().message());
    return std::move(*key);
  }

  Task<void> keep_place(bool forges) {
    while (!scope_.cancelled()) {
      Peer peer(runtime_, make_key(forges), options_.chain);
      do {
        const auto pause = Millis(static_cast<std::int64_t>(runtime_.rng().below(kMostPause)));
        const auto slept = co_await sleep_for(runtime_, pause);
        if (!slept) co_return;
        co_await visit(peer, forges);
      } while (runtime_.rng().below(2) == 0);
      if (runtime_.rng().below(2) == 0) {
        co_await peer.gossip.close();
        co_await peer.identify.close();
        co_await peer.host.close(kCloseLimit);
      }
      // From the queue, because a host must not go inside a call of its own.
      const auto yielded = co_await libp2p::runtime::yield_now(runtime_);
      if (!yielded) co_return;
    }
  }

  Task<void> visit(Peer& peer, bool forges) {
    auto node = co_await peer.host.connect(options_.node);
    if (!node) {
      ++counts_.failed;
      co_return;
    }
    ++counts_.came;
    ++counts_.connected;
    const auto until = runtime_.now().mono + Millis(static_cast<std::int64_t>(runtime_.rng().below(2 * options_.stay)));
    if (forges)
      co_await forge(peer, *node);
    else
      co_await stay(peer, *node, until);
    --counts_.connected;
    peer.host.disconnect(*node, "the visit is over");
  }

  Task<void> stay(Peer& peer, const libp2p::PeerId& node, libp2p::MonoTime until) {
    while (runtime_.now().mono < until) {
      const auto slept = co_await sleep_for(runtime_, kLookInterval);
      if (!slept) co_return;
      if (peer.host.connected(node)) continue;
      ++counts_.thrown_out;
      co_return;
    }
  }

  Task<void> forge(Peer& peer, const libp2p::PeerId& node) {
    mischief::MischiefMaker maker(options_.chain, options_.signer, runtime_.rng());
    for (std::size_t i = 0; peer.host.connected(node); ++i) {
      const auto now = static_cast<std::uint64_t>(libp2p::unix_seconds(runtime_.now().wall));
      const auto message = maker.make(kForged[i % std::size(kForged)], now);
      (void)peer.gossip.publish(message.topic, message.data, libp2p::gossipsub::LocalCheck::already_valid);
      ++counts_.forged;
      const auto slept = co_await sleep_for(runtime_, kForgeInterval);
      if (!slept) co_return;
    }
    ++counts_.forgers;
  }

  Task<void> tell() {
    for (;;) {
      const auto slept = co_await sleep_for(runtime_, libp2p::Seconds(1));
      if (!slept) co_return;
      const boost::json::object line{{"connected", counts_.connected}, {"came", counts_.came},
                                     {"failed", counts_.failed},       {"thrown_out", counts_.thrown_out},
                                     {"forgers_out", counts_.forgers}, {"forged", counts_.forged}};
      std::printf("%s\n", boost::json::serialize(line).c_str());
      std::fflush(stdout);
    }
  }

  AsioRuntime& runtime_;
  const Options options_;
  Counts counts_;
  libp2p::runtime::TaskScope scope_;  // last: its coroutines use the members above
};

Task<void> close_and_stop(Churn& churn, AsioRuntime& runtime) {
  co_await churn.close();
  runtime.stop();
}

Options read_options(char** words) {
  Options out;
  auto address = libp2p::Multiaddr::from_text(words[1]);
  if (!address) give_up(address.error().message());
  out.node = std::move(*address);
  out.chain = MadeChain::options_of(std::strtoull(words[2], nullptr, 10), 1000);
  out.stay = std::strtoull(words[5], nullptr, 10);
  const auto key = libp2p::from_hex(words[6]);
  if (!key || key->size() != out.signer.size() || out.stay == 0) give_up("a wrong signer key, or no time to stay");
  std::copy(key->begin(), key->end(), out.signer.begin());
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) give_up("usage: churn_peers ADDRESS GENESIS_TIME PLACES FORGERS STAY_MS SIGNER_KEY");
  AsioRuntime runtime(1);
  Churn churn(runtime, read_options(argv));
  const auto places = std::strtoull(argv[3], nullptr, 10);
  const auto forgers = std::strtoull(argv[4], nullptr, 10);
  for (std::uint64_t i = 0; i < places; ++i) churn.take_place(i < forgers);
  churn.tell_each_second();
  libp2p::runtime::TaskScope closing(runtime);
  runtime.run_on_worker(
      [] {
        char byte = 0;
        while (::read(STDIN_FILENO, &byte, 1) > 0) {
        }
      },
      [&] { closing.spawn(close_and_stop(churn, runtime)); });
  runtime.run();
  return 0;
}
