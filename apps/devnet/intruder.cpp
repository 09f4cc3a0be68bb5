#include "apps/devnet/intruder.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "libp2p/runtime/asio/asio_runtime.hpp"
#include "opp2p/base/end_signals.hpp"
#include "opp2p/rpc/node_file.hpp"
#include "sim/adversary.hpp"

namespace opp2p::devnet {
namespace {

using libp2p::Result;
using libp2p::runtime::AsioRuntime;

constexpr auto kCloseLimit = libp2p::Seconds(2);

Result<sim::AdversaryOptions> forger(const IntruderOptions& options, libp2p::Rng& rng) {
  sim::AdversaryOptions out;
  out.kind = sim::AdversaryKind::forger;
  out.chain = options.chain;
  out.signer = options.signer;
  out.peers = options.peers;
  out.key = libp2p::crypto::secp256k1::generate(rng);
  OPP2P_TRY(out.rollup, opstack::chain::RollupConfig::from_json(
                            opstack::testing::ChainBuilder(options.chain, rng).rollup_config()));
  OPP2P_TRY(out.listen, libp2p::Multiaddr::from_text("/ip4/127.0.0.1/tcp/0"));
  return out;
}

libp2p::runtime::Task<void> close_and_stop(sim::Adversary& intruder, AsioRuntime& runtime) {
  co_await intruder.close(kCloseLimit);
  runtime.stop();
}

}  // namespace

Result<void> run_intruder(const IntruderOptions& options) {
  AsioRuntime runtime(1);
  // From here on a signal waits until the loop runs, so that even an early one ends it in order.
  boost::asio::signal_set signals(runtime.executor());
  for (const int signal : end_signals()) signals.add(signal);
  OPP2P_TRY(auto plan, forger(options, runtime.rng()));
  sim::Adversary intruder(runtime, std::move(plan));
  OPP2P_TRYV(intruder.start());
  OPP2P_TRYV(write_node_file(options.data_dir, intruder.host().id(), intruder.host().listen_addresses(), {}));
  libp2p::runtime::TaskScope closing(runtime);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) closing.spawn(close_and_stop(intruder, runtime));
  });
  runtime.run();
  return {};
}

}  // namespace opp2p::devnet
