// What the client takes for an answer of JSON-RPC.
#include "opp2p/rpc/rpc_client.hpp"

#include <gtest/gtest.h>

namespace opp2p {
namespace {

TEST(RpcClient, takes_a_result_of_any_type_also_null) {
  const auto given = read_rpc_answer(200, R"({"jsonrpc":"2.0","id":1,"result":[1]})", "it");
  ASSERT_TRUE(given);
  EXPECT_EQ(boost::json::serialize(*given), "[1]");
  const auto none = read_rpc_answer(200, R"({"jsonrpc":"2.0","id":1,"result":null})", "it");
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->is_null());
}

TEST(RpcClient, tells_the_text_of_an_error_readably) {
  const auto told = read_rpc_answer(200, R"({"error":{"code":-32000,"message":"no\u001b[2J"}})", "it");
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code(), libp2p::Errc::denied);
  EXPECT_EQ(told.error().text().find('\x1b'), std::string::npos);
  EXPECT_NE(told.error().text().find("no"), std::string::npos);
}

TEST(RpcClient, an_answer_without_exactly_one_result_or_error_is_no_success) {
  for (const char* body : {"", "{}", "[]", "null", "<html>", R"({"ok":true})", R"({"jsonrpc":"2.0","id":1})",
                           R"({"error":null})", R"({"error":"no"})", R"({"result":1,"error":{"message":"x"}})"}) {
    const auto told = read_rpc_answer(200, body, "the RPC of 127.0.0.1:9");
    ASSERT_FALSE(told) << body;
    EXPECT_EQ(told.error().text(), "the RPC of 127.0.0.1:9 answers something that is not JSON-RPC (HTTP status 200)");
  }
  const auto told = read_rpc_answer(404, R"({"result":null})", "it");
  ASSERT_FALSE(told);
  EXPECT_NE(told.error().text().find("HTTP status 404"), std::string::npos);
}

}  // namespace
}  // namespace opp2p
