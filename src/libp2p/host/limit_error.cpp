#include "libp2p/host/limit_error.hpp"

#include <string>

namespace libp2p {

Error limit_error(std::string_view what, std::size_t value, std::string_view name) {
  return fail(Errc::exhausted,
              std::to_string(value) + " " + std::string(what) + " is the limit (" + std::string(name) + ")");
}

}  // namespace libp2p
