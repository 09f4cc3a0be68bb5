// The large buffers that connections share: taken when there is traffic, given back at rest, so that an idle connection
// owns none. Owned by the host, used on the network thread. Bounds: kSpare of each kind are kept; who holds more frees
// them on return.
#pragma once

#include <vector>

#include "libp2p/base/bytes.hpp"

namespace libp2p {

class IoBuffers {
 public:
  static constexpr std::size_t kIn = 256 * 1024;
  static constexpr std::size_t kOut = 256 * 1024 + 64 * 1024;

  Bytes take_in() { return take(in_, kIn); }
  void give_in(Bytes buffer) { give(in_, std::move(buffer)); }
  Bytes take_out() { return take(out_, kOut); }
  void give_out(Bytes buffer) { give(out_, std::move(buffer)); }
  std::size_t taken() const { return taken_; }

 private:
  static constexpr std::size_t kSpare = 4;
  Bytes take(std::vector<Bytes>& from, std::size_t size) {
    ++taken_;
    if (from.empty()) return Bytes(size);
    Bytes buffer = std::move(from.back());
    from.pop_back();
    return buffer;
  }
  void give(std::vector<Bytes>& to, Bytes buffer) {
    --taken_;
    if (to.size() < kSpare) to.push_back(std::move(buffer));
  }
  std::vector<Bytes> in_;
  std::vector<Bytes> out_;
  std::size_t taken_ = 0;
};

}  // namespace libp2p
