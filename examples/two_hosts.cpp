// A protocol of your own, tested without sockets and without waiting: two hosts in one process on a virtual clock.
// `two_hosts` prints what one host answers to the other's greeting. A unit test does the same in any test framework.
#include <cstdio>
#include <string>

#include "libp2p/testing/connected_hosts.hpp"

using namespace libp2p;

runtime::Task<void> greet_back(Stream stream) {
  const auto name = co_await stream.read_to_end(100);
  if (!name) co_return;
  const std::string answer = "Hello, " + std::string(as_text(*name)) + "!";
  const auto sent = co_await stream.write(as_bytes(answer));
  if (sent) stream.close_write();
}

runtime::Task<Result<std::string>> greet(Host& host, PeerId peer, std::string name) {
  auto stream = co_await host.open_stream(peer, "/greeting/1.0.0");
  if (!stream) co_return stream.error();
  const auto sent = co_await stream->write(as_bytes(name));
  if (!sent) co_return sent.error();
  stream->close_write();
  const auto answer = co_await stream->read_to_end(100);
  if (!answer) co_return answer.error();
  co_return std::string(as_text(*answer));
}

int main() {
  ConnectedHosts hosts;
  hosts.b().set_stream_handler("/greeting/1.0.0", greet_back);
  const auto answer = hosts.run(greet(hosts.a(), hosts.b().id(), "world"));
  if (!answer || !*answer) {
    std::fprintf(stderr, "two_hosts: %s\n",
                 answer ? answer->error().message().c_str() : "no answer within two minutes");
    return 1;
  }
  std::printf("%s\n", (*answer)->c_str());
}
