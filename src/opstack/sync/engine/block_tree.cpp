#include "opstack/sync/engine/block_tree.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"

namespace opstack::sync {

const TreeBlock* BlockTree::find(const Hash& hash) const {
  const auto found = blocks_.find(hash);
  return found == blocks_.end() ? nullptr : &found->second.block;
}

const TreeBlock* BlockTree::parent_of(const BlockRef& block) const {
  const auto* parent = find(block.parent_hash);
  return parent != nullptr && is_parent(parent->ref, block) ? parent : nullptr;
}

ComponentId BlockTree::component_of(const Hash& hash) const {
  const auto found = blocks_.find(hash);
  OPP2P_ASSERT(found != blocks_.end(), "only blocks in memory are asked for their component");
  return found->second.component;
}

std::vector<ComponentId> BlockTree::waiting_for(const BlockRef& parent) const {
  std::vector<ComponentId> out;
  const auto [first, last] = waiting_.equal_range(parent.hash);
  for (auto it = first; it != last; ++it)
    if (is_parent(parent, components_.at(it->second).lowest)) out.push_back(it->second);
  return out;
}

std::optional<ComponentId> BlockTree::above_lowest(const BlockRef& lowest) const {
  const auto [first, last] = waiting_.equal_range(lowest.parent_hash);
  const auto found =
      std::find_if(first, last, [&](const auto& entry) { return components_.at(entry.second).lowest == lowest; });
  return found == last ? std::nullopt : std::optional(found->second);
}

std::vector<Hash> BlockTree::at_height(std::uint64_t number) const {
  const auto found = heights_.find(number);
  return found == heights_.end() ? std::vector<Hash>() : found->second;
}

std::size_t BlockTree::signed_at(std::uint64_t number, Era era) const {
  const auto found = heights_.find(number);
  if (found == heights_.end()) return 0;
  return static_cast<std::size_t>(std::count_if(found->second.begin(), found->second.end(), [&](const Hash& hash) {
    const auto& signed_in = blocks_.at(hash).block.signed_in;
    return signed_in && *signed_in >= era;
  }));
}

Era BlockTree::era_of(const Hash& hash) const {
  for (const TreeBlock* block = find(hash); block != nullptr; block = parent_of(block->ref))
    if (block->signed_in) return *block->signed_in;
  return 0;
}

bool BlockTree::descends(const Hash& above, const BlockRef& below) const {
  for (const TreeBlock* block = find(above); block != nullptr; block = parent_of(block->ref)) {
    if (block->ref.number == below.number) return block->ref.hash == below.hash;
    if (block->ref.number == below.number + 1) return block->ref.parent_hash == below.hash;
    if (block->ref.number < below.number) return false;
  }
  return false;
}

// The components of the blocks in memory that stand on this one.
std::vector<ComponentId> BlockTree::of_children(const BlockRef& block) const {
  std::vector<ComponentId> out;
  const auto found = heights_.find(block.number + 1);
  if (found == heights_.end()) return out;
  for (const Hash& hash : found->second)
    if (blocks_.at(hash).block.ref.parent_hash == block.hash) out.push_back(blocks_.at(hash).component);
  return out;
}

// ---- what comes in ----

void BlockTree::settle_tip(const Hash& hash) {
  const auto found = blocks_.find(hash);
  if (found == blocks_.end()) return;
  const TreeBlock& block = found->second.block;
  const auto stands_on_it = [&](const Hash& other) {
    const TreeBlock& above = blocks_.at(other).block;
    return above.ref.parent_hash == hash && above.signed_in && *above.signed_in >= *block.signed_in;
  };
  const auto above = heights_.find(block.ref.number + 1);
  if (block.signed_in &&
      (above == heights_.end() || std::none_of(above->second.begin(), above->second.end(), stands_on_it)))
    tips_.insert(hash);
  else
    tips_.erase(hash);
}

void BlockTree::settle_lowest(ComponentId id, const BlockRef& lowest) {
  Component& component = components_.at(id);
  const auto [first, last] = waiting_.equal_range(component.lowest.parent_hash);
  const auto entry = std::find_if(first, last, [&](const auto& waiting) { return waiting.second == id; });
  if (entry != last) waiting_.erase(entry);
  component.lowest = lowest;
  waiting_.emplace(lowest.parent_hash, id);
}

ComponentId BlockTree::merge(ComponentId lower, ComponentId upper) {
  OPP2P_ASSERT(lower != upper, "two components become one", lower);
  Component& from = components_.at(upper);
  Component& into = components_.at(lower);
  for (const auto& [number, hash] : from.blocks) blocks_.at(hash).component = lower;
  into.blocks.merge(from.blocks);
  into.told_fork = into.told_fork || from.told_fork;
  into.era = std::max(into.era, from.era);
  drop_component(upper);
  return lower;
}

void BlockTree::drop_component(ComponentId id) {
  const auto found = components_.find(id);
  const auto [first, last] = waiting_.equal_range(found->second.lowest.parent_hash);
  const auto entry = std::find_if(first, last, [&](const auto& waiting) { return waiting.second == id; });
  OPP2P_ASSERT(entry != last, "each component stands under the parent of its lowest block", id);
  waiting_.erase(entry);
  components_.erase(found);
}

ComponentId BlockTree::add(TreeBlock block) {
  OPP2P_ASSERT(!blocks_.contains(block.ref.hash), "a block is added once", block.ref.number);
  const BlockRef ref = block.ref;
  const auto above = waiting_for(ref);
  const auto children = of_children(ref);
  Node node;
  node.block = std::move(block);

  if (const auto* parent = parent_of(ref)) {
    node.component = component_of(parent->ref.hash);
  } else if (!above.empty()) {
    node.component = above.front();
    node.above = components_.at(node.component).lowest;
    settle_lowest(node.component, ref);
  } else if (!children.empty()) {  // it had been in memory before
    node.component = children.front();
  } else {
    node.component = next_id_++;
    Component fresh;
    fresh.lowest = ref;
    components_.emplace(node.component, std::move(fresh));
    waiting_.emplace(ref.parent_hash, node.component);
  }
  ComponentId id = node.component;
  Component& component = components_.at(id);
  component.blocks.emplace(ref.number, ref.hash);
  component.era = std::max(component.era, node.block.signed_in.value_or(0));
  heights_[ref.number].push_back(ref.hash);
  blocks_.emplace(ref.hash, std::move(node));
  for (const ComponentId upper : above)
    if (upper != id) merge(id, upper);
  for (const ComponentId child : children) {
    if (child == id || !components_.contains(child)) continue;  // one of them already
    const bool is_lower = components_.at(child).lowest.number < components_.at(id).lowest.number;
    id = is_lower ? merge(child, id) : merge(id, child);
  }
  settle_tip(ref.hash);
  settle_tip(ref.parent_hash);
  return id;
}

void BlockTree::sign(const Hash& hash, Era era, std::uint64_t seen) {
  Node& node = blocks_.at(hash);
  if (node.block.signed_in && *node.block.signed_in >= era) return;
  node.block.signed_in = era;
  node.block.seen = seen;
  Component& component = components_.at(node.component);
  component.era = std::max(component.era, era);
  settle_tip(hash);
  settle_tip(node.block.ref.parent_hash);
}

ComponentId BlockTree::descend_to(ComponentId id, const Descent& below) {
  Component& component = components_.at(id);
  if (below.lowest == component.lowest) {
    component.is_base = below.is_base;
    return id;
  }
  // Memory may know of blocks that came since the disk was asked.
  if (below.lowest.number >= component.lowest.number) return id;
  if (const auto other = above_lowest(below.lowest)) return merge(*other, id);
  for (const TreeBlock* in_memory : {find(below.lowest.hash), parent_of(below.lowest)}) {
    if (in_memory == nullptr) continue;
    const ComponentId other = component_of(in_memory->ref.hash);
    return other == id ? id : merge(other, id);
  }
  settle_lowest(id, below.lowest);
  component.is_base = below.is_base;
  return id;
}

// ---- what goes ----

void BlockTree::erase(Blocks::iterator at) {
  const BlockRef ref = at->second.block.ref;
  components_.at(at->second.component).blocks.erase({ref.number, ref.hash});
  auto& height = heights_.at(ref.number);
  std::erase(height, ref.hash);
  if (height.empty()) heights_.erase(ref.number);
  tips_.erase(ref.hash);
  blocks_.erase(at);
}

void BlockTree::remove(const Hash& hash) {
  const auto found = blocks_.find(hash);
  if (found == blocks_.end()) return;
  const TreeBlock gone = found->second.block;
  const std::optional<BlockRef> above = found->second.above;
  const ComponentId id = found->second.component;
  erase(found);
  settle_tip(gone.ref.parent_hash);
  // Everything that descends from it is cut off, a component for each child.
  std::vector<TreeBlock> cut;
  std::set<std::pair<std::uint64_t, Hash>> lost{{gone.ref.number, hash}};
  auto& blocks = components_.at(id).blocks;
  for (const auto& [number, other] : std::vector(blocks.begin(), blocks.end())) {
    const auto at = blocks_.find(other);
    if (number <= gone.ref.number || !lost.contains({number - 1, at->second.block.ref.parent_hash})) continue;
    lost.emplace(number, other);
    cut.push_back(at->second.block);
  }
  for (const auto& block : cut) erase(blocks_.find(block.ref.hash));
  if (components_.at(id).blocks.empty())
    drop_component(id);
  else if (above && components_.at(id).lowest == gone.ref)
    settle_lowest(id, *above);  // the block above it is on the disk only
  for (auto& block : cut) add(std::move(block));
}

// The height of the highest block in memory whose parent is on the disk only; `but` does not count.
std::optional<std::uint64_t> BlockTree::hangs_at(const Component& component, const BlockRef& but) const {
  for (auto at = component.blocks.rbegin(); at != component.blocks.rend(); ++at) {
    const BlockRef& block = blocks_.at(at->second).block.ref;
    if (block != but && block != component.lowest && parent_of(block) == nullptr) return at->first;
  }
  return std::nullopt;
}

std::vector<BlockRef> BlockTree::forget(const std::vector<BlockRef>& gone, const BlockRef& head) {
  if (gone.empty()) return {};
  BlockRef lowest_of_head = head;  // below it are canonical blocks
  while (const TreeBlock* parent = parent_of(lowest_of_head)) lowest_of_head = parent->ref;
  std::map<ComponentId, std::optional<std::uint64_t>> hanging;
  for (const auto& [id, component] : components_) hanging.emplace(id, hangs_at(component, lowest_of_head));
  std::set<ComponentId> broken;
  std::set<Hash> hashes;
  for (const BlockRef& block : gone) {
    hashes.insert(block.hash);
    if (const auto found = blocks_.find(block.hash); found != blocks_.end()) {
      broken.insert(found->second.component);
      continue;
    }
    for (const auto& [id, from] : hanging)
      if (from && block.number < *from && block.number >= components_.at(id).lowest.number) broken.insert(id);
  }
  std::vector<BlockRef> out;
  for (const ComponentId id : broken) take_apart(id, hashes, out);
  return out;
}

void BlockTree::take_apart(ComponentId id, const std::set<Hash>& gone, std::vector<BlockRef>& to_ask) {
  const Component before = components_.at(id);
  std::vector<TreeBlock> left;
  for (const auto& [number, hash] : before.blocks) {
    const auto at = blocks_.find(hash);
    if (!gone.contains(hash)) left.push_back(at->second.block);
    erase(at);
  }
  drop_component(id);
  std::set<ComponentId> pieces;
  std::vector<Hash> hashes;
  for (TreeBlock& block : left) {
    hashes.push_back(block.ref.hash);
    add(std::move(block));
  }
  for (const Hash& hash : hashes) pieces.insert(component_of(hash));
  for (const ComponentId piece : pieces) {
    Component& component = components_.at(piece);
    component.told_fork = before.told_fork;
    if (component.lowest == before.lowest)
      component.is_base = before.is_base;
    else if (!gone.contains(component.lowest.parent_hash))
      to_ask.push_back(component.lowest);
  }
}

void BlockTree::raise(ComponentId id, const BlockRef& lowest) {
  Component& component = components_.at(id);
  while (component.blocks.size() > 1 && component.blocks.begin()->first < lowest.number)
    erase(blocks_.find(component.blocks.begin()->second));
  for (const auto& [number, hash] : component.blocks) blocks_.at(hash).above.reset();
  settle_lowest(id, lowest);
  component.is_base = true;
}

void BlockTree::trim(const BlockRef& head) {
  const ComponentId of_head = component_of(head.hash);
  const auto lowest_of = [&](const Component& component) {
    const auto top = component.blocks.rbegin()->first;
    return top > limits_.window ? top - limits_.window : 0;
  };
  for (auto& [id, component] : components_) {
    std::uint64_t keep_from = lowest_of(component);
    if (id == of_head) keep_from = std::min(keep_from, head.number > limits_.window ? head.number - limits_.window : 0);
    while (component.blocks.size() > 1 && component.blocks.begin()->first < keep_from)
      erase(blocks_.find(component.blocks.begin()->second));
  }
  const auto rank = [](const Component& component) {
    return std::pair(component.era, component.blocks.rbegin()->first);
  };
  const auto drop_lowest = [&] {
    std::optional<ComponentId> lowest;
    for (const auto& [id, component] : components_) {
      if (id == of_head) continue;
      if (!lowest || rank(component) < rank(components_.at(*lowest))) lowest = id;
    }
    if (!lowest) return false;
    for (const auto& [number, hash] : std::set(components_.at(*lowest).blocks)) erase(blocks_.find(hash));
    drop_component(*lowest);
    return true;
  };
  while (components_.size() > limits_.components + 1 && drop_lowest()) {
  }
  // Where the head's alone is above the limit, one more stays: it may be what the head is about to move to.
  while (blocks_.size() > limits_.blocks && components_.size() > 2 && drop_lowest()) {
  }
}

void BlockTree::check() const {
  std::size_t blocks = 0;
  for (const auto& [id, component] : components_) {
    OPP2P_CHECK(!component.blocks.empty(), "a component has a block in memory", id);
    blocks += component.blocks.size();
    const auto [first, last] = waiting_.equal_range(component.lowest.parent_hash);
    OPP2P_CHECK(std::count_if(first, last, [&](const auto& entry) { return entry.second == id; }) == 1,
                "each component stands under the parent of its lowest block", id);
    OPP2P_CHECK(parent_of(component.lowest) == nullptr, "the parent of a component's lowest block is missing", id,
                component.lowest.number);
    for (const auto& [number, hash] : component.blocks) {
      const auto& node = blocks_.at(hash);
      OPP2P_CHECK(node.component == id && node.block.ref.number == number, "each block knows its component", number);
      OPP2P_CHECK(number >= component.lowest.number, "no block of a component is below its lowest", number,
                  component.lowest.number);
      if (const auto* parent = parent_of(node.block.ref))
        OPP2P_CHECK(component_of(parent->ref.hash) == id, "a block is in the component of its parent", number);
    }
  }
  OPP2P_CHECK(blocks == blocks_.size() && waiting_.size() == components_.size(), "each block is in one component",
              blocks, blocks_);
  for (const auto& [hash, node] : blocks_) {
    bool covered = false;
    for (const Hash& above : at_height(node.block.ref.number + 1)) {
      const auto& other = blocks_.at(above).block;
      covered = covered || (other.ref.parent_hash == hash && other.signed_in && node.block.signed_in &&
                            *other.signed_in >= *node.block.signed_in);
    }
    OPP2P_CHECK(tips_.contains(hash) == (node.block.signed_in && !covered),
                "signed blocks on which none of their era stands are the tips", node.block.ref.number);
    const auto height = at_height(node.block.ref.number);
    OPP2P_CHECK(std::find(height.begin(), height.end(), hash) != height.end(), "each block stands at its height",
                node.block.ref.number);
  }
}

}  // namespace opstack::sync
