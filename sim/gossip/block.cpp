#include "sim/gossip/block.hpp"

#include <algorithm>

namespace opp2p::sim::gossip {
namespace {

using libp2p::gossipsub::ValidationResult;

// number, time, tag; filler behind.
constexpr std::size_t kTagAt = 16;
constexpr std::size_t kHeader = 24;

Bytes filled(std::uint64_t first, std::uint64_t second, std::size_t size) {
  Bytes data(std::max(size, kLeastBlock), 0xb1);
  libp2p::store_le64(data.data(), first);
  libp2p::store_le64(data.data() + 8, second);
  return data;
}

}  // namespace

Bytes BlockMaker::make(std::uint64_t number, UnixTime made, std::size_t size) const {
  Bytes data = filled(number, static_cast<std::uint64_t>(made.time_since_epoch().count()), size);
  libp2p::store_le64(data.data() + kTagAt, tag_of(ByteView(data).first(kTagAt), data.size()));
  return data;
}

std::uint64_t BlockMaker::tag_of(ByteView header, std::size_t size) const {
  return mix(mix(mix(secret_, libp2p::load_le64(header.data())), libp2p::load_le64(header.data() + 8)), size);
}

std::optional<Block> BlockMaker::read(ByteView data) const {
  if (data.size() < kHeader || libp2p::load_le64(data.data() + kTagAt) != tag_of(data.first(kTagAt), data.size()))
    return std::nullopt;
  return Block{libp2p::load_le64(data.data()),
               UnixTime(Nanos(static_cast<std::int64_t>(libp2p::load_le64(data.data() + 8))))};
}

ValidationResult BlockMaker::judge(ByteView data, UnixTime now) const {
  const auto block = read(data);
  if (!block || block->made + kOldestBlock < now || block->made > now + kNewestBlock) return ValidationResult::reject;
  return ValidationResult::accept;
}

Bytes make_invalid_block(std::uint64_t nonce, std::size_t size) { return filled(nonce, ~nonce, size); }

}  // namespace opp2p::sim::gossip
