// Echo over a libp2p stream. `echo` listens and prints its address. `echo ADDRESS TEXT` dials that address, sends the
// text and prints the answer.
#include <cstdio>
#include <string>

#include "libp2p/host/host.hpp"
#include "libp2p/runtime/asio/asio_runtime.hpp"
#include "libp2p/runtime/run_task.hpp"

using namespace libp2p;

runtime::Task<void> echo(Stream stream) {
  std::uint8_t buffer[4096];
  for (;;) {
    const auto n = co_await stream.read_some(buffer);
    if (!n || *n == 0) break;
    const auto sent = co_await stream.write(ByteView(buffer, *n));
    if (!sent) break;
  }
  stream.close_write();
}

runtime::Task<void> ask(Host& host, Multiaddr address, std::string text, Result<std::string>& answer) {
  const auto peer = co_await host.connect(std::move(address));
  if (!peer) {
    answer = peer.error();
    co_return;
  }
  auto stream = co_await host.open_stream(*peer, "/echo/1.0.0");
  if (!stream) {
    answer = stream.error();
    co_return;
  }
  const auto written = co_await stream->write(as_bytes(text));
  stream->close_write();
  const auto echoed = co_await stream->read_to_end(1 << 20);
  if (written && echoed) {
    answer = std::string(as_text(*echoed));
  } else {
    answer = written ? echoed.error() : written.error();
  }
}

int fail(const Error& error) {
  std::fprintf(stderr, "echo: %s\n", error.message().c_str());
  return 1;
}

int main(int argc, char** argv) {
  runtime::AsioRuntime rt;
  auto key = crypto::PrivateKey::generate(crypto::KeyType::ed25519, rt.rng()).value();
  Host host(rt, HostConfig(std::move(key)));
  if (argc == 3) {
    const auto address = Multiaddr::from_text(argv[1]);
    if (!address) return fail(address.error());
    Result<std::string> answer = Error(Errc::timed_out, "no answer within 30 s");
    runtime::run_task(rt, rt, ask(host, *address, argv[2], answer), Seconds(30));
    if (!answer) return fail(answer.error());
    std::printf("%s\n", answer->c_str());
    return 0;
  }
  host.set_stream_handler("/echo/1.0.0", echo);
  if (const auto listening = host.listen(Multiaddr::from_text("/ip4/127.0.0.1/tcp/0").value()); !listening)
    return fail(listening.error());
  std::printf("%s\n", host.listen_addresses().front().with_peer_id(host.id()).text().c_str());
  std::fflush(stdout);
  rt.run();
}
