#include "opp2p/config/browser_rules.hpp"

#include <gtest/gtest.h>

namespace opp2p {
namespace {

BrowserHeaders from_page(std::optional<std::string> origin, std::string site = "",
                         std::string host = "127.0.0.1:9545") {
  return {std::move(origin), std::move(site), std::move(host)};
}

TEST(BrowserRules, a_page_may_not_use_the_rpc_and_the_error_names_the_option) {
  const BrowserRules rules;
  for (const auto* origin : {"https://evil.example", "http://127.0.0.1:8000", "http://localhost:9545", "null", ""}) {
    const auto why = rules.refusal(from_page(origin));
    ASSERT_TRUE(why) << origin;
    EXPECT_NE(why->find("--rpc.cors"), std::string::npos) << *why;
  }
  EXPECT_TRUE(rules.refusal(from_page(std::nullopt, "cross-site")));
  EXPECT_TRUE(rules.refusal(from_page(std::nullopt, "same-site")));  // another port of the same host
}

TEST(BrowserRules, the_error_says_who_asked_and_which_origin_to_allow) {
  const BrowserRules rules;
  EXPECT_EQ(rules.refusal(from_page("https://a.example")),
            "a web page of https://a.example may not use this RPC; start the node with --rpc.cors ORIGIN to allow it");
  EXPECT_EQ(rules.refusal(from_page(std::nullopt, "same-origin", "node.example:9545")),
            "a web page of the host node.example:9545, which is not known to be this node, may not use this RPC; start "
            "the node with --rpc.cors ORIGIN to allow it (http://node.example:9545)");
}

TEST(BrowserRules, a_page_may_not_read_the_metrics_and_the_error_names_no_option_of_the_rpc) {
  const auto rules = BrowserRules::of_metrics();
  for (const auto& page : {from_page("https://a.example"), from_page(std::nullopt, "cross-site"),
                           from_page(std::nullopt, "same-origin", "node.example:7300")}) {
    const auto why = rules.refusal(page);
    ASSERT_TRUE(why);
    EXPECT_NE(why->find("metrics"), std::string::npos) << *why;
    EXPECT_EQ(why->find("--rpc"), std::string::npos) << *why;
  }
  EXPECT_FALSE(rules.refusal(from_page(std::nullopt)));
}

TEST(BrowserRules, who_is_no_page_is_not_asked_for_a_host_that_we_know) {
  const BrowserRules rules;
  EXPECT_FALSE(rules.refusal(from_page(std::nullopt, "", "op-node.container:9545")));
  EXPECT_FALSE(rules.refusal(from_page(std::nullopt, "none")));  // typed into the address bar
}

TEST(BrowserRules, a_name_that_points_at_the_node_does_not_make_a_page_ours) {
  const BrowserRules rules;
  EXPECT_TRUE(rules.refusal(from_page(std::nullopt, "same-origin", "evil.example:9545")));
  EXPECT_FALSE(rules.refusal(from_page(std::nullopt, "none", "my-node:9545")));  // no page: its user typed the name
  EXPECT_FALSE(rules.refusal(from_page(std::nullopt, "same-origin", "[::1]:9545")));
  EXPECT_FALSE(rules.refusal(from_page(std::nullopt, "same-origin", "localhost")));
}

TEST(BrowserRules, an_origin_that_is_named_may_use_it_and_no_other) {
  const auto rules = BrowserRules::from_text("https://status.example.org, http://127.0.0.1:3000").value();
  EXPECT_FALSE(rules.refusal(from_page("https://status.example.org", "cross-site")));
  EXPECT_FALSE(rules.refusal(from_page("HTTPS://Status.Example.org", "cross-site")));
  EXPECT_FALSE(rules.refusal(from_page("http://127.0.0.1:3000", "same-site", "status.example.org")));
  for (const auto* origin : {"http://status.example.org", "https://status.example.org:444",
                             "https://status.example.org.evil", "http://127.0.0.1:30000", "https://evil.example"})
    EXPECT_TRUE(rules.refusal(from_page(origin))) << origin;
  EXPECT_TRUE(rules.refusal(from_page("https://status.example.org", "cross-site", "evil.example:9545")));
  EXPECT_EQ(rules.allow_origin("https://status.example.org"), "https://status.example.org");
}

TEST(BrowserRules, a_star_allows_every_page) {
  const auto rules = BrowserRules::from_text("*").value();
  EXPECT_FALSE(rules.refusal(from_page("https://evil.example", "cross-site", "any.example")));
  EXPECT_FALSE(rules.refusal(from_page(std::nullopt, "cross-site")));
  EXPECT_EQ(rules.allow_origin("https://evil.example"), "*");
}

TEST(BrowserRules, what_is_no_origin_is_refused_by_name) {
  for (const auto* text : {"example.org", "https://", "https://example.org/", "https://example.org/rpc", "https://a b",
                           "://x", "https://*.example.org", "http://x:0", "http://x:port", "http://[::1", "null"}) {
    const auto rules = BrowserRules::from_text(text);
    ASSERT_FALSE(rules) << text;
    EXPECT_NE(rules.error().text().find(text), std::string::npos);
  }
  EXPECT_TRUE(BrowserRules::from_text("http://[::1]:3000"));
}

}  // namespace
}  // namespace opp2p
