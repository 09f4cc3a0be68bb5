// Looks up A and AAAA records with the system's resolver, which blocks, on threads of its own. A look-up can hang for half a
// minute when a name server is silent, so no thread is ever joined: it shares a small mailbox with the network thread, and when
// the runtime has gone it finds the mailbox closed and ends. Thread: start() on the network thread. Bounds: kMostLookups at
// once, kMostWaiting behind them; more is Errc::exhausted.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>

#include "runtime/runtime.hpp"

namespace libp2p::runtime {

class NameLookup {
 public:
  static constexpr std::size_t kMostLookups = 4;
  static constexpr std::size_t kMostWaiting = 256;

  explicit NameLookup(boost::asio::io_context& context);
  ~NameLookup();
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

  std::unique_ptr<Operation> start(const std::string& host, Family family,
                                   std::function<void(Result<std::vector<std::string>>)> done);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace libp2p::runtime
