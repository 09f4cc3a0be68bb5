// One c-ares channel on Asio's reactor: its sockets and its timer, without a thread. Each look-up has a channel of its
// own, for three reasons: c-ares can cancel only a whole channel, a channel reads /etc/resolv.conf only once, and a new
// channel takes only about 100 µs. A cancelled look-up is therefore gone at once, and a changed configuration applies
// from the next look-up on.
//
// Owner: one look-up. Thread: the network thread. Bounds: one UDP socket per server asked, one TCP socket for a
// truncated answer; NameOptions::longest. Re-entrancy: c-ares calls the callbacks of queries inside query() and from
// the reactor. They must not destroy the channel, so they post their results.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "libp2p/base/result.hpp"
#include "libp2p/runtime/asio/name_options.hpp"

struct ares_channeldata;

namespace libp2p::runtime {

class DnsChannel {
 public:
  static Result<std::unique_ptr<DnsChannel>> open(boost::asio::io_context& context, const NameOptions& options);
  // Queries that have not ended are called back with ARES_EDESTRUCTION, inside this call.
  ~DnsChannel();
  DnsChannel(const DnsChannel&) = delete;
  DnsChannel& operator=(const DnsChannel&) = delete;

  // `ask` starts queries on the channel: addresses, text records. They end by `longest` with ARES_ECANCELLED.
  void query(const std::function<void(ares_channeldata*)>& ask);
  // "192.0.2.53 and 192.0.2.54", for people.
  std::string servers() const;

 private:
  struct Core;
  explicit DnsChannel(std::shared_ptr<Core> core) : core_(std::move(core)) {}
  std::shared_ptr<Core> core_;
};

}  // namespace libp2p::runtime
