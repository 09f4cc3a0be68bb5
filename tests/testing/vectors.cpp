#include "testing/vectors.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace testing_vectors {
namespace fs = std::filesystem;
namespace {

bool is_known(std::initializer_list<std::string_view> known, std::string_view key) {
  return std::find(known.begin(), known.end(), key) != known.end();
}

template <class Integer>
Integer read_integer(const json::object& item, std::string_view key) {
  const auto* value = item.if_contains(key);
  Integer out{};
  if (value != nullptr && value->is_string()) {
    const std::string_view digits(value->get_string());
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    if (error == std::errc() && end == digits.data() + digits.size()) return out;
  } else if (value != nullptr && value->is_number()) {
    boost::system::error_code error;
    out = value->to_number<Integer>(error);
    if (!error) return out;
  }
  ADD_FAILURE() << "field '" << key << "' is missing or no integer in range";
  return {};
}

}  // namespace

std::vector<std::string> vector_folders() {
  std::vector<std::string> out;
  const fs::path source(OPP2P_SOURCE_DIR);
  const fs::path own = source / "tests" / "vectors" / "data";
  if (fs::is_directory(own)) out.push_back(own.string());
  if (const char* chosen = std::getenv("OPP2P_VECTORS"); chosen != nullptr && *chosen != '\0') {
    EXPECT_TRUE(fs::is_directory(chosen)) << "OPP2P_VECTORS is " << chosen << ", which is no folder";
    out.emplace_back(chosen);
  } else if (const fs::path beside = source.parent_path() / "shared" / "vectors"; fs::is_directory(beside)) {
    out.push_back(beside.string());
  }
  return out;
}

std::vector<VectorFile> load(std::string_view name) {
  std::vector<VectorFile> out;
  for (const auto& folder : vector_folders()) {
    for (int number = 1; number < 100; ++number) {
      const std::string suffix = number == 1 ? ".json" : "-" + std::to_string(number) + ".json";
      const fs::path path = fs::path(folder) / (std::string(name) + suffix);
      if (!fs::exists(path)) {
        if (number > 1) break;
        continue;
      }
      std::ifstream in(path, std::ios::binary);
      std::stringstream content;
      content << in.rdbuf();
      boost::system::error_code error;
      auto value = json::parse(content.str(), error);
      if (error || !value.is_object()) {
        ADD_FAILURE() << path << ": " << (error ? error.message() : "not a JSON object");
        continue;
      }
      out.push_back({path.string(), std::move(value.get_object())});
    }
  }
  return out;
}

void for_each_case(std::string_view family, std::string_view key, std::initializer_list<std::string_view> known,
                   const std::function<void(const json::object&, const std::string&)>& check) {
  const auto files = load(family);
  std::size_t with_key = 0;
  for (const auto& file : files) {
    const auto* cases = file.root.if_contains(key);
    if (cases == nullptr) continue;
    ++with_key;
    if (!cases->is_array() || cases->get_array().empty()) {
      ADD_FAILURE() << file.path << ": '" << key << "' holds no case";
      continue;
    }
    std::size_t index = 0;
    for (const auto& item : cases->get_array()) {
      const auto label = file.path + " " + std::string(key) + "[" + std::to_string(index++) + "]";
      SCOPED_TRACE(label);
      if (!item.is_object()) {
        ADD_FAILURE() << "not an object";
        continue;
      }
      for (const auto& field : item.get_object())
        if (!is_known(known, field.key())) ADD_FAILURE() << "unknown key '" << field.key() << "'";
      check(item.get_object(), label);
    }
  }
  if (with_key == 0) GTEST_SKIP() << "no vectors of the family " << family << " with '" << key << "'";
}

void expect_known_root_keys(std::string_view family, std::initializer_list<std::string_view> known) {
  for (const auto& file : load(family))
    for (const auto& field : file.root)
      if (!is_known({"about", "source", "kind"}, field.key()) && !is_known(known, field.key()))
        ADD_FAILURE() << file.path << ": unknown key '" << field.key() << "'";
}

std::string text(const json::object& item, std::string_view key) {
  const auto* value = item.if_contains(key);
  if (value != nullptr && value->is_string()) return std::string(value->get_string());
  ADD_FAILURE() << "field '" << key << "' is missing or no text";
  return {};
}

std::vector<std::string> texts(const json::object& item, std::string_view key) {
  const auto* value = item.if_contains(key);
  if (value == nullptr || !value->is_array()) {
    ADD_FAILURE() << "field '" << key << "' is missing or no list";
    return {};
  }
  std::vector<std::string> out;
  for (const auto& one : value->get_array()) {
    if (one.is_string()) {
      out.emplace_back(one.get_string());
    } else {
      ADD_FAILURE() << "field '" << key << "' has an item that is no text";
    }
  }
  return out;
}

std::vector<std::string> texts_or_none(const json::object& item, std::string_view key) {
  return has(item, key) ? texts(item, key) : std::vector<std::string>();
}

libp2p::Bytes bytes(const json::object& item, std::string_view key) { return parse_hex(text(item, key)); }

libp2p::Bytes parse_hex(std::string_view hex) {
  auto out = libp2p::from_hex(hex);
  if (out) return *std::move(out);
  ADD_FAILURE() << "not hexadecimal: " << hex.substr(0, 80);
  return {};
}

std::int64_t integer(const json::object& item, std::string_view key) { return read_integer<std::int64_t>(item, key); }

std::uint64_t unsigned_integer(const json::object& item, std::string_view key) {
  return read_integer<std::uint64_t>(item, key);
}

bool boolean(const json::object& item, std::string_view key) {
  const auto* value = item.if_contains(key);
  if (value != nullptr && value->is_bool()) return value->get_bool();
  ADD_FAILURE() << "field '" << key << "' is missing or no boolean";
  return false;
}

bool has(const json::object& item, std::string_view key) {
  const auto* value = item.if_contains(key);
  return value != nullptr && !value->is_null();
}

}  // namespace testing_vectors
