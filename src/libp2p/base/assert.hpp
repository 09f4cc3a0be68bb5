// Invariants that the program checks while it runs. A condition that does not hold is a defect of this program, never a
// fault of a peer. The process then ends at once and prints the condition, what must hold, the values, and the scene
// (in simulation: the seed and the time). Example: `OPP2P_ASSERT(used_ <= limit_, "the window is never overdrawn",
// used_, limit_)`.
//
// - OPP2P_ASSERT is for conditions that cost a comparison or two. It is on in every build.
// - OPP2P_DEBUG_ASSERT is for conditions that cost more. It is on where NDEBUG is not set.
// - OPP2P_CHECK is for `check()` of an engine, which only simulation, fuzzers and tests call. It is on in every build.
//
// With OPP2P_NO_ASSERTIONS none of them is evaluated (for ./test mutants). Thread: any. The values are formatted only
// when the condition fails.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace libp2p {

// What an assertion that fails tells besides itself, for as long as this object lives, on this thread: the simulator
// says which world is running. The innermost scene counts.
class AssertionScene {
 public:
  using Describe = std::string (*)(const void* context);
  AssertionScene(Describe describe, const void* context);
  ~AssertionScene();
  AssertionScene(const AssertionScene&) = delete;
  AssertionScene& operator=(const AssertionScene&) = delete;

  // The text of the innermost scene of this thread; empty without one.
  static std::string text();

 private:
  Describe describe_;
  const void* context_;
  const AssertionScene* outer_;
};

namespace assertion {

template <class T>
std::string text_of(const T& value) {
  if constexpr (std::same_as<T, bool>)
    return value ? "true" : "false";
  else if constexpr (std::is_enum_v<T>)
    return std::to_string(static_cast<std::int64_t>(value));
  else if constexpr (std::is_arithmetic_v<T>)
    return std::to_string(value);
  else if constexpr (std::is_convertible_v<const T&, std::string_view>)
    return '"' + std::string(std::string_view(value)) + '"';
  else if constexpr (requires { value.count(); })
    return std::to_string(value.count());
  else if constexpr (requires { value.time_since_epoch().count(); })
    return std::to_string(value.time_since_epoch().count());
  else if constexpr (requires {
                       value.has_value();
                       *value;
                     })
    return value ? text_of(*value) : "none";
  else if constexpr (requires { value.to_base58(); })
    return value.to_base58();
  else if constexpr (requires { value.text(); })
    return std::string(value.text());
  else if constexpr (requires { value.to_string(); })
    return std::string(value.to_string());
  else if constexpr (requires { value.size(); })
    return "(" + std::to_string(value.size()) + " elements)";
  else
    return "(no text)";
}

// Ends the process. `names` is the source text of the values, `values` their texts in the same order.
[[noreturn, gnu::cold]] void fail(const char* file, int line, const char* condition, std::string_view must_hold,
                                  std::string_view names, std::initializer_list<std::string> values);

template <class... Values>
[[noreturn, gnu::cold, gnu::noinline]] void fail_with(const char* file, int line, const char* condition,
                                                      std::string_view must_hold, std::string_view names,
                                                      const Values&... values) {
  fail(file, line, condition, must_hold, names, {text_of(values)...});
}

}  // namespace assertion
}  // namespace libp2p

#define OPP2P_ASSERTION_ON(condition, must_hold, ...)                              \
  (__builtin_expect(static_cast<bool>(condition), 1)                               \
       ? static_cast<void>(0)                                                      \
       : ::libp2p::assertion::fail_with(__FILE__, __LINE__, #condition, must_hold, \
                                        #__VA_ARGS__ __VA_OPT__(, ) __VA_ARGS__))
#define OPP2P_ASSERTION_OFF(condition, must_hold, ...) static_cast<void>(sizeof(static_cast<bool>(condition)))

#ifdef OPP2P_NO_ASSERTIONS
#define OPP2P_ASSERT OPP2P_ASSERTION_OFF
#define OPP2P_CHECK OPP2P_ASSERTION_OFF
#else
#define OPP2P_ASSERT OPP2P_ASSERTION_ON
#define OPP2P_CHECK OPP2P_ASSERTION_ON
#endif
#if defined(OPP2P_NO_ASSERTIONS) || defined(NDEBUG)
#define OPP2P_DEBUG_ASSERT OPP2P_ASSERTION_OFF
#else
#define OPP2P_DEBUG_ASSERT OPP2P_ASSERTION_ON
#endif
