// Looks up A and AAAA records: /etc/hosts first, then the name servers of /etc/resolv.conf, both read anew for each
// look-up. The answers are sorted by RFC 6724. c-ares does it on the network thread's reactor, so a server that does
// not answer holds up no other name; an operation that is destroyed takes its sockets with it. A and AAAA are asked at
// once.
//
// Owner: AsioRuntime. Thread: the network thread. Bounds: LookupQueue; more is Errc::exhausted.
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
