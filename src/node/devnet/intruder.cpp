#include "node/devnet/intruder.hpp"

#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/json.hpp>
#include <filesystem>

#include "network/host.hpp"
#include "node/node_file.hpp"
#include "opstack/gossip/block_gossip.hpp"
#include "runtime/asio/asio_runtime.hpp"
#include "services/gossipsub_service.hpp"
#include "services/identify_service.hpp"

namespace opp2p::node::devnet {
namespace {

using libp2p::Now;
using libp2p::Result;
using libp2p::Seconds;
using libp2p::runtime::Task;
namespace network = libp2p::network;
namespace services = libp2p::services;

constexpr auto kInterval = libp2p::Millis(700);  // between two bad messages
constexpr auto kCloseLimit = Seconds(2);

class Intruder {
 public:
  Intruder(libp2p::runtime::AsioRuntime& runtime, const IntruderOptions& options, libp2p::crypto::PrivateKey key)
      : runtime_(runtime),
        options_(options),
        host_(runtime, network::HostConfig(std::move(key))),
        identify_(host_),
        gossip_(host_, opstack::gossip::block_gossip_config(options.chain.chain_id, {}), scores_),
        maker_(options.chain, options.signer, runtime.rng()),
        scope_(runtime) {}

  Result<void> start() {
    OPP2P_TRY(const auto any, libp2p::Multiaddr::from_text("/ip4/127.0.0.1/tcp/0"));
    OPP2P_TRYV(host_.listen(any));
    OPP2P_TRYV(write_node_file(options_.data_dir, host_.id(), host_.listen_addresses(), 0));
    for (const auto& peer : options_.peers) scope_.spawn(keep_connected(peer));
    scope_.spawn(make_mischief());
    return {};
  }

  Task<void> close() {
    co_await scope_.close();
    co_await gossip_.close();
    co_await identify_.close();
    co_await host_.close(kCloseLimit);
  }

 private:
  Task<void> keep_connected(libp2p::Multiaddr address) {
    for (;;) {
      const auto peer = address.peer_id();
      if (peer && !host_.connected(*peer)) {
        const auto dialled = co_await host_.connect(address);
        if (!dialled && dialled.error() == libp2p::Errc::cancelled) co_return;
      }
      const auto slept = co_await libp2p::runtime::sleep_for(runtime_, Seconds(1));
      if (!slept) co_return;
    }
  }

  Task<void> make_mischief() {
    for (std::size_t round = 0;; ++round) {
      const auto slept = co_await libp2p::runtime::sleep_for(runtime_, kInterval);
      if (!slept) co_return;
      const auto now = static_cast<std::uint64_t>(libp2p::unix_seconds(runtime_.now().wall));
      const auto message = maker_.make(static_cast<Mischief>(round % kMischiefs), now);
      (void)gossip_.publish(message.topic, message.data, libp2p::gossipsub::LocalCheck::already_valid);
    }
  }

  libp2p::runtime::AsioRuntime& runtime_;
  const IntruderOptions& options_;
  network::Host host_;
  services::IdentifyService identify_;
  libp2p::gossipsub::NeutralScores scores_;
  services::GossipsubService gossip_;
  MischiefMaker maker_;
  libp2p::runtime::TaskScope scope_;  // last: its coroutines use the members above
};

Task<void> close_and_stop(Intruder& intruder, libp2p::runtime::AsioRuntime& runtime) {
  co_await intruder.close();
  runtime.stop();
}

}  // namespace

Result<void> run_intruder(const IntruderOptions& options) {
  libp2p::runtime::AsioRuntime runtime(1);
  OPP2P_TRY(auto key, libp2p::crypto::PrivateKey::generate(libp2p::crypto::KeyType::secp256k1, runtime.rng()));
  Intruder intruder(runtime, options, std::move(key));
  OPP2P_TRYV(intruder.start());
  libp2p::runtime::TaskScope closing(runtime);
  boost::asio::signal_set signals(runtime.executor(), SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) closing.spawn(close_and_stop(intruder, runtime));
  });
  runtime.run();
  return {};
}

}  // namespace opp2p::node::devnet
