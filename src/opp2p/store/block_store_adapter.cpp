#include "opp2p/store/block_store_adapter.hpp"

#include <atomic>
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

// One look-up, shared by its handle, the queue and the worker that reads it.
struct BlockStoreAdapter::Lookup {
  Lookup(std::uint64_t block, LookupDone callback) : number(block), done(std::move(callback)) {}
  const std::uint64_t number;
  const LookupDone done;                                    // called on the network thread
  std::atomic<bool> withdrawn{false};                       // set on the network thread, read by the worker too
  Result<std::optional<ServedBlock>> found = std::nullopt;  // written by the worker
};

class BlockStoreAdapter::LookupHandle final : public libp2p::runtime::Operation {
 public:
  LookupHandle(BlockStoreAdapter& adapter, std::uint64_t place, std::shared_ptr<Lookup> lookup)
      : adapter_(adapter), adapter_life_(adapter.life_.watch()), place_(place), lookup_(std::move(lookup)) {}
  ~LookupHandle() override {
    lookup_->withdrawn.store(true, std::memory_order_relaxed);
    if (adapter_life_) adapter_.wanted_.erase(place_);
  }

 private:
  BlockStoreAdapter& adapter_;
  const libp2p::LifeWatch adapter_life_;
  const std::uint64_t place_;
  const std::shared_ptr<Lookup> lookup_;
};

std::unique_ptr<libp2p::runtime::Operation> BlockStoreAdapter::lookup(std::uint64_t number, LookupDone done) {
  auto lookup = std::make_shared<Lookup>(number, std::move(done));
  const std::uint64_t place = next_lookup_++;
  auto handle = std::make_unique<LookupHandle>(*this, place, lookup);
  if (wanted_.size() >= kMostWanted) {
    runtime_.post(life_.guard([lookup = std::move(lookup)] {
      if (lookup->withdrawn) return;
      lookup->done(Error(Errc::exhausted, std::to_string(kMostWanted) + " look-ups wait for the disk already"));
    }));
    return handle;
  }
  wanted_.emplace(place, std::move(lookup));
  if (readers_ < kReadersAtOnce) read_wanted();
  return handle;
}

// All that is wanted by now goes to one worker: under load two wake-ups for each would cost more than reading it.
void BlockStoreAdapter::read_wanted() {
  ++readers_;
  auto lookups = std::make_shared<std::vector<std::shared_ptr<Lookup>>>();
  lookups->reserve(wanted_.size());
  for (auto& [place, lookup] : wanted_) lookups->push_back(std::move(lookup));
  wanted_.clear();
  runtime_.run_on_worker(
      [&store = store_, lookups] {
        for (const auto& lookup : *lookups) {
          if (lookup->withdrawn.load(std::memory_order_relaxed)) continue;
          auto block = store.as_stored(lookup->number);
          if (!block) {
            lookup->found = block.error();
          } else if (*block) {
            const StoredBlock sent = framed(**std::move(block));
            OPP2P_ASSERT(sent.body.is_whole(), "frames are sent whole", sent.body.size());
            lookup->found = std::optional<ServedBlock>(ServedBlock{sent.version, sent.body.owner()});
          }
        }
      },
      [this, life = life_.watch(), lookups] {
        for (const auto& lookup : *lookups) {
          if (!life) return;
          if (!lookup->withdrawn) lookup->done(std::move(lookup->found));
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
          if (!peer) {
            *found = peer.error().within("the peer of staged block " + std::to_string(record.block.number));
            return;
          }
          auto block = opstack::payload::decode_block(record.block.version, record.block.body);
          if (block && opstack::payload::has_uncovered_withdrawals(block->payload()))
            block = Error(Errc::malformed, "staged block " + std::to_string(record.block.number) +
                                               " has a list of withdrawals that its hash does not cover");
          if (!block) {
            *found = block.error();
            return;
          }
          (*found)->emplace_back(std::move(*peer), std::move(*block));
        }
      },
      life_.guard([done = std::move(done), found] { done(std::move(*found)); }));
}

void BlockStoreAdapter::drop_staged(std::uint64_t segment) { store_.drop_staged(segment, nullptr); }

}  // namespace opp2p
