#include <algorithm>
#include <utility>

#include "libp2p/base/rng.hpp"
#include "libp2p/testing/transport_suite_cases.hpp"

namespace libp2p::transport_cases {
namespace {

using runtime::Task;

Task<void> echo_acceptor(Stream stream) {
  Bytes buffer(64 * 1024);
  for (;;) {
    auto reading = stream.read_some(buffer);
    const auto n = co_await reading;
    if (!n || *n == 0) break;
    auto writing = stream.write(ByteView(buffer).first(*n));
    const auto done = co_await writing;
    if (!done) break;
  }
  stream.close_write();
}

Task<void> late_echo_acceptor(Stream stream) {
  auto reading = stream.read_to_end(std::size_t{1} << 30);
  auto all = co_await reading;
  if (!all) co_return;
  auto writing = stream.write(*all);
  const auto done = co_await writing;
  if (done) stream.close_write();
}

Task<void> reset_acceptor(Stream stream) {
  Bytes buffer(1);
  auto reading = stream.read_some(buffer);
  const auto n = co_await reading;
  if (n) stream.reset();
}

Task<void> drain_acceptor(Stream stream) {
  Bytes buffer(64 * 1024);
  for (;;) {
    auto reading = stream.read_some(buffer);
    const auto n = co_await reading;
    if (!n || *n == 0) co_return;
  }
}

Task<void> hold_acceptor(Stream stream, std::vector<Stream>* held) {
  held->push_back(std::move(stream));
  co_return;
}

}  // namespace

Task<void> dial_task(Host& host, Multiaddr address, DialEnd* out) {
  auto connecting = host.connect(std::move(address));
  auto peer = co_await connecting;
  out->emplace(std::move(peer));
}

Task<void> close_task(Host& host) {
  auto closing = host.close(Seconds(5));
  co_await closing;
}

Task<void> ask_task(Host& host, PeerId peer, std::string protocol, const Bytes* message, Answer* out) {
  std::vector<std::string> protocols;
  protocols.push_back(std::move(protocol));
  auto opening = host.open_stream(std::move(peer), std::move(protocols));
  auto opened = co_await opening;
  if (!opened) {
    out->emplace(opened.error());
    co_return;
  }
  Stream stream = std::move(*opened);
  auto writing = stream.write(*message);
  auto written = co_await writing;
  if (!written) {
    out->emplace(written.error());
    co_return;
  }
  stream.close_write();
  auto reading = stream.read_to_end(std::size_t{1} << 30);
  auto answer = co_await reading;
  out->emplace(std::move(answer));
}

Task<void> ask_often(Host& host, PeerId peer, std::string protocol, const Bytes* message, std::size_t times,
                     std::size_t* whole) {
  for (std::size_t i = 0; i < times; ++i) {
    Answer answer;
    auto asking = ask_task(host, peer, protocol, message, &answer);
    co_await asking;
    if (!answer || !*answer || **answer != *message) co_return;
    ++*whole;
  }
}

Task<void> pour_task(Host& host, PeerId peer, std::string protocol, std::size_t* poured, std::optional<Error>* end) {
  std::vector<std::string> protocols;
  protocols.push_back(std::move(protocol));
  auto opening = host.open_stream(std::move(peer), std::move(protocols));
  auto opened = co_await opening;
  if (!opened) {
    end->emplace(opened.error());
    co_return;
  }
  Stream stream = std::move(*opened);
  const Bytes chunk = suite_pattern(50'000, 1);
  for (;;) {
    auto writing = stream.write(chunk);
    const auto done = co_await writing;
    if (!done) {
      end->emplace(done.error());
      co_return;
    }
    *poured += chunk.size();
  }
}

Task<void> ask_slowly(Host& host, PeerId peer, std::string protocol, const Bytes* message, Answer* out) {
  std::vector<std::string> protocols;
  protocols.push_back(std::move(protocol));
  auto opening = host.open_stream(std::move(peer), std::move(protocols));
  auto opened = co_await opening;
  if (!opened) {
    out->emplace(opened.error());
    co_return;
  }
  Stream stream = std::move(*opened);
  auto writing = stream.write(*message);
  auto written = co_await writing;
  if (!written) {
    out->emplace(written.error());
    co_return;
  }
  stream.close_write();
  Bytes all;
  Bytes buffer(16 * 1024);
  for (;;) {
    auto sleeping = runtime::sleep_for(host.runtime(), Millis(5));
    const auto slept = co_await sleeping;
    auto reading = stream.read_some(buffer);
    const auto n = co_await reading;
    if (!slept || !n || *n == 0) {
      if (n) {
        out->emplace(std::move(all));
      } else {
        out->emplace(n.error());
      }
      co_return;
    }
    append(all, ByteView(buffer).first(*n));
  }
}

Host& Case::add() { return add_on(bed.add_node()); }

Host& Case::add_on(std::size_t node, bool listens) {
  SeededRng rng(options.seed * 1000 + hosts.size());
  HostConfig config(crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng).value());
  config.limits.streams_per_connection = std::max<std::size_t>(options.at_once, 8);
  config.transports = {bed.plan().make};
  if (tweak) tweak(config);
  hosts.push_back({node, std::make_unique<Host>(bed.runtime(node), std::move(config))});
  Host& host = *hosts.back().host;
  if (listens) {
    const auto listening = host.listen(bed.plan().any_address(bed.ip4(node)));
    findings.expect(listening.has_value(), "to listen at an address with any port",
                    listening ? "" : listening.error().message());
  }
  host.set_stream_handler("/suite/echo", echo_acceptor);
  host.set_stream_handler("/suite/late-echo", late_echo_acceptor);
  host.set_stream_handler("/suite/reset", reset_acceptor);
  host.set_stream_handler("/suite/drain", drain_acceptor);
  host.set_stream_handler("/suite/hold", [this](Stream stream) { return hold_acceptor(std::move(stream), &held); });
  return host;
}

std::size_t Case::node_of(const Host& host) const {
  return std::find_if(hosts.begin(), hosts.end(), [&](const Place& one) { return one.host.get() == &host; })->node;
}

void Case::remove(const Host& host) {
  hosts.erase(std::find_if(hosts.begin(), hosts.end(), [&](const Place& one) { return one.host.get() == &host; }));
}

Multiaddr Case::address_of(const Host& host) const {
  const auto addresses = host.listen_addresses();
  if (!findings.expect(!addresses.empty(), "an address that is listened at"))
    return bed.plan().any_address("127.0.0.1");
  return addresses.front().with_peer_id(host.id());
}

bool Case::run(Host& host, Task<void> task) {
  runtime::TaskScope scope(host.runtime());
  scope.spawn(std::move(task));
  return bed.run_until([&scope] { return scope.running() == 0; }, kLimit);
}

bool Case::wait(const std::function<bool()>& done, std::string_view for_what, Nanos limit) {
  return findings.expect(bed.run_until(done, limit), for_what,
                         "nothing within " + std::to_string(limit / Seconds(1)) + " s");
}

Result<PeerId> Case::dial(Host& from, const Multiaddr& to) {
  DialEnd out;
  run(from, dial_task(from, to, &out));
  if (!out) return Error(Errc::timed_out, "the dial did not end within a minute");
  return *out;
}

bool Case::connect(Host& from, const Host& to) {
  const auto peer = dial(from, address_of(to));
  if (!findings.expect(peer && *peer == to.id(), "a dial to reach the peer",
                       peer ? peer->to_base58() : peer.error().message()))
    return false;
  // The dialer knows first: the listener's last word of the handshake is still on its way.
  return wait([&] { return to.connected(from.id()); }, "the listener to have the connection");
}

Result<Bytes> Case::ask(Host& from, const Host& to, const std::string& protocol, const Bytes& message) {
  Answer out;
  run(from, ask_task(from, to.id(), protocol, &message, &out));
  if (!out) return Error(Errc::timed_out, "the stream did not end within a minute");
  return *out;
}

void Case::expect_echo(Host& from, const Host& to, std::size_t bytes, std::string_view what) {
  const Bytes message = suite_pattern(bytes, options.seed);
  const auto answer = ask(from, to, "/suite/echo", message);
  if (findings.expect(answer.has_value(), what, answer ? "" : answer.error().message()))
    findings.expect_bytes(message, *answer, what);
}

}  // namespace libp2p::transport_cases
