// Files with a secret, which only their owner may read: the node's key and the RPC's token.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libp2p/base/result.hpp"
#include "libp2p/base/rng.hpp"

namespace opp2p {

// What failed ("created", "written") and its errno.
struct SecretFileError {
  std::string_view action;
  int code;
};
// Makes the file with mode 0600, whole and on disk, or not at all; it must not be there yet.
std::optional<SecretFileError> write_secret_file(const std::string& path, std::string_view text);

// 64 hexadecimal digits in lower case.
bool is_rpc_token(std::string_view text);

// The token that the RPC's methods with consequences want: 64 hexadecimal digits in `<data_dir>/rpc.token`. One that
// is there is kept, so that programs that have read it go on over a restart, and its mode is set to 0600; what is no
// token there is an error.
libp2p::Result<std::string> load_or_create_token(const std::string& data_dir, libp2p::Rng& rng);

}  // namespace opp2p
