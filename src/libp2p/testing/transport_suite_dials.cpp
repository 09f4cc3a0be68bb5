#include "libp2p/testing/transport_suite_cases.hpp"

namespace libp2p::transport_cases {

void facts(Case& test) {
  Host& a = test.add();
  Host& b = test.add();
  if (!test.connect(a, b)) return;
  test.wait([&] { return !b.connections().empty(); }, "the listener to have the connection");
  const auto ours = a.connections(), theirs = b.connections();
  if (!test.findings.expect(ours.size() == 1 && theirs.size() == 1, "one connection at each end")) return;
  test.findings.expect(ours[0].direction == Direction::outbound && theirs[0].direction == Direction::inbound,
                       "its direction at each end");
  test.findings.expect(ours[0].peer == b.id() && theirs[0].peer == a.id(), "the peer at each end");
  const auto text = [](const Multiaddr& address) { return address.text(); };
  test.findings.expect_equal(text(b.listen_addresses().front()), text(ours[0].remote), "the address that was dialled");
  test.findings.expect_equal(text(ours[0].remote), text(theirs[0].local), "the listener's address at both ends");
  test.findings.expect_equal(text(ours[0].local), text(theirs[0].remote), "the dialer's address at both ends");
}

void wrong_peer(Case& test) {
  Host& a = test.add();
  Host& b = test.add();
  Host& c = test.add();
  const Multiaddr address = b.listen_addresses().front().with_peer_id(c.id());
  test.findings.expect_error(Errc::mismatch, test.dial(a, address), "a dial that reaches another peer than it wants");
  test.settle();
  test.findings.expect(a.connections().empty() && b.connections().empty(), "no connection to another peer");
  test.connect(a, b);
}

void cancelled_dials(Case& test) {
  // A dial that is given up and goes on in secret would take the place of the next.
  test.tweak = [](HostConfig& config) { config.limits.pending_dials = 1; };
  Host& a = test.add();
  Host& b = test.add();
  int given_up = 0;
  // Each is given up after so many events: somewhere between its first and the connection.
  for (int after = 0; after < 40; ++after) {
    DialEnd out;
    {
      runtime::TaskScope scope(a.runtime());
      scope.spawn(dial_task(a, test.address_of(b), &out));
      int events = 0;
      test.bed.run_until([&] { return ++events > after; }, Seconds(1));
    }
    test.settle();
    test.findings.expect_equal(
        a.connections().size(), b.connections().size(),
        "connections at both ends after a dial was given up after " + std::to_string(after) + " events");
    if (test.findings.failed()) return;
    if (!a.connections().empty()) break;  // it was there before it could be given up
    test.findings.expect(!out, "no end of a dial that was given up", out && !*out ? out->error().message() : "");
    ++given_up;
  }
  test.findings.expect(given_up > 0, "dials to be given up before they are through");
  a.disconnect(b.id(), "the dial that counts begins");
  test.wait([&] { return a.connections().empty() && b.connections().empty(); }, "the connection to close");
  if (test.connect(a, b)) test.expect_echo(a, b, 1000, "a dial after those that were given up");
}

void crossing_dials(Case& test) {
  Host& a = test.add();
  Host& b = test.add();
  DialEnd there, back;
  runtime::TaskScope of_a(a.runtime()), of_b(b.runtime());
  of_a.spawn(dial_task(a, test.address_of(b), &there));
  of_b.spawn(dial_task(b, test.address_of(a), &back));
  if (!test.wait([&] { return there && back; }, "both dials to end")) return;
  test.findings.expect(there->has_value() && back->has_value(), "both of two crossing dials to succeed");
  test.settle();
  test.expect_echo(a, b, 1000, "an echo after crossing dials");
  test.expect_echo(b, a, 1000, "an echo after crossing dials, the other way");
}

void taken_address(Case& test) {
  Host& a = test.add();
  Host& second = test.add_on(test.node_of(a), false);
  const auto addresses = a.listen_addresses();
  if (!test.findings.expect(!addresses.empty(), "an address that is listened at")) return;
  const Multiaddr address = addresses.front();
  const auto again = second.listen(address);
  test.findings.expect_error(Errc::io, again, "listening at a taken address");
  // In the transport's own words, in which the port or what it has instead is the last.
  const std::string last = address.text().substr(address.text().rfind('/') + 1);
  if (!again)
    test.findings.expect(again.error().message().find(last) != std::string::npos, "the error to name " + last,
                         again.error().message());
  Host& b = test.add();
  if (!test.connect(b, a)) return;  // the first is not disturbed
  b.disconnect(a.id(), "makes room");
  test.wait([&] { return a.connections().empty() && b.connections().empty(); }, "the connection to close");
  test.remove(a);
  test.settle();
  const auto free = second.listen(address);
  test.findings.expect(free.has_value(), "an address to be free once its host is gone",
                       free ? "" : free.error().message());
}

void nobody_listens(Case& test) {
  Host& a = test.add();
  Host& b = test.add();
  const Multiaddr address = test.address_of(b);
  test.remove(b);
  test.settle();
  const auto peer = test.dial(a, address);
  test.findings.expect(!peer, "a dial to fail where nobody listens");
  if (!peer) test.findings.expect(!(peer.error() == Errc::mismatch), "a plain failure", peer.error().message());
  test.findings.expect(a.connections().empty(), "no connection where nobody listens");
}

void listener_that_goes(Case& test) {
  Host& a = test.add();
  Host& b = test.add();
  Host& c = test.add();
  const Multiaddr address = test.address_of(b);
  if (!test.connect(a, b)) return;
  test.settle();
  // A dial is on its way while the listener closes: it ends one way or the other, and nothing is left.
  DialEnd late;
  runtime::TaskScope scope(c.runtime());
  scope.spawn(dial_task(c, address, &late));
  test.findings.expect(test.run(b, close_task(b)), "close() to end");
  test.wait([&] { return late.has_value(); }, "a dial to a host that closes to end");
  test.wait([&] { return a.connections().empty() && c.connections().empty(); },
            "no connection to a host that has closed", kSoon);
  test.findings.expect(!test.dial(a, address), "no dial to succeed once the listener is gone");
}

void foreign_address(Case& test) {
  Host& a = test.add();
  const Multiaddr address = Multiaddr::from_text(test.bed.plan().foreign_address).value();
  test.findings.expect(!a.listen(address), "not to listen at " + address.text());
  const auto peer = test.dial(a, address);
  test.findings.expect(!peer, "no dial of " + address.text());
  test.findings.expect(a.connections().empty(), "no connection");
}

}  // namespace libp2p::transport_cases
