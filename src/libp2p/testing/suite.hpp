// What the suites of this folder share. A suite is a list of named cases that an implementation of a seam must pass. A
// case returns its failures as text, so any test framework can run it. Installed header without GoogleTest. Values.
// Thread: any. Bounds: a case keeps at most Findings::kMost failures and counts the others.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"

namespace libp2p {

// One line each: the case, what was expected, and what came. Empty: the case has passed.
using Failures = std::vector<std::string>;

// Collects the failures of one case.
class Findings {
 public:
  static constexpr std::size_t kMost = 20;
  explicit Findings(std::string_view name) : name_(name) {}

  // Answers `holds`, so that a case can stop where going on makes no sense.
  bool expect(bool holds, std::string_view expected, std::string_view came = {});
  template <class A, class B>
  bool expect_equal(const A& expected, const B& came, std::string_view what) {
    if (expected == came) return true;
    return expect(false, std::string(what) + ": " + text(expected), text(came));
  }
  // Long contents are told by their sizes and the first byte that differs.
  bool expect_bytes(ByteView expected, ByteView came, std::string_view what);
  bool expect_error(Errc expected, const std::optional<Error>& came, std::string_view what);
  template <class T>
  bool expect_error(Errc expected, const Result<T>& came, std::string_view what) {
    return expect_error(expected, came ? std::nullopt : std::optional<Error>(came.error()), what);
  }

  bool failed() const { return count_ > 0; }
  Failures take();

 private:
  static std::string text(std::string_view value) { return std::string(value); }
  static std::string text(bool value) { return value ? "true" : "false"; }
  template <class Number>
    requires std::is_arithmetic_v<Number>
  static std::string text(Number value) {
    return std::to_string(value);
  }

  std::string name_;
  Failures failures_;
  std::size_t count_ = 0;
};

// Bytes that look random and are the same for the same seed: a lost, doubled or moved byte shows.
Bytes suite_pattern(std::size_t size, std::uint64_t seed);

// The name of a failure that says that a suite has no such case.
Failures unknown_case(std::string_view name);

}  // namespace libp2p
