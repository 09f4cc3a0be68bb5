#include "libp2p/host/host_config.hpp"

#include <utility>

#include "libp2p/transports/tcp/tcp_transport.hpp"

namespace libp2p {

HostConfig::HostConfig(crypto::PrivateKey key) : identity(std::move(key)), transports{tcp::transport()} {}

}  // namespace libp2p
