// The text of a file system error for the operator (libp2p/storage/file_error.hpp).
#pragma once

#include "libp2p/storage/file_error.hpp"

namespace opp2p {

using libp2p::storage::file_error;

}  // namespace opp2p
