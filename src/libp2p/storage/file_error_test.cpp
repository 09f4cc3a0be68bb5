#include "libp2p/storage/file_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace libp2p::storage {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

TEST(FileError, says_what_to_do_where_that_is_known) {
  EXPECT_THAT(file_error(ENOSPC, "/data/blocks"),
              AllOf(StartsWith("No space left on device"), HasSubstr("make room on the disk of /data/blocks")));
  EXPECT_THAT(file_error(EDQUOT, "/data"), HasSubstr("make room"));
  EXPECT_THAT(file_error(EFBIG, "/data"), HasSubstr("ulimit -f"));
  EXPECT_THAT(file_error(EMFILE, "/data"), HasSubstr("ulimit -n"));
  EXPECT_THAT(file_error(EACCES, "/data"), HasSubstr("mend the permissions of /data"));
  EXPECT_THAT(file_error(EROFS, "/data"), HasSubstr("can be written to"));
  EXPECT_THAT(file_error(ENOENT, "/no/key"), HasSubstr("the folder that /no/key is to lie in"));
  EXPECT_THAT(file_error(ENOENT, "/no"), HasSubstr("check the name"));
  EXPECT_THAT(file_error(ENOENT, "no"), HasSubstr("check the name"));
  EXPECT_THAT(file_error(ENOTDIR, "/data"), HasSubstr("another place"));
  EXPECT_EQ(file_error(EINTR, "/data"), "Interrupted system call");
}

// /proc has no room at all, and a disk with room tells an error of its own.
TEST(FileError, tells_a_full_disk_from_a_broken_one) {
  EXPECT_THAT(file_error(EIO, "/proc/none"), StartsWith("No space left on device"));
  EXPECT_THAT(file_error(EIO, "."), AllOf(StartsWith("Input/output error"), HasSubstr("check the disk")));
}

}  // namespace
}  // namespace libp2p::storage
