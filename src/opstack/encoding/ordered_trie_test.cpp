#include "opstack/encoding/ordered_trie.hpp"

#include <gtest/gtest.h>

#include <map>

#include "libp2p/base/rng.hpp"
#include "libp2p/multiformats/rlp.hpp"

namespace opstack::encoding {
namespace {

using libp2p::crypto::Hash256;
using Nibbles = std::vector<std::uint8_t>;
using Entries = std::map<Nibbles, libp2p::Bytes>;

// The trie straight from its definition: the oracle.
libp2p::Bytes hex_prefix(const Nibbles& path, bool leaf) {
  Nibbles padded;
  padded.push_back(static_cast<std::uint8_t>((leaf ? 2 : 0) + path.size() % 2));
  if (path.size() % 2 == 0) padded.push_back(0);
  padded.insert(padded.end(), path.begin(), path.end());
  libp2p::Bytes out;
  for (std::size_t i = 0; i < padded.size(); i += 2)
    out.push_back(static_cast<std::uint8_t>(padded[i] << 4 | padded[i + 1]));
  return out;
}

libp2p::Bytes list_of(const libp2p::Bytes& contents) {
  libp2p::Bytes out;
  libp2p::multiformats::append_rlp_list_header(out, contents.size());
  libp2p::append(out, contents);
  return out;
}

libp2p::Bytes node(const Entries& entries);

libp2p::Bytes reference(const Entries& entries) {
  const libp2p::Bytes rlp = node(entries);
  if (rlp.size() < 32) return rlp;
  libp2p::Bytes out;
  libp2p::multiformats::append_rlp_string(out, libp2p::crypto::keccak256(rlp));
  return out;
}

Entries behind(const Entries& entries, std::size_t drop, int nibble = -1) {
  Entries out;
  for (const auto& [key, value] : entries)
    if (nibble < 0 || key.front() == nibble)
      out[Nibbles(key.begin() + static_cast<std::ptrdiff_t>(drop), key.end())] = value;
  return out;
}

libp2p::Bytes node(const Entries& entries) {
  libp2p::Bytes contents;
  if (entries.size() == 1) {
    libp2p::multiformats::append_rlp_string(contents, hex_prefix(entries.begin()->first, true));
    libp2p::multiformats::append_rlp_string(contents, entries.begin()->second);
    return list_of(contents);
  }
  const Nibbles& first = entries.begin()->first;
  const Nibbles& last = entries.rbegin()->first;
  std::size_t shared = 0;
  while (shared < first.size() && first[shared] == last[shared]) ++shared;
  if (shared > 0) {
    libp2p::multiformats::append_rlp_string(
        contents, hex_prefix(Nibbles(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(shared)), false));
    libp2p::append(contents, reference(behind(entries, shared)));
    return list_of(contents);
  }
  for (int nibble = 0; nibble < 16; ++nibble) {
    const Entries child = behind(entries, 1, nibble);
    if (child.empty())
      contents.push_back(0x80);
    else
      libp2p::append(contents, reference(child));
  }
  contents.push_back(0x80);
  return list_of(contents);
}

libp2p::crypto::Hash256 expected_root(const std::vector<libp2p::Bytes>& values) {
  Entries entries;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].empty()) continue;
    libp2p::Bytes key;
    libp2p::multiformats::append_rlp_uint(key, i);
    Nibbles nibbles;
    for (const std::uint8_t byte : key) {
      nibbles.push_back(byte >> 4);
      nibbles.push_back(byte & 15);
    }
    entries[nibbles] = values[i];
  }
  return entries.empty() ? kEmptyTrieRoot : libp2p::crypto::keccak256(node(entries));
}

libp2p::crypto::Hash256 root(const std::vector<libp2p::Bytes>& values) {
  const std::vector<libp2p::ByteView> views(values.begin(), values.end());
  const libp2p::crypto::Hash256 out = ordered_trie_root(views);
  const libp2p::Bytes other(values.size() * 50, 0x77);
  libp2p::crypto::KeccakBeside beside(other);
  EXPECT_EQ(ordered_trie_root(views, &beside), out);
  EXPECT_EQ(beside.finish(), libp2p::crypto::keccak256(other));
  return out;
}

TEST(OrderedTrie, of_nothing_is_the_hash_of_the_empty_string) {
  EXPECT_EQ(kEmptyTrieRoot, libp2p::crypto::keccak256(libp2p::Bytes{0x80}));
  EXPECT_EQ(root({}), kEmptyTrieRoot);
  EXPECT_EQ(root({{}, {}}), kEmptyTrieRoot);
}

TEST(OrderedTrie, agrees_with_the_definition_at_every_size_around_the_forms_of_keys) {
  libp2p::SeededRng rng(5);
  for (const std::size_t count : {1, 2, 3, 15, 16, 17, 18, 126, 127, 128, 129, 130, 200, 255, 256, 257, 300, 1000}) {
    for (const std::size_t length : {1, 5, 30, 60, 300}) {
      std::vector<libp2p::Bytes> values(count);
      for (auto& value : values) {
        value.resize(1 + static_cast<std::size_t>(rng.below(length)));
        rng.fill(value);
      }
      ASSERT_EQ(libp2p::to_hex(root(values)), libp2p::to_hex(expected_root(values)))
          << count << " values of up to " << length;
    }
  }
}

TEST(OrderedTrie, agrees_with_the_definition_beyond_65536_values) {
  std::vector<libp2p::Bytes> values(66000, libp2p::Bytes{1, 2, 3});
  EXPECT_EQ(libp2p::to_hex(root(values)), libp2p::to_hex(expected_root(values)));
}

TEST(OrderedTrie, empty_values_count_as_absent) {
  libp2p::SeededRng rng(6);
  for (int round = 0; round < 100; ++round) {
    std::vector<libp2p::Bytes> values(static_cast<std::size_t>(1 + rng.below(300)));
    for (auto& value : values) value.resize(static_cast<std::size_t>(rng.below(3)) * 20, 0x55);
    ASSERT_EQ(libp2p::to_hex(root(values)), libp2p::to_hex(expected_root(values)));
  }
}

}  // namespace
}  // namespace opstack::encoding
