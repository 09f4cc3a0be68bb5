#include "services/stream_tools.hpp"

namespace libp2p::services {

runtime::Task<void> nothing() { co_return; }

runtime::Task<void> finish(network::Stream stream, MonoTime deadline, std::size_t max_discarded) {
  stream.close_write();
  stream.set_read_deadline(deadline);
  ByteArray<512> discarded{};
  std::size_t total = 0;
  while (total <= max_discarded) {
    const Result<std::size_t> got = co_await stream.read_some(discarded);
    if (!got) break;
    if (*got == 0) co_return;
    total += *got;
  }
  stream.reset();
}

}  // namespace libp2p::services
