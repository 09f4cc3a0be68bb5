// A part of an immutable byte string, which it keeps alive: what is taken out of a message travels on without a copy.
// It is a contiguous range, so it passes as a ByteView; that view must not outlive the slice.
//
// Owner: whoever holds a copy; all copies share one string. Thread: any. Bounds: the slice keeps the whole string in
// memory, however small a part it is. memory_bytes() says how much that is, for queues that count bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/bytes.hpp"

namespace libp2p {

class SharedSlice {
 public:
  SharedSlice() = default;
  SharedSlice(const SharedSlice&) = default;
  SharedSlice& operator=(const SharedSlice&) = default;
  // What is left behind is a slice of nothing.
  SharedSlice(SharedSlice&& other) noexcept
      : view_(std::exchange(other.view_, {})), owner_(std::exchange(other.owner_, nullptr)) {}
  SharedSlice& operator=(SharedSlice&& other) noexcept {
    view_ = std::exchange(other.view_, {});
    owner_ = std::exchange(other.owner_, nullptr);
    return *this;
  }
  // All of `owner`; null is an empty slice.
  SharedSlice(SharedBytes owner) : view_(owner ? ByteView(*owner) : ByteView()), owner_(std::move(owner)) {}
  // A part of `owner`, which must reach that far.
  SharedSlice(SharedBytes owner, std::size_t offset, std::size_t size) : SharedSlice(std::move(owner)) {
    OPP2P_ASSERT(offset <= view_.size() && size <= view_.size() - offset, "a slice lies within its owner", offset, size,
                 view_.size());
    view_ = view_.subspan(offset, size);
  }

  // The part from `offset` on, of the same owner.
  SharedSlice subslice(std::size_t offset) const {
    OPP2P_ASSERT(offset <= view_.size(), "a slice lies within its owner", offset, view_.size());
    SharedSlice out(*this);
    out.view_ = view_.subspan(offset);
    return out;
  }

  ByteView view() const { return view_; }
  const std::uint8_t* data() const { return view_.data(); }
  std::size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }
  const std::uint8_t* begin() const { return view_.data(); }
  const std::uint8_t* end() const { return view_.data() + view_.size(); }

  // The string that the slice is a part of; null for a slice of nothing.
  const SharedBytes& owner() const { return owner_; }
  // The slice is all of its owner.
  bool is_whole() const { return !owner_ || view_.size() == owner_->size(); }
  // What it keeps in memory: all of the owner, with the room that the owner has not used.
  std::size_t memory_bytes() const { return owner_ ? owner_->capacity() : 0; }

  // The same bytes, whoever owns them.
  friend bool operator==(const SharedSlice& a, const SharedSlice& b) { return equal(a.view_, b.view_); }
  friend bool operator==(const SharedSlice& a, ByteView b) { return equal(a.view_, b); }

 private:
  ByteView view_;
  SharedBytes owner_;
};

}  // namespace libp2p
