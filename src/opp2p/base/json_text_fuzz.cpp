// Any bytes as a number, a string, and JSON: what is written is strict JSON and reads back as it was.
#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <cstring>

#include "libp2p/base/json_number.hpp"
#include "opp2p/base/json_text.hpp"
#include "testing/fuzz_script.hpp"

namespace {

namespace json = boost::json;
using libp2p::fuzzing::require;

void check_number(double number) {
  std::string text;
  libp2p::append_json_number(text, number);
  if (!std::isfinite(number)) return require(text == "null");
  double back = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), back);
  require(error == std::errc() && end == text.data() + text.size() && back == number);
  const double size = std::fabs(number);
  if (size >= 1e-6 && size < 1e21) require(text.find('e') == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  double number = 0;
  std::memcpy(&number, data, std::min(size, sizeof number));
  check_number(number);
  std::string text;
  opp2p::append_json_string(text, input);
  const auto string = json::parse(text);
  // What was valid comes back as it was, and what comes back is valid.
  boost::system::error_code error;
  text.clear();
  opp2p::append_json_string(text, std::string_view(string.get_string()));
  require(json::parse(text) == string);
  const auto value = json::parse(input, error);
  if (!error) (void)json::parse(opp2p::json_text(value));  // it throws when it is none
  return 0;
}
