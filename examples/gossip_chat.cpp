// A chat over GossipSub. `gossip_chat [ADDRESS]` listens on loopback, prints its address, and dials ADDRESS if there is
// one. It publishes the lines of its standard input and prints messages with their author. "* with PEER" says that
// lines reach that peer from now on. It ends with its input.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <string>
#include <thread>

#include "libp2p/runtime/asio/asio_runtime.hpp"
#include "libp2p/runtime/run_task.hpp"
#include "libp2p/services/gossipsub/pubsub.hpp"
#include "libp2p/services/identify/identify_service.hpp"

using namespace libp2p;

int fail(const Error& error) {
  std::fprintf(stderr, "gossip_chat: %s\n", error.message().c_str());
  return 1;
}

// What a peer sends must not drive the terminal.
bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }

void print(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

runtime::Task<void> connect(Host& host, Multiaddr address, Result<void>& connected) {
  const auto peer = co_await host.connect(std::move(address));
  connected = peer ? Result<void>() : Result<void>(peer.error());
}

void publish_line(PubSubTopic& chat, const std::string& line) {
  const auto published = chat.publish(line);
  if (!published) fail(published.error());
}

// On a thread of its own, since reading waits: what it has read goes to the network thread.
void read_lines(runtime::AsioRuntime& rt, PubSubTopic& chat) {
  std::string line;
  while (std::getline(std::cin, line)) rt.post([&chat, line] { publish_line(chat, line); });
  rt.post([&rt] { rt.stop(); });
}

int main(int argc, char** argv) {
  runtime::AsioRuntime rt;
  auto key = crypto::PrivateKey::generate(crypto::KeyType::ed25519, rt.rng()).value();
  Host host(rt, HostConfig(std::move(key)));
  IdentifyService identify(host);
  PubSub pubsub(host);
  auto chat = pubsub.join("chat");
  if (!chat) return fail(chat.error());
  const auto messages = chat->subscribe([&host](const PubSubMessage& message) {
    const std::string author = message.from == host.id() ? "you" : message.from.to_base58();
    std::string text(as_text(message.data.view()));
    std::replace_if(text.begin(), text.end(), is_control, '?');
    print(author + ": " + text);
  });
  const auto events = pubsub.service().subscribe([](const GossipsubEvent& event) {
    const auto* trace = std::get_if<gossipsub::Trace>(&event);
    if (trace != nullptr && trace->kind == gossipsub::TraceKind::graft) print("* with " + trace->peer.to_base58());
  });

  const auto listening = host.listen(Multiaddr::from_text("/ip4/127.0.0.1/tcp/0").value());
  if (!listening) return fail(listening.error());
  print(host.listen_addresses().front().with_peer_id(host.id()).text());
  if (argc > 1) {
    const auto address = Multiaddr::from_text(argv[1]);
    if (!address) return fail(address.error());
    Result<void> connected = Error(Errc::timed_out, "no connection within 30 s");
    runtime::run_task(rt, rt, connect(host, *address, connected), Seconds(30));
    if (!connected) return fail(connected.error());
  }
  std::thread input(read_lines, std::ref(rt), std::ref(*chat));
  rt.run();
  input.join();
  rt.run_until([] { return false; }, Millis(500));  // the last lines leave
}
