// `opp2p db` by its words: what is taken, and what is refused before anything is done.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "opp2p/store/store_test_support.hpp"

namespace opp2p {
namespace {

using namespace testing_store;

class DbCommands : public testing::Test {
 protected:
  DbCommands() {
    LmdbStoreConfig config = config_in(folder_.path() / "blocks");
    Mailbox mailbox;
    const auto store = LmdbStore::open(config, mailbox.post()).value();
    Calls(*store, mailbox).extend_with(1, 10);
  }

  // The exit code, and in `told_` what went to standard output and error.
  int run(std::vector<std::string> words) {
    const auto file = folder_.path() / "out.txt";
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int exit_code = -1;
    testing::internal::CaptureStderr();
    {
      Output out(descriptor);
      CLI::App app;
      add_db_commands(app, out, exit_code);
      words.insert(words.begin(), "db");
      words.insert(words.end(), {"--data-dir", folder_.path().string()});
      std::reverse(words.begin(), words.end());  // as CLI11 takes them
      try {
        app.parse(words);
      } catch (const CLI::ParseError& error) {
        exit_code = 2;
        std::fprintf(stderr, "%s", error.what());
      }
    }
    told_ = testing::internal::GetCapturedStderr();
    std::string text(static_cast<std::size_t>(::lseek(descriptor, 0, SEEK_END)), '\0');
    EXPECT_EQ(::pread(descriptor, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    ::close(descriptor);
    told_ += text;
    return exit_code;
  }
  bool tells(const std::string& text) const { return told_.find(text) != std::string::npos; }
  static std::string hex(std::uint64_t number) { return libp2p::to_hex0x(hash_of(number)); }

  Folder folder_;
  std::string told_;
};

TEST_F(DbCommands, a_denial_has_to_be_a_hash) {
  for (const char* wrong : {"", "0x", "0x12", "zz"}) {
    EXPECT_EQ(run({"rewind", "--to", "5", "--deny", wrong}), 1) << wrong;
    EXPECT_TRUE(tells("--deny: a block's hash has 32 bytes")) << told_;
  }
  EXPECT_NE(run({"rewind", "--to", "5", "--deny="}), 0) << told_;
  EXPECT_EQ(run({"show", hex(10)}), 0);
  EXPECT_TRUE(tells("canonical: yes")) << "nothing was rewound: " << told_;
}

TEST_F(DbCommands, a_block_number_has_digits_only_and_fits) {
  for (const char* wrong : {"", "-1", "+5", "0x5", "1e3", "5 ", "18446744073709551616"}) {
    EXPECT_EQ(run({"rewind", "--to", wrong}), 1) << wrong;
    EXPECT_TRUE(tells("no block number: give a whole number from 0 to 18446744073709551615")) << told_;
  }
  EXPECT_EQ(run({"rewind", "--to", "18446744073709551615"}), 1);
  EXPECT_TRUE(tells("not in the canonical chain")) << told_;
}

TEST_F(DbCommands, a_migration_takes_the_sizes_that_a_node_takes) {
  EXPECT_EQ(run({"migrate", "--store.max-size", "1"}), 1);
  EXPECT_TRUE(tells("--store.max-size must be at least 16MiB")) << told_;
  EXPECT_EQ(run({"migrate", "--store.max-size", "16MiB"}), 0) << told_;
}

TEST_F(DbCommands, a_denial_is_made_listed_and_taken_back) {
  EXPECT_EQ(run({"denied"}), 0);
  EXPECT_EQ(told_, "no block is denied\n");
  EXPECT_EQ(run({"rewind", "--to", "5", "--deny", hex(6).substr(2)}), 0);
  EXPECT_TRUE(tells("denied from now on: " + hex(6))) << told_;
  EXPECT_FALSE(tells("warning")) << told_;
  EXPECT_EQ(run({"denied"}), 0);
  EXPECT_EQ(told_, hex(6) + "\n");
  EXPECT_EQ(run({"allow", "--hash", hex(7)}), 1);
  EXPECT_TRUE(tells("is not denied")) << told_;
  EXPECT_EQ(run({"allow", "--hash", ""}), 1);
  EXPECT_TRUE(tells("--hash: a block's hash has 32 bytes")) << told_;
  EXPECT_EQ(run({"allow"}), 2);
  EXPECT_EQ(run({"allow", "--hash", hex(6)}), 0);
  EXPECT_TRUE(tells("0 blocks are still denied")) << told_;
}

TEST_F(DbCommands, an_unknown_hash_is_denied_with_a_warning) {
  EXPECT_EQ(run({"rewind", "--to", "10", "--deny", hex(11)}), 0);
  EXPECT_TRUE(tells("0 blocks are not canonical any more")) << told_;
  EXPECT_TRUE(tells("warning: the denied block is not in the store")) << told_;
}

TEST_F(DbCommands, an_orphan_is_shown_with_its_reason) {
  EXPECT_EQ(run({"rewind", "--to", "5"}), 0);
  EXPECT_TRUE(tells("--deny HASH keeps them off")) << told_;
  EXPECT_EQ(run({"show", hex(9)}), 0);
  EXPECT_TRUE(tells("orphan: rewound since ")) << told_;
  EXPECT_EQ(run({"show", hex(99)}), 1);
  EXPECT_TRUE(tells("is not in the store")) << told_;
  EXPECT_EQ(run({"show", "7"}), 1);
  EXPECT_TRUE(tells("HASH: a block's hash has 32 bytes")) << told_;
}

}  // namespace
}  // namespace opp2p
