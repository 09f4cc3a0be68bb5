#include "opp2p/base/json_text.hpp"

#include <charconv>
#include <utility>

#include "libp2p/base/json_number.hpp"
#include "libp2p/base/peer_text.hpp"

namespace opp2p {
namespace json = boost::json;

namespace {

template <typename Integer>
void append_integer(std::string& out, Integer number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

void append_value(std::string& out, const json::value& value);

void append_array(std::string& out, const json::array& array) {
  out.push_back('[');
  bool first = true;
  for (const auto& one : array) {
    if (!std::exchange(first, false)) out.push_back(',');
    append_value(out, one);
  }
  out.push_back(']');
}

void append_object(std::string& out, const json::object& object) {
  out.push_back('{');
  bool first = true;
  for (const auto& member : object) {
    if (!std::exchange(first, false)) out.push_back(',');
    append_json_string(out, std::string_view(member.key()));
    out.push_back(':');
    append_value(out, member.value());
  }
  out.push_back('}');
}

void append_value(std::string& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::null: out.append("null"); return;
    case json::kind::bool_: out.append(value.get_bool() ? "true" : "false"); return;
    case json::kind::int64: return append_integer(out, value.get_int64());
    case json::kind::uint64: return append_integer(out, value.get_uint64());
    case json::kind::double_: return libp2p::append_json_number(out, value.get_double());
    case json::kind::string: return append_json_string(out, std::string_view(value.get_string()));
    case json::kind::array: return append_array(out, value.get_array());
    case json::kind::object: return append_object(out, value.get_object());
  }
}

}  // namespace

std::string json_text(const json::value& value) {
  std::string out;
  append_value(out, value);
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const auto [point, size] = libp2p::first_utf8_character(text);
    switch (point) {
      case '"': out.append("\\\""); break;
      case '\\': out.append("\\\\"); break;
      case '\b': out.append("\\b"); break;
      case '\f': out.append("\\f"); break;
      case '\n': out.append("\\n"); break;
      case '\r': out.append("\\r"); break;
      case '\t': out.append("\\t"); break;
      default:
        if (size == 0)
          out.append("\xef\xbf\xbd");
        else if (point < 0x20)
          libp2p::append_escape(out, point);
        else
          out.append(text.substr(0, size));
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  out.push_back('"');
}

}  // namespace opp2p
