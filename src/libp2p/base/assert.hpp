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

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

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

// One of the values that a failed assertion prints: its text. Made only when the condition has failed, by functions
// that are not inlined, so that an assertion costs its condition and a jump.
struct Value {
  std::string text;
};
[[gnu::cold]] Value of_bool(bool value) noexcept;
[[gnu::cold]] Value of_signed(std::int64_t value) noexcept;
[[gnu::cold]] Value of_unsigned(std::uint64_t value) noexcept;
[[gnu::cold]] Value of_double(double value) noexcept;
[[gnu::cold]] Value of_text(std::string_view value) noexcept;  // in quotes
[[gnu::cold]] Value of_name(std::string_view value) noexcept;  // as it is
[[gnu::cold]] Value of_size(std::size_t elements) noexcept;

template <class T>
[[gnu::always_inline]] inline Value value_of(const T& value) {
  if constexpr (std::same_as<T, bool>)
    return of_bool(value);
  else if constexpr (std::is_enum_v<T> || std::signed_integral<T>)
    return of_signed(static_cast<std::int64_t>(value));
  else if constexpr (std::unsigned_integral<T>)
    return of_unsigned(value);
  else if constexpr (std::floating_point<T>)
    return of_double(static_cast<double>(value));
  else if constexpr (std::is_convertible_v<const T&, std::string_view>)
    return of_text(value);
  else if constexpr (requires { value.count(); })
    return value_of(value.count());
  else if constexpr (requires { value.time_since_epoch().count(); })
    return value_of(value.time_since_epoch().count());
  else if constexpr (requires {
                       value.has_value();
                       *value;
                     })
    return value ? value_of(*value) : of_name("none");
  else if constexpr (requires { value.to_base58(); })
    return of_name(value.to_base58());
  else if constexpr (requires { value.text(); })
    return of_name(value.text());
  else if constexpr (requires { value.to_string(); })
    return of_name(value.to_string());
  else if constexpr (requires { value.size(); })
    return of_size(value.size());
  else
    return of_name("(no text)");
}

// What a failed assertion prints. `names` is the source text of the values, in the same order.
[[gnu::cold]] std::string text_of(const char* file, int line, const char* condition, std::string_view must_hold,
                                  std::string_view names, std::span<const Value> values);
// Prints it and ends the process.
[[noreturn, gnu::cold]] void fail(const char* file, int line, const char* condition, std::string_view must_hold,
                                  std::string_view names, std::span<const Value> values) noexcept;
// The array of the values is made here and not at the assertion: g++ 12 takes the array of an initializer list in a
// conditional expression for one that is used after its end (-Wdangling-pointer).
template <std::same_as<Value>... Values>
[[noreturn, gnu::cold, gnu::noinline]] void fail_with(const char* file, int line, const char* condition,
                                                      std::string_view must_hold, std::string_view names,
                                                      Values... values) noexcept {
  const std::array<Value, sizeof...(Values)> all{std::move(values)...};
  fail(file, line, condition, must_hold, names, all);
}

}  // namespace assertion
}  // namespace libp2p

// value_of(a), value_of(b), … for the arguments a, b, …; at most 27 of them.
#define OPP2P_VALUES(...) __VA_OPT__(OPP2P_RESCAN(OPP2P_VALUES_FROM(__VA_ARGS__)))
#define OPP2P_VALUES_FROM(first, ...) \
  ::libp2p::assertion::value_of(first) __VA_OPT__(, OPP2P_VALUES_AGAIN OPP2P_NO_ARGUMENTS(__VA_ARGS__))
#define OPP2P_VALUES_AGAIN() OPP2P_VALUES_FROM
#define OPP2P_NO_ARGUMENTS ()
#define OPP2P_RESCAN(...) OPP2P_RESCAN_9(OPP2P_RESCAN_9(OPP2P_RESCAN_9(__VA_ARGS__)))
#define OPP2P_RESCAN_9(...) OPP2P_RESCAN_3(OPP2P_RESCAN_3(OPP2P_RESCAN_3(__VA_ARGS__)))
#define OPP2P_RESCAN_3(...) OPP2P_RESCAN_1(OPP2P_RESCAN_1(OPP2P_RESCAN_1(__VA_ARGS__)))
#define OPP2P_RESCAN_1(...) __VA_ARGS__

#define OPP2P_ASSERTION_ON(condition, must_hold, ...)                              \
  (__builtin_expect(static_cast<bool>(condition), 1)                               \
       ? static_cast<void>(0)                                                      \
       : ::libp2p::assertion::fail_with(__FILE__, __LINE__, #condition, must_hold, \
                                        #__VA_ARGS__ __VA_OPT__(, ) OPP2P_VALUES(__VA_ARGS__)))
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
