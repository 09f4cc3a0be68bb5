// Any bytes are read as RLP items, lists inside out; what was read is written again to the same bytes.
#include <cstdlib>
#include <vector>

#include "libp2p/multiformats/rlp.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace libp2p;
  std::vector<libp2p::multiformats::RlpReader> open{libp2p::multiformats::RlpReader({data, size})};
  while (!open.empty()) {
    libp2p::multiformats::RlpReader reader = open.back();
    open.pop_back();
    while (!reader.done()) {
      const std::size_t start = reader.offset();
      const auto item = reader.item();
      if (!item) {
        if (!item.error().offset() || *item.error().offset() > size) std::abort();
        break;
      }
      if (item->list) {
        open.emplace_back(item->payload, start + item->encoding.size() - item->payload.size());
        Bytes header;
        libp2p::multiformats::append_rlp_list_header(header, item->payload.size());
        if (!equal(header, item->encoding.first(header.size()))) std::abort();
        if (libp2p::multiformats::rlp_list_size(item->payload.size()) != item->encoding.size()) std::abort();
        continue;
      }
      Bytes again;
      libp2p::multiformats::append_rlp_string(again, item->payload);
      if (!equal(again, item->encoding)) std::abort();
      if (const auto number = libp2p::multiformats::RlpReader(item->encoding).uint64()) {
        Bytes digits;
        libp2p::multiformats::append_rlp_uint(digits, *number);
        if (digits != again) std::abort();
      }
    }
  }
  return 0;
}
