#include "libp2p/base/send_queue.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/base/assert.hpp"

namespace libp2p {

void SendQueue::push_copy(ByteView data) {
  size_ += data.size();
  while (!data.empty()) {
    if (chunks_.empty() || chunks_.back().shared || chunks_.back().owned.size() >= kChunk) chunks_.emplace_back();
    auto& chunk = chunks_.back().owned;
    OPP2P_ASSERT(chunk.size() < kChunk, "bytes are only added to a chunk that has room", chunk.size());
    const std::size_t n = std::min(data.size(), kChunk - chunk.size());
    append(chunk, data.first(n));
    data = data.subspan(n);
  }
}

void SendQueue::push_shared(SharedBytes data, std::size_t offset) {
  OPP2P_ASSERT(data != nullptr, "a shared message is there");
  if (offset >= data->size()) return;
  if (data->size() - offset < kWorthAReference) return push_copy(ByteView(*data).subspan(offset));
  size_ += data->size() - offset;
  chunks_.push_back({std::move(data), {}, offset});
}

void SendQueue::pop(std::uint8_t* to, std::size_t n) {
  OPP2P_ASSERT(n <= size_, "no more is taken out of a send queue than is in it", n, size_);
  size_ -= n;
  while (n > 0) {
    OPP2P_ASSERT(front_ < chunks_.size(), "the chunks of a send queue hold as many bytes as it counts", front_, n);
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

void SendQueue::check() const {
  std::size_t bytes = 0;
  for (std::size_t at = 0; at < chunks_.size(); ++at) {
    const Chunk& chunk = chunks_[at];
    if (at < front_) {
      OPP2P_CHECK(!chunk.shared && chunk.owned.empty(), "a chunk that was sent holds nothing any more", at, front_);
      continue;
    }
    OPP2P_CHECK(
        chunk.shared ? chunk.owned.empty() && chunk.shared->size() >= kWorthAReference : chunk.owned.size() <= kChunk,
        "a chunk is a reference that is worth it, or copied bytes within the bound", at, chunk.owned.size());
    OPP2P_CHECK(chunk.offset < (chunk.shared ? chunk.shared->size() : chunk.owned.size()),
                "a chunk that waits has bytes to send", at, chunk.offset);
    bytes += chunk.rest().size();
  }
  OPP2P_CHECK(bytes == size_, "a send queue counts the bytes that wait", bytes, size_);
  OPP2P_CHECK(chunks_.empty() == (size_ == 0), "a stream at rest holds no buffer", chunks_, size_);
  OPP2P_CHECK(front_ == 0 || front_ < chunks_.size(), "the first chunk that waits is there", front_, chunks_);
}

}  // namespace libp2p
