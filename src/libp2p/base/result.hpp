// The one error type and the result that carries it. An Error has a kind, for code that must decide, and a text, for
// the person who reads it: what happened, where, and what to do. Nothing in steady state throws; exceptions are for
// start-up.
#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace libp2p {

enum class Errc : std::uint8_t {
  truncated,         // the input ends before the value does; with a stream, more bytes may mend it
  malformed,         // the input breaks the format
  too_large,         // a declared or actual size is above its bound
  unsupported,       // well formed, but a version, type or protocol that is not spoken here
  mismatch,          // two things that must agree do not: a peer id, a hash, a signature
  denied,            // a gater, a limit or a policy says no
  exhausted,         // a bounded resource (streams, memory, tokens) is used up
  not_found,         // no such thing
  closed,            // the stream, connection or service was closed in order
  reset,             // the stream or connection was torn down
  timed_out,         // a deadline passed
  cancelled,         // the owner of the operation stopped it
  would_block,       // nothing to read or no room to write now
  unreachable,       // an address cannot be dialled
  io,                // the operating system or the disk refused
  invalid_argument,  // the caller's own mistake
};

std::string_view to_string(Errc code);

class [[nodiscard]] Error {
 public:
  Error() = default;  // asked for by result<>; never seen
  Error(Errc code, std::string text) : text_(std::move(text)), code_(code) {}
  explicit Error(Errc code) : code_(code) {}

  // An error of a parser: `offset` is the byte of the input at which it gave up.
  static Error at(std::size_t offset, Errc code, std::string text) {
    Error error(code, std::move(text));
    error.offset_ = offset;
    return error;
  }

  Errc code() const { return code_; }
  const std::string& text() const { return text_; }
  std::optional<std::size_t> offset() const { return offset_; }

  // "malformed: extra data is 33 bytes, at most 32 are allowed (at byte 436)"
  std::string message() const;

  // The same error seen from further out: "while reading the reply of 16Uiu2…: truncated: …".
  Error within(std::string_view context) const;

  friend bool operator==(const Error& a, Errc code) { return a.code_ == code; }

 private:
  std::string text_;
  std::optional<std::size_t> offset_;
  Errc code_ = Errc::io;
};

// value() on a failed result is a programming error; it ends in this exception with the error's message.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& where);

// boost::system::result with our Error, and one difference: a copy is a copy. There a Result<bool> that is not const is
// copied by the constructor that takes anything a bool can be made of, so the copy says whether the original has a
// value. An inherited constructor does not take the class itself.
template <class T = void>
class Result : public boost::system::result<T, Error> {
 public:
  using boost::system::result<T, Error>::result;
};

inline Error fail(Errc code, std::string text) { return Error(code, std::move(text)); }

}  // namespace libp2p

#define OPP2P_CONCAT_INNER(a, b) a##b
#define OPP2P_CONCAT(a, b) OPP2P_CONCAT_INNER(a, b)
#define OPP2P_TRY_INNER(result, declaration, ...) \
  auto result = (__VA_ARGS__);                    \
  if (!result) return std::move(result).error();  \
  declaration = std::move(*result)
#define OPP2P_CO_TRY_INNER(result, declaration, ...) \
  auto result = (__VA_ARGS__);                       \
  if (!result) co_return std::move(result).error();  \
  declaration = std::move(*result)

// Statement forms: OPP2P_TRY(auto frame, parse(view)); returns the error of a failed expression from the function.
#define OPP2P_TRY(declaration, ...) OPP2P_TRY_INNER(OPP2P_CONCAT(opp2p_result_, __COUNTER__), declaration, __VA_ARGS__)
#define OPP2P_TRYV(...)                                                                           \
  do {                                                                                            \
    if (auto opp2p_status = (__VA_ARGS__); !opp2p_status) return std::move(opp2p_status).error(); \
  } while (false)
// The same in a coroutine.
#define OPP2P_CO_TRY(declaration, ...) \
  OPP2P_CO_TRY_INNER(OPP2P_CONCAT(opp2p_result_, __COUNTER__), declaration, __VA_ARGS__)
#define OPP2P_CO_TRYV(...)                                                                           \
  do {                                                                                               \
    if (auto opp2p_status = (__VA_ARGS__); !opp2p_status) co_return std::move(opp2p_status).error(); \
  } while (false)
