#include "opp2p/store/block_store_adapter.hpp"

#include <atomic>
#include <utility>

#include "libp2p/base/assert.hpp"

namespace opp2p {

using opstack::sync::ServedBlock;

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

template <class T>
std::function<void(Result<T>)> BlockStoreAdapter::guarded(std::function<void(Result<T>)> done) {
  return life_.guard([done = std::move(done)](Result<T> outcome) {
    if (done) done(std::move(outcome));
  });
}

void BlockStoreAdapter::keep(opstack::payload::Block block, std::optional<Attestation> attestation, bool extends_head,
                             KeepDone done) {
  store_.keep(StoredBlock(block), std::move(attestation), extends_head, guarded<KeptBlock>(std::move(done)));
}

void BlockStoreAdapter::start_at(const BlockRef& genesis, std::uint64_t timestamp, KeepDone done) {
  store_.start_at(genesis, timestamp, guarded<KeptBlock>(std::move(done)));
}

void BlockStoreAdapter::move_head(const HeadMove& move, MoveDone done) {
  store_.move_head(move, guarded<MovedHead>(std::move(done)));
}

void BlockStoreAdapter::open_era(const opstack::rules::Address& signer, UnixTime now, EraDone done) {
  store_.open_era(signer, now, guarded<EraRecord>(std::move(done)));
}

template <class T, class Read>
void BlockStoreAdapter::read(Read read, std::function<void(Result<T>)> done) {
  auto found = std::make_shared<Result<T>>(T{});
  runtime_.run_on_worker([&store = store_, read = std::move(read), found] { *found = read(store); },
                         life_.guard([done = std::move(done), found] { done(std::move(*found)); }));
}

void BlockStoreAdapter::descend(const BlockRef& from, DescendDone done) {
  read<Descent>([from](const BlockStore& store) { return store.descend(from); }, std::move(done));
}

void BlockStoreAdapter::view(std::size_t window, ViewDone done) {
  read<ChainView>([window](const BlockStore& store) { return store.view(window); }, std::move(done));
}

}  // namespace opp2p
