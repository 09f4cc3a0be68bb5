// partial_peer: this library as one side of the interop test of partial messages (gossipsub v1.3). It takes the words
// of interop/go/partial, where the message, its parts and its metadata are described, and prints the same lines.
//
//   partial_peer [--dial ADDR] [--have BITMAP] [--supports]      until its stdin ends
#include <boost/json.hpp>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <map>
#include <string>
#include <thread>

#include "libp2p/runtime/asio/asio_runtime.hpp"
#include "libp2p/runtime/run_task.hpp"
#include "libp2p/services/gossipsub/pubsub.hpp"
#include "libp2p/services/identify/identify_service.hpp"

namespace {

using namespace libp2p;
using gossipsub::PartialPartsFn;
using gossipsub::PartialPeer;
using PartialsReceived = gossipsub::PartialReceived;

constexpr std::size_t kParts = 8;
constexpr std::size_t kPartSize = 2000;

void print_line(const boost::json::object& line) {
  std::printf("%s\n", boost::json::serialize(line).c_str());
  std::fflush(stdout);
}

Bytes encode_parts(std::uint8_t bitmap) {
  Bytes out = {bitmap};
  for (std::size_t i = 0; i < kParts; ++i) {
    if ((bitmap >> i & 1) != 0) out.insert(out.end(), kPartSize, static_cast<std::uint8_t>(i + 1));
  }
  return out;
}

class PartsNode {
 public:
  PartsNode(PubSub& pubsub, PubSubTopic& topic, std::uint8_t begin) : pubsub_(pubsub), topic_(topic), begin_(begin) {}

  void on_partial(const PartialsReceived& in) {
    std::uint8_t got = 0;
    if (!in.message.empty()) {
      got = in.message.view()[0];
      const bool is_valid = equal(in.message.view(), encode_parts(got));
      topic_.judge_partial(
          in.peer, is_valid ? gossipsub::Router::PartialVerdict::useful : gossipsub::Router::PartialVerdict::invalid);
      if (!is_valid)
        return print_line({{"event", "error"}, {"error", "a partial message is not what its bitmap says"}});
    }
    const std::string group(as_text(in.group));
    std::uint8_t& have = groups_.try_emplace(group, begin_).first->second;
    const std::uint8_t before = have;
    have = static_cast<std::uint8_t>(have | got);
    print_line({{"event", "partial"},
                {"from", in.peer.to_base58()},
                {"group", group},
                {"parts", got},
                {"has", in.metadata.empty() ? 0 : in.metadata.view()[0]}});
    if (have == 0xff && before != 0xff) print_line({{"event", "complete"}, {"group", group}});
    publish(group);
  }

  void publish(const std::string& group) {
    const std::uint8_t have = groups_.try_emplace(group, begin_).first->second;
    const PartialPartsFn parts = [have](const PartialPeer& peer) {
      gossipsub::PartialParts made;
      made.metadata = {have};
      if (peer.metadata.empty()) return made;
      const std::uint8_t has = peer.metadata[0];
      const auto lacks = static_cast<std::uint8_t>(have & ~has);
      if (lacks == 0) return made;
      made.message = encode_parts(lacks);
      made.peer_metadata = Bytes{static_cast<std::uint8_t>(has | lacks)};
      return made;
    };
    const auto sent = topic_.publish_partial(as_bytes(group), parts);
    if (!sent) print_line({{"event", "error"}, {"error", sent.error().message()}});
  }

  void command(const std::string& line) {
    const auto words = boost::json::parse(line).as_object();
    if (const auto* group = words.if_contains("group")) return publish(std::string(group->as_string()));
    if (const auto* whole = words.if_contains("whole")) {
      const auto done = topic_.publish(std::string_view(whole->as_string()));
      if (!done) print_line({{"event", "error"}, {"error", done.error().message()}});
      return;
    }
    print_line({{"event", "peers"}, {"count", topic_.peers().size()}});
    const gossipsub::Counters& counters = pubsub_.service().router().counters();
    print_line({{"event", "counters"},
                {"partials_sent", counters.partials_sent},
                {"partials_received", counters.partials_received},
                {"suppressed_partial", counters.suppressed_partial},
                {"dropped", counters.dropped_partial_not_enabled + counters.dropped_partial_bounds}});
  }

 private:
  PubSub& pubsub_;
  PubSubTopic& topic_;
  std::uint8_t begin_;
  std::map<std::string, std::uint8_t> groups_;  // what we have of each
};

runtime::Task<void> dial(Host& host, Multiaddr address, Result<void>& connected) {
  const auto peer = co_await host.connect(std::move(address));
  connected = peer ? Result<void>() : Result<void>(peer.error());
}

// Reading waits, so it has a thread of its own.
void read_commands(runtime::AsioRuntime& rt, PartsNode& node) {
  std::string line;
  while (std::getline(std::cin, line)) rt.post([&node, line] { node.command(line); });
  rt.post([&rt] { rt.stop(); });
}

int complain(const Error& error) {
  std::fprintf(stderr, "partial_peer: %s\n", error.message().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::string address;
  int have = 0;
  auto use = gossipsub::PartialUse::requests;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--supports") == 0) use = gossipsub::PartialUse::supports;
    if (i + 1 == argc) break;
    if (std::strcmp(argv[i], "--dial") == 0) address = argv[i + 1];
    if (std::strcmp(argv[i], "--have") == 0) have = std::stoi(argv[i + 1]);
  }
  runtime::AsioRuntime rt;
  auto key = crypto::PrivateKey::generate(crypto::KeyType::ed25519, rt.rng()).value();
  Host host(rt, HostConfig(std::move(key)));
  IdentifyService identify(host);
  PubSubConfig config;
  config.gossipsub.router.params.partial.enabled = true;
  config.gossipsub.router.params.partial.group_ttl = 40;
  config.gossipsub.router.policies.standard = gossipsub::SignaturePolicy::strict_no_sign;
  config.gossipsub.router.message_id = [](std::string_view, ByteView data) {
    return gossipsub::Named(gossipsub::MessageId::from(data).value_or(gossipsub::MessageId()));
  };
  PubSub pubsub(host, std::move(config));
  auto topic = pubsub.join("parts");
  if (!topic) return complain(topic.error());
  PartsNode node(pubsub, *topic, static_cast<std::uint8_t>(have));
  GossipsubPartialHandler handler;
  handler.use = use;
  handler.on_received = [&node](const PartialsReceived& in) { node.on_partial(in); };
  handler.on_gossip = [&node](const gossipsub::PartialGossip& in) { node.publish(std::string(as_text(in.group))); };
  if (const auto enabled = topic->enable_partial(std::move(handler)); !enabled) return complain(enabled.error());
  const auto messages = topic->subscribe([&host](const PubSubMessage& message) {
    if (message.received_from == host.id()) return;
    print_line({{"event", "message"}, {"text", std::string(as_text(message.data.view()))}});
  });
  if (!messages) return complain(messages.error());
  const auto listening = host.listen(Multiaddr::from_text("/ip4/127.0.0.1/tcp/0").value());
  if (!listening) return complain(listening.error());
  print_line({{"addr", host.listen_addresses().front().with_peer_id(host.id()).text()}});
  if (!address.empty()) {
    const auto target = Multiaddr::from_text(address);
    if (!target) return complain(target.error());
    Result<void> connected = Error(Errc::timed_out, "no connection within 30 s");
    runtime::run_task(rt, rt, dial(host, *target, connected), Seconds(30));
    if (!connected) return complain(connected.error());
  }
  std::thread input(read_commands, std::ref(rt), std::ref(node));
  rt.run();
  input.join();
  return 0;
}
