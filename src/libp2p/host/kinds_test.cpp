// What is built in, by name, and what a host makes of its lists.
#include "libp2p/host/kinds.hpp"

#include <gmock/gmock.h>

#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

template <class Kind>
std::vector<std::string> ids(const std::vector<Kind>& kinds) {
  std::vector<std::string> out;
  for (const auto& kind : kinds) out.emplace_back(kind.id);
  return out;
}

TEST(Kinds, a_host_offers_noise_and_yamux_unless_it_is_told_otherwise) {
  EXPECT_EQ(ids(default_securities()), std::vector<std::string>{"/noise"});
  EXPECT_EQ(ids(default_muxers()), std::vector<std::string>{"/yamux/1.0.0"});
  const HostConfig config(test_key(1));
  EXPECT_EQ(ids(config.securities), ids(default_securities()));
  EXPECT_EQ(ids(config.muxers), ids(default_muxers()));
}

TEST(Kinds, every_name_makes_a_kind_that_can_be_offered) {
  for (const auto name : security_names()) {
    const auto made = securities_named({std::string(name)}).value();
    ASSERT_EQ(made.size(), 1u);
    EXPECT_TRUE(made[0].make && made[0].id.starts_with("/")) << name;
  }
  for (const auto name : muxer_names()) {
    const auto made = muxers_named({std::string(name)}).value();
    ASSERT_EQ(made.size(), 1u);
    EXPECT_TRUE(made[0].make && made[0].id.starts_with("/")) << name;
  }
  EXPECT_THAT(security_names(), Contains("noise"));
  EXPECT_THAT(muxer_names(), Contains("yamux"));
}

TEST(Kinds, an_unknown_name_is_answered_with_those_that_there_are) {
  const auto muxers = muxers_named({"yamux", "spdy"});
  ASSERT_FALSE(muxers);
  EXPECT_EQ(muxers.error().code(), Errc::not_found);
  EXPECT_THAT(muxers.error().text(), HasSubstr("there is no multiplexer 'spdy'; there are: "));
  EXPECT_THAT(muxers.error().text(), HasSubstr("yamux"));
  const auto securities = securities_named({"sslv2"});
  ASSERT_FALSE(securities);
  EXPECT_THAT(securities.error().text(), HasSubstr("there is no security protocol 'sslv2'; there are: noise"));
}

std::string refusal(runtime::Runtime& runtime, HostConfig config) {
  try {
    Host host(runtime, std::move(config));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "none";
}

TEST(Kinds, a_host_says_what_is_wrong_with_its_lists) {
  runtime::SimWorld world{1};
  auto node = world.add_node();
  HostConfig config(test_key(1));
  EXPECT_EQ(refusal(node.runtime(), config), "none");
  HostConfig silent = config;
  silent.securities.clear();
  EXPECT_THAT(refusal(node.runtime(), silent), HasSubstr("a host needs a security protocol, and none is given"));
  HostConfig twice = config;
  twice.muxers.push_back(twice.muxers[0]);
  EXPECT_THAT(refusal(node.runtime(), twice), HasSubstr("the multiplexer /yamux/1.0.0 is given twice"));
}

TEST(Kinds, a_transport_that_is_not_there_is_refused_when_the_host_is_made) {
  runtime::SimWorld world{1};
  auto node = world.add_node();
  const TransportFactory none[] = {nullptr, [](runtime::Runtime&) { return std::unique_ptr<Transport>(); },
                                   [](runtime::Runtime&) { return std::unique_ptr<SocketTransport>(); }};
  for (const auto& missing : none) {
    HostConfig config(test_key(1));
    config.transports.push_back(missing);
    EXPECT_THAT(refusal(node.runtime(), config), HasSubstr("HostConfig::transports")) << &missing - none;
  }
}

TEST_F(HostTest, speaks_what_its_configuration_offers_and_nothing_else) {
  MuxerKind other = default_muxers().at(0);
  other.id = "/other/1";
  HostConfig config(test_key(1));
  config.muxers = {other};
  const auto a = make_host(config);
  const auto b = make_host();
  const auto refused = dial(*a, address_of(*b));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("negotiating the muxer"));
  config = HostConfig(test_key(3));
  config.muxers.insert(config.muxers.begin(), other);
  const auto c = make_host(config);
  for (Host* from : {a.get(), b.get()}) {
    EXPECT_TRUE(dial(*from, address_of(*c)));
    EXPECT_EQ(ask(*from, *c, to_bytes("hello")).text(), "ok");
  }
}

}  // namespace
}  // namespace libp2p
