#include "opp2p/base/output.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <future>
#include <string>
#include <thread>

#include "opp2p/base/end_signals.hpp"
#include "opp2p/rpc/reader_watch.hpp"

namespace opp2p {
namespace {

using libp2p::Errc;
using testing::HasSubstr;

class OutputTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0);
    ASSERT_NE(before_ = ::signal(SIGPIPE, SIG_IGN), SIG_ERR);
  }
  void TearDown() override {
    ::signal(SIGPIPE, before_);
    close_end(0);
    close_end(1);
  }
  void close_end(std::size_t which) {
    if (ends_[which] >= 0) ::close(ends_[which]);
    ends_[which] = -1;
  }

  std::array<int, 2> ends_ = {-1, -1};
  sighandler_t before_ = SIG_DFL;
};

TEST_F(OutputTest, what_is_written_is_there_at_once_and_whole) {
  Output out(ends_[1]);
  out.write("one\n");
  std::string seen(16, '\0');
  EXPECT_EQ(::read(ends_[0], seen.data(), seen.size()), 4);
  EXPECT_EQ(seen.substr(0, 4), "one\n");
  EXPECT_FALSE(out.failed());
  EXPECT_TRUE(out.finish());
}

TEST_F(OutputTest, more_than_a_pipe_holds_arrives_whole) {
  const std::string text(300'000, 'x');
  std::size_t seen = 0;
  std::thread reader([this, &seen] {
    std::array<char, 4096> buffer;
    for (ssize_t n = 0; (n = ::read(ends_[0], buffer.data(), buffer.size())) > 0;) seen += static_cast<std::size_t>(n);
  });
  Output out(ends_[1]);
  out.write(text);
  close_end(1);
  reader.join();
  EXPECT_EQ(seen, text.size());
}

TEST_F(OutputTest, a_terminal_that_is_not_read_is_given_up_too) {
  int master = -1;
  int terminal = -1;
  ASSERT_EQ(::openpty(&master, &terminal, nullptr, nullptr, nullptr), 0);
  // Ends the wait of a write that is not given up, so that the test fails instead of hanging.
  std::promise<void> done;
  std::thread late([master, ended = done.get_future()] {
    ended.wait_for(std::chrono::seconds(10));
    ::close(master);
  });
  Output out(terminal);
  out.give_up_when([] { return true; });
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; ++i) out.write(std::string(79, 'x') + "\n");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  done.set_value();
  late.join();
  const auto end = out.finish();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error(), Errc::cancelled);
  ::close(terminal);
}

TEST_F(OutputTest, a_full_disk_is_an_error_that_stays) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  Output out(full);
  EXPECT_FALSE(out.failed());
  out.write("x");
  EXPECT_TRUE(out.failed());
  const auto end = out.finish();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error(), Errc::io);
  EXPECT_THAT(end.error().text(), HasSubstr("standard output cannot be written: No space left on device; make room"));
  ::close(full);
}

TEST_F(OutputTest, a_reader_that_has_ended_and_a_closed_descriptor_are_told_apart) {
  const int gone = ends_[0];
  close_end(0);
  Output unread(ends_[1]);
  unread.write("x");
  EXPECT_THAT(unread.finish().error().text(), HasSubstr("the program that read it has ended"));
  Output closed(gone);
  closed.write("x");
  EXPECT_THAT(closed.finish().error().text(), HasSubstr("nothing can be written to it"));
  const int held = ::open("/dev/null", O_RDONLY | O_CLOEXEC);  // as what is closed at the start is held
  Output unwritable(held);
  unwritable.write("x");
  EXPECT_EQ(unwritable.finish().error(), Errc::closed);
  ::close(held);
}

TEST_F(OutputTest, a_command_that_prints_nothing_has_no_error_wherever_its_output_goes) {
  close_end(0);
  EXPECT_TRUE(Output(ends_[1]).finish());
}

TEST_F(OutputTest, a_write_to_a_reader_that_does_not_read_is_given_up_when_asked_and_only_while_it_waits) {
  Output out(ends_[1]);
  int asked = 0;
  out.give_up_when([&asked] { return ++asked > 0; });
  out.write("fits");
  EXPECT_EQ(asked, 0);
  out.write(std::string(300'000, 'x'));
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(out.finish().error(), Errc::cancelled);
}

TEST_F(OutputTest, the_end_of_a_pipes_reader_is_told_without_a_write) {
  std::array<int, 2> told;
  ASSERT_EQ(::pipe2(told.data(), O_CLOEXEC), 0);
  const ReaderWatch watch(ends_[1], [&] { EXPECT_EQ(::write(told[1], "x", 1), 1); });
  close_end(0);
  char seen = 0;
  EXPECT_EQ(::read(told[0], &seen, 1), 1);
  ::close(told[0]);
  ::close(told[1]);
}

TEST_F(OutputTest, a_reader_that_is_there_and_a_file_are_not_told_of) {
  bool told = false;
  {
    const ReaderWatch watch(ends_[1], [&told] { told = true; });
  }
  const int file = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  {
    const ReaderWatch watch(file, [&told] { told = true; });
  }
  ::close(file);
  EXPECT_FALSE(told);
}

TEST(EndSignals, all_four_end_a_command_and_a_second_one_does_no_harm) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    EndSignals signals;
    EXPECT_FALSE(signals.came());
    ::raise(signal);
    EXPECT_TRUE(signals.wait(libp2p::Seconds(10))) << signal;
    ::raise(signal);
    EXPECT_TRUE(signals.came());
    EXPECT_TRUE(signals.came()) << "it stays";
    ::raise(signal);  // used up by the destructor
  }
}

TEST(EndSignals, hangups_and_quits_that_were_ignored_at_the_start_stay_so) {
  const auto before = ::signal(SIGHUP, SIG_IGN);
  EXPECT_THAT(end_signals(), testing::ElementsAre(SIGINT, SIGTERM, SIGQUIT));
  ::signal(SIGHUP, before);
  EXPECT_THAT(end_signals(), testing::ElementsAre(SIGINT, SIGTERM, SIGHUP, SIGQUIT));
}

}  // namespace
}  // namespace opp2p
