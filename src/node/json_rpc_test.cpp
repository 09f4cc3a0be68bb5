#include "node/json_rpc.hpp"

#include <gtest/gtest.h>

namespace opp2p::node {
namespace {

class JsonRpcTest : public testing::Test {
 protected:
  JsonRpcTest() {
    rpc_.add_plain("math_half", 1, 2, [](const json::array& params) -> RpcReply {
      if (!params[0].is_int64()) return RpcError{kInvalidParams, "invalid argument 0: want a number"};
      return json::value(params[0].get_int64() / 2);
    });
    rpc_.add("late_answer", 0, 0, [this](const json::array&, RpcDone done) { waiting_ = std::move(done); });
    rpc_.add_plain("bad_throw", 0, 0, [](const json::array&) -> RpcReply { throw std::runtime_error("no"); });
  }

  std::string ask(std::string_view request) {
    std::string out = "(no answer)";
    rpc_.handle(request, [&](std::string answer) { out = std::move(answer); });
    return out;
  }

  JsonRpc rpc_;
  RpcDone waiting_;
};

TEST_F(JsonRpcTest, answers_a_call_with_its_id) {
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":7,"method":"math_half","params":[8]})"), R"({"jsonrpc":"2.0","id":7,"result":4})");
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":"a","method":"math_half","params":[8]})"),
            R"({"jsonrpc":"2.0","id":"a","result":4})");
}

TEST_F(JsonRpcTest, has_the_error_codes_and_texts_of_the_reference) {
  EXPECT_EQ(ask("{"), R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}})");
  EXPECT_EQ(ask("[]"), R"({"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"empty batch"}})");
  EXPECT_EQ(ask("7"), R"({"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"invalid request"}})");
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":1,"method":"x_y"})"),
            R"({"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"the method x_y does not exist/is not available"}})");
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":1,"method":"math_half"})"),
            R"({"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"missing value for required argument 0"}})");
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":1,"method":"math_half","params":[1,2,3]})"),
            R"({"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"too many arguments, want at most 2"}})");
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":1,"method":"math_half","params":{"n":1}})"),
            R"({"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"non-array args"}})");
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":1,"method":"bad_throw"})"),
            R"({"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"method handler crashed"}})");
}

TEST_F(JsonRpcTest, an_id_that_json_cannot_hold_is_refused) {
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":1e999,"method":"math_half","params":[8]})"),
            R"({"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"invalid request"}})");
}

TEST_F(JsonRpcTest, a_batch_is_bounded_in_questions_and_in_bytes_of_answers) {
  const std::string one = R"({"jsonrpc":"2.0","id":1,"method":"math_half","params":[8]})";
  std::string many = "[" + one;
  for (std::size_t i = 0; i < JsonRpc::kMaxBatchItems; ++i) many += "," + one;
  EXPECT_EQ(ask(many + "]"), R"({"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch too large"}})");
  rpc_.add_plain("big_answer", 0, 0, [](const json::array&) -> RpcReply { return json::value(std::string(10'000'000, 'x')); });
  const std::string big = R"({"jsonrpc":"2.0","id":7,"method":"big_answer"})";
  const auto answer = ask("[" + big + "," + big + "," + big + "," + one + "]");
  EXPECT_LT(answer.size(), JsonRpc::kMaxBatchAnswer + 1000);
  EXPECT_NE(answer.find(R"({"jsonrpc":"2.0","id":7,"error":{"code":-32003,"message":"response too large"}})"), std::string::npos);
  EXPECT_NE(answer.find(R"({"jsonrpc":"2.0","id":1,"result":4})"), std::string::npos);
}

TEST_F(JsonRpcTest, a_notification_is_not_answered) {
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","method":"math_half","params":[8]})"), "");
}

TEST_F(JsonRpcTest, a_batch_is_answered_in_order_when_its_last_answer_is_there) {
  std::string out;
  rpc_.handle(R"([{"jsonrpc":"2.0","id":1,"method":"late_answer"},{"jsonrpc":"2.0","method":"math_half","params":[2]},
                  {"jsonrpc":"2.0","id":2,"method":"math_half","params":[2]}])",
              [&](std::string answer) { out = std::move(answer); });
  EXPECT_EQ(out, "");
  waiting_(json::value(true));
  EXPECT_EQ(out, R"([{"jsonrpc":"2.0","id":1,"result":true},{"jsonrpc":"2.0","id":2,"result":1}])");
}

}  // namespace
}  // namespace opp2p::node
