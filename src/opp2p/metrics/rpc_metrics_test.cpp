#include "opp2p/metrics/rpc_metrics.hpp"

#include <gtest/gtest.h>

#include "opp2p/metrics/metrics_test_support.hpp"

namespace opp2p {
namespace {

class RpcMetricsTest : public testing::Test {
 protected:
  RpcMetricsTest() {
    RpcMethod good;
    good.name = "opp2p_good";
    good.parameters = {{"x", "", false}};
    good.handler = RpcPlainHandler([this](const json::array&) -> RpcReply {
      now_ += libp2p::Millis(20);
      return json::value(1);
    });
    rpc_.add(std::move(good));
    RpcMethod bad;
    bad.name = "opp2p_bad";
    bad.handler = RpcHandler([](const json::array&, const RpcDone& done) { done(RpcError{kServerError, "no"}); });
    rpc_.add(std::move(bad));
    rpc_.observe(
        [this](const RpcMethod* method, int code, libp2p::Nanos took) { metrics_.on_call(method, code, took); });
  }
  void ask(std::string body) {
    RpcRequest request;
    request.body = std::move(body);
    const auto exchange = rpc_.handle(std::move(request), [](const RpcAnswer&) {});
    while (!tasks_.empty()) {
      const auto task = std::move(tasks_.front());
      tasks_.erase(tasks_.begin());
      task();
    }
  }
  double requests(const std::string& method, const std::string& result) const {
    return sample(read_samples(registry_.text()),
                  "opp2p_rpc_requests_total{method=\"" + method + "\",result=\"" + result + "\"}");
  }

  MetricRegistry registry_;
  RpcMetrics metrics_{registry_};
  libp2p::MonoTime now_{libp2p::Seconds(1)};
  std::vector<std::function<void()>> tasks_;
  JsonRpc rpc_{[this](std::function<void()> task) { tasks_.push_back(std::move(task)); }, [this] { return now_; }};
};

TEST_F(RpcMetricsTest, each_call_counts_once_by_its_method_and_its_result_also_in_a_batch) {
  ask(R"({"jsonrpc":"2.0","id":1,"method":"opp2p_good","params":[]})");
  ask(R"([{"jsonrpc":"2.0","id":1,"method":"opp2p_good","params":[1]},)"
      R"({"jsonrpc":"2.0","id":2,"method":"opp2p_bad","params":[]},)"
      R"({"jsonrpc":"2.0","id":3,"method":"opp2p_good","params":[1,2]}])");
  EXPECT_EQ(requests("opp2p_good", "ok"), 2);
  EXPECT_EQ(requests("opp2p_good", "-32602"), 1);
  EXPECT_EQ(requests("opp2p_bad", "-32000"), 1);
  const auto samples = read_samples(registry_.text());
  EXPECT_EQ(sample(samples, "opp2p_rpc_request_duration_seconds_count{method=\"opp2p_good\"}"), 3);
  EXPECT_NEAR(sample(samples, "opp2p_rpc_request_duration_seconds_sum{method=\"opp2p_good\"}"), 0.04, 1e-9);
}

TEST_F(RpcMetricsTest, what_a_client_makes_up_is_one_method_whatever_its_name) {
  ask(R"({"jsonrpc":"2.0","id":1,"method":"opp2p_a","params":[]})");
  ask(R"({"jsonrpc":"2.0","id":1,"method":"opp2p_b\"} 1","params":[]})");
  ask("no json");
  EXPECT_EQ(requests("unknown", "-32601"), 2);
  EXPECT_EQ(requests("unknown", "-32700"), 1);
  EXPECT_EQ(registry_.text().find("opp2p_a"), std::string::npos);
}

}  // namespace
}  // namespace opp2p
