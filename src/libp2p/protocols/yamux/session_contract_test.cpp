// What a Yamux session demands of its user ends the process when it is not kept; a peer cannot bring it about.
#include "libp2p/protocols/yamux/session_test_support.hpp"

namespace libp2p::yamux {
namespace {

using namespace testing_session;

// A serial number is never used again, so a peer that opens and resets streams for days runs out of them.
TEST_F(YamuxSession, a_session_ends_when_its_streams_can_be_named_no_more) {
  limits.max_streams_ever = 3;
  make();
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(feed(window(kSyn, 1)));
    ASSERT_TRUE(feed(window(kRst, 1)));
  }
  ASSERT_TRUE(session->open(now));
  EXPECT_TRUE(session->open(now).error() == Errc::exhausted);
  const auto more = feed(window(kSyn, 1));
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().text(), "this connection has had 3 streams, and can name no more");
  EXPECT_EQ(user.inbound.size(), 2U);
}

#ifndef OPP2P_NO_ASSERTIONS
class YamuxContractDeathTest : public YamuxSession {};

TEST_F(YamuxContractDeathTest, an_event_does_not_enter_the_session) {
  make();
  user.inbound_hook = [this](StreamId) { (void)session->on_bytes({}, now); };
  EXPECT_DEATH((void)feed(window(kSyn, 1)), "on_bytes is not called inside an event");
  user.inbound_hook = [this](StreamId) { drain(); };
  EXPECT_DEATH((void)feed(window(kSyn, 1)), "poll_output is not called inside an event");
  user.inbound_hook = [this](StreamId) { session->abort(Error(Errc::closed, "inside")); };
  EXPECT_DEATH((void)feed(window(kSyn, 1)), "abort is not called inside an event");
  user.inbound_hook = [this](StreamId) { session.reset(); };
  EXPECT_DEATH((void)feed(window(kSyn, 1)), "not destroyed inside one of its own calls");
  user.inbound_hook = [this](StreamId) { session->check(); };
  EXPECT_DEATH((void)feed(window(kSyn, 1)), "the session is checked outside of its events");
}

TEST_F(YamuxContractDeathTest, time_never_goes_back) {
  make();
  now = Now{MonoTime(Seconds(99)), UnixTime(Seconds(0))};
  EXPECT_DEATH((void)feed(window(kSyn, 1)), "the time of timers never goes back.*now.mono = 99000000000");
}
#endif

}  // namespace
}  // namespace libp2p::yamux
