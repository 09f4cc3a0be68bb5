// What a Host is made of: its identity, its bounds, and what it speaks. The host takes a copy.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libp2p/crypto/keys.hpp"
#include "libp2p/host/connection_manager_config.hpp"
#include "libp2p/host/kinds.hpp"
#include "libp2p/host/limits.hpp"
#include "libp2p/seams/transport.hpp"

namespace libp2p {

class Gater;

struct HostConfig {
  crypto::PrivateKey identity;
  // Asked about every connection; null: a BlockingGater that blocks nobody.
  std::shared_ptr<Gater> gater;
  std::string user_agent = "opp2p";
  Limits limits;
  ConnectionManagerConfig connection_manager;
  // What connections may speak, in order of preference. Host's constructor throws std::invalid_argument for a list that
  // is empty, has one id twice, or has a security that cannot be spoken with this identity.
  std::vector<SecurityFactory> securities = default_securities();
  std::vector<MuxerKind> muxers = default_muxers();
  // What it dials and listens with: TCP, and what is added (config.transports.push_back(memory::transport(net))). The
  // first that takes an address has it. Host's constructor throws std::invalid_argument for one that is empty.
  std::vector<TransportFactory> transports;
  explicit HostConfig(crypto::PrivateKey key);
};

}  // namespace libp2p
