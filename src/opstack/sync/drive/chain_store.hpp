// What the sync code asks of a store: blocks to serve, and a place for the unsafe chain with its branches, holes and
// eras (docs/fork-choice.md). The daemon's block store implements it (opp2p/store/block_store.hpp).
//
// Thread: all calls and all callbacks on the network thread; a callback never comes within the call, and comes at most
// once. An implementation that is destroyed drops what is outstanding without a callback. Writes take effect in the
// order of the calls; a callback with success means that the write is durable.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "libp2p/runtime/runtime.hpp"
#include "opstack/sync/engine/chain_view.hpp"

namespace opstack::sync {

// A block as it is sent: its body in snappy's frames.
struct ServedBlock {
  payload::Version version = payload::Version::v1;
  SharedBytes frames;
};

class BlockSource {
 public:
  virtual ~BlockSource() = default;
  using LookupDone = std::function<void(Result<std::optional<ServedBlock>>)>;
  // The canonical block of a number, read from a snapshot, off the network thread. Nothing for a block that is not
  // there. Destroying the handle withdraws the look-up: its callback does not come, and it takes no place any more
  // among those that wait. The handle may be destroyed inside the callback, and after the source.
  [[nodiscard]] virtual std::unique_ptr<libp2p::runtime::Operation> lookup(std::uint64_t number, LookupDone done) = 0;
};

class ChainStore : public BlockSource {
 public:
  using KeepDone = std::function<void(Result<KeptBlock>)>;
  using MoveDone = std::function<void(Result<MovedHead>)>;
  using EraDone = std::function<void(Result<EraRecord>)>;
  using DescendDone = std::function<void(Result<Descent>)>;
  using ViewDone = std::function<void(Result<ChainView>)>;

  // Keeps a block. With `extends_head` it becomes the head as it is stored: Errc::mismatch when its parent is not the
  // head. Otherwise it becomes canonical only if it fills a hole below a canonical block, by its hash. A block that is
  // there already is acknowledged again; a signature that comes later than its block is added to it; of two that of
  // the later era stays. Errc::exhausted when the budget has no room for it.
  virtual void keep(Block block, std::optional<Attestation> attestation, bool extends_head, KeepDone done) = 0;
  // The block that an empty store begins with, without a body. Errc::mismatch when it begins with another one.
  virtual void start_at(const BlockRef& genesis, std::uint64_t timestamp, KeepDone done) = 0;
  // One transaction. Errc::mismatch when the branch is not what `move` says; then nothing has changed.
  virtual void move_head(const HeadMove& move, MoveDone done) = 0;
  // The next era. For a signer that is that of the last era already, the last era.
  virtual void open_era(const rules::Address& signer, libp2p::UnixTime now, EraDone done) = 0;
  // From a stored block downwards by its parents. Errc::not_found when it is not there.
  virtual void descend(const BlockRef& from, DescendDone done) = 0;
  // The chain as it is on the disk, with the canonical blocks of the `window` highest numbers and as many orphans.
  virtual void view(std::size_t window, ViewDone done) = 0;
};

}  // namespace opstack::sync
