// How names are looked up. The defaults follow the system's configuration; tests name their own servers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "libp2p/base/time.hpp"
#include "libp2p/runtime/lookup_queue.hpp"

namespace libp2p::runtime {

struct NameOptions {
  // "192.0.2.53", "127.0.0.1:5353", "[::1]:5353"; empty: the servers of `resolv_conf`.
  std::vector<std::string> servers;
  std::string resolv_conf = "/etc/resolv.conf";
  std::uint16_t port = 53;  // of the servers of `resolv_conf`, which has no word for it
  // A server that stays silent this long costs the next one a turn; each round of all servers is twice as patient as
  // the one before. They stand in for `timeout` and `attempts` of resolv.conf, whose defaults (5 s, 2) are longer than
  // a dial waits.
  Nanos server_timeout = Seconds(2);
  int rounds = 2;
  Nanos longest = Seconds(30);  // of one look-up, with all its servers and search domains
  std::size_t most_running = LookupQueue::kMostRunning;
  std::size_t most_waiting = LookupQueue::kMostWaiting;
};

}  // namespace libp2p::runtime
