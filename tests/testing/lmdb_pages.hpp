// A database of LMDB made page by page, with pages of 512 bytes: for tests of what reads its pages. One table "t" with
// a branch, two leaves and a value on a page of its own, and a list of free pages. Owner: a test or a corpus. Thread:
// any.
#pragma once

#include <cstring>
#include <initializer_list>
#include <string>
#include <utility>

#include "libp2p/base/bytes.hpp"

namespace testing_files {

class LmdbPages {
 public:
  static constexpr std::size_t kSize = 512;
  static constexpr std::size_t kCount = 10;  // pages 8 and 9 are free

  LmdbPages() : bytes(kCount * kSize) {
    const std::string free_list = number(2) + number(9) + number(8);
    tree_page(2, 2, {{number(1), leaf(0, free_list)}});
    tree_page(3, 2, {{"t", leaf(2, tree(0, 2, 1, 2, 1, 5, 4))}});
    tree_page(4, 1, {{"", child(5)}, {"/c", child(6)}});
    tree_page(5, 2, {{"/a", leaf(0, "1")}, {"/b", leaf(1, number(7), 400)}});
    tree_page(6, 2, {{"/c", leaf(0, "3")}, {"/d", leaf(0, "")}, {"/e", leaf(0, "55555")}});
    head(7, 4);
    put(7 * kSize + 12, std::uint32_t{1});
    for (const std::uint64_t transaction : {0, 1}) meta(transaction);
  }

  template <class T>
  void put(std::size_t at, T value) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
  }
  static std::size_t place(std::size_t page, std::size_t offset = 0) { return page * kSize + offset; }

  libp2p::Bytes bytes;

 private:
  // The four numbers of an entry's head but the size of its key, and what follows the key.
  struct Value {
    std::uint16_t low;
    std::uint16_t high;
    std::uint16_t flags;
    std::string data;
  };

  static std::string number(std::uint64_t value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }
  static Value leaf(std::uint16_t flags, const std::string& data, std::size_t size = 0) {
    return {static_cast<std::uint16_t>(size == 0 ? data.size() : size), 0, flags, data};
  }
  static Value child(std::uint16_t page) { return {page, 0, 0, ""}; }
  static std::string tree(std::uint16_t flags, std::uint16_t depth, std::uint64_t branches, std::uint64_t leaves,
                          std::uint64_t overflow, std::uint64_t entries, std::uint64_t root, std::uint32_t pad = 0) {
    std::string out(8, '\0');
    std::memcpy(out.data(), &pad, 4);
    std::memcpy(out.data() + 4, &flags, 2);
    std::memcpy(out.data() + 6, &depth, 2);
    return out + number(branches) + number(leaves) + number(overflow) + number(entries) + number(root);
  }
  void put_text(std::size_t at, const std::string& text) { std::memcpy(bytes.data() + at, text.data(), text.size()); }

  void head(std::size_t page, std::uint16_t flags) {
    put(page * kSize, std::uint64_t{page});
    put(page * kSize + 10, flags);
  }
  void meta(std::uint64_t transaction) {
    const std::size_t at = transaction * kSize;
    head(transaction, 8);
    put(at + 16, std::uint32_t{0xbeefc0de});
    put(at + 20, std::uint32_t{1});
    put(at + 32, std::uint64_t{1 << 20});
    put_text(at + 40,
             tree(8, 1, 0, 1, 0, 1, 2, kSize) + tree(0, 1, 0, 1, 0, 1, 3) + number(kCount - 1) + number(transaction));
  }
  void tree_page(std::size_t page, std::uint16_t flags, std::initializer_list<std::pair<std::string, Value>> entries) {
    head(page, flags);
    std::size_t lower = 16;
    std::size_t upper = kSize;
    for (const auto& [key, value] : entries) {
      const std::size_t size = 8 + key.size() + value.data.size();
      upper -= size + size % 2;
      const std::size_t at = page * kSize + upper;
      put(at, value.low);
      put(at + 2, value.high);
      put(at + 4, value.flags);
      put(at + 6, static_cast<std::uint16_t>(key.size()));
      put_text(at + 8, key + value.data);
      put(page * kSize + lower, static_cast<std::uint16_t>(upper));
      lower += 2;
    }
    put(page * kSize + 12, static_cast<std::uint16_t>(lower));
    put(page * kSize + 14, static_cast<std::uint16_t>(upper));
  }
};

}  // namespace testing_files
