#include "sim/gossip/block.hpp"

#include <algorithm>

namespace opp2p::sim::gossip {
namespace {

using libp2p::gossipsub::ValidationResult;
using opstack::rules::Reason;

// number with signer and fork in its two highest bytes, time, tag; filler behind.
constexpr unsigned kSignerAt = 48;
constexpr unsigned kForkAt = 56;
constexpr std::size_t kTagAt = 16;
constexpr std::size_t kHeader = 24;

Bytes filled(std::uint64_t first, std::uint64_t second, std::size_t size) {
  Bytes data(std::max(size, kLeastBlock), 0xb1);
  libp2p::store_le64(data.data(), first);
  libp2p::store_le64(data.data() + 8, second);
  return data;
}

}  // namespace

Bytes BlockMaker::make(const Block& block, std::size_t size) const {
  const std::uint64_t first =
      block.number | std::uint64_t{block.signer} << kSignerAt | std::uint64_t{block.fork} << kForkAt;
  Bytes data = filled(first, static_cast<std::uint64_t>(block.made.time_since_epoch().count()), size);
  libp2p::store_le64(data.data() + kTagAt, tag_of(ByteView(data).first(kTagAt), data.size()));
  return data;
}

std::uint64_t BlockMaker::tag_of(ByteView header, std::size_t size) const {
  return mix(mix(mix(secret_, libp2p::load_le64(header.data())), libp2p::load_le64(header.data() + 8)), size);
}

std::optional<Block> BlockMaker::read(ByteView data) const {
  if (data.size() < kHeader || libp2p::load_le64(data.data() + kTagAt) != tag_of(data.first(kTagAt), data.size()))
    return std::nullopt;
  const std::uint64_t first = libp2p::load_le64(data.data());
  Block block;
  block.number = first & ((std::uint64_t{1} << kSignerAt) - 1);
  block.signer = static_cast<std::uint8_t>(first >> kSignerAt);
  block.fork = static_cast<std::uint8_t>(first >> kForkAt);
  block.made = UnixTime(Nanos(static_cast<std::int64_t>(libp2p::load_le64(data.data() + 8))));
  return block;
}

Judged BlockMaker::judge(ByteView data, UnixTime now, const Beliefs& beliefs) const {
  const auto reject = [](Reason reason) { return Judged{ValidationResult::reject, reason}; };
  const auto block = read(data);
  if (!block || (block->signer != beliefs.signer && block->signer != beliefs.other_signer))
    return reject(Reason::invalid_signature);
  if (block->made + kOldestBlock < now) return reject(Reason::too_old);
  if (block->made > now + kNewestBlock) return reject(Reason::too_new);
  // Jovian, for one, gives this field a meaning.
  if (block->fork > beliefs.fork) return reject(Reason::non_zero_blob_gas_used);
  return {ValidationResult::accept, Reason::valid};
}

Bytes make_invalid_block(std::uint64_t nonce, std::size_t size) { return filled(nonce, ~nonce, size); }

}  // namespace opp2p::sim::gossip
