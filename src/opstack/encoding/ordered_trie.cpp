#include "opstack/encoding/ordered_trie.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "libp2p/base/assert.hpp"
#include "libp2p/multiformats/rlp.hpp"

namespace opstack::encoding {
namespace {

using libp2p::crypto::Hash256;

// What a parent holds of a node: the RLP of the node itself when that is shorter than 32 bytes, else its hash as a
// string.
struct Reference {
  libp2p::ByteArray<33> bytes;
  std::uint8_t size = 0;
  libp2p::ByteView view() const { return {bytes.data(), size}; }

  static Reference of_hash(const libp2p::crypto::Hash256& hash) {
    Reference out;
    out.bytes[0] = 0xa0;
    std::copy(hash.begin(), hash.end(), out.bytes.begin() + 1);
    out.size = 33;
    return out;
  }
  // Of a node that is shorter than a hash.
  static Reference of_short(libp2p::ByteView head, libp2p::ByteView tail) {
    OPP2P_ASSERT(head.size() + tail.size() < 32, "what a parent holds itself is shorter than a hash", head, tail);
    Reference out;
    std::copy(head.begin(), head.end(), out.bytes.begin());
    std::copy(tail.begin(), tail.end(), out.bytes.begin() + static_cast<std::ptrdiff_t>(head.size()));
    out.size = static_cast<std::uint8_t>(head.size() + tail.size());
    return out;
  }
};

constexpr std::size_t kMaxKey = 1 + sizeof(std::size_t);  // bytes: RLP of an index
constexpr std::size_t kMaxNibbles = 2 * kMaxKey;
constexpr std::size_t kMaxPath = 1 + kMaxKey;

// RLP of an index as nibbles.
struct Key {
  std::uint8_t nibbles[kMaxNibbles];
  std::uint8_t size = 0;
};

Key key_of(std::size_t index) {
  std::uint8_t raw[kMaxKey];
  std::size_t length = 1;
  if (index == 0) {
    raw[0] = 0x80;
  } else if (index < 0x80) {
    raw[0] = static_cast<std::uint8_t>(index);
  } else {
    const auto digits = static_cast<std::size_t>(std::bit_width(index) + 7) / 8;
    length = 1 + digits;
    raw[0] = static_cast<std::uint8_t>(0x80 + digits);
    for (std::size_t i = 0; i < digits; ++i) raw[digits - i] = static_cast<std::uint8_t>(index >> (8 * i));
  }
  OPP2P_ASSERT(length <= kMaxKey, "an index has the digits of its type at most", index, length);
  Key key;
  for (std::size_t i = 0; i < length; ++i) {
    key.nibbles[key.size++] = raw[i] >> 4;
    key.nibbles[key.size++] = raw[i] & 15;
  }
  return key;
}

// The indices that have a value, in the order of their keys: 1 to 127 (one byte each), then 0 (0x80), then the rest.
// To a trie an empty value is no value; so to geth, whose derivation of a list's root leaves such an index out.
std::vector<std::size_t> in_key_order(std::span<const libp2p::ByteView> values) {
  std::vector<std::size_t> out;
  out.reserve(values.size());
  const auto take = [&](std::size_t index) {
    if (!values[index].empty()) out.push_back(index);
  };
  for (std::size_t i = 1; i < std::min<std::size_t>(values.size(), 128); ++i) take(i);
  if (!values.empty()) take(0);
  for (std::size_t i = 128; i < values.size(); ++i) take(i);
  return out;
}

std::size_t common_prefix(const Key& a, const Key& b) {
  std::size_t n = 0;
  while (n < a.size && n < b.size && a.nibbles[n] == b.nibbles[n]) ++n;
  return n;
}

// Hex-prefix encoding of the nibbles from `from` to `to`; returns its size.
std::size_t write_path(std::span<std::uint8_t, kMaxPath> out, const Key& key, std::size_t from, std::size_t to,
                       bool leaf) {
  OPP2P_ASSERT(from <= to && to <= key.size && key.size <= kMaxNibbles, "a path is a part of its key", from, to);
  const std::size_t nibbles = to - from;
  std::size_t size = 0;
  out[size++] = static_cast<std::uint8_t>((leaf ? 0x20 : 0) + (nibbles % 2 == 1 ? 0x10 + key.nibbles[from] : 0));
  for (std::size_t i = from + nibbles % 2; i < to; i += 2)
    out[size++] = static_cast<std::uint8_t>(key.nibbles[i] << 4 | key.nibbles[i + 1]);
  return size;
}

// The header of a leaf, its path and the header of its value: all of the leaf's RLP but the value.
struct LeafHead {
  std::uint8_t bytes[32];
  std::size_t size = 0;
  std::size_t total = 0;  // the leaf with its value
};

LeafHead leaf_head(const Key& key, std::size_t from, libp2p::ByteView value) {
  std::uint8_t path[kMaxPath];
  const libp2p::ByteView path_view(path, write_path(path, key, from, key.size, true));
  const std::size_t contents =
      libp2p::multiformats::rlp_string_size(path_view) + libp2p::multiformats::rlp_string_size(value);
  LeafHead head;
  head.total = libp2p::multiformats::rlp_list_size(contents);
  head.size = libp2p::multiformats::write_rlp_header(head.bytes, contents, true);
  if (path_view.size() > 1)
    head.size += libp2p::multiformats::write_rlp_header(head.bytes + head.size, path_view.size(), false);
  std::copy(path_view.begin(), path_view.end(), head.bytes + head.size);
  head.size += path_view.size();
  if (value.size() != 1 || value[0] >= 0x80)
    head.size += libp2p::multiformats::write_rlp_header(head.bytes + head.size, value.size(), false);
  return head;
}

// A branch, or what comes before one whose keys agree for longer.
struct Node {
  static constexpr std::uint32_t kNone = UINT32_MAX;
  std::uint32_t self = 0;    // its own number, as `children` are: leaves by position, then nodes
  std::uint32_t first = 0;   // the first leaf below it
  std::uint8_t depth = 0;    // nibbles above it
  std::uint8_t extends = 0;  // nibbles that it adds, children[0] being what follows; 0 for a branch
  std::array<std::uint32_t, 16> children{};
};

class Builder {
 public:
  Builder(std::span<const libp2p::ByteView> values, libp2p::crypto::KeccakBeside* beside)
      : values_(values), beside_(beside), order_(in_key_order(values)), references_(order_.size()) {}

  libp2p::crypto::Hash256 root() {
    if (order_.empty()) return kEmptyTrieRoot;
    if (order_.size() == 1) {
      const LeafHead head = leaf_head(key_at(0), 0, value_at(0));
      return libp2p::crypto::keccak256({{head.bytes, head.size}, value_at(0)}, beside_);
    }
    make_leaves();
    plan(0, order_.size(), 0);
    references_.resize(order_.size() + planned_);
    for (std::size_t height = 0; height + 1 < levels_.size(); ++height) make_nodes(levels_[height]);
    libp2p::Bytes rlp;
    append_node(rlp, levels_.back().front());
    return libp2p::crypto::keccak256({{}, rlp}, beside_);
  }

 private:
  static constexpr std::size_t kBatch =
      128;  // leaves or nodes that are hashed side by side, so what is kept of them stays small

  Key key_at(std::size_t position) const { return key_of(order_[position]); }
  libp2p::ByteView value_at(std::size_t position) const { return values_[order_[position]]; }

  // A leaf's path starts behind the nibble at which it parts from its nearest neighbour.
  void make_leaves() {
    Key key = key_at(0);
    std::size_t shared_before = 0;
    std::vector<LeafHead> heads;
    std::vector<std::uint32_t> positions;
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const bool last = i + 1 == order_.size();
      const Key next = last ? Key{} : key_at(i + 1);
      const std::size_t shared_after = last ? 0 : common_prefix(key, next);
      const LeafHead head = leaf_head(key, std::max(shared_before, shared_after) + 1, value_at(i));
      if (head.total < 32) {
        references_[i] = Reference::of_short({head.bytes, head.size}, value_at(i));
      } else {
        heads.push_back(head);
        positions.push_back(static_cast<std::uint32_t>(i));
      }
      if (last || heads.size() == kBatch) {
        for (std::size_t k = 0; k < heads.size(); ++k)
          messages_.push_back({{heads[k].bytes, heads[k].size}, value_at(positions[k])});
        hash_into(positions);
        heads.clear();
        positions.clear();
      }
      key = next;
      shared_before = shared_after;
    }
  }

  // Lays out the nodes over the leaves from `begin` to `end`, which agree on their first `depth` nibbles, by their
  // height over the leaves: those of one height need only lower ones, so they can be hashed side by side. The depth is
  // at most that of a key (kMaxNibbles), so the recursion is bounded whatever the list holds.
  struct Planned {
    std::uint32_t number;
    std::size_t height;
  };
  Planned plan(std::size_t begin, std::size_t end, std::size_t depth) {
    OPP2P_ASSERT(begin < end && depth <= kMaxNibbles, "a node is over leaves, no deeper than their keys", begin, end,
                 depth);
    if (end - begin == 1) return {static_cast<std::uint32_t>(begin), 0};
    const Key first = key_at(begin);
    const std::size_t shared = common_prefix(first, key_at(end - 1));
    Node node;
    node.first = static_cast<std::uint32_t>(begin);
    node.depth = static_cast<std::uint8_t>(depth);
    node.children.fill(Node::kNone);
    std::size_t height = 0;  // of the highest child
    if (shared > depth) {
      node.extends = static_cast<std::uint8_t>(shared - depth);
      const Planned child = plan(begin, end, shared);
      node.children[0] = child.number;
      height = child.height;
    } else {
      while (begin < end) {
        const std::uint8_t nibble = key_at(begin).nibbles[depth];
        std::size_t stop = begin + 1;
        while (stop < end && key_at(stop).nibbles[depth] == nibble) ++stop;
        const Planned child = plan(begin, stop, depth + 1);
        node.children[nibble] = child.number;
        height = std::max(height, child.height);
        begin = stop;
      }
    }
    node.self = static_cast<std::uint32_t>(order_.size() + planned_++);
    if (levels_.size() <= height) levels_.resize(height + 1);
    levels_[height].push_back(node);
    return {node.self, height + 1};
  }

  void make_nodes(std::span<const Node> nodes) {
    std::vector<libp2p::Bytes> encoded;
    std::vector<std::uint32_t> numbers;
    for (const Node& node : nodes) {
      libp2p::Bytes rlp;
      append_node(rlp, node);
      if (rlp.size() < 32) {
        references_[node.self] = Reference::of_short(rlp, {});
      } else {
        encoded.push_back(std::move(rlp));
        numbers.push_back(node.self);
      }
      if (&node == &nodes.back() || encoded.size() == kBatch) {
        for (const libp2p::Bytes& bytes : encoded) messages_.push_back({{}, bytes});
        hash_into(numbers);
        encoded.clear();
        numbers.clear();
      }
    }
  }

  // messages_[i] is the one that numbers[i] refers to.
  void hash_into(std::span<const std::uint32_t> numbers) {
    std::array<libp2p::crypto::Hash256, kBatch> hashes;
    libp2p::crypto::keccak256_many(messages_, std::span(hashes).first(messages_.size()), beside_);
    for (std::size_t i = 0; i < numbers.size(); ++i) references_[numbers[i]] = Reference::of_hash(hashes[i]);
    messages_.clear();
  }

  void append_node(libp2p::Bytes& out, const Node& node) const {
    if (node.extends > 0) {
      std::uint8_t path[kMaxPath];
      const libp2p::ByteView path_view(
          path, write_path(path, key_at(node.first), node.depth, node.depth + node.extends, false));
      const Reference& child = references_[node.children[0]];
      libp2p::multiformats::append_rlp_list_header(out, libp2p::multiformats::rlp_string_size(path_view) + child.size);
      libp2p::multiformats::append_rlp_string(out, path_view);
      libp2p::append(out, child.view());
      return;
    }
    std::uint8_t contents[16 * sizeof(Reference::bytes) + 1];
    std::size_t size = 0;
    for (const std::uint32_t number : node.children) {
      if (number == Node::kNone) {
        contents[size++] = 0x80;
        continue;
      }
      const Reference& child = references_[number];
      std::copy_n(child.bytes.begin(), child.size, contents + size);
      size += child.size;
    }
    contents[size++] = 0x80;  // no key is the prefix of another, so no branch holds a value
    out.reserve(size + 4);
    libp2p::multiformats::append_rlp_list_header(out, size);
    libp2p::append(out, {contents, size});
  }

  std::span<const libp2p::ByteView> values_;
  libp2p::crypto::KeccakBeside* beside_;
  std::vector<std::size_t> order_;     // positions to indices
  std::vector<Reference> references_;  // of leaves by position, then of nodes as they were planned
  std::size_t planned_ = 0;
  std::vector<std::vector<Node>> levels_;  // by height
  std::vector<libp2p::crypto::KeccakMessage> messages_;
};

}  // namespace

libp2p::crypto::Hash256 ordered_trie_root(std::span<const libp2p::ByteView> values,
                                          libp2p::crypto::KeccakBeside* beside) {
  return Builder(values, beside).root();
}

}  // namespace opstack::encoding
