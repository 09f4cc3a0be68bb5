#include "opp2p/config/flag_reader.hpp"

#include <algorithm>
#include <numeric>

#include "opp2p/base/go_values.hpp"

extern char** environ;

namespace opp2p {
namespace {

using libp2p::Errc;
using libp2p::Error;
using libp2p::fail;
using libp2p::Result;

constexpr std::string_view kTypeNames[] = {"string", "bool", "uint", "int", "float64", "duration", "string", ""};

std::string_view advice(FlagType type) {
  switch (type) {
    case FlagType::boolean: return "; write true or false";
    case FlagType::unsigned_number: return "; write a whole number from 0 on";
    case FlagType::signed_number: return "; write a whole number";
    case FlagType::real: return "; write a number, for example 0.5";
    case FlagType::duration: return "; write for example 500ms, 30s, 1m30s or 1h";
    default: return "";
  }
}

// Go's flag package shortens what strconv and time say; words of a check it leaves as they are.
std::string shortened(const FlagSpec& flag, const Error& error) {
  if (flag.type == FlagType::checked) return error.text();
  return error.code() == Errc::too_large ? "value out of range" : "parse error";
}

std::vector<std::string> split(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  std::vector<std::string> out;
  for (bool more = true; more;) {
    const auto comma = text.find(',');
    more = comma != std::string_view::npos;
    auto part = text.substr(0, comma);
    text.remove_prefix(more ? comma + 1 : text.size());
    part.remove_prefix(std::min(part.find_first_not_of(kSpace), part.size()));
    out.emplace_back(part.substr(0, part.find_last_not_of(kSpace) + 1));
  }
  return out;
}

template <class T>
Result<FlagContent> content(const Result<T>& value) {
  if (!value) return value.error();
  return FlagContent(*value);
}

class Reader {
 public:
  Reader(std::span<const FlagSpec> flags, std::span<const std::string> arguments) : flags_(flags), left_(arguments) {
    for (const auto& flag : flags)
      for (const auto& name : flag.names()) by_name_[name] = &flag;
  }

  Result<FlagValues> run(const Environment& environment) {
    for (const auto& flag : flags_) OPP2P_TRYV(read_environment(flag, environment));
    while (!left_.empty() && left_[0].size() > 1 && left_[0][0] == '-') {
      out_.last_switch.clear();
      const std::string argument = take();
      if (argument == "--") break;
      OPP2P_TRYV(read_argument(argument));
    }
    out_.rest.assign(left_.begin(), left_.end());
    return std::move(out_);
  }

 private:
  std::string take() {
    std::string out = left_[0];
    left_ = left_.subspan(1);
    return out;
  }

  Result<void> read_environment(const FlagSpec& flag, const Environment& environment) {
    const auto set = std::find_if(flag.environment.begin(), flag.environment.end(),
                                  [&](const std::string& name) { return environment.contains(name); });
    if (set == flag.environment.end()) return {};
    const std::string& text = environment.find(*set)->second;
    const bool takes_nothing = flag.type == FlagType::text || flag.type == FlagType::list;
    if (text.empty() && flag.type == FlagType::boolean) return keep(flag, FlagContent(false), *set, true);
    if (text.empty() && !takes_nothing) return {};
    auto value = parse_flag(flag, text);
    if (value) return keep(flag, *std::move(value), *set, true);
    const std::string where = "environment variable " + go_quote(*set);
    const std::string begin = "could not parse " + go_quote(text);
    const std::string name = flag.names()[0];
    if (flag.type == FlagType::checked)
      return fail(Errc::invalid_argument,
                  begin + " from " + where + " as value for flag " + name + ": " + value.error().text());
    return fail(Errc::invalid_argument, begin + " as " + std::string(kTypeNames[static_cast<std::size_t>(flag.type)]) +
                                            " value from " + where + " for flag " + name + ": " + value.error().text() +
                                            std::string(advice(flag.type)));
  }

  Result<void> read_argument(const std::string& argument) {
    const std::string_view body = std::string_view(argument).substr(argument[1] == '-' ? 2 : 1);
    if (body.empty() || body[0] == '-' || body[0] == '=')
      return fail(Errc::invalid_argument, "bad flag syntax: " + argument + "; an option is --NAME or --NAME=VALUE");
    const auto equals = body.find('=');
    const std::string name(body.substr(0, equals));
    const auto known = by_name_.find(name);
    if (known == by_name_.end()) return unknown(name);
    const FlagSpec& flag = *known->second;
    std::optional<std::string> text;
    if (equals != std::string_view::npos) text = body.substr(equals + 1);
    if (flag.type == FlagType::boolean) return read_switch(flag, name, text);
    if (!text && left_.empty())
      return fail(Errc::invalid_argument, "flag needs an argument: -" + name + std::string(advice(flag.type)));
    if (!text) text = take();
    auto value = parse_flag(flag, *text);
    if (!value)
      return fail(Errc::invalid_argument, "invalid value " + go_quote(*text) + " for flag -" + name + ": " +
                                              shortened(flag, value.error()) + std::string(advice(flag.type)));
    return given(flag, name, *std::move(value));
  }

  Result<void> read_switch(const FlagSpec& flag, const std::string& name, const std::optional<std::string>& text) {
    if (!text) out_.last_switch = name;
    auto value = parse_flag(flag, text.value_or("true"));
    if (!value)
      return fail(Errc::invalid_argument, "invalid boolean value " + go_quote(*text) + " for -" + name +
                                              ": parse error" + std::string(advice(flag.type)));
    return given(flag, name, *std::move(value));
  }

  // A value of the command line, under the name that was used.
  Result<void> given(const FlagSpec& flag, const std::string& name, FlagContent value) {
    auto& used = used_[&flag];
    if (!used.empty() && used != name)
      return fail(Errc::invalid_argument,
                  "Cannot use two forms of the same flag: " + name + " " + used + "; leave one out");
    const bool again = !used.empty();
    used = name;
    if (flag.type == FlagType::list && again) {
      auto& list = std::get<std::vector<std::string>>(out_.set.find(flag.names()[0])->second.content);
      for (auto& item : std::get<std::vector<std::string>>(value)) list.push_back(std::move(item));
      return {};
    }
    return keep(flag, std::move(value), "--" + name, false);
  }

  Result<void> keep(const FlagSpec& flag, FlagContent value, std::string given_as, bool from_environment) {
    out_.set.insert_or_assign(flag.names()[0], FlagValue{std::move(value), std::move(given_as), from_environment});
    return {};
  }

  Result<void> unknown(const std::string& name) const {
    const auto near = nearest_name(name, flags_);
    return fail(Errc::invalid_argument,
                "unknown option --" + name + ". " +
                    (near ? "Did you mean --" + *near + "?" : "opp2p node --help lists the options."));
  }

  std::span<const FlagSpec> flags_;
  std::span<const std::string> left_;
  std::map<std::string, const FlagSpec*, std::less<>> by_name_;
  std::map<const FlagSpec*, std::string> used_;
  FlagValues out_;
};

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t corner = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = corner + (a[i] == b[j] ? 0 : 1);
      corner = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, corner + 1});
    }
  }
  return row.back();
}

}  // namespace

std::vector<std::string> FlagSpec::names() const { return split(name); }

const FlagValue* FlagValues::find(std::string_view name) const {
  const auto found = set.find(name);
  return found == set.end() ? nullptr : &found->second;
}

Environment process_environment() {
  Environment out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

Result<FlagContent> parse_flag(const FlagSpec& flag, std::string_view text) {
  switch (flag.type) {
    case FlagType::boolean: return content(parse_bool(text));
    case FlagType::unsigned_number: return content(parse_unsigned(text));
    case FlagType::signed_number: return content(parse_signed(text));
    case FlagType::real: return content(parse_real(text));
    case FlagType::duration: return content(parse_duration(text));
    case FlagType::list: return FlagContent(split(text));
    case FlagType::checked:
      if (flag.check) OPP2P_TRYV(flag.check(text));
      return FlagContent(std::string(text));
    case FlagType::text: break;
  }
  return FlagContent(std::string(text));
}

Result<FlagValues> read_flags(std::span<const FlagSpec> flags, std::span<const std::string> arguments,
                              const Environment& environment) {
  return Reader(flags, arguments).run(environment);
}

std::optional<std::string> nearest_name(std::string_view wrong, const std::vector<std::string>& names) {
  std::optional<std::string> best;
  constexpr std::size_t kLongest = 80;
  if (wrong.size() > kLongest) return best;
  // A shared beginning, as the prefix of all variables, says nothing about what was meant.
  std::size_t distance = std::clamp<std::size_t>(wrong.size() / 6, 2, 4) + 1;
  for (const auto& name : names) {
    const auto this_distance = edit_distance(wrong, name);
    if (this_distance >= distance) continue;
    distance = this_distance;
    best = name;
  }
  return best;
}

std::optional<std::string> nearest_name(std::string_view wrong, std::span<const FlagSpec> flags) {
  std::vector<std::string> names;
  for (const auto& flag : flags)
    for (auto& name : flag.names()) names.push_back(std::move(name));
  return nearest_name(wrong, names);
}

}  // namespace opp2p
