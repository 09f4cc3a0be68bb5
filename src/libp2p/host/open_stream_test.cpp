// How users write it: one line to open a stream, under every compiler, and errors where a function is missing.
#include <gmock/gmock.h>

#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

using runtime::Task;
using ::testing::HasSubstr;

using OpenStreamTest = HostTest;

template <class T>
concept OpensWith = requires(Host& host, PeerId peer, T protocols) { host.open_stream(peer, protocols); };
static_assert(OpensWith<const char*> && OpensWith<std::string_view> && OpensWith<std::string>);
static_assert(OpensWith<std::vector<std::string>>);
template <class H>
concept TakesTwoInBraces = requires(H& host, PeerId peer) { host.open_stream(peer, {"/a/1", "/b/1"}); };
static_assert(!TakesTwoInBraces<Host>, "two names in braces would be taken for the ends of one");

struct Spoken {
  std::vector<std::string> protocols;
  std::vector<std::string> errors;
  void add(const Result<Stream>& opened) {
    if (opened)
      protocols.push_back(opened->protocol());
    else
      errors.push_back(opened.error().message());
  }
};

Task<void> open_in_one_line(Host& host, PeerId peer, Spoken* spoken) {
  const std::string name = "/echo/1";
  const std::string_view view = name;
  const auto literal = co_await host.open_stream(peer, "/echo/1");
  spoken->add(literal);
  auto opening = host.open_stream(peer, {"/echo/1"});
  const auto braces = co_await opening;
  spoken->add(braces);
  const auto text = co_await host.open_stream(peer, name);
  spoken->add(text);
  const auto part = co_await host.open_stream(peer, view);
  spoken->add(part);
  const auto by = co_await host.open_stream(peer, "/echo/1", host.runtime().now().mono + Seconds(1));
  spoken->add(by);
  const std::vector<std::string> several = {"/none/1", "/echo/1"};
  const auto chosen = co_await host.open_stream(peer, several);
  spoken->add(chosen);
}

TEST_F(OpenStreamTest, takes_one_protocol_as_any_text_and_several_as_a_vector) {
  const auto a = make_host();
  const auto b = make_host();
  ASSERT_TRUE(dial(*a, address_of(*b)));
  Spoken spoken;
  ASSERT_TRUE(run(*a, open_in_one_line(*a, b->id(), &spoken)));
  EXPECT_EQ(spoken.errors, std::vector<std::string>{});
  EXPECT_EQ(spoken.protocols, std::vector<std::string>(6, "/echo/1"));
}

Task<void> open_by(Host& host, PeerId peer, std::vector<std::string> protocols, MonoTime deadline, Outcome* out) {
  auto opened = co_await host.open_stream(peer, std::move(protocols), deadline);
  if (!opened) {
    out->done.emplace(opened.error());
    co_return;
  }
  std::uint8_t byte = 0;
  const auto got = co_await opened->read_some(MutableBytes(&byte, 1));
  out->done.emplace(got ? Result<void>() : Result<void>(got.error()));
}

TEST_F(OpenStreamTest, ends_at_its_deadline_and_so_do_reads_of_the_stream) {
  const auto a = make_host();
  const auto b = make_host();
  const auto by = [&](std::vector<std::string> protocols) {
    Outcome out;
    const MonoTime start = world.now();
    EXPECT_TRUE(run(*a, open_by(*a, b->id(), std::move(protocols), start + Seconds(3), &out)));
    EXPECT_EQ(world.now() - start, Seconds(3));
    return out;
  };
  // The dial hangs.
  a->peerstore().add_addresses(b->id(), {address_of(*b).without_peer_id()}, std::chrono::hours(1), world.now());
  world.partition({{0}, {1}});
  auto out = by({"/echo/1"});
  EXPECT_THAT(out.text(), HasSubstr("opening a stream to " + b->id().to_base58() + " did not end by its deadline"));
  EXPECT_EQ(out.done->error().code(), Errc::timed_out);
  world.heal();
  // The answer never comes.
  ASSERT_TRUE(dial(*a, address_of(*b)));
  EXPECT_EQ(by({"/echo/1"}).done->error().code(), Errc::timed_out);
  // Nor does the choice.
  world.partition({{0}, {1}});
  EXPECT_EQ(by({"/none/1", "/echo/1"}).done->error().code(), Errc::timed_out);
  EXPECT_EQ(a->connections().at(0).streams, 0u) << "given up, so reset";
  // A deadline that is past opens nothing.
  Outcome late;
  EXPECT_TRUE(run(*a, open_by(*a, b->id(), {"/echo/1"}, world.now(), &late)));
  EXPECT_THAT(late.text(), HasSubstr("did not begin: its deadline is past"));
}

TEST_F(OpenStreamTest, a_handler_that_is_missing_or_cannot_be_proposed_is_refused_when_it_is_set) {
  const auto a = make_host();
  const auto refusal = [&](std::string protocol, StreamAcceptor acceptor) -> std::string {
    try {
      a->set_stream_handler(std::move(protocol), std::move(acceptor));
    } catch (const std::invalid_argument& why) {
      return why.what();
    }
    return "";
  };
  EXPECT_THAT(refusal("/late/1", nullptr), HasSubstr("the stream handler of '/late/1' is empty"));
  Task<void> (*nothing)(Stream) = nullptr;
  EXPECT_THAT(refusal("/late/1", nothing), HasSubstr("is empty"));
  EXPECT_THAT(refusal("", echo), HasSubstr("cannot be proposed"));
  EXPECT_THAT(refusal("/a\n/b", echo), HasSubstr("cannot be proposed"));
  EXPECT_THAT(refusal(std::string(1024, 'x'), echo), HasSubstr("1 to 1023 bytes"));
  EXPECT_EQ(refusal(std::string(1023, 'x'), echo), "");
  EXPECT_EQ(a->protocols().size(), 2u);
  // A stranger's stream of such a name finds nobody.
  const auto b = make_host();
  ASSERT_TRUE(dial(*b, address_of(*a)));
  EXPECT_EQ(ask(*b, *a, to_bytes("x"), "/late/1").done->error().code(), Errc::unsupported);
}

TEST_F(OpenStreamTest, tells_listeners_once_of_the_handlers_that_one_turn_changes) {
  const auto a = make_host();
  world.run_for(Millis(1));
  int changes = 0;
  const auto subscription = a->subscribe(
      [&changes](const HostEvent& event) { changes += std::holds_alternative<ProtocolsChanged>(event) ? 1 : 0; });
  a->set_stream_handler("/b/1", echo);
  a->set_stream_handler("/c/1", echo);
  a->remove_stream_handler("/c/1");
  a->remove_stream_handler("/never/1");
  world.run_for(Millis(1));
  EXPECT_EQ(changes, 1);
  a->set_stream_handler("/b/1", echo);  // another handler, the same protocol
  world.run_for(Millis(1));
  a->remove_stream_handler("/never/1");
  world.run_for(Millis(1));
  EXPECT_EQ(changes, 1);
}

}  // namespace
}  // namespace libp2p
