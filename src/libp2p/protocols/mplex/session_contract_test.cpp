// What an Mplex session demands of its user ends the process when it is not kept; a peer cannot bring it about.
#include "libp2p/protocols/mplex/session_test_support.hpp"

namespace libp2p::mplex {
namespace {

using namespace testing_session;

#ifndef OPP2P_NO_ASSERTIONS
class MplexContractDeathTest : public MplexSession {};

TEST_F(MplexContractDeathTest, an_event_does_not_enter_the_session) {
  make();
  user.data_hook = [this](StreamId, ByteView) { (void)session->on_bytes({}); };
  open_inbound();
  EXPECT_DEATH((void)feed(frame(Flag::message_initiator, 0, "a")), "on_bytes is not called inside an event");
  user.data_hook = [this](StreamId, ByteView) { session->abort(Error(Errc::closed, "inside")); };
  EXPECT_DEATH((void)feed(frame(Flag::message_initiator, 0, "a")), "abort is not called inside an event");
  user.data_hook = [this](StreamId, ByteView) { session.reset(); };
  EXPECT_DEATH((void)feed(frame(Flag::message_initiator, 0, "a")), "not destroyed inside one of its own calls");
}
#endif

}  // namespace
}  // namespace libp2p::mplex
