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
