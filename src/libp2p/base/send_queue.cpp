#include "libp2p/base/send_queue.hpp"

#include <algorithm>
#include <utility>

namespace libp2p {

void SendQueue::push_copy(ByteView data) {
  size_ += data.size();
  while (!data.empty()) {
    if (chunks_.empty() || chunks_.back().shared || chunks_.back().owned.size() >= kChunk) chunks_.emplace_back();
    auto& chunk = chunks_.back().owned;
    const std::size_t n = std::min(data.size(), kChunk - chunk.size());
    append(chunk, data.first(n));
    data = data.subspan(n);
  }
}

void SendQueue::push_shared(SharedBytes data, std::size_t offset) {
  if (offset >= data->size()) return;
  if (data->size() - offset < kWorthAReference) return push_copy(ByteView(*data).subspan(offset));
  size_ += data->size() - offset;
  chunks_.push_back({std::move(data), {}, offset});
}

void SendQueue::pop(std::uint8_t* to, std::size_t n) {
  size_ -= n;
  while (n > 0) {
    auto& chunk = chunks_[front_];
    const auto rest = chunk.rest();
    const std::size_t part = std::min(n, rest.size());
    std::memcpy(to, rest.data(), part);
    to += part;
    n -= part;
    chunk.offset += part;
    if (part == rest.size()) drop_front();
  }
}

void SendQueue::drop_front() {
  auto& chunk = chunks_[front_];
  if (front_ + 1 == chunks_.size()) return clear();  // a stream at rest holds no buffer
  chunk = Chunk{};
  ++front_;
  if (front_ >= 16 && front_ * 2 >= chunks_.size()) {
    chunks_.erase(chunks_.begin(), chunks_.begin() + static_cast<std::ptrdiff_t>(front_));
    front_ = 0;
  }
}

void SendQueue::clear() {
  chunks_ = {};
  front_ = 0;
  size_ = 0;
}

}  // namespace libp2p
