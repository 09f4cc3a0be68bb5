#include "libp2p/protocols/gossipsub/params.hpp"

#include <string_view>

namespace libp2p::gossipsub {
namespace {

Error sizes_error(std::string_view field, std::size_t value, std::string_view allowed, std::size_t bound) {
  return fail(Errc::invalid_argument, std::string(field) + " is " + std::to_string(value) + "; it must be " +
                                          std::string(allowed) + ", " + std::to_string(bound));
}

}  // namespace

Result<void> validate(const MeshSizes& sizes) {
  if (sizes.degree == 0) return fail(Errc::invalid_argument, "mesh.degree is 0; it must be 1 or more");
  if (sizes.low > sizes.degree) return sizes_error("mesh.low", sizes.low, "at most mesh.degree", sizes.degree);
  if (sizes.high < sizes.degree) return sizes_error("mesh.high", sizes.high, "at least mesh.degree", sizes.degree);
  if (sizes.outbound != 0 && sizes.outbound >= sizes.low)
    return sizes_error("mesh.outbound", sizes.outbound, "below mesh.low", sizes.low);
  if (sizes.outbound > sizes.degree / 2)
    return sizes_error("mesh.outbound", sizes.outbound, "at most half of mesh.degree", sizes.degree / 2);
  return {};
}

Result<void> validate(const TopicParams& params, const RpcLimits& limits) {
  if (params.mesh) OPP2P_TRYV(validate(*params.mesh));
  if (!params.max_message) return {};
  if (*params.max_message == 0) return fail(Errc::invalid_argument, "max_message is 0; it must be 1 or more");
  if (*params.max_message > limits.max_rpc)
    return sizes_error("max_message", *params.max_message, "at most rpc.max_rpc", limits.max_rpc);
  return {};
}

}  // namespace libp2p::gossipsub
