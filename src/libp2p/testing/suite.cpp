#include "libp2p/testing/suite.hpp"

#include <algorithm>
#include <utility>

#include "libp2p/base/rng.hpp"

namespace libp2p {

bool Findings::expect(bool holds, std::string_view expected, std::string_view came) {
  if (holds) return true;
  if (++count_ <= kMost) {
    std::string line = name_ + ": expected " + std::string(expected);
    if (!came.empty()) line += "; came " + std::string(came);
    failures_.push_back(std::move(line));
  }
  return false;
}

bool Findings::expect_bytes(ByteView expected, ByteView came, std::string_view what) {
  if (equal(expected, came)) return true;
  const auto common = std::min(expected.size(), came.size());
  const auto differ =
      std::mismatch(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(common), came.begin()).first;
  return expect(
      false, std::string(what) + ": " + std::to_string(expected.size()) + " bytes",
      std::to_string(came.size()) + " bytes, the first " + std::to_string(differ - expected.begin()) + " alike");
}

bool Findings::expect_error(Errc expected, const std::optional<Error>& came, std::string_view what) {
  if (came && *came == expected) return true;
  return expect(false, std::string(what) + ": the error " + std::string(to_string(expected)),
                came ? came->message() : "none");
}

Failures Findings::take() {
  if (count_ > kMost) failures_.push_back(name_ + ": and " + std::to_string(count_ - kMost) + " failures more");
  count_ = 0;
  return std::exchange(failures_, {});
}

Bytes suite_pattern(std::size_t size, std::uint64_t seed) {
  Bytes out(size);
  SeededRng(seed).fill(out);
  return out;
}

Failures unknown_case(std::string_view name) { return {"the suite has no case " + std::string(name)}; }

}  // namespace libp2p
