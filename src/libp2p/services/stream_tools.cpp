#include "libp2p/services/stream_tools.hpp"

#include <stdexcept>
#include <string>
#include <utility>

namespace libp2p {

runtime::Task<void> finished_task() { co_return; }

void serve_in_scope(libp2p::Host& host, runtime::TaskScope& scope, std::string_view protocol,
                    std::function<runtime::Task<void>(libp2p::Stream)> serve) {
  if (!serve) throw std::invalid_argument("nothing serves '" + std::string(protocol) + "': the function is empty");
  host.set_stream_handler(std::string(protocol), [&scope, serve = std::move(serve)](libp2p::Stream stream) {
    scope.spawn(serve(std::move(stream)));
    return finished_task();
  });
}

}  // namespace libp2p
