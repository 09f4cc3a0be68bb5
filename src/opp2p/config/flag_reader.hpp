// Reads a command line and the environment as op-node does, that is, as urfave/cli v2 does with Go's flag package:
//
// - An option is `--name=value` or `--name value`, with one dash or two. A switch takes its value after `=` only.
// - `--` and the first argument that is not a flag end the flags.
// - The last of two equal options counts. The command line takes precedence over the environment.
// - An empty environment variable sets a text to "" and a switch to false. It is ignored for other types.
//
// Errors begin with Go's words, where Go has some, and end with what to write. A pure function of its arguments; the
// flags are a table (node_flags.hpp). Source: op-node surface, 1.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"

namespace opp2p {

enum class FlagType : std::uint8_t {
  text,
  boolean,
  unsigned_number,
  signed_number,
  real,
  duration,
  list,     // of texts, separated by commas; given twice, it grows
  checked,  // a text that FlagSpec::check judges
};

struct FlagSpec {
  std::string name;  // without dashes; "a,b" gives it the second name b
  FlagType type = FlagType::text;
  std::vector<std::string> environment;  // the first that is set counts
  libp2p::Result<void> (*check)(std::string_view) = nullptr;

  std::vector<std::string> names() const;
};

using FlagContent =
    std::variant<std::string, bool, std::uint64_t, std::int64_t, double, libp2p::Nanos, std::vector<std::string>>;

struct FlagValue {
  FlagContent content;
  std::string given_as;  // "--rpc.port" or "OP_NODE_RPC_PORT"
  bool from_environment = false;
};

struct FlagValues {
  std::map<std::string, FlagValue, std::less<>> set;  // by the flag's first name; what is not set is not here
  std::vector<std::string> rest;                      // arguments behind the flags
  std::string last_switch;  // the switch that stands right before `rest` without a value, or nothing

  const FlagValue* find(std::string_view name) const;
};

using Environment = std::map<std::string, std::string, std::less<>>;
Environment process_environment();

libp2p::Result<FlagValues> read_flags(std::span<const FlagSpec> flags, std::span<const std::string> arguments,
                                      const Environment& environment);

// A text as a value of a flag's type, with Go's words for what is wrong with it.
libp2p::Result<FlagContent> parse_flag(const FlagSpec& flag, std::string_view text);

// The name that the wrong one was most likely meant to be; nothing when none is near.
std::optional<std::string> nearest_name(std::string_view wrong, const std::vector<std::string>& names);
std::optional<std::string> nearest_name(std::string_view wrong, std::span<const FlagSpec> flags);

}  // namespace opp2p
