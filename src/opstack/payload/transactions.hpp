// The transactions of a block, each as its EIP-2718 encoding. Those of a decoded block are parts of the bytes that the
// block was decoded from, which the list keeps alive: decoding copies none of them. A transaction that is added brings
// its own bytes.
//
// A value; copies share the bytes, which never change. Thread: any. Bounds: those of the decoder that made it.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <utility>
#include <vector>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/bytes.hpp"

namespace opstack::payload {

using libp2p::Bytes;
using libp2p::ByteView;
using libp2p::SharedBytes;

class Transactions {
 public:
  Transactions() = default;
  Transactions(std::initializer_list<Bytes> transactions) {
    for (const Bytes& transaction : transactions) push_back(transaction);
  }
  // Each of `parts` lies within `owner`.
  static Transactions within(SharedBytes owner, std::vector<ByteView> parts) {
    Transactions out;
    for ([[maybe_unused]] const ByteView part : parts)
      OPP2P_DEBUG_ASSERT(
          part.empty() || (part.data() >= owner->data() && part.data() + part.size() <= owner->data() + owner->size()),
          "a transaction lies within the bytes of its block", part.size(), owner->size());
    out.views_ = std::move(parts);
    out.owners_.push_back(std::move(owner));
    return out;
  }

  std::size_t size() const { return views_.size(); }
  bool empty() const { return views_.empty(); }
  ByteView operator[](std::size_t i) const { return views_[i]; }
  std::vector<ByteView>::const_iterator begin() const { return views_.begin(); }
  std::vector<ByteView>::const_iterator end() const { return views_.end(); }
  const std::vector<ByteView>& views() const { return views_; }

  void reserve(std::size_t count) { views_.reserve(count); }
  void push_back(Bytes transaction) {
    owners_.push_back(libp2p::share(std::move(transaction)));
    views_.emplace_back(*owners_.back());
  }
  void clear() { *this = {}; }

  // What it keeps in memory, without the bytes that `counted` owns.
  std::size_t memory_bytes(const SharedBytes& counted) const {
    std::size_t total = views_.size() * sizeof(ByteView);
    for (const SharedBytes& owner : owners_)
      if (owner != counted) total += owner->capacity() + sizeof(owner);
    return total;
  }

  friend bool operator==(const Transactions& a, const Transactions& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), libp2p::equal);
  }

 private:
  std::vector<ByteView> views_;
  std::vector<SharedBytes> owners_;  // one of a decoded block, else one for each transaction
};

}  // namespace opstack::payload
