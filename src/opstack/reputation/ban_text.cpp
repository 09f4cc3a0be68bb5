#include "opstack/reputation/ban_text.hpp"

#include <array>
#include <charconv>
#include <chrono>

namespace opstack::reputation {
namespace {

std::string padded(unsigned value, std::size_t width) {
  std::string digits = std::to_string(value);
  return std::string(width - std::min(width, digits.size()), '0') + digits;
}

}  // namespace

std::string score_text(double score) {
  std::array<char, 512> text;  // more than the longest double has
  const auto end = std::to_chars(text.data(), text.data() + text.size(), score, std::chars_format::fixed, 2).ptr;
  return {text.data(), end};
}

std::string time_text(UnixTime time) {
  const std::chrono::sys_seconds seconds(std::chrono::seconds(libp2p::unix_seconds(time)));
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
  const auto part = [](auto count) { return padded(static_cast<unsigned>(count), 2); };
  return padded(static_cast<unsigned>(static_cast<int>(date.year())), 4) + "-" +
         padded(static_cast<unsigned>(date.month()), 2) + "-" + padded(static_cast<unsigned>(date.day()), 2) + " " +
         part(clock.hours().count()) + ":" + part(clock.minutes().count()) + ":" + part(clock.seconds().count()) +
         " UTC";
}

std::string ban_text(const Ban& ban) {
  std::string out = "banned until " + time_text(ban.until);
  if (!ban.text.empty()) out += ": " + ban.text;
  return out;
}

}  // namespace opstack::reputation
