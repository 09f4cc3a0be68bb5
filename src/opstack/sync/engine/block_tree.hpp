// The blocks that the unsafe chain keeps in memory, without bodies: the upper part of each segment, linked by parent
// hashes. A component is a set of connected blocks, so one segment with its branches; its lowest block has a parent
// that is missing, or is a base. What lies deep below the top of a component is only on the disk; the component still
// knows its lowest block. A parent is the block of the hash that a block names, one below it: who names the hash of a
// block at another height has a parent that nobody can have. A pure data structure.
//
// Owner: UnsafeChain. Thread: its. Bounds: BlockTreeLimits; above them the lowest blocks of a component go, and then
// whole components, those of the earliest era first, and of these the lowest. Words: docs/fork-choice.md.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "opstack/sync/engine/chain_view.hpp"

namespace opstack::sync {

struct TreeBlock {
  BlockRef ref;
  std::uint64_t timestamp = 0;
  std::optional<Era> signed_in;  // none: fetched, or vouched for by the operator
  PeerId from;
  std::uint64_t seen = 0;  // by order of arrival; of a stored block, of its signature
};

using ComponentId = std::uint64_t;

struct BlockTreeLimits {
  std::uint64_t window = 1024;  // heights below the top of a component
  std::size_t blocks = 32768;   // of all components
  std::size_t components = 64;  // beside the head's
  std::size_t signed_a_height = 6;
};

class BlockTree {
 public:
  struct Component {
    BlockRef lowest;  // known to be connected; it may be on the disk only
    bool is_base = false;
    bool told_fork = false;                           // that it has a second block at a height was told
    Era era = 0;                                      // the latest one of its signed blocks, or of some that went
    std::set<std::pair<std::uint64_t, Hash>> blocks;  // in memory, by number
  };

  explicit BlockTree(BlockTreeLimits limits = {}) : limits_(limits) {}

  const TreeBlock* find(const Hash& hash) const;
  const TreeBlock* parent_of(const BlockRef& block) const;
  ComponentId component_of(const Hash& hash) const;
  const Component& component(ComponentId id) const { return components_.at(id); }
  const std::map<ComponentId, Component>& components() const { return components_; }
  // Those whose lowest block has this parent.
  std::vector<ComponentId> waiting_for(const BlockRef& parent) const;
  // The one whose lowest block this is. The block may be on the disk only.
  std::optional<ComponentId> above_lowest(const BlockRef& lowest) const;
  // The hashes of one height, in the order of arrival.
  std::vector<Hash> at_height(std::uint64_t number) const;
  // How many signed blocks of this era or later ones are at a height.
  std::size_t signed_at(std::uint64_t number, Era era) const;
  // Signed blocks that could be the best of their branch: no signed block of the same or a later era stands on them.
  const std::set<Hash>& tips() const { return tips_; }
  // The era of the next signed block at or below this one; 0 when none is in memory.
  Era era_of(const Hash& hash) const;
  // Whether `above` descends from `below`, as far as memory tells.
  bool descends(const Hash& above, const BlockRef& below) const;

  // A block that is not there. It joins the components that it connects: the id of the lowest one stays, because the
  // hole below that one is what remains. Answers the component that it is in.
  ComponentId add(TreeBlock block);
  // A signature of the block; of several the latest era counts.
  void sign(const Hash& hash, Era era, std::uint64_t seen);
  // What the disk knows of the blocks below a component. Where they are those of another component, the two become one;
  // answers its id.
  ComponentId descend_to(ComponentId id, const Descent& below);
  void set_base(ComponentId id) { components_.at(id).is_base = true; }
  void set_told_fork(ComponentId id) { components_.at(id).told_fork = true; }
  // Blocks that were not canonical have gone from the disk, none of them below the head. A component that stood on one
  // of them falls apart. Answers blocks below which the disk is to be asked what is left: it may have been blocks on
  // the disk only that connected them to the rest. What is below the head is then to be told anew too.
  std::vector<BlockRef> forget(const std::vector<BlockRef>& gone, const BlockRef& head);
  // The canonical blocks below this one have gone from the disk: it is the base of its component now.
  void raise(ComponentId id, const BlockRef& lowest);
  // A block that the store did not take. What is above it becomes a component that waits for it.
  void remove(const Hash& hash);
  // Takes out what is beyond the limits. The head, and blocks within the window below it, stay.
  void trim(const BlockRef& head);

  std::size_t size() const { return blocks_.size(); }
  void check() const;

 private:
  struct Node {
    TreeBlock block;
    ComponentId component = 0;
    std::optional<BlockRef> above;  // the lowest block of its component before it came below
  };
  std::vector<ComponentId> of_children(const BlockRef& block) const;
  std::optional<std::uint64_t> hangs_at(const Component& component, const BlockRef& but) const;
  void take_apart(ComponentId id, const std::set<Hash>& gone, std::vector<BlockRef>& to_ask);
  ComponentId merge(ComponentId lower, ComponentId upper);
  void settle_tip(const Hash& hash);
  void drop_component(ComponentId id);
  void settle_lowest(ComponentId id, const BlockRef& lowest);

  using Blocks = std::unordered_map<Hash, Node, FirstBytes>;  // nothing depends on its order

  void erase(Blocks::iterator at);

  BlockTreeLimits limits_;
  Blocks blocks_;
  std::map<ComponentId, Component> components_;
  std::multimap<Hash, ComponentId> waiting_;  // by the parent of the lowest block; bases are in it too
  std::map<std::uint64_t, std::vector<Hash>> heights_;
  std::set<Hash> tips_;
  ComponentId next_id_ = 1;
};

}  // namespace opstack::sync
