// Looks up A and AAAA records, first in /etc/hosts, then at the name servers of /etc/resolv.conf. Both files are read
// anew for each look-up. A and AAAA are asked at the same time, and the answers are sorted by RFC 6724. c-ares runs on
// the network thread's reactor, so a server that does not answer delays no other name. Destroying an operation closes
// its sockets.
//
// Owner: AsioRuntime. Thread: the network thread. Bounds: LookupQueue; a further look-up is Errc::exhausted.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "libp2p/runtime/asio/name_options.hpp"
#include "libp2p/runtime/runtime.hpp"

namespace libp2p::runtime {

class NameLookup {
 public:
  static constexpr std::size_t kMostAddresses = 64;  // of one name

  NameLookup(boost::asio::io_context& context, NameOptions options);
  ~NameLookup();
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

  std::unique_ptr<Operation> start(const std::string& host, Family family,
                                   std::function<void(Result<std::vector<std::string>>)> done);
  const LookupQueue& queue() const;

 private:
  struct Shared;
  struct Request;
  class LookupOperation;
  std::shared_ptr<Shared> shared_;
};

}  // namespace libp2p::runtime
