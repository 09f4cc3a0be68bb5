// Parameters without names, for methods that tests and fuzz targets register.
#pragma once

#include "opp2p/rpc/json_rpc.hpp"

namespace opp2p {

// At most `most`, of which `required` must be given.
inline std::vector<RpcParameter> parameters(std::size_t required, std::size_t most) {
  std::vector<RpcParameter> out(most);
  for (std::size_t i = 0; i < most; ++i) out[i].required = i < required;
  return out;
}

}  // namespace opp2p
