#include "opstack/reputation/json_leaves.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <utility>
#include <vector>

namespace opstack::reputation {

using libp2p::Errc;
using libp2p::fail;
using libp2p::Result;
namespace json = boost::json;

namespace {

// Paths are compared in ASCII lower case. A dot in a key cannot pass for a level: it is written as another byte.
std::string lower_case(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string key_text(std::string_view key) {
  auto out = lower_case(key);
  std::replace(out.begin(), out.end(), '.', '\0');
  return out;
}

}  // namespace

// What Boost's parser calls. Contents of arrays are passed over.
struct LeafHandler {
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);
  using Code = boost::system::error_code;
  using Text = json::string_view;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) {
    is_object = is_object || depth == 0;
    ++depth;
    if (arrays == 0) path.push_back(path.empty() ? "" : path.back() + std::exchange(key, {}) + ".");
    return true;
  }
  bool on_object_end(std::size_t, Code&) {
    --depth;
    if (arrays == 0) path.pop_back();
    return true;
  }
  bool on_array_begin(Code& code) {
    ++depth;
    if (arrays++ == 0) return add(JsonLeaves::Kind::other, {}, code);
    return true;
  }
  bool on_array_end(std::size_t, Code&) {
    --depth;
    --arrays;
    return true;
  }
  bool on_key_part(Text text, std::size_t, Code&) {
    part.append(text.data(), text.size());
    return true;
  }
  bool on_key(Text text, std::size_t, Code&) {
    part.append(text.data(), text.size());
    if (arrays == 0) key = key_text(part);
    part.clear();
    return true;
  }
  bool on_string_part(Text text, std::size_t, Code&) { return on_key_part(text, 0, unused); }
  bool on_string(Text text, std::size_t, Code& code) { return add(JsonLeaves::Kind::string, text, code); }
  bool on_number_part(Text text, Code&) { return on_key_part(text, 0, unused); }
  bool on_int64(std::int64_t, Text text, Code& code) { return add(JsonLeaves::Kind::number, text, code); }
  bool on_uint64(std::uint64_t, Text text, Code& code) { return add(JsonLeaves::Kind::number, text, code); }
  bool on_double(double, Text text, Code& code) { return add(JsonLeaves::Kind::number, text, code); }
  bool on_bool(bool, Code& code) { return add(JsonLeaves::Kind::other, {}, code); }
  bool on_null(Code&) { return true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

  bool add(JsonLeaves::Kind kind, Text text, Code& code) {
    part.append(text.data(), text.size());
    auto whole = std::exchange(part, {});
    // An array counts itself before its contents are passed over.
    if (path.empty() || arrays > (kind == JsonLeaves::Kind::other ? 1U : 0U)) return true;
    if (leaves.size() == JsonLeaves::kMostLeaves) {
      code = json::error::object_too_large;
      return false;
    }
    leaves.insert_or_assign(path.back() + key, JsonLeaves::Leaf{kind, std::move(whole)});
    return true;
  }

  std::map<std::string, JsonLeaves::Leaf, std::less<>> leaves;
  std::vector<std::string> path;  // of the open objects, each with a dot at its end
  std::string key;
  std::string part;  // of a text that comes in several
  std::size_t depth = 0;
  std::size_t arrays = 0;  // open ones
  bool is_object = false;
  Code unused;
};

Result<JsonLeaves> JsonLeaves::from_text(std::string_view text) {
  json::basic_parser<LeafHandler> parser{json::parse_options{}};
  boost::system::error_code code;
  const std::size_t taken = parser.write_some(false, text.data(), text.size(), code);
  if (code) return fail(Errc::malformed, "no JSON: " + code.message());
  if (text.find_first_not_of(" \t\r\n", taken) != std::string_view::npos)
    return fail(Errc::malformed, "no JSON: there is more behind its end");
  if (!parser.handler().is_object) return fail(Errc::malformed, "no JSON object");
  JsonLeaves out;
  out.leaves_ = std::move(parser.handler().leaves);
  return out;
}

Result<const JsonLeaves::Leaf*> JsonLeaves::find(std::string_view path, Kind kind) const {
  const auto wanted = lower_case(path);
  const auto wrong = [&](std::string_view what) {
    return fail(Errc::malformed, std::string(path) + " is no " + std::string(what));
  };
  for (auto dot = wanted.find('.'); dot != std::string::npos; dot = wanted.find('.', dot + 1))
    if (leaves_.contains(std::string_view(wanted).substr(0, dot))) return wrong("member of an object");
  const auto at = leaves_.find(wanted);
  if (at == leaves_.end()) return nullptr;
  if (at->second.kind != kind) return wrong(kind == Kind::number ? "number" : "text");
  return &at->second;
}

template <typename Number>
Result<void> JsonLeaves::number_at(std::string_view path, Number& out) const {
  OPP2P_TRY(const auto* leaf, find(path, Kind::number));
  if (!leaf) return {};
  const auto* end = leaf->text.data() + leaf->text.size();
  Number number = 0;
  const auto [stop, error] = std::from_chars(leaf->text.data(), end, number);
  if (error != std::errc() || stop != end) return fail(Errc::malformed, std::string(path) + " is out of range");
  out = number;
  return {};
}

Result<void> JsonLeaves::assign(std::string_view path, double& out) const { return number_at(path, out); }
Result<void> JsonLeaves::assign(std::string_view path, std::int64_t& out) const { return number_at(path, out); }
Result<void> JsonLeaves::assign(std::string_view path, std::uint64_t& out) const { return number_at(path, out); }

Result<void> JsonLeaves::assign(std::string_view path, std::string& out) const {
  OPP2P_TRY(const auto* leaf, find(path, Kind::string));
  if (leaf) out = leaf->text;
  return {};
}

}  // namespace opstack::reputation
