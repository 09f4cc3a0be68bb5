// TCP on Asio's reactor: the sockets, listeners and dials of AsioRuntime. The callbacks of an object use a shared
// state. It is therefore safe to destroy the object in a callback or while a callback is queued; a queued callback then
// does nothing. Thread: the network thread. Bounds: no buffers of its own.
#pragma once

#include <boost/asio/io_context.hpp>

#include "libp2p/runtime/runtime.hpp"

namespace libp2p::runtime {

Result<std::unique_ptr<Listener>> asio_listen(boost::asio::io_context& context, const Endpoint& at,
                                              std::function<void(std::unique_ptr<Socket>)> on_accept);
std::unique_ptr<Operation> asio_connect(boost::asio::io_context& context, const Endpoint& to,
                                        std::function<void(Result<std::unique_ptr<Socket>>)> done);

}  // namespace libp2p::runtime
