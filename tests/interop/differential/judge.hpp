// The Go program that judges (interop/go/judge), as a child process. Batches go out before the answers of the one
// before are read, so that both sides work at once. Single-threaded; throws when the child is gone.
#pragma once

#include <string>
#include <vector>

#include "formats.hpp"

namespace differential {

struct Answer {
  Verdict verdict = Verdict::refuse;
  Bytes detail;
  std::uint64_t digest() const { return detail.size() < 8 ? 0 : libp2p::load_le64(detail.data()); }
  // What older op-nodes forward, behind the digest.
  ByteView forwarded() const { return detail.size() < 12 ? ByteView() : ByteView(detail).subspan(12); }
};

class Judge {
 public:
  explicit Judge(const std::string& program);
  ~Judge();
  Judge(const Judge&) = delete;
  Judge& operator=(const Judge&) = delete;

  void send(Format format, const std::vector<Bytes>& cases, bool explain = false);
  std::vector<Answer> receive(std::size_t count);
  // Why a case is judged so, in words. No batch may be under way.
  std::string explain(Format format, const Bytes& input);

 private:
  void write_all(ByteView bytes);
  void read_all(libp2p::MutableBytes out);

  int child_ = -1;
  int to_child_ = -1;
  int from_child_ = -1;
  Bytes buffer_;
  std::size_t taken_ = 0;
};

}  // namespace differential
