#include "opp2p/rpc/json_rpc.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <stdexcept>

#include "opp2p/rpc/json_rpc_test_support.hpp"
#include "opp2p/rpc/rpc_exchange.hpp"

namespace opp2p {
namespace {

RpcBudget small_limits() {
  RpcBudget out;
  out.memory = 8 << 20;
  out.request_memory = 4 << 20;
  out.answer_bytes = 1 << 20;
  return out;
}

class JsonRpcTest : public testing::Test {
 protected:
  JsonRpcTest() {
    rpc_.add({"math_half", parameters(1, 2), RpcAccess::reads, [this](const json::array& params) -> RpcReply {
                ++computed_;
                if (!params[0].is_int64()) return RpcError{kInvalidParams, "invalid argument 0: want a number"};
                return json::value(params[0].get_int64() / 2);
              }});
    rpc_.add({"late_answer", parameters(0, 1), RpcAccess::reads, [this](const json::array&, RpcDone done) {
                ++computed_;
                waiting_.push_back(std::move(done));
              }});
    rpc_.add(
        {"bad_throw", {}, RpcAccess::reads, [](const json::array&) -> RpcReply { throw std::runtime_error("no"); }});
    rpc_.add({"big_answer", parameters(0, 1), RpcAccess::reads, [this](const json::array&) -> RpcReply {
                ++computed_;
                return json::value(std::string(100'000, 'x'));
              }});
    rpc_.add({"state_change", {}, RpcAccess::changes_with_token, [this](const json::array&) -> RpcReply {
                return json::value(++changes_);
              }});
    rpc_.add({"state_get", {}, RpcAccess::reads, [this](const json::array&) -> RpcReply {
                ++computed_;
                return json::value(changes_);
              }});
  }

  void run() {
    while (!tasks_.empty()) {
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      task();
    }
  }

  RpcRequest request(std::string body) {
    RpcRequest out;
    out.body = std::move(body);
    return out;
  }

  void begin(std::string body) {
    answered_ = "(no answer)";
    exchange_ = rpc_.handle(request(std::move(body)), [this](RpcAnswer answer) {
      answered_ = answer.exhausted ? "(exhausted)" : answer.text.joined();
      held_ = rpc_.memory()->used();
    });
    run();
  }

  std::string ask(std::string body) {
    begin(std::move(body));
    return answered_;
  }

  static std::string batch(std::string_view one, std::size_t times) {
    std::string out = "[";
    for (std::size_t i = 0; i < times; ++i) out.append(i == 0 ? "" : ",").append(one);
    return out + "]";
  }

  std::deque<std::function<void()>> tasks_;
  libp2p::MonoTime now_{};
  JsonRpc rpc_{[this](std::function<void()> task) { tasks_.push_back(std::move(task)); }, [this] { return now_; },
               small_limits()};
  std::shared_ptr<RpcExchange> exchange_;
  std::deque<RpcDone> waiting_;
  std::string answered_;
  std::size_t held_ = 0;
  int computed_ = 0;
  int changes_ = 0;
};

TEST_F(JsonRpcTest, answers_a_call_with_its_id) {
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":7,"method":"math_half","params":[8]})"),
            R"({"jsonrpc":"2.0","id":7,"result":4})");
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":"a","method":"math_half","params":[8]})"),
            R"({"jsonrpc":"2.0","id":"a","result":4})");
}

TEST_F(JsonRpcTest, has_the_error_codes_and_texts_of_the_reference) {
  EXPECT_EQ(ask("{"), R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}})");
  EXPECT_EQ(ask("[]"), R"({"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"empty batch"}})");
  EXPECT_EQ(ask("7"), R"({"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"invalid request"}})");
  EXPECT_EQ(
      ask(R"({"jsonrpc":"2.0","id":1,"method":"x_y"})"),
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

TEST_F(JsonRpcTest, methods_of_an_administrator_want_the_token_like_others_that_change_something) {
  rpc_.add({"admin_do", {}, RpcAccess::admin, [](const json::array&) -> RpcReply { return json::value(1); }});
  const auto asked = R"({"jsonrpc":"2.0","id":1,"method":"admin_do"})";
  EXPECT_NE(ask(asked).find(R"("result":1)"), std::string::npos);
  rpc_.protect("secret");
  EXPECT_NE(ask(asked).find("-32001"), std::string::npos);
  EXPECT_NE(ask(R"({"jsonrpc":"2.0","id":1,"method":"state_change"})").find("-32001"), std::string::npos);
  EXPECT_NE(ask(R"({"jsonrpc":"2.0","id":1,"method":"state_get"})").find(R"("result":0)"), std::string::npos);
}

#ifndef OPP2P_NO_ASSERTIONS
using JsonRpcDeathTest = JsonRpcTest;

TEST_F(JsonRpcDeathTest, a_mistake_in_the_registration_ends_the_program) {
  const RpcPlainHandler nothing = [](const json::array&) -> RpcReply { return json::value(); };
  EXPECT_DEATH(rpc_.add({"state_get", {}, RpcAccess::reads, nothing}), "a method is registered once");
  auto optional_first = parameters(1, 2);
  std::swap(optional_first[0], optional_first[1]);
  EXPECT_DEATH(rpc_.add({"a_b", optional_first, RpcAccess::reads, nothing}), "required parameters come first");
}

TEST_F(JsonRpcDeathTest, a_method_that_answers_twice_ends_the_program) {
  begin(R"({"jsonrpc":"2.0","id":1,"method":"late_answer"})");
  ASSERT_EQ(waiting_.size(), 1u);
  waiting_[0](json::value(1));
  run();
  EXPECT_NE(answered_.find(R"("result":1)"), std::string::npos);
  waiting_[0](json::value(2));
  EXPECT_DEATH(run(), "a method answers its call once");
}
#endif

TEST_F(JsonRpcTest, an_id_comes_back_byte_for_byte) {
  for (const std::string id : {"0", "-0", "18446744073709551615", "18446744073709551616", "-9223372036854775809", "1.5",
                               "1.50", "1e3", "1E+3", "1e999", "0.1000000000000000055511151231257827", "null", "true",
                               "false", "\"\"", "\"a\"", R"("\u0041\/\"\\")", "\"\xc3\xa4\"", R"("}],{\"id\":2")"}) {
    EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"math_half","params":[8]})"),
              R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":4})");
    EXPECT_EQ(ask(R"( [ {"method":"math_half", "params":[{"id":9},"\\",["id"]],"id" : )" + id +
                  R"( , "jsonrpc":"2.0" } , 7 ])"),
              R"([{"jsonrpc":"2.0","id":)" + id +
                  R"(,"error":{"code":-32602,"message":"too many arguments, want at most 2"}},)" +
                  R"({"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"invalid request"}}])");
  }
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":1,"method":"math_half","params":[8],"\u0069d":2.0})"),
            R"({"jsonrpc":"2.0","id":2.0,"result":4})");
}

// As geth's server: what has no valid id is named with null, and a request without an id is a notification.
TEST_F(JsonRpcTest, an_object_or_an_array_is_no_id) {
  const std::string invalid = R"({"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"invalid request"}})";
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":{"a":1},"method":"math_half","params":[8]})"), invalid);
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":[1],"method":"math_half","params":[8]})"), invalid);
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","params":[8]})"), invalid);
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","method":"","id":null})"), invalid);
  EXPECT_EQ(ask(R"({"jsonrpc":"1.0","id":1.5,"method":"math_half"})"),
            R"({"jsonrpc":"2.0","id":1.5,"error":{"code":-32600,"message":"invalid request"}})");
  EXPECT_EQ(computed_, 0);
}

TEST_F(JsonRpcTest, an_answer_that_comes_as_a_request_gets_none) {
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":1,"result":7})"), "");
  EXPECT_EQ(
      ask(R"([{"jsonrpc":"2.0","id":1,"result":null},{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}])"), "");
  EXPECT_NE(ask(R"({"jsonrpc":"2.0","id":1,"error":null})"), "");
}

TEST_F(JsonRpcTest, a_success_has_no_error_and_an_error_no_result) {
  rpc_.add({"give_null", {}, RpcAccess::reads, [](const json::array&) -> RpcReply { return json::value(nullptr); }});
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":1,"method":"give_null"})"), R"({"jsonrpc":"2.0","id":1,"result":null})");
  const auto failed = ask(R"({"jsonrpc":"2.0","id":1,"method":"bad_throw"})");
  EXPECT_EQ(failed.find("result"), std::string::npos) << failed;
}

TEST_F(JsonRpcTest, a_method_that_answers_and_throws_has_one_answer) {
  rpc_.add({"bad_both", {}, RpcAccess::reads, [](const json::array&, RpcDone done) {
              done(json::value(1));
              throw std::runtime_error("no");
            }});
  const std::string crash = R"("error":{"code":-32603,"message":"method handler crashed"}})";
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":1,"method":"bad_both"})"), R"({"jsonrpc":"2.0","id":1,)" + crash);
  EXPECT_EQ(ask(R"([{"jsonrpc":"2.0","id":1,"method":"bad_both"},{"jsonrpc":"2.0","id":2,"method":"late_answer"}])"),
            "(no answer)");
  waiting_.front()(json::value(2));
  run();
  EXPECT_EQ(answered_, R"([{"jsonrpc":"2.0","id":1,)" + crash + R"(,{"jsonrpc":"2.0","id":2,"result":2}])");
}

TEST_F(JsonRpcTest, any_bytes_in_a_result_or_an_error_are_json) {
  const std::string bytes = "caf\xe9/1\x1b[2J\n\xf0\x9f";
  rpc_.add({"give_bytes", {}, RpcAccess::reads, [bytes](const json::array&) -> RpcReply {
              return json::object{{bytes, json::array{bytes, 3.690452}}};
            }});
  rpc_.add({"fail_bytes", {}, RpcAccess::reads, [bytes](const json::array&) -> RpcReply {
              return RpcError{kServerError, bytes + std::string(9000, '\xe9')};
            }});
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":1,"method":"give_bytes"})"),
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"caf\xef\xbf\xbd/1\\u001b[2J\\n\xef\xbf\xbd\xef\xbf\xbd\":"
            "[\"caf\xef\xbf\xbd/1\\u001b[2J\\n\xef\xbf\xbd\xef\xbf\xbd\",3.690452]}}");
  const auto failed = ask(R"({"jsonrpc":"2.0","id":1,"method":"fail_bytes"})");
  EXPECT_NO_THROW(json::parse(failed));
  EXPECT_LT(failed.size(), 4400U);
}

TEST_F(JsonRpcTest, its_namespaces_are_those_of_its_methods) {
  EXPECT_EQ(rpc_.namespaces(), (std::set<std::string>{"bad", "big", "late", "math", "state"}));
}

TEST_F(JsonRpcTest, a_batch_is_bounded_in_calls) {
  EXPECT_EQ(ask(batch(R"({"jsonrpc":"2.0","id":1e3,"method":"math_half","params":[8]})", 5001)),
            R"([{"jsonrpc":"2.0","id":1e3,"error":{"code":-32600,"message":"batch too large"}}])");
}

TEST_F(JsonRpcTest, a_batch_that_has_filled_its_answer_computes_nothing_more) {
  std::string many = "[";
  for (int i = 0; i < 1000; ++i)
    many += R"({"jsonrpc":"2.0","id":7,"method":"big_answer","params":[)" + std::to_string(i) + "]},";
  const auto answer = ask(many + R"({"jsonrpc":"2.0","id":1,"method":"math_half","params":[8]}])");
  EXPECT_EQ(computed_, 11);  // ten fit into a MiB
  EXPECT_LT(answer.size(), rpc_.limits().answer_bytes + 1000 * 200);
  const auto list = json::parse(answer).as_array();
  ASSERT_EQ(list.size(), 1001u);
  EXPECT_EQ(list[1000].at("error").at("code"), kResponseTooLarge);
  EXPECT_NE(list[1000].at("error").at("message").as_string().find("1048576 bytes"), std::string::npos);
}

TEST_F(JsonRpcTest, one_answer_has_the_same_bound) {
  rpc_.add({"huge_answer", {}, RpcAccess::reads, [](const json::array&) -> RpcReply {
              return json::value(std::string(2 << 20, 'x'));
            }});
  EXPECT_NE(ask(R"({"jsonrpc":"2.0","id":7,"method":"huge_answer"})").find(R"("code":-32003)"), std::string::npos);
}

TEST_F(JsonRpcTest, five_thousand_equal_reads_of_a_batch_are_one) {
  const auto answer = ask(batch(R"({"jsonrpc":"2.0","id":1,"method":"math_half","params":[8]})", 5000));
  EXPECT_EQ(computed_, 1);
  EXPECT_EQ(json::parse(answer).as_array().size(), 5000u);
}

TEST_F(JsonRpcTest, a_read_after_a_change_sees_it) {
  const std::string get = R"({"jsonrpc":"2.0","id":1,"method":"state_get"},)";
  const auto answer = ask("[" + get + get + R"({"jsonrpc":"2.0","id":2,"method":"state_change"},)" + get +
                          R"({"jsonrpc":"2.0","id":1,"method":"state_get"}])");
  const auto list = json::parse(answer).as_array();
  EXPECT_EQ(list[1].at("result"), 0);
  EXPECT_EQ(list[4].at("result"), 1);
  EXPECT_EQ(computed_, 2);
}

TEST_F(JsonRpcTest, a_batch_is_computed_for_two_seconds_and_answered_within_thirty) {
  rpc_.add({"slow_read", parameters(1, 1), RpcAccess::reads, [this](const json::array&) -> RpcReply {
              ++computed_;
              now_ += libp2p::Millis(10);
              return json::value(1);
            }});
  std::string many;
  for (int i = 0; i < 1000; ++i)
    many += (i == 0 ? "[" : ",") +
            (R"({"jsonrpc":"2.0","id":7,"method":"slow_read","params":[)" + std::to_string(i) + "]}");
  EXPECT_NE(ask(many + "]").find("computed for at most 2000 ms"), std::string::npos);
  EXPECT_LE(computed_, 200 + 32);

  begin(
      R"([{"jsonrpc":"2.0","id":1,"method":"late_answer"},{"jsonrpc":"2.0","id":2,"method":"late_answer","params":[1]}])");
  now_ += libp2p::Seconds(31);
  waiting_.front()(json::value(1));
  run();
  EXPECT_NE(answered_.find(R"("result":1)"), std::string::npos);
  EXPECT_NE(answered_.find("answered within 30 s"), std::string::npos);
}

TEST_F(JsonRpcTest, one_request_gives_way_to_another) {
  std::string many = "[";
  for (int i = 0; i < 500; ++i)
    many += R"({"jsonrpc":"2.0","id":7,"method":"math_half","params":[)" + std::to_string(i) + "]},";
  many += R"({"jsonrpc":"2.0","id":7,"method":"math_half","params":[8]}])";
  int after = 0;
  const auto first = rpc_.handle(request(many), [](RpcAnswer) {});
  const auto second =
      rpc_.handle(request(R"({"jsonrpc":"2.0","id":1,"method":"state_get"})"), [&](RpcAnswer) { after = computed_; });
  run();
  EXPECT_LE(after, 18);
  EXPECT_EQ(computed_, 501);
}

TEST_F(JsonRpcTest, what_is_cancelled_computes_nothing_more) {
  begin(
      R"([{"jsonrpc":"2.0","id":1,"method":"late_answer"},{"jsonrpc":"2.0","id":2,"method":"math_half","params":[2]}])");
  exchange_->cancel();
  waiting_.front()(json::value(1));
  run();
  EXPECT_EQ(computed_, 1);
  EXPECT_EQ(answered_, "(no answer)");
}

TEST_F(JsonRpcTest, a_method_hears_once_that_its_client_has_gone) {
  int gone = 0;
  RpcDone kept;
  rpc_.add({"slow_work", {}, RpcAccess::reads, [&](const json::array&, RpcDone done, const RpcWatchClient& watch) {
              kept = std::move(done);
              watch([&gone] { ++gone; });
            }});
  begin(R"({"jsonrpc":"2.0","id":1,"method":"slow_work"})");
  exchange_->cancel();
  exchange_->cancel();
  EXPECT_EQ(gone, 1);
  begin(R"({"jsonrpc":"2.0","id":1,"method":"slow_work"})");
  kept(json::value(1));
  run();
  exchange_->cancel();
  EXPECT_EQ(gone, 1);  // it had its answer
  kept = nullptr;
}

TEST_F(JsonRpcTest, memory_counts_while_it_is_held_and_comes_back) {
  const auto answer = ask(batch(R"({"jsonrpc":"2.0","id":1,"method":"big_answer"})", 9));
  EXPECT_GT(answer.size(), 900'000u);
  EXPECT_GT(held_, 90'000u);  // one result that nine answers share
  exchange_.reset();
  EXPECT_EQ(rpc_.memory()->used(), 0u);
}

TEST_F(JsonRpcTest, a_request_that_needs_too_much_memory_is_refused) {
  std::string numbers = R"({"jsonrpc":"2.0","id":1,"method":"math_half","params":[1)";
  for (int i = 0; i < 200'000; ++i) numbers += ",1";
  EXPECT_NE(ask(numbers + "]}").find(R"("code":-32005)"), std::string::npos);
  EXPECT_EQ(rpc_.memory()->used(), 0u);
}

TEST_F(JsonRpcTest, a_full_memory_refuses_a_large_answer_and_takes_a_small_one) {
  ASSERT_TRUE(rpc_.memory()->try_take(rpc_.limits().memory));
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":1,"method":"big_answer"})"), "(exhausted)");
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":7,"method":"math_half","params":[8]})"),
            R"({"jsonrpc":"2.0","id":7,"result":4})");
  EXPECT_EQ(rpc_.memory()->used(), rpc_.limits().memory);
  rpc_.memory()->give(rpc_.limits().memory);
}

TEST_F(JsonRpcTest, what_a_client_sends_comes_back_short) {
  const std::string name(100'000, 'n');
  EXPECT_LT(ask(R"({"jsonrpc":"2.0","id":1,"method":")" + name + R"("})").size(), 400u);
  const std::string umlauts = "x\xc3\xa4\xc3\xa4\xc3\xa4";
  std::string odd;
  while (odd.size() < 1000) odd += umlauts;
  EXPECT_NO_THROW(json::parse(ask(R"({"jsonrpc":"2.0","id":1,"method":")" + odd + R"("})")));
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":")" + std::string(100'000, 'i') + R"(","method":"state_get"})"),
            R"({"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"invalid request"}})");
}

TEST_F(JsonRpcTest, a_method_that_changes_something_wants_the_token) {
  const std::string change = R"({"jsonrpc":"2.0","id":1,"method":"state_change"})";
  rpc_.protect("secret");
  for (const auto* token : {"", "secreT", "secret1", "secre"}) {
    RpcRequest asked = request(change);
    asked.token = token;
    exchange_ = rpc_.handle(std::move(asked), [this](RpcAnswer answer) { answered_ = answer.text.joined(); });
    run();
    EXPECT_NE(answered_.find(R"("code":-32001)"), std::string::npos) << token;
    EXPECT_NE(answered_.find("Authorization: Bearer TOKEN"), std::string::npos);
  }
  EXPECT_EQ(changes_, 0);
  RpcRequest asked = request(change);
  asked.token = "secret";
  exchange_ = rpc_.handle(std::move(asked), [this](RpcAnswer answer) { answered_ = answer.text.joined(); });
  run();
  EXPECT_EQ(answered_, R"({"jsonrpc":"2.0","id":1,"result":1})");
}

TEST_F(JsonRpcTest, a_notification_is_not_answered) {
  EXPECT_EQ(ask(R"({"jsonrpc":"2.0","method":"math_half","params":[8]})"), "");
}

TEST_F(JsonRpcTest, a_batch_is_answered_in_order_when_its_last_answer_is_there) {
  begin(R"([{"jsonrpc":"2.0","id":1,"method":"late_answer"},{"jsonrpc":"2.0","method":"math_half","params":[2]},
            {"jsonrpc":"2.0","id":2,"method":"math_half","params":[2]}])");
  EXPECT_EQ(answered_, "(no answer)");
  waiting_.front()(json::value(true));
  run();
  EXPECT_EQ(answered_, R"([{"jsonrpc":"2.0","id":1,"result":true},{"jsonrpc":"2.0","id":2,"result":1}])");
}

}  // namespace
}  // namespace opp2p
