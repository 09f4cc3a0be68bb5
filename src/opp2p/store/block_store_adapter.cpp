#include "opp2p/store/block_store_adapter.hpp"

#include <utility>

#include "libp2p/base/assert.hpp"

namespace opp2p {

using opstack::sync::Block;
using opstack::sync::ServedBlock;
using opstack::sync::StagedBlock;

void BlockStoreAdapter::append(Block block, Done done) {
  store_.put(StoredBlock(block), life_.guard([done = std::move(done)](Result<void> outcome) {
    if (done) done(std::move(outcome));
  }));
}

void BlockStoreAdapter::lookup(std::uint64_t number, LookupDone done) {
  if (wanted_.size() >= kMostWanted) {
    return runtime_.post(life_.guard([done = std::move(done)] {
      done(Error(Errc::exhausted, std::to_string(kMostWanted) + " look-ups wait for the disk already"));
    }));
  }
  wanted_.push_back(Lookup{number, std::move(done), std::optional<ServedBlock>()});
  if (readers_ < kReadersAtOnce) read_wanted();
}

// All that is wanted by now goes to one worker: under load two wake-ups for each would cost more than reading it.
void BlockStoreAdapter::read_wanted() {
  ++readers_;
  auto lookups = std::make_shared<std::vector<Lookup>>(std::exchange(wanted_, {}));
  runtime_.run_on_worker(
      [&store = store_, lookups] {
        for (Lookup& lookup : *lookups) {
          auto block = store.as_stored(lookup.number);
          if (!block) {
            lookup.found = block.error();
          } else if (*block) {
            const StoredBlock sent = framed(**std::move(block));
            OPP2P_ASSERT(sent.body.is_whole(), "frames are sent whole", sent.body.size());
            lookup.found = std::optional<ServedBlock>(ServedBlock{sent.version, sent.body.owner()});
          }
        }
      },
      [this, life = life_.watch(), lookups] {
        for (Lookup& lookup : *lookups) {
          if (!life) return;
          lookup.done(std::move(lookup.found));
        }
        if (!life) return;
        --readers_;
        if (!wanted_.empty()) read_wanted();
      });
}

void BlockStoreAdapter::stage(std::uint64_t segment, StagedBlock block, Done done) {
  StagedRecord record;
  record.peer = libp2p::to_bytes(block.peer.bytes());
  record.block = StoredBlock(block.block);
  const auto number = record.block.number;
  store_.stage(segment, std::move(record), life_.guard([this, number, done = std::move(done)](Result<void> outcome) {
    if (!outcome && refused_) refused_(number, outcome.error());
    if (done) done(std::move(outcome));
  }));
}

void BlockStoreAdapter::read_staged(std::uint64_t segment, std::uint64_t from, std::size_t max_blocks,
                                    std::size_t max_bytes, ReadDone done) {
  auto found = std::make_shared<Result<std::vector<StagedBlock>>>(std::vector<StagedBlock>());
  runtime_.run_on_worker(
      [&store = store_, segment, from, max_blocks, max_bytes, found] {
        auto records = store.read_staged(segment, from, max_blocks, max_bytes);
        if (!records) {
          *found = records.error();
          return;
        }
        for (auto& record : *records) {
          auto peer = libp2p::PeerId::from_bytes(record.peer);
          auto block = opstack::payload::decode_block(record.block.version, record.block.body);
          if (block && opstack::payload::has_uncovered_withdrawals(block->payload()))
            block = Error(Errc::malformed, "staged block " + std::to_string(record.block.number) +
                                               " has a list of withdrawals that its hash does not cover");
          if (!block) {
            *found = block.error();
            return;
          }
          (*found)->emplace_back(peer ? std::move(*peer) : libp2p::PeerId(), std::move(*block));
        }
      },
      life_.guard([done = std::move(done), found] { done(std::move(*found)); }));
}

void BlockStoreAdapter::drop_staged(std::uint64_t segment) { store_.drop_staged(segment, nullptr); }

}  // namespace opp2p
