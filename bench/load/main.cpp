#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "libp2p/runtime/run_task.hpp"
#include "load.hpp"

namespace bench {

using libp2p::Multiaddr;

namespace {

struct Command {
  std::string_view name;
  int (*run)(const Arguments&);
  const char* usage;
};

constexpr Command kCommands[] = {
    {"serve", serve, "serve [key=ed25519]: echo streams and idle connections, until the input ends"},
    {"echo", echo, "echo ADDRESS [count=2000] [in-flight=1]: streams opened for one echo of 32 bytes each"},
    {"dials", dials, "dials ADDRESS [count=500] [in-flight=4] [key=ed25519]: connections up to an open echo stream"},
    {"idle", idle, "idle ADDRESS [count=1000]: connections that are held until the input ends"},
    {"gossip", gossip,
     "gossip ADDRESS genesis=SECONDS size=BYTES [count=N [window=4|at-once=1]] [paced=N interval-us=N] "
     "[flood-seconds=N] [lost-ms=1000] [receivers=1]"},
    {"mesh", mesh,
     "mesh [nodes=2] [publishers=1] [size=1024] [threads=N] [count=N [window=64]] [paced=N [interval-us=1000]]: "
     "GossipSub "
     "nodes in this process"},
    {"rules", rules,
     "rules MESSAGE genesis=SECONDS size=BYTES [seconds=2]: writes a block's message to a file and judges it over and "
     "over"},
    {"sync", sync, "sync ADDRESS chain=ID first=N last=N [streams=8] [count=1000] [interval-ms=0]"},
};

libp2p::runtime::Task<void> connect_to(libp2p::Host& host, const Multiaddr& address, libp2p::PeerId& peer) {
  auto connected = co_await host.connect(address);
  if (!connected) give_up("cannot connect to " + address.text() + ": " + connected.error().message());
  peer = std::move(*connected);
}

}  // namespace

Arguments::Arguments(int count, char** words) {
  for (int i = 0; i < count; ++i) {
    const std::string word = words[i];
    const auto equals = word.find('=');
    if (equals == std::string::npos) {
      positional_.push_back(word);
    } else {
      options_.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    }
  }
}

std::string Arguments::text(std::string_view name, std::string_view otherwise) const {
  for (const auto& [key, value] : options_) {
    if (key == name) return value;
  }
  return std::string(otherwise);
}

std::uint64_t Arguments::number(std::string_view name, std::uint64_t otherwise) const {
  const auto value = text(name, "");
  return value.empty() ? otherwise : std::strtoull(value.c_str(), nullptr, 10);
}

const std::string& Arguments::at(std::size_t index) const {
  if (index >= positional_.size()) give_up("an address is missing");
  return positional_[index];
}

Peer::Peer(libp2p::runtime::AsioRuntime& runtime, libp2p::crypto::KeyType type) {
  auto key = libp2p::crypto::PrivateKey::generate(type, runtime.rng());
  if (!key) give_up(key.error().message());
  libp2p::HostConfig config(std::move(*key));
  config.limits.inbound_connections = 100'000;
  config.limits.handshakes = {100'000, 100'000};
  config.connection_manager.low = config.connection_manager.high = 100'000;
  host = std::make_unique<libp2p::Host>(runtime, std::move(config));
  identify = std::make_unique<libp2p::IdentifyService>(*host);
}

libp2p::PeerId connect(libp2p::runtime::AsioRuntime& runtime, libp2p::Host& host, const Multiaddr& address) {
  libp2p::PeerId peer;
  if (!libp2p::runtime::run_task(runtime, runtime, connect_to(host, address, peer), libp2p::Seconds(10)))
    give_up("cannot connect to " + address.text() + " within 10 s");
  return peer;
}

Multiaddr address_of(const std::string& text) {
  auto address = Multiaddr::from_text(text);
  if (!address) give_up(text + ": " + address.error().message());
  return *address;
}

void give_up(const std::string& why) {
  std::fprintf(stderr, "bench_load: %s\n", why.c_str());
  std::exit(1);
}

double seconds(libp2p::Nanos time) { return std::chrono::duration<double>(time).count(); }

double quantile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

void print(const boost::json::object& line) {
  std::printf("%s\n", boost::json::serialize(line).c_str());
  std::fflush(stdout);
}

}  // namespace bench

int main(int argc, char** argv) {
  for (const auto& command : bench::kCommands) {
    if (argc > 1 && command.name == argv[1]) return command.run(bench::Arguments(argc - 2, argv + 2));
  }
  for (const auto& command : bench::kCommands) std::fprintf(stderr, "bench_load %s\n", command.usage);
  return 2;
}
