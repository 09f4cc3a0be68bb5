#include "opp2p/base/secret_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace opp2p {
namespace {

namespace fs = std::filesystem;

class RpcTokenTest : public testing::Test {
 protected:
  RpcTokenTest() {
    std::string name = (fs::temp_directory_path() / "opp2p-token-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~RpcTokenTest() override { fs::remove_all(folder_); }
  fs::path file() const { return fs::path(folder_) / "rpc.token"; }
  unsigned mode() const { return static_cast<unsigned>(fs::status(file()).permissions()); }

  std::string folder_;
  libp2p::SeededRng rng_{1};
};

TEST_F(RpcTokenTest, a_token_is_made_for_its_owner_only_and_kept) {
  const auto made = load_or_create_token(folder_, rng_).value();
  EXPECT_EQ(made.size(), 64u);
  EXPECT_EQ(mode(), 0600u);
  EXPECT_EQ(load_or_create_token(folder_, rng_).value(), made);
}

TEST_F(RpcTokenTest, one_that_others_could_read_is_closed_to_them) {
  const auto made = load_or_create_token(folder_, rng_).value();
  fs::permissions(file(), fs::perms(0644));
  EXPECT_EQ(load_or_create_token(folder_, rng_).value(), made);
  EXPECT_EQ(mode(), 0600u);
}

TEST_F(RpcTokenTest, what_is_no_token_is_named) {
  for (const auto* text : {"", "secret", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeG"}) {
    std::ofstream(file(), std::ios::trunc) << text;
    const auto refused = load_or_create_token(folder_, rng_);
    ASSERT_FALSE(refused) << text;
    EXPECT_NE(refused.error().text().find("rpc.token"), std::string::npos);
    EXPECT_NE(refused.error().text().find("remove the file"), std::string::npos);
  }
}

TEST_F(RpcTokenTest, a_link_is_not_followed) {
  fs::create_symlink("/dev/null", file());
  EXPECT_FALSE(load_or_create_token(folder_, rng_));
  EXPECT_FALSE(load_or_create_token(folder_ + "/none", rng_));
}

}  // namespace
}  // namespace opp2p
