#include "opp2p/rpc/rpc_text.hpp"

#include <algorithm>
#include <new>

namespace opp2p {

namespace {
constexpr std::size_t kDefaultAlignment = __STDCPP_DEFAULT_NEW_ALIGNMENT__;
}

bool MemoryCharge::set(std::size_t bytes) {
  const auto before = counted(bytes_);
  const auto after = counted(bytes);
  if (account_ != nullptr) {
    if (after > before && !account_->try_take(after - before)) return false;
    if (after < before) account_->give(before - after);
  }
  bytes_ = bytes;
  return true;
}

bool RpcText::append(std::string_view text) {
  if (text.empty()) return true;
  const bool fits = open_ != nullptr && open_->text.size() + text.size() <= kPiece;
  if (!fits) {
    open_ = std::make_shared<Piece>();
    open_->charge = MemoryCharge(account_, std::exchange(allowance_, 0));
    pieces_.push_back(open_);
  }
  auto& into = open_->text;
  const auto needed = into.size() + text.size();
  if (needed > into.capacity()) {
    const auto room = std::max(needed, std::min(2 * into.capacity(), kPiece));
    if (!open_->charge.set(room)) return false;
    into.reserve(room);
  }
  into.append(text);
  size_ += text.size();
  return true;
}

void RpcText::append(const RpcText& other) {
  pieces_.insert(pieces_.end(), other.pieces_.begin(), other.pieces_.end());
  size_ += other.size_;
  open_.reset();
}

std::string RpcText::joined() const {
  std::string out;
  out.reserve(size_);
  for (const auto& piece : pieces_) out += piece->text;
  return out;
}

// Boost.JSON frees some of its texts with another alignment than it asked for; below the default one both are the same
// to new.
void* CountedJson::do_allocate(std::size_t bytes, std::size_t align) {
  const auto wanted = charge_.bytes() + bytes;
  if (wanted > limit_ || !charge_.set(wanted)) throw std::bad_alloc();
  return align <= kDefaultAlignment ? ::operator new(bytes) : ::operator new(bytes, std::align_val_t(align));
}

void CountedJson::do_deallocate(void* at, std::size_t bytes, std::size_t align) {
  if (align <= kDefaultAlignment)
    ::operator delete(at);
  else
    ::operator delete(at, std::align_val_t(align));
  charge_.set(charge_.bytes() - bytes);
}

}  // namespace opp2p
