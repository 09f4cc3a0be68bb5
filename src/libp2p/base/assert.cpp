#include "libp2p/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace libp2p {
namespace {

// The one mutable variable of the library besides LiveCounted's: it steers nothing and is read by a process that ends.
thread_local const AssertionScene* innermost = nullptr;

// The next of the names, which stand as in the source: separated by commas outside of brackets.
std::string_view next_name(std::string_view& names) {
  std::size_t at = 0;
  for (int depth = 0; at < names.size(); ++at) {
    const char c = names[at];
    if (c == '(' || c == '[' || c == '{') ++depth;
    if (c == ')' || c == ']' || c == '}') --depth;
    if (c == ',' && depth == 0) break;
  }
  const std::string_view name = names.substr(0, at);
  names.remove_prefix(at == names.size() ? at : at + 1);
  while (names.starts_with(' ')) names.remove_prefix(1);
  return name;
}

}  // namespace

AssertionScene::AssertionScene(Describe describe, const void* context)
    : describe_(describe), context_(context), outer_(innermost) {
  innermost = this;
}

AssertionScene::~AssertionScene() { innermost = outer_; }

std::string AssertionScene::text() { return innermost ? innermost->describe_(innermost->context_) : std::string(); }

namespace assertion {

Value of_bool(bool value) noexcept { return {value ? "true" : "false"}; }
Value of_signed(std::int64_t value) noexcept { return {std::to_string(value)}; }
Value of_unsigned(std::uint64_t value) noexcept { return {std::to_string(value)}; }
Value of_double(double value) noexcept { return {std::to_string(value)}; }
Value of_text(std::string_view value) noexcept { return {'"' + std::string(value) + '"'}; }
Value of_name(std::string_view value) noexcept { return {std::string(value)}; }
Value of_size(std::size_t elements) noexcept { return {"(" + std::to_string(elements) + " elements)"}; }

std::string text_of(const char* file, int line, const char* condition, std::string_view must_hold,
                    std::string_view names, std::span<const Value> values) {
  std::string text = "invariant violated: " + std::string(must_hold) + "\n  " + file + ":" + std::to_string(line) +
                     ": " + condition + "\n";
  for (const auto& value : values)
    text.append("  ").append(next_name(names)).append(" = ").append(value.text).append("\n");
  if (const std::string scene = AssertionScene::text(); !scene.empty()) text += "  in " + scene + "\n";
  return text + "  This is a defect of the program; please report it with these lines.\n";
}

void fail(const char* file, int line, const char* condition, std::string_view must_hold, std::string_view names,
          std::span<const Value> values) noexcept {
  const std::string text = text_of(file, line, condition, must_hold, names, values);
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
  std::abort();
}

}  // namespace assertion
}  // namespace libp2p
