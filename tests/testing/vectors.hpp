// Reads vector files. A vector test runs over every set of vectors: the repository's (tests/vectors/data) and the
// folder in OPP2P_VECTORS, by default ../shared/vectors beside the checkout. A set need not have every file. A file
// without cases, a case without its fields, and an unknown key are failures.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/bytes.hpp"

namespace testing_vectors {

namespace json = boost::json;

struct VectorFile {
  std::string path;  // absolute
  json::object root;
};

// Every file of the family `name` ("libp2p/yamux") in every set: yamux.json, yamux-2.json, yamux-3.json, …
std::vector<VectorFile> load(std::string_view name);

// The folders that load() looks into.
std::vector<std::string> vector_folders();

// Calls check(case, label) for each object in root[key] of every file of the family, with a SCOPED_TRACE of file and
// index. Fails when a file that has the key holds no case; skips (GTEST_SKIP) when no set has the file. `known` are all
// keys that a case may have: an unknown one fails, so that no expectation goes unread.
void for_each_case(std::string_view family, std::string_view key, std::initializer_list<std::string_view> known,
                   const std::function<void(const json::object& item, const std::string& label)>& check);

// Fails for a top-level key that is neither "about", "source", "kind" nor in `known`.
void expect_known_root_keys(std::string_view family, std::initializer_list<std::string_view> known);

// Field readers; each fails the test and answers an empty value when the field is missing or of another type.
std::string text(const json::object& item, std::string_view key);
std::vector<std::string> texts(const json::object& item, std::string_view key);
std::vector<std::string> texts_or_none(const json::object& item, std::string_view key);  // none when it is missing
libp2p::Bytes bytes(const json::object& item, std::string_view key);                     // 0x-hex
std::int64_t integer(const json::object& item, std::string_view key);                    // a number or a decimal string
std::uint64_t unsigned_integer(const json::object& item, std::string_view key);
bool boolean(const json::object& item, std::string_view key);
bool has(const json::object& item, std::string_view key);  // present and not null
libp2p::Bytes parse_hex(std::string_view hex);

}  // namespace testing_vectors
