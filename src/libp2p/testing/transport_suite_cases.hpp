// The cases of the transport suite, their hosts, and the small protocols that the hosts speak. Private to the suite.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/runtime/task.hpp"
#include "libp2p/testing/transport_suite.hpp"

namespace libp2p::transport_cases {

inline constexpr Nanos kLimit = Seconds(60);
inline constexpr Nanos kSoon = Seconds(10);  // what the transport tells; a keep-alive finds out much later

// A dial's end, or a stream's.
using Answer = std::optional<Result<Bytes>>;
using DialEnd = std::optional<Result<PeerId>>;

// One case: its bed, and its hosts by the node that they are on.
struct Case {
  Case(TransportBed& world, const TransportSuiteOptions& given, Findings& to)
      : bed(world), options(given), findings(to) {}

  // A host that listens and answers /suite/echo, /suite/late-echo (all of it, after the end), /suite/reset and
  // /suite/hold (reads nothing) and /suite/drain (reads and answers nothing).
  Host& add();
  Host& add_on(std::size_t node, bool listens = true);
  std::size_t node_of(const Host& host) const;
  void remove(const Host& host);
  Multiaddr address_of(const Host& host) const;

  bool run(Host& host, runtime::Task<void> task);
  // Lets what is on its way arrive.
  void settle() {
    bed.run_until([] { return false; }, bed.quiet());
  }
  bool wait(const std::function<bool()>& done, std::string_view for_what, Nanos limit = kLimit);
  Result<PeerId> dial(Host& from, const Multiaddr& to);
  bool connect(Host& from, const Host& to);
  Result<Bytes> ask(Host& from, const Host& to, const std::string& protocol, const Bytes& message);
  void expect_echo(Host& from, const Host& to, std::size_t bytes, std::string_view what);

  std::function<void(HostConfig&)> tweak;  // of the hosts that are added from now on
  TransportBed& bed;
  const TransportSuiteOptions& options;
  Findings& findings;
  struct Place {
    std::size_t node = 0;
    std::unique_ptr<Host> host;
  };
  std::vector<Place> hosts;
  std::vector<Stream> held;  // what /suite/hold was given
};

runtime::Task<void> dial_task(Host& host, Multiaddr address, DialEnd* out);
runtime::Task<void> close_task(Host& host);
// Opens a stream, writes `message`, ends its side and keeps what comes until the end.
runtime::Task<void> ask_task(Host& host, PeerId peer, std::string protocol, const Bytes* message, Answer* out);
// The same, `times` over, one after another; counts those that came back whole.
runtime::Task<void> ask_often(Host& host, PeerId peer, std::string protocol, const Bytes* message, std::size_t times,
                              std::size_t* whole);
// Writes chunk after chunk until the stream ends; counts what the stream took.
runtime::Task<void> pour_task(Host& host, PeerId peer, std::string protocol, std::size_t* poured,
                              std::optional<Error>* end);
// Writes `message` and ends; reads 16 KiB, waits 5 ms, and so on.
runtime::Task<void> ask_slowly(Host& host, PeerId peer, std::string protocol, const Bytes* message, Answer* out);

// transport_suite_streams.cpp
void echo(Case& test);
void half_close(Case& test);
void reset(Case& test);
void many_streams(Case& test);
void back_pressure(Case& test);
void slow_reader(Case& test);
void fairness(Case& test);
void last_words(Case& test);
void abrupt_loss(Case& test);

// transport_suite_dials.cpp
void facts(Case& test);
void wrong_peer(Case& test);
void cancelled_dials(Case& test);
void crossing_dials(Case& test);
void taken_address(Case& test);
void nobody_listens(Case& test);
void listener_that_goes(Case& test);
void foreign_address(Case& test);

// transport_suite_sockets.cpp
void sockets_carry_bytes(Case& test);
void sockets_end_each_way(Case& test);
void sockets_hold_back(Case& test);
void sockets_of_dials_given_up(Case& test);
void sockets_nobody_listens(Case& test);

}  // namespace libp2p::transport_cases
