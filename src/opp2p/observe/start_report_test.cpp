#include "opp2p/observe/start_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace opp2p {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Lines final : public LogSink {
 public:
  bool write(std::string_view lines, const std::atomic<bool>&) override {
    text += lines;
    return true;
  }
  std::string text;
};

class StartReport : public testing::Test {
 protected:
  StartReport() {
    config_.data_dir = "/data";
    config_.rpc_addr = "127.0.0.1";
    config_.rollup.l2_chain_id = 10;
  }
  std::string start() {
    return said([this](Log& log) { report_start(log, config_, "1.2.3"); });
  }
  std::string rpc() {
    return said([this](Log& log) { report_rpc(log, config_, 9545); });
  }
  static std::string said(const std::function<void(Log&)>& what) {
    const auto sink = std::make_shared<Lines>();
    LogOptions options;
    options.sink = sink;
    Log log(options);
    what(log);
    return sink->text;
  }
  NodeConfig config_;
};

TEST_F(StartReport, says_version_chain_folder_and_where_the_key_lies) {
  config_.node_key_file = "/keys/a";
  config_.scoring.name = "light";
  EXPECT_THAT(start(), AllOf(HasSubstr("version=1.2.3"), HasSubstr("chain=10"), HasSubstr("data_dir=/data"),
                             HasSubstr("role=follower"), HasSubstr("scoring=light"), HasSubstr("read the node key"),
                             HasSubstr("file=/keys/a")));
  config_.node_key_is_new = true;
  config_.node_key_file = "a";
  EXPECT_THAT(start(), AllOf(HasSubstr("made a new node key"), Not(HasSubstr("file=a"))));
  config_.node_key_file.clear();
  config_.sequencer_key.emplace();
  EXPECT_THAT(start(), AllOf(HasSubstr("--p2p.priv.raw"), HasSubstr("role=publisher")));
}

TEST_F(StartReport, warns_of_connections_that_are_not_secured) {
  EXPECT_THAT(start(), Not(HasSubstr("lvl=warn")));
  config_.securities = {"plaintext"};
  EXPECT_THAT(start(), AllOf(HasSubstr("lvl=warn"), HasSubstr("neither encrypted nor authenticated"),
                             HasSubstr("option=\"--p2p.security none\"")));
}

TEST_F(StartReport, warns_of_bans_that_are_shorter_than_the_option_says) {
  config_.wanted_ban_duration = std::chrono::hours(24 * 30);
  config_.ban_duration = std::chrono::hours(24 * 7);
  EXPECT_THAT(start(), AllOf(HasSubstr("lvl=warn"), HasSubstr("--p2p.ban.duration"), HasSubstr("wanted=720h"),
                             HasSubstr("longest=168h")));
}

TEST_F(StartReport, says_where_the_rpc_is_reached_from_and_where_its_token_lies) {
  EXPECT_THAT(rpc(), AllOf(HasSubstr("addr=127.0.0.1"), HasSubstr("port=9545"), HasSubstr("admin=false"),
                           HasSubstr("reached_from=\"this machine\""), HasSubstr("token_file=/data/rpc.token"),
                           Not(HasSubstr("lvl=warn"))));
}

TEST_F(StartReport, warns_of_an_rpc_that_others_reach) {
  for (const auto* address : {"0.0.0.0", "::", "192.0.2.1"}) {
    config_.rpc_addr = address;
    EXPECT_THAT(rpc(), AllOf(HasSubstr("lvl=warn"), HasSubstr("other machines"), HasSubstr("needs the token")))
        << address;
  }
}

TEST_F(StartReport, warns_of_an_rpc_that_everybody_may_change_the_node_with) {
  config_.rpc_unsafe_open = true;
  config_.rpc_enable_admin = true;
  EXPECT_THAT(rpc(), AllOf(HasSubstr("lvl=warn"), HasSubstr("everybody who reaches the RPC may change this node"),
                           HasSubstr("admin=true"), Not(HasSubstr("token_file"))));
  config_.rpc_addr = "::";
  EXPECT_THAT(rpc(), HasSubstr("from=\"other machines\""));
}

TEST_F(StartReport, warns_of_an_rpc_that_every_website_may_use) {
  EXPECT_THAT(rpc(), Not(HasSubstr("website")));
  config_.rpc_cors = BrowserRules::from_text("https://page.example").value();
  EXPECT_THAT(rpc(), Not(HasSubstr("website")));
  config_.rpc_cors = BrowserRules::from_text("*").value();
  EXPECT_THAT(rpc(), AllOf(HasSubstr("lvl=warn"), HasSubstr("every website"), HasSubstr("--rpc.cors")));
}

}  // namespace
}  // namespace opp2p
