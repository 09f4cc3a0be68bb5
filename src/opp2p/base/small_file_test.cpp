#include "opp2p/base/small_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "testing/temporary_folder.hpp"

namespace opp2p {
namespace {

using libp2p::Errc;

class SmallFile : public testing::Test {
 protected:
  std::filesystem::path written(const std::string& text) const {
    const auto path = folder.path() / "file";
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  testing_files::Folder folder;
};

TEST_F(SmallFile, is_read_up_to_its_bound) {
  for (const std::size_t size : {0, 1, 4095, 4096, 4097, 10000}) {
    const std::string text(size, 'x');
    EXPECT_EQ(read_small_file(written(text), 10000).value(), text);
  }
  EXPECT_EQ(read_small_file(written(std::string(10001, 'x')), 10000).error().code(), Errc::too_large);
}

TEST_F(SmallFile, that_is_none_is_an_error_that_says_so) {
  EXPECT_EQ(read_small_file(folder.path() / "none", 100).error().text(),
            "there is no " + (folder.path() / "none").string());
  EXPECT_EQ(read_small_file(written("") / "below", 100).error().code(), Errc::not_found);
  EXPECT_EQ(read_small_file(folder.path(), 100).error().code(), Errc::malformed);
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(read_small_file(pipe, 100).error().text(), pipe.string() + " is no regular file") << "and does not wait";
  EXPECT_EQ(read_small_file("/dev/zero", 100).error().code(), Errc::malformed);
}

TEST_F(SmallFile, that_may_not_be_read_says_what_to_mend) {
  const auto path = written("x");
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  const auto read = read_small_file(path, 100);
  if (::geteuid() == 0) {
    EXPECT_EQ(read.value(), "x") << "root may read all";
    return;
  }
  EXPECT_EQ(read.error().code(), Errc::io);
  EXPECT_NE(read.error().text().find("mend the permissions of " + path.string()), std::string::npos);
}

}  // namespace
}  // namespace opp2p
