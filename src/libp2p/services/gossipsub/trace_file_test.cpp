// The file of a trace: what is written, what is dropped and told, and what a full disk does.
#include "libp2p/services/gossipsub/trace_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "libp2p/services/gossipsub/pubsub.hpp"
#include "libp2p/testing/sim_hosts.hpp"

namespace libp2p {
namespace {

using gossipsub::TraceEvent;
using gossipsub::TraceEventKind;
using gossipsub::TraceFormat;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;

constexpr Nanos kTraceLimit = Seconds(60);  // a limit that no test waits for

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string contents_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TraceEvent join_event(const std::string& topic) {
  TraceEvent event;
  event.kind = TraceEventKind::join;
  event.at = UnixTime(Nanos(1));
  event.topic = topic;
  return event;
}
std::string join_line(const std::string& topic) {
  return R"({"type":9,"timestamp":1,"join":{"topic":")" + topic + "\"}}";
}
std::string lost_line(int no_room, int unwritten) {
  return R"({"type":1000,"timestamp":1,"lost":{"noRoom":)" + std::to_string(no_room) +
         ",\"unwritten\":" + std::to_string(unwritten) + "}}";
}

// A disk that holds writes back, or refuses them, as the test says.
struct Disk {
  std::mutex mutex;
  std::condition_variable changed;
  std::string written;
  bool open = true;
  bool full = false;
  bool entered = false;

  void set(bool is_open, bool is_full) {
    const std::lock_guard lock(mutex);
    open = is_open;
    full = is_full;
    changed.notify_all();
  }
  void wait_until_entered() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return entered; });
  }
};

class DiskOutput final : public TraceOutput {
 public:
  explicit DiskOutput(std::shared_ptr<Disk> disk) : disk_(std::move(disk)) {}
  Result<void> write(std::string_view records) override {
    std::unique_lock lock(disk_->mutex);
    disk_->entered = true;
    disk_->changed.notify_all();
    disk_->changed.wait(lock, [this] { return disk_->open; });
    if (disk_->full) return fail(Errc::io, "the disk is full");
    disk_->written.append(records);
    return {};
  }

 private:
  std::shared_ptr<Disk> disk_;
};

class TraceFile : public testing::Test {
 protected:
  void start(GossipTraceFileConfig config = GossipTraceFileConfig()) {
    config.format = TraceFormat::json_lines;
    config.on_error = [this](const Error&) { ++errors_; };
    trace_.emplace(std::make_unique<DiskOutput>(disk_), config);
  }
  void flush() { ASSERT_TRUE(trace_->flush(kTraceLimit)); }
  std::vector<std::string> lines() {
    const std::lock_guard lock(disk_->mutex);
    return lines_of(disk_->written);
  }

  const std::shared_ptr<Disk> disk_ = std::make_shared<Disk>();
  std::atomic<int> errors_{0};
  std::optional<GossipTraceFile> trace_;
};

TEST_F(TraceFile, has_each_event_in_order) {
  start();
  for (const char* topic : {"a", "b", "c"}) trace_->on_event(join_event(topic));
  flush();
  EXPECT_THAT(lines(), ElementsAre(join_line("a"), join_line("b"), join_line("c")));
  EXPECT_EQ(trace_->counts().written, 3U);
}

TEST_F(TraceFile, is_written_to_its_end_when_it_is_closed) {
  start();
  for (int i = 0; i < 10'000; ++i) trace_->on_event(join_event("topic"));
  trace_.reset();
  EXPECT_EQ(lines().size(), 10'000U);
}

TEST_F(TraceFile, drops_what_finds_no_room_and_tells_how_many) {
  GossipTraceFileConfig config;
  config.max_events = 2;
  start(config);
  disk_->set(false, false);
  trace_->on_event(join_event("first"));
  disk_->wait_until_entered();
  for (const char* topic : {"a", "b", "c", "d", "e"}) trace_->on_event(join_event(topic));
  EXPECT_EQ(trace_->counts().no_room, 3U);
  disk_->set(true, false);
  flush();
  trace_->on_event(join_event("later"));
  flush();
  EXPECT_THAT(lines(),
              ElementsAre(join_line("first"), join_line("a"), join_line("b"), lost_line(3, 0), join_line("later")));
  EXPECT_EQ(errors_, 0);
}

TEST_F(TraceFile, holds_no_more_bytes_than_it_may) {
  GossipTraceFileConfig config;
  config.max_bytes = 1000;
  start(config);
  trace_->on_event(join_event(std::string(2000, 'x')));
  trace_->on_event(join_event("small"));
  flush();
  EXPECT_EQ(trace_->counts().no_room, 1U);
  EXPECT_THAT(lines(), testing::UnorderedElementsAre(lost_line(1, 0), join_line("small")));
}

TEST_F(TraceFile, goes_on_after_a_full_disk_and_tells_the_error_once) {
  start();
  trace_->on_event(join_event("before"));
  flush();
  disk_->set(true, true);
  for (const char* topic : {"a", "b"}) {
    trace_->on_event(join_event(topic));
    flush();
  }
  EXPECT_EQ(errors_, 1);
  EXPECT_EQ(trace_->counts().unwritten, 2U);
  disk_->set(true, false);
  trace_->on_event(join_event("after"));
  flush();
  EXPECT_THAT(lines(), ElementsAre(join_line("before"), lost_line(0, 2), join_line("after")));
  disk_->set(true, true);
  trace_->on_event(join_event("c"));
  flush();
  EXPECT_EQ(errors_, 2) << "a second outage is told again";
}

TEST_F(TraceFile, leaves_a_stuck_write_behind) {
  GossipTraceFileConfig config;
  config.close_limit = Millis(10);
  start(config);
  disk_->set(false, false);
  trace_->on_event(join_event("stuck"));
  disk_->wait_until_entered();
  EXPECT_FALSE(trace_->flush(Nanos(0)));
  trace_.reset();
  EXPECT_THAT(lines(), testing::IsEmpty());
  disk_->set(true, false);  // the thread ends, and with it what it uses
}

class TraceOutputFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "trace-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
};

TEST_F(TraceOutputFile, takes_no_pipe_and_waits_for_none) {
  GossipTraceFileConfig config;
  config.path = folder_ + "/pipe";
  ASSERT_EQ(::mkfifo(config.path.c_str(), 0600), 0);
  EXPECT_FALSE(GossipTraceFile::open(config)) << "nobody reads from it";
  const int reader = ::open(config.path.c_str(), O_RDONLY | O_NONBLOCK);
  const auto trace = GossipTraceFile::open(config);
  ::close(reader);
  ASSERT_FALSE(trace);
  EXPECT_THAT(trace.error().message(), HasSubstr("is a pipe"));
}

TEST_F(TraceOutputFile, says_which_file_it_cannot_open_and_why) {
  GossipTraceFileConfig config;
  config.path = folder_ + "/none/trace.pb";
  const auto trace = GossipTraceFile::open(config);
  ASSERT_FALSE(trace);
  EXPECT_THAT(trace.error().message(), HasSubstr(config.path));
  EXPECT_THAT(trace.error().message(), HasSubstr("No such file or directory"));
}

TEST_F(TraceOutputFile, cuts_off_what_a_failed_write_has_left) {
  const std::string path = folder_ + "/trace";
  auto output = TraceFileOutput::open(path).value();
  ASSERT_TRUE(output->write("whole\n"));
  // A file may have 10 bytes: the next write stops in the middle, as on a full disk.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{10, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto written = output->write("a second record\n");
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message(), HasSubstr(path));
  EXPECT_EQ(contents_of(path), "whole\n");
  ASSERT_TRUE(output->write("third\n"));
  EXPECT_EQ(contents_of(path), "whole\nthird\n");
}

TEST_F(TraceOutputFile, a_service_traces_what_happens_to_it) {
  const std::string path = folder_ + "/trace.jsonl";
  SimHosts net(5);
  {
    GossipTraceFileConfig file;
    file.path = path;
    file.format = TraceFormat::json_lines;
    PubSubConfig config;
    config.gossipsub.tracer = GossipTraceFile::open(file).value();
    PubSub traced(net.add(), config);
    PubSub other(net.add());
    auto topic = traced.join("chat").value();
    auto theirs = other.join("chat").value();
    ASSERT_TRUE(net.connect(0, 1));
    net.run_for(Seconds(2));
    ASSERT_TRUE(topic.publish("from us"));
    ASSERT_TRUE(theirs.publish("to us"));
    net.run_for(Seconds(1));
    topic.leave();
    net.disconnect(0, 1);
    net.run_for(Seconds(1));
  }
  std::set<std::string> kinds;
  for (const auto& line : lines_of(contents_of(path))) kinds.insert(line.substr(0, line.find(',')));
  EXPECT_THAT(kinds, IsSupersetOf({"{\"type\":0", "{\"type\":3", "{\"type\":4", "{\"type\":5", "{\"type\":6",
                                   "{\"type\":7", "{\"type\":9", "{\"type\":10", "{\"type\":11", "{\"type\":12"}));
}

}  // namespace
}  // namespace libp2p
