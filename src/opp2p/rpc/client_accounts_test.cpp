#include "opp2p/rpc/client_accounts.hpp"

#include <gtest/gtest.h>

namespace opp2p {
namespace {

TEST(ClientAccounts, without_a_token_everybody_may_change_something_and_nobody_has_it) {
  const ClientAccounts accounts(1, 2);
  for (const auto* token : {"", "x"}) {
    EXPECT_TRUE(accounts.may_change(token));
    EXPECT_FALSE(accounts.has_token(token));
    EXPECT_EQ(accounts.account_of(token), accounts.strangers());
  }
}

TEST(ClientAccounts, with_a_token_only_who_sends_all_of_it_may_change_something) {
  ClientAccounts accounts(1, 2);
  accounts.protect("secret");
  EXPECT_TRUE(accounts.may_change("secret"));
  EXPECT_TRUE(accounts.has_token("secret"));
  for (const auto* token : {"", "s", "secre", "secret ", "Secret", "secrex", "xecret"}) {
    EXPECT_FALSE(accounts.may_change(token)) << token;
    EXPECT_FALSE(accounts.has_token(token)) << token;
  }
}

TEST(ClientAccounts, who_sends_the_token_has_an_account_that_strangers_cannot_fill) {
  ClientAccounts accounts(1, 2);
  accounts.protect("secret");
  EXPECT_EQ(accounts.account_of("guess"), accounts.strangers());
  EXPECT_NE(accounts.account_of("secret"), accounts.strangers());
  EXPECT_EQ(accounts.strangers()->limit(), 1u);
  EXPECT_EQ(accounts.account_of("secret")->limit(), 2u);
}

#ifndef OPP2P_NO_ASSERTIONS
TEST(ClientAccountsDeathTest, an_empty_token_protects_nothing) {
  EXPECT_DEATH(ClientAccounts(1, 2).protect(""), "never taken for one that has it");
}
#endif

}  // namespace
}  // namespace opp2p
