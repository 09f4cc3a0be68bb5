// The vector sets themselves: every file of a set, and every list in it, is read by a test or belongs to a part that is
// not built yet; and the reader takes and refuses what it should, tried on sets made for that.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <regex>
#include <sstream>

#include "testing/vectors.hpp"

namespace bookkeeping_vectors {
namespace {

namespace fs = std::filesystem;
namespace json = testing_vectors::json;
using testing_vectors::vector_folders;

// Families, or whole folders of them, whose part is not built yet. A line goes when its part comes.
constexpr std::string_view kNotBuilt[] = {"discv5/"};

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

// The sources of the vector tests, this one left out.
std::vector<std::string> sources() {
  std::vector<std::string> out;
  const fs::path folder = fs::path(vector_folders().at(0)).parent_path();
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (name.ends_with("_test.cpp") && name != "bookkeeping_test.cpp") out.push_back(content_of(entry.path()));
  }
  return out;
}

// "libp2p/yamux" of libp2p/yamux.json and libp2p/yamux-2.json.
std::string family_of(const fs::path& folder, const fs::path& file) {
  const std::string name = fs::relative(file, folder).replace_extension().generic_string();
  return std::regex_replace(name, std::regex("-[0-9]+$"), "");
}

bool is_not_built(const std::string& family) {
  return std::any_of(std::begin(kNotBuilt), std::end(kNotBuilt), [&family](std::string_view part) {
    return part.ends_with('/') ? family.starts_with(part) : family == part;
  });
}

// What no test reads of one file.
void look_into(const fs::path& file, const std::string& family, const std::vector<std::string>& tests,
               std::vector<std::string>& unread) {
  const auto quoted = [](std::string_view text) { return "\"" + std::string(text) + "\""; };
  std::string readers;
  for (const auto& source : tests)
    if (source.find(quoted(family)) != std::string::npos) readers += source;
  if (readers.empty()) {
    unread.push_back(file.string() + " is read by no test");
    return;
  }
  boost::system::error_code error;
  const auto root = json::parse(content_of(file), error);
  if (error || !root.is_object()) {
    unread.push_back(file.string() + " is no JSON object");
    return;
  }
  for (const auto& field : root.get_object())
    if (field.value().is_array() && readers.find(quoted(field.key())) == std::string::npos)
      unread.push_back(file.string() + ": no test reads '" + std::string(field.key()) + "'");
}

std::vector<std::string> unread_in(const fs::path& folder) {
  std::vector<std::string> unread;
  std::string everything;
  std::vector<fs::path> data_files;
  const auto tests = sources();
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const auto& file = entry.path();
    if (!entry.is_regular_file() || file.extension() == ".md") continue;
    if (file.extension() != ".json") {
      data_files.push_back(file);
      continue;
    }
    const auto family = family_of(folder, file);
    if (is_not_built(family)) continue;
    look_into(file, family, tests, unread);
    everything += content_of(file);
  }
  // Other files are data that a case of a JSON file names.
  for (const auto& file : data_files)
    if (everything.find("\"" + file.filename().string() + "\"") == std::string::npos)
      unread.push_back(file.string() + " is named by no case");
  return unread;
}

TEST(VectorSets, every_file_and_every_list_in_it_is_read_by_a_test) {
  ASSERT_FALSE(vector_folders().empty());
  for (const auto& folder : vector_folders()) EXPECT_EQ(unread_in(folder), std::vector<std::string>()) << folder;
}

class VectorFamilyNotBuilt : public testing::TestWithParam<std::string_view> {};

TEST_P(VectorFamilyNotBuilt, waits) {
  for (const auto& source : sources())
    EXPECT_EQ(source.find("\"" + std::string(GetParam())), std::string::npos) << "it has a test: take it off the list";
  if (!HasFailure()) GTEST_SKIP() << "the part that " << GetParam() << " belongs to is not built yet";
}
INSTANTIATE_TEST_SUITE_P(Parts, VectorFamilyNotBuilt, testing::ValuesIn(kNotBuilt));

// A set in a folder of its own, in the place of the one that OPP2P_VECTORS names.
class VectorReader : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "vectors-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    if (const char* before = std::getenv("OPP2P_VECTORS")) before_ = before;
    setenv("OPP2P_VECTORS", folder_.c_str(), 1);
  }
  void TearDown() override {
    if (before_) {
      setenv("OPP2P_VECTORS", before_->c_str(), 1);
    } else {
      unsetenv("OPP2P_VECTORS");
    }
    fs::remove_all(folder_);
  }

  void write(const std::string& name, const std::string& text) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }

  // What a test that reads cases {"name", "data"} of the family would report: its failures, and whether it is skipped.
  struct Report {
    std::vector<std::string> read;
    std::vector<std::string> failures;
    bool skipped = false;
  };
  static Report read(const std::string& family, const std::string& key = "cases") {
    Report out;
    testing::TestPartResultArray parts;
    {
      const testing::ScopedFakeTestPartResultReporter reporter(
          testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &parts);
      testing_vectors::expect_known_root_keys(family, {"cases", "more"});
      testing_vectors::for_each_case(family, key, {"name", "data"},
                                     [&out](const json::object& item, const std::string&) {
                                       (void)testing_vectors::bytes(item, "data");
                                       out.read.push_back(testing_vectors::text(item, "name"));
                                     });
    }
    for (int i = 0; i < parts.size(); ++i) {
      const auto& part = parts.GetTestPartResult(i);
      if (part.failed()) out.failures.emplace_back(part.message());
      out.skipped = out.skipped || part.skipped();
    }
    return out;
  }
  // The one failure that is expected.
  static std::string failure(const std::string& family) {
    const auto report = read(family);
    EXPECT_EQ(report.failures.size(), 1u);
    return report.failures.empty() ? std::string() : report.failures.front();
  }

  fs::path folder_;
  std::optional<std::string> before_;
};

TEST_F(VectorReader, reads_every_case_of_a_file_and_of_those_that_go_on_with_it) {
  write("a/b.json",
        R"({"about": "x", "source": "y", "cases": [{"name": "one", "data": "0x01"}, {"name": "two", "data": "0x"}]})");
  write("a/b-2.json", R"({"cases": [{"name": "three", "data": "0xff"}]})");
  const auto report = read("a/b");
  EXPECT_EQ(report.read, (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_TRUE(report.failures.empty());
  EXPECT_FALSE(report.skipped);
}

TEST_F(VectorReader, a_missing_file_is_a_skip_and_no_failure) {
  write("a/b.json", R"({"cases": [{"name": "one", "data": "0x01"}]})");
  for (const auto& report : {read("a/c"), read("a/b", "more")}) {
    EXPECT_TRUE(report.failures.empty());
    EXPECT_TRUE(report.skipped);
  }
}

TEST_F(VectorReader, a_set_without_any_file_leaves_the_own_one) {
  EXPECT_EQ(vector_folders().back(), folder_.string());
  EXPECT_EQ(testing_vectors::load("libp2p/uvarint").size(), 1u);
  EXPECT_EQ(unread_in(folder_), std::vector<std::string>());
}

TEST_F(VectorReader, a_file_without_a_case_fails) {
  write("a/b.json", R"({"cases": []})");
  EXPECT_NE(failure("a/b").find("holds no case"), std::string::npos);
  write("a/b.json", R"({"cases": {}})");
  EXPECT_NE(failure("a/b").find("holds no case"), std::string::npos);
}

TEST_F(VectorReader, an_unknown_key_fails_in_a_case_and_at_the_root) {
  write("a/b.json", R"({"cases": [{"name": "one", "data": "0x01", "expect": 1}]})");
  EXPECT_NE(failure("a/b").find("unknown key 'expect'"), std::string::npos);
  write("a/b.json", R"({"cases": [{"name": "one", "data": "0x01"}], "others": []})");
  EXPECT_NE(failure("a/b").find("unknown key 'others'"), std::string::npos);
}

TEST_F(VectorReader, a_case_without_its_fields_or_with_others_in_their_place_fails) {
  for (const char* text : {R"({"cases": [{"name": "one"}]})", R"({"cases": [{"name": "one", "data": 7}]})"}) {
    write("a/b.json", text);
    const auto report = read("a/b");
    EXPECT_FALSE(report.failures.empty()) << text;
  }
  write("a/b.json", R"({"cases": [{"name": "one", "data": "0xzz"}]})");
  EXPECT_NE(failure("a/b").find("not hexadecimal"), std::string::npos);
  write("a/b.json", R"({"cases": [7]})");
  EXPECT_NE(failure("a/b").find("not an object"), std::string::npos);
}

TEST_F(VectorReader, what_is_no_JSON_fails_each_time_it_is_read) {
  write("a/b.json", "{");
  EXPECT_EQ(read("a/b").failures.size(), 2u);  // for its root and for its cases
}

TEST_F(VectorReader, a_file_that_no_test_reads_is_found) {
  write("libp2p/telepathy.json", R"({"cases": [{}]})");
  write("libp2p/uvarint-7.json", R"({"decode": [{}], "guess": [{}]})");
  write("opstack/gossip/extra.bin", "x");
  write("discv5/enr.json", R"({"cases": [{}]})");
  write("README.md", "about");
  auto unread = unread_in(folder_);
  std::sort(unread.begin(), unread.end());
  ASSERT_EQ(unread.size(), 3u);
  EXPECT_NE(unread[0].find("telepathy.json is read by no test"), std::string::npos);
  EXPECT_NE(unread[1].find("no test reads 'guess'"), std::string::npos);
  EXPECT_NE(unread[2].find("extra.bin is named by no case"), std::string::npos);
}

}  // namespace
}  // namespace bookkeeping_vectors
