#include "wire/ordered_trie.hpp"

#include <algorithm>
#include <array>

#include "crypto/keccak_many.hpp"
#include "wire/rlp.hpp"

namespace libp2p::wire {
namespace {

using crypto::Hash256;

// What a parent holds of a node: the RLP of the node itself when that is shorter than 32 bytes, else its hash as a string.
struct Reference {
  ByteArray<33> bytes;
  std::uint8_t size = 0;
  ByteView view() const { return {bytes.data(), size}; }

  static Reference of_hash(const Hash256& hash) {
    Reference out;
    out.bytes[0] = 0xa0;
    std::copy(hash.begin(), hash.end(), out.bytes.begin() + 1);
    out.size = 33;
    return out;
  }
  static Reference of_node(ByteView rlp) {
    if (rlp.size() >= 32) return of_hash(crypto::keccak256(rlp));
    Reference out;
    std::copy(rlp.begin(), rlp.end(), out.bytes.begin());
    out.size = static_cast<std::uint8_t>(rlp.size());
    return out;
  }
};

// RLP of an index as nibbles; at most 9 bytes.
struct Key {
  std::uint8_t nibbles[18];
  std::uint8_t size = 0;
};

Key key_of(std::size_t index) {
  std::uint8_t raw[9];
  std::size_t length = 1;
  if (index == 0) {
    raw[0] = 0x80;
  } else if (index < 0x80) {
    raw[0] = static_cast<std::uint8_t>(index);
  } else {
    std::uint8_t wide[8];
    store_be64(wide, index);
    const ByteView digits = without_leading_zeros(wide);
    length = 1 + digits.size();
    raw[0] = static_cast<std::uint8_t>(0x80 + digits.size());
    std::copy(digits.begin(), digits.end(), raw + 1);
  }
  Key key;
  for (std::size_t i = 0; i < length; ++i) {
    key.nibbles[key.size++] = raw[i] >> 4;
    key.nibbles[key.size++] = raw[i] & 15;
  }
  return key;
}

// The indices that have a value, in the order of their keys: 1 to 127 (one byte each), then 0 (0x80), then the rest.
// To a trie an empty value is no value; so to geth, whose derivation of a list's root leaves such an index out.
std::vector<std::size_t> in_key_order(std::span<const ByteView> values) {
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

// Hex-prefix encoding of the nibbles from `from` to `to`; returns its size, at most 10.
std::size_t write_path(std::uint8_t* out, const Key& key, std::size_t from, std::size_t to, bool leaf) {
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

LeafHead leaf_head(const Key& key, std::size_t from, ByteView value) {
  std::uint8_t path[10];
  const ByteView path_view(path, write_path(path, key, from, key.size, true));
  const std::size_t contents = rlp_string_size(path_view) + rlp_string_size(value);
  LeafHead head;
  head.total = rlp_list_size(contents);
  head.size = write_rlp_header(head.bytes, contents, true);
  if (path_view.size() > 1) head.size += write_rlp_header(head.bytes + head.size, path_view.size(), false);
  std::copy(path_view.begin(), path_view.end(), head.bytes + head.size);
  head.size += path_view.size();
  if (value.size() != 1 || value[0] >= 0x80) head.size += write_rlp_header(head.bytes + head.size, value.size(), false);
  return head;
}

Hash256 hash_leaf(const LeafHead& head, ByteView value) {
  return crypto::Keccak256().update({head.bytes, head.size}).update(value).finish();
}

// Of a leaf that is shorter than a hash.
Reference short_leaf(const LeafHead& head, ByteView value) {
  Reference out;
  std::copy_n(head.bytes, head.size, out.bytes.begin());
  std::copy(value.begin(), value.end(), out.bytes.begin() + static_cast<std::ptrdiff_t>(head.size));
  out.size = static_cast<std::uint8_t>(head.total);
  return out;
}

class Builder {
 public:
  explicit Builder(std::span<const ByteView> values)
      : values_(values), order_(in_key_order(values)), leaves_(order_.size()) {}

  Hash256 root() {
    if (order_.empty()) return kEmptyTrieRoot;
    if (order_.size() == 1) return hash_leaf(leaf_head(key_at(0), 0, value_at(0)), value_at(0));
    make_leaves();
    Bytes rlp;
    append_node(rlp, 0, order_.size(), 0);
    return crypto::keccak256(rlp);
  }

 private:
  Key key_at(std::size_t position) const { return key_of(order_[position]); }
  ByteView value_at(std::size_t position) const { return values_[order_[position]]; }

  // A leaf's path starts behind the nibble at which it parts from its nearest neighbour. Leaves are hashed side by side, a part
  // of them at a time, so that what is kept of them meanwhile stays small.
  void make_leaves() {
    Key key = key_at(0);
    std::size_t shared_before = 0;
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const bool last = i + 1 == order_.size();
      const Key next = last ? Key{} : key_at(i + 1);
      const std::size_t shared_after = last ? 0 : common_prefix(key, next);
      const LeafHead head = leaf_head(key, std::max(shared_before, shared_after) + 1, value_at(i));
      if (head.total < 32) {
        leaves_[i] = short_leaf(head, value_at(i));
      } else {
        batch_.push_back({i, head});
      }
      if (last || batch_.size() == kBatch) hash_batch();
      key = next;
      shared_before = shared_after;
    }
  }

  void hash_batch() {
    std::array<crypto::KeccakMessage, kBatch> messages;
    std::array<Hash256, kBatch> hashes;
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      const auto& [position, head] = batch_[i];
      messages[i] = {{head.bytes, head.size}, value_at(position)};
    }
    crypto::keccak256_many(std::span(messages).first(batch_.size()), std::span(hashes).first(batch_.size()));
    for (std::size_t i = 0; i < batch_.size(); ++i) leaves_[batch_[i].first] = Reference::of_hash(hashes[i]);
    batch_.clear();
  }

  Reference reference(std::size_t begin, std::size_t end, std::size_t depth) {
    if (end - begin == 1) return leaves_[begin];
    Bytes rlp;
    append_node(rlp, begin, end, depth);
    return Reference::of_node(rlp);
  }

  // RLP of the node over two or more keys that agree on their first `depth` nibbles. The depth is at most that of a
  // key (18), so the recursion is bounded whatever the list holds.
  void append_node(Bytes& out, std::size_t begin, std::size_t end, std::size_t depth) {
    const Key first = key_at(begin);
    const std::size_t shared = common_prefix(first, key_at(end - 1));
    if (shared > depth) {
      std::uint8_t path[10];
      const ByteView path_view(path, write_path(path, first, depth, shared, false));
      const Reference child = reference(begin, end, shared);
      append_rlp_list_header(out, rlp_string_size(path_view) + child.size);
      append_rlp_string(out, path_view);
      append(out, child.view());
      return;
    }
    std::uint8_t contents[16 * 33 + 1];
    std::size_t size = 0;
    for (std::uint8_t nibble = 0; nibble < 16; ++nibble) {
      std::size_t stop = begin;
      while (stop < end && key_at(stop).nibbles[depth] == nibble) ++stop;
      if (stop == begin) {
        contents[size++] = 0x80;
        continue;
      }
      const Reference child = reference(begin, stop, depth + 1);
      std::copy_n(child.bytes.begin(), child.size, contents + size);
      size += child.size;
      begin = stop;
    }
    contents[size++] = 0x80;  // no key is the prefix of another, so no branch holds a value
    append_rlp_list_header(out, size);
    append(out, {contents, size});
  }

  std::span<const ByteView> values_;
  std::vector<std::size_t> order_;  // positions to indices
  std::vector<Reference> leaves_;
  static constexpr std::size_t kBatch = 128;
  std::vector<std::pair<std::size_t, LeafHead>> batch_;  // leaves that wait to be hashed, by position
};

}  // namespace

crypto::Hash256 ordered_trie_root(std::span<const ByteView> values) {
  return Builder(values).root();
}

}  // namespace libp2p::wire
