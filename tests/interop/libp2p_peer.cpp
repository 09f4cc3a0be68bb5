// libp2p_peer: this library as one side of the interop tests with other implementations (interop/README.md).
//
//   libp2p_peer listen [--listen MULTIADDR]       first line {"addr": …}; serves until SIGTERM or SIGINT
//   libp2p_peer gossip [--signatures signed|unsigned]   a GossipSub peer that stdin drives (gossip_peer.hpp)
//   libp2p_peer dial ADDR --test NAME|all […]     a JSON line for each test; exit 0 when all of them held
#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/json.hpp>
#include <csignal>
#include <cstdio>
#include <memory>

#include "gossip_peer.hpp"
#include "libp2p/runtime/asio/asio_runtime.hpp"
#include "peer_tests.hpp"
#include "print_line.hpp"
#include "test_protocols.hpp"

namespace interop {
namespace {

using libp2p::Multiaddr;
using libp2p::Nanos;
using libp2p::PeerId;
using libp2p::Result;
using libp2p::runtime::Task;

constexpr Nanos kForever = std::chrono::hours(24 * 365);

struct Options {
  std::string key = "ed25519";
  std::vector<std::string> securities{"noise"};
  std::vector<std::string> muxers{"yamux"};
  std::string listen = "/ip4/127.0.0.1/tcp/0";
  std::string address;
  std::string test;
  double timeout = 120;
  TestOptions tests;
  GossipOptions gossip;
};

int complain(const std::string& text) {
  std::fprintf(stderr, "libp2p_peer: %s\n", text.c_str());
  return 1;
}

libp2p::HostConfig host_config(const Options& options, libp2p::Rng& rng) {
  const auto type = options.key == "secp256k1" ? libp2p::crypto::KeyType::secp256k1 : libp2p::crypto::KeyType::ed25519;
  libp2p::HostConfig config(libp2p::crypto::PrivateKey::generate(type, rng).value());
  config.muxers = libp2p::muxers_named(options.muxers).value();
  config.user_agent = "opp2p-interop";
  config.securities = libp2p::securities_named(options.securities).value();
  config.limits.streams_per_connection = 2000;
  return config;
}

// A host with everything that the tests use.
struct Peer {
  explicit Peer(const Options& options)
      : runtime(2),
        host(runtime, host_config(options, runtime.rng())),
        identify(host),
        ping(host),
        perf(host, perf_config()) {
    serve_test_protocols(host);
  }
  static libp2p::PerfConfig perf_config() {
    libp2p::PerfConfig config;
    config.serve = true;
    return config;
  }

  libp2p::runtime::AsioRuntime runtime;
  libp2p::Host host;
  libp2p::IdentifyService identify;
  libp2p::PingService ping;
  libp2p::PerfService perf;
};

Task<void> close_host(libp2p::Host& host, bool& done) {
  const Nanos limit = libp2p::Seconds(2);
  co_await host.close(limit);
  done = true;
}

void close(Peer& peer) {
  bool done = false;
  libp2p::runtime::TaskScope scope(peer.runtime);
  scope.spawn(close_host(peer.host, done));
  peer.runtime.run_until([&done] { return done; }, libp2p::Seconds(5));
}

void print_event(const libp2p::HostEvent& event) {
  boost::json::object line;
  if (const auto* opened = std::get_if<libp2p::ConnectionOpened>(&event)) {
    line["event"] = "connected";
    line["peer"] = opened->connection.peer.to_base58();
    line["direction"] = std::string(libp2p::to_string(opened->connection.direction));
  } else if (const auto* closed = std::get_if<libp2p::ConnectionClosed>(&event)) {
    line["event"] = "disconnected";
    line["peer"] = closed->connection.peer.to_base58();
    line["why"] = closed->why.message();
  } else if (const auto* identified = std::get_if<libp2p::PeerIdentified>(&event)) {
    line["event"] = "identified";
    line["peer"] = identified->peer.to_base58();
    line["protocols"] = boost::json::value_from(identified->protocols);
  } else {
    return;
  }
  print(line);
}

int run_listen(const Options& options) {
  Peer peer(options);
  auto address = Multiaddr::from_text(options.listen);
  if (!address) return complain(address.error().message());
  if (const auto listening = peer.host.listen(*address); !listening) return complain(listening.error().message());
  boost::json::object line;
  line["addr"] = peer.host.listen_addresses().front().with_peer_id(peer.host.id()).text();
  print(line);
  const auto lines = peer.host.subscribe(print_event);

  bool stop = false;
  boost::asio::signal_set signals(peer.runtime.executor(), SIGINT, SIGTERM);
  signals.async_wait([&stop](const boost::system::error_code& error, int) { stop = stop || !error; });
  peer.runtime.run_until([&stop] { return stop; }, kForever);
  close(peer);
  return 0;
}

Task<void> run_dial(Peer& peer, const Options& options, const Multiaddr& address, std::string& running, int& failed,
                    bool& done) {
  const Result<PeerId> target = co_await peer.host.connect(address);
  if (!target) {
    complain("connecting: " + target.error().message());
    failed = 1;
    done = true;
    co_return;
  }
  Session session{peer.host, peer.identify, peer.ping, peer.perf, *target, options.tests};
  std::vector<std::string> names;
  if (options.test == "all") {
    names = test_names();
  } else {
    names.push_back(options.test);
  }
  for (const std::string& name : names) {
    running = name;
    const auto start = peer.runtime.now().mono;
    const Details details = co_await run_test(session, name);
    boost::json::object line;
    line["test"] = name;
    line["ok"] = details.has_value();
    line["seconds"] = std::chrono::duration<double>(peer.runtime.now().mono - start).count();
    if (details) {
      line["details"] = *details;
    } else {
      line["error"] = details.error().message();
      failed = 1;
    }
    print(line);
  }
  done = true;
}

int dial(const Options& options) {
  Peer peer(options);
  auto address = Multiaddr::from_text(options.address);
  if (!address) return complain(address.error().message());
  int failed = 0;
  bool done = false;
  std::string running = "connecting";
  {
    libp2p::runtime::TaskScope scope(peer.runtime);
    scope.spawn(run_dial(peer, options, *address, running, failed, done));
    const auto limit = std::chrono::duration_cast<Nanos>(std::chrono::duration<double>(options.timeout));
    if (!peer.runtime.run_until([&done] { return done; }, limit)) failed = complain(running + ": timed out");
  }
  close(peer);
  return failed;
}

// All peers of the tests have one address.
int gossip(const Options& options) {
  libp2p::runtime::AsioRuntime runtime(1);
  auto host = host_config(options, runtime.rng());
  host.limits.exempt.push_back(libp2p::Cidr::from_text("127.0.0.0/8").value());
  auto gossip = options.gossip;
  gossip.listen = options.listen;
  return run_gossip(runtime, std::move(host), gossip);
}

}  // namespace
}  // namespace interop

int main(int argc, char** argv) {
  CLI::App app("This library as one side of the interop tests");
  app.require_subcommand(1);
  interop::Options options;
  app.add_option("--key", options.key, "ed25519 or secp256k1")
      ->capture_default_str()
      ->check(CLI::IsMember({"ed25519", "secp256k1"}));
  app.add_option("--security", options.securities, "noise, tls and plaintext, in order of preference")
      ->delimiter(',')
      ->check(CLI::IsMember({"noise", "tls", "plaintext"}));
  app.add_option("--mux", options.muxers, "yamux and mplex, in order of preference")
      ->delimiter(',')
      ->check(CLI::IsMember({"yamux", "mplex"}));
  app.fallthrough();
  auto* listener = app.add_subcommand("listen", "Serve the test protocols until SIGTERM");
  listener->add_option("--listen", options.listen, "Multiaddr to listen at")->capture_default_str();
  auto* gossiper = app.add_subcommand("gossip", "A GossipSub peer that takes commands on stdin");
  gossiper->add_option("--listen", options.listen, "Multiaddr to listen at")->capture_default_str();
  gossiper->add_option("--signatures", options.gossip.signatures, "signed or unsigned, of every topic")
      ->capture_default_str()
      ->check(CLI::IsMember({"signed", "unsigned"}));
  auto* dialer = app.add_subcommand("dial", "Run a test, or all, against a peer");
  dialer->add_option("address", options.address, "The peer's multiaddr")->required();
  dialer
      ->add_option("--test", options.test,
                   "identify, ping, echo, reset, half-close, streams, bulk, perf, unsupported or all")
      ->required();
  dialer->add_option("--bytes", options.tests.bytes, "Bytes each way of bulk")->capture_default_str();
  dialer->add_option("--upload-bytes", options.tests.upload, "Bytes up of perf")->capture_default_str();
  dialer->add_option("--download-bytes", options.tests.download, "Bytes down of perf")->capture_default_str();
  dialer->add_option("--streams", options.tests.streams, "Streams of streams, all open at once")->capture_default_str();
  dialer->add_option("--count", options.tests.count, "Pings of ping")->capture_default_str();
  dialer->add_flag("--unsigned", options.tests.unsigned_peer, "The peer's identify has no signed record");
  dialer->add_option("--timeout", options.timeout, "Seconds for everything")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (gossiper->parsed()) return interop::gossip(options);
  return listener->parsed() ? interop::run_listen(options) : interop::dial(options);
}
