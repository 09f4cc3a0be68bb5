// For the tests of identify: a handler for streams whose end is all that matters.
#pragma once

#include "libp2p/connection/stream.hpp"
#include "libp2p/runtime/task.hpp"

namespace libp2p::testing_identify {

inline runtime::Task<void> say_nothing(Stream stream) {
  Bytes buffer(1);
  const Result<std::size_t> got = co_await stream.read_some(buffer);
  (void)got;
}

}  // namespace libp2p::testing_identify
