// What the RPC holds for its clients, counted when it is made: a charge on the RPC's memory account, a text in pieces,
// and the memory of a parsed request. Bodies that arrive, requests that are computed and answers that nobody has read
// yet all count in one account (RpcBudget::memory), so that clients who ask much and read nothing fill their own room
// and not the node's.
//
// Owner: the session or request that holds it. Thread: one at a time; the account is shared and atomic.
#pragma once

#include <boost/json/memory_resource.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/memory_account.hpp"

namespace opp2p {

using SharedAccount = std::shared_ptr<libp2p::MemoryAccount>;

// Bytes taken from an account, given back when it goes. The first `allowance` bytes are not counted: every place of
// the HTTP server brings that much of its own, so that a small request works while the account is full.
class MemoryCharge {
 public:
  static constexpr std::size_t kAllowance = 16 * 1024;

  MemoryCharge() = default;
  explicit MemoryCharge(SharedAccount account, std::size_t allowance = kAllowance)
      : account_(std::move(account)), allowance_(allowance) {}
  MemoryCharge(MemoryCharge&& other) noexcept { swap(other); }
  MemoryCharge& operator=(MemoryCharge&& other) noexcept {
    MemoryCharge taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~MemoryCharge() { set(0); }

  std::size_t bytes() const { return bytes_; }
  // False, and nothing changes, when the account is full.
  bool set(std::size_t bytes);

 private:
  std::size_t counted(std::size_t bytes) const { return bytes > allowance_ ? bytes - allowance_ : 0; }
  void swap(MemoryCharge& other) noexcept {
    std::swap(account_, other.account_);
    std::swap(allowance_, other.allowance_);
    std::swap(bytes_, other.bytes_);
  }

  SharedAccount account_;
  std::size_t allowance_ = 0;
  std::size_t bytes_ = 0;
};

// A text in pieces of at most 64 KiB, or larger where one came in whole. Pieces are shared, not copied, when one text
// is appended to another.
class RpcText {
 public:
  struct Piece {
    std::string text;
    MemoryCharge charge;
  };
  using SharedPiece = std::shared_ptr<const Piece>;
  static constexpr std::size_t kPiece = 64 * 1024;

  // The allowance holds for all pieces together; a text that is shared among answers has none.
  explicit RpcText(SharedAccount account = nullptr, std::size_t allowance = 0)
      : account_(std::move(account)), allowance_(allowance) {}
  // A copy shares the pieces there are and never adds to them.
  RpcText(const RpcText& other) : account_(other.account_), allowance_(0), pieces_(other.pieces_), size_(other.size_) {}
  RpcText(RpcText&&) noexcept = default;
  RpcText& operator=(RpcText other) noexcept {
    account_ = std::move(other.account_);
    allowance_ = other.allowance_;
    pieces_ = std::move(other.pieces_);
    open_ = std::move(other.open_);
    size_ = other.size_;
    return *this;
  }

  // False when the account is full; the text is of no use then.
  bool append(std::string_view text);
  void append(const RpcText& other);
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const std::vector<SharedPiece>& pieces() const { return pieces_; }
  std::string joined() const;

 private:
  SharedAccount account_;
  std::size_t allowance_;
  std::vector<SharedPiece> pieces_;
  std::shared_ptr<Piece> open_;  // the last piece while it is this text's alone
  std::size_t size_ = 0;
};

// Where a parsed request lies. Throws std::bad_alloc when the account is full or the request needs more than `limit`
// bytes.
class CountedJson final : public boost::json::memory_resource {
 public:
  CountedJson(SharedAccount account, std::size_t limit) : charge_(std::move(account)), limit_(limit) {}

 private:
  void* do_allocate(std::size_t bytes, std::size_t align) override;
  void do_deallocate(void* at, std::size_t bytes, std::size_t align) override;
  bool do_is_equal(const boost::json::memory_resource& other) const noexcept override { return this == &other; }

  MemoryCharge charge_;
  std::size_t limit_;
};

}  // namespace opp2p
