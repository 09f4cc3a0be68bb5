// What a muxer's stream has still to send: copied bytes and references to shared messages, in order. Owned by its
// stream. It keeps no bound of its own; the muxer asks size() before it adds. Copied bytes are gathered into chunks of
// at most kChunk, so that many small writes cost few allocations.
#pragma once

#include <vector>

#include "libp2p/base/bytes.hpp"

namespace libp2p {

class SendQueue {
 public:
  static constexpr std::size_t kChunk = 64 * 1024;
  static constexpr std::size_t kWorthAReference = 1024;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  void push_copy(ByteView data);
  // By reference from `offset` on. A reference costs as much as a small message: what is shorter than kWorthAReference
  // is copied, which bounds the items of the queue by its bytes.
  void push_shared(SharedBytes data, std::size_t offset);
  // Moves n bytes (at most size()) to `to`.
  void pop(std::uint8_t* to, std::size_t n);
  void clear();
  void check() const;

 private:
  struct Chunk {
    SharedBytes shared;  // null: the bytes are `owned`
    Bytes owned;
    std::size_t offset = 0;  // bytes already sent
    ByteView rest() const { return (shared ? ByteView(*shared) : ByteView(owned)).subspan(offset); }
  };

  void drop_front();

  std::vector<Chunk> chunks_;
  std::size_t front_ = 0;  // index of the first chunk that is not sent
  std::size_t size_ = 0;
};

}  // namespace libp2p
