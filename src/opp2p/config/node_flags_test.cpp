#include "opp2p/config/node_flags.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace opp2p {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

libp2p::Result<NodeCommandLine> read(std::vector<std::string> arguments, const Environment& environment = {}) {
  return read_node_command_line(arguments, environment);
}

std::string refused(std::vector<std::string> arguments, const Environment& environment = {}) {
  const auto line = read(std::move(arguments), environment);
  return line ? "not refused" : line.error().text();
}

TEST(NodeFlags, have_names_and_variables_of_their_own) {
  std::set<std::string> seen;
  for (const auto& flag : node_flags()) {
    for (const auto& name : flag.spec.names()) EXPECT_TRUE(seen.insert(name).second) << name;
    for (const auto& variable : flag.spec.environment) EXPECT_TRUE(seen.insert(variable).second) << variable;
    EXPECT_EQ(flag.about.empty(), flag.effect == FlagEffect::none) << flag.spec.name;
    EXPECT_TRUE(!flag.kept || parse_flag(flag.spec, *flag.kept)) << flag.spec.name;
  }
}

TEST(NodeFlags, nothing_behind_the_equals_sign_is_empty_for_texts_and_refused_for_all_else) {
  const auto line = read({"--p2p.static=", "--rpc.cors="}, {{"OP_NODE_P2P_STATIC", "/ip4/192.0.2.1/tcp/9"}});
  ASSERT_TRUE(line) << line.error().text();
  EXPECT_EQ(line->options.static_peers, "");
  EXPECT_EQ(refused({"--rpc.port="}), "invalid value \"\" for flag -rpc.port: parse error; write a whole number");
  EXPECT_THAT(refused({"--p2p.peers.grace="}), StartsWith("invalid value \"\" for flag -p2p.peers.grace: parse error"));
}

TEST(NodeFlags, what_is_no_truth_value_never_opens_the_admin_methods) {
  for (const auto* text : {"", "yes", "on", "2", "y", " true", "enabled"}) {
    EXPECT_THAT(refused({std::string("--rpc.enable-admin=") + text}), StartsWith("invalid boolean value")) << text;
    EXPECT_THAT(refused({std::string("--rpc.unsafe-open=") + text}), StartsWith("invalid boolean value")) << text;
    const auto line = read({}, {{"OP_NODE_RPC_ENABLE_ADMIN", text}});
    EXPECT_FALSE(line && line->options.rpc_enable_admin) << text;
  }
  EXPECT_TRUE(read({"--rpc.enable-admin"})->options.rpc_enable_admin);
  EXPECT_TRUE(read({"-rpc.enable-admin=T"})->options.rpc_enable_admin);
  EXPECT_FALSE(read({"--rpc.enable-admin=0"})->options.rpc_enable_admin);
  EXPECT_THAT(refused({"--rpc.enable-admin", "false"}), HasSubstr("--rpc.enable-admin=false"));
}

TEST(NodeFlags, values_go_where_they_belong) {
  const auto line = read({"--p2p.listen.tcp", "0x2406", "--rpc.port=-1", "--p2p.peers.grace=+1m", "--p2p.ping=F",
                          "--p2p.priv.path=", "--override.jovian=5", "--override.keep-karst-upgrade-gas",
                          "--p2p.limits.address.rate=1e-1"},
                         {{"OP_NODE_P2P_SPIN", "30\u00b5s"}, {"OP_NODE_P2P_AGENT", ""}});
  ASSERT_TRUE(line) << line.error().text();
  EXPECT_EQ(line->options.listen_tcp, 9222u);
  EXPECT_EQ(line->options.rpc_port, -1);
  EXPECT_EQ(line->options.peers_grace, libp2p::Seconds(60));
  EXPECT_EQ(line->options.spin, libp2p::Micros(30));
  EXPECT_FALSE(line->options.ping);
  EXPECT_EQ(line->options.priv_path, "");
  EXPECT_EQ(line->options.user_agent, "");
  EXPECT_EQ(line->options.fork_times[static_cast<std::size_t>(opstack::chain::Fork::jovian)], 5u);
  EXPECT_EQ(line->options.keep_karst_upgrade_gas, true);
  EXPECT_EQ(line->options.limits_address_rate, 0.1);
  EXPECT_FALSE(read({})->options.priv_path);
}

TEST(NodeFlags, the_multiplexers_are_yamux_unless_others_are_named) {
  EXPECT_EQ(read({})->options.mux, "yamux");
  const auto line = read({"--p2p.mux=yamux,mplex"});
  EXPECT_EQ(line->options.mux, "yamux,mplex");
  EXPECT_THAT(line->without_effect, ElementsAre());
  EXPECT_EQ(read({}, {{"OP_NODE_P2P_MUX", "mplex"}})->options.mux, "mplex");
}

TEST(NodeFlags, levels_and_formats_are_op_nodes) {
  for (const auto* level : {"INFO", "DEBUG", "trce", "dbug", "EROR", "Crit", "info,gossip=dbug"})
    EXPECT_TRUE(read({}, {{"OP_NODE_LOG_LEVEL", level}})) << level;
  EXPECT_THAT(refused({"--log.level=loud"}),
              StartsWith("invalid value \"loud\" for flag -log.level: unknown level: loud; use trace,"));
  EXPECT_THAT(refused({"--log.level="}), StartsWith("invalid value \"\" for flag -log.level: unknown level: "));
  EXPECT_THAT(refused({}, {{"OP_NODE_LOG_LEVEL", "info,gossip=x"}}),
              HasSubstr("environment variable \"OP_NODE_LOG_LEVEL\""));
  for (const auto* format : {"text", "terminal", "logfmt", "logfmtms", "json", "jsonms"})
    EXPECT_TRUE(read({std::string("--log.format=") + format})) << format;
  EXPECT_THAT(refused({"--log.format=xml"}),
              StartsWith("invalid value \"xml\" for flag -log.format: unrecognized log-format: \"xml\""));
}

TEST(NearestName, is_the_first_of_the_nearest_and_nothing_when_all_are_far) {
  EXPECT_EQ(nearest_name("cat", {"dog", "bat", "car"}), "bat");
  EXPECT_EQ(nearest_name("cat", {"xyat", "bat"}), "bat");
  EXPECT_EQ(nearest_name("cat", {"bar"}), "bar") << "two letters are other ones";
  EXPECT_EQ(nearest_name("cat", {"dog"}), std::nullopt) << "all three are";
  EXPECT_EQ(nearest_name(std::string(81, 'a'), {std::string(81, 'a')}), std::nullopt);
}

TEST(NodeFlags, a_misspelt_flag_gets_a_suggestion) {
  EXPECT_EQ(refused({"--p2p.statik=x"}), "unknown option --p2p.statik. Did you mean --p2p.static?");
  EXPECT_EQ(refused({"--rpc.enableadmin"}), "unknown option --rpc.enableadmin. Did you mean --rpc.enable-admin?");
  EXPECT_EQ(refused({"--dance"}), "unknown option --dance. opp2p node --help lists the options.");
  EXPECT_THAT(refused({"--" + std::string(100'000, 'x')}), HasSubstr("lists the options"));
}

TEST(NodeFlags, what_would_change_the_nodes_role_or_safety_is_refused_with_its_reason) {
  for (const auto* argument :
       {"--sequencer.enabled", "--conductor.enabled=1", "--signer.endpoint=http://127.0.0.1:1", "--signer.address=0x12",
        "--signer.header=a=b", "--signer.tls.enabled=false", "--signer.tls.ca=x"})
    EXPECT_THAT(refused({argument}), AllOf(StartsWith(std::string(argument).substr(0, std::string(argument).find('='))),
                                           HasSubstr("is not supported: "), HasSubstr("eave")))
        << argument;
  EXPECT_THAT(
      refused({}, {{"OP_NODE_SEQUENCER_ENABLED", "true"}}),
      AllOf(StartsWith("OP_NODE_SEQUENCER_ENABLED=true is not supported: "), HasSubstr("admin_publishUnsafePayload")));
}

TEST(NodeFlags, security_is_noise_and_tls_or_none_alone) {
  EXPECT_EQ(read({})->options.security, "noise");
  EXPECT_EQ(read({"--p2p.security= None "})->options.security, " None ");
  EXPECT_EQ(read({"--p2p.security=tls"})->options.security, "tls");
  EXPECT_EQ(read({}, {{"OP_NODE_P2P_SECURITY", "none"}})->options.security, "none");
  for (const auto* value : {"none,noise", "noise,none", "none,none", "tls,none"})
    EXPECT_THAT(refused({std::string("--p2p.security=") + value}),
                AllOf(StartsWith("--p2p.security names none together with others"), HasSubstr("write noise")))
        << value;
  EXPECT_EQ(refused({"--p2p.security="}),
            "--p2p.security names \"\", which is not a security protocol; write noise, tls, or both, or leave the "
            "option out");
  EXPECT_THAT(refused({"--p2p.security=noise,plaintext"}), StartsWith("--p2p.security names \"plaintext\""));
  EXPECT_THAT(refused({}, {{"OP_NODE_P2P_SECURITY", "secio"}}), StartsWith("OP_NODE_P2P_SECURITY names \"secio\""));
}

TEST(NodeFlags, a_value_that_asks_for_what_is_so_is_neither_refused_nor_told_of) {
  const auto line = read({"--sequencer.enabled=false", "--conductor.enabled=f",
                          "--signer.endpoint=", "--signer.address=", "--signer.tls.enabled", "--p2p.security=noise",
                          "--p2p.no-discovery", "--p2p.nat=false", "--pprof.enabled=0"});
  ASSERT_TRUE(line) << line.error().text();
  EXPECT_THAT(line->without_effect, ElementsAre());
}

TEST(NodeFlags, what_does_nothing_here_and_unknown_variables_are_listed_as_they_were_given) {
  const auto line = read(
      {"--l1=http://127.0.0.1:1", "--p2p.nat"},
      {{"OP_NODE_L2_ENGINE_RPC", "x"}, {"OP_NODE_PPROF_ENABLED", "true"}, {"OP_NODE_NONSENSE", "1"}, {"OTHER", "1"}});
  ASSERT_TRUE(line) << line.error().text();
  EXPECT_THAT(line->without_effect,
              testing::UnorderedElementsAre("--l1", "--p2p.nat", "OP_NODE_L2_ENGINE_RPC", "OP_NODE_PPROF_ENABLED"));
  EXPECT_THAT(line->unknown_variables, ElementsAre("OP_NODE_NONSENSE"));
  EXPECT_THAT(read({}, {{"OP_NODE_P2P_STATIK", "x"}})->unknown_variables,
              ElementsAre("OP_NODE_P2P_STATIK (OP_NODE_P2P_STATIC?)"));
  // It is op-node's value that is read, also where it does nothing.
  EXPECT_THAT(refused({"--l1.cache-size=many"}), StartsWith("invalid value \"many\" for flag -l1.cache-size"));
}

TEST(NodeFlags, of_bans_and_scores_go_where_they_belong) {
  const auto line = read({"--p2p.ban.peers=false", "--p2p.ban.threshold=-7.5", "--p2p.ban.duration=2h",
                          "--p2p.gater.min-score=-1e2", "--p2p.scoring=opp2p"},
                         {{"OP_NODE_P2P_GOSSIP_MESH_DLO", "5"}, {"OP_NODE_P2P_GOSSIP_FLOOD_PUBLISH", "true"}});
  ASSERT_TRUE(line) << line.error().text();
  EXPECT_FALSE(line->options.ban_peers);
  EXPECT_EQ(line->options.ban_threshold, -7.5);
  EXPECT_EQ(line->options.ban_duration, std::chrono::hours(2));
  EXPECT_EQ(line->options.gater_min_score, -100);
  EXPECT_EQ(line->options.scoring, "opp2p");
  EXPECT_EQ(line->options.mesh_lo, 5u);
  EXPECT_TRUE(line->options.flood_publish);
  EXPECT_FALSE(read({})->options.gater_min_score);
  EXPECT_FALSE(read({}, {{"OP_NODE_P2P_PEER_BANNING", "false"}})->options.ban_peers);
}

// op-node does not read --p2p.static then, so the two together are no error there either.
TEST(NodeFlags, p2p_options_beside_a_disabled_layer_are_listed_as_without_effect) {
  const auto line = read({"--p2p.disable", "--p2p.static=nonsense", "--rpc.port=1"}, {{"OP_NODE_P2P_PING", "false"}});
  ASSERT_TRUE(line) << line.error().text();
  EXPECT_TRUE(line->options.p2p_disable);
  EXPECT_THAT(line->without_effect, testing::UnorderedElementsAre("--p2p.static", "OP_NODE_P2P_PING"));
  EXPECT_THAT(read({"--p2p.disable=false", "--p2p.static=x"})->without_effect, ElementsAre());
}

TEST(NodeFlags, an_advertised_port_without_an_address_is_listed_as_without_effect) {
  EXPECT_THAT(read({"--p2p.advertise.tcp=4001"})->without_effect, ElementsAre("--p2p.advertise.tcp"));
  EXPECT_THAT(read({"--p2p.advertise.tcp=4001", "--p2p.advertise.ip=192.0.2.1"})->without_effect, ElementsAre());
}

TEST(NodeFlags, a_network_beside_a_rollup_configuration_does_nothing) {
  EXPECT_THAT(read({"--network=op-mainnet", "--rollup.config=x"})->without_effect, ElementsAre("--network"));
  EXPECT_THAT(read({"--network=op-mainnet"})->without_effect, ElementsAre());
}

TEST(NodeFlags, errors_name_the_variable_that_a_value_came_from) {
  const auto line = read({"--rpc.port=1"}, {{"OP_NODE_P2P_STATIC", "here"}, {"OP_NODE_RPC_PORT", "2"}});
  ASSERT_TRUE(line);
  EXPECT_EQ(name_variables("--p2p.static: 'here' is not a multiaddr", line->given),
            "--p2p.static (from OP_NODE_P2P_STATIC): 'here' is not a multiaddr");
  EXPECT_EQ(name_variables("choose another --rpc.port; see --p2p.static.", line->given),
            "choose another --rpc.port; see --p2p.static (from OP_NODE_P2P_STATIC).");
  EXPECT_EQ(name_variables("--p2p.static.peers -- --", line->given), "--p2p.static.peers -- --");
  EXPECT_THAT(refused({}, {{"OP_NODE_RPC_PORT", "x"}}), HasSubstr("environment variable \"OP_NODE_RPC_PORT\""));
}

TEST(NodeFlags, the_help_is_readable_in_80_columns_and_hides_what_is_seldom_needed) {
  for (const bool all : {false, true}) {
    std::istringstream help(node_help(all));
    for (std::string line; std::getline(help, line);) EXPECT_LE(line.size(), 80u) << line;
  }
  EXPECT_THAT(node_help(false),
              AllOf(HasSubstr("--p2p.static PEERS"), HasSubstr("kona-node has"), Not(HasSubstr("--p2p.priv.raw"))));
  for (const auto& flag : node_flags()) EXPECT_THAT(node_help(true), HasSubstr("--" + flag.spec.names()[0]));
  EXPECT_TRUE(read({"--help-all"})->help_all);
  EXPECT_TRUE(read({"-h"})->help);
  EXPECT_TRUE(read({"-v"})->version);
}

TEST(NodeFlags, a_word_that_is_no_option_is_refused_because_op_node_would_forget_what_follows_it) {
  EXPECT_THAT(refused({"again", "--rpc.port=1"}), StartsWith("\"again\" is not an option"));
  EXPECT_THAT(refused({"--", "--rpc.port=1"}), StartsWith("\"--rpc.port=1\" is not an option"));
}

}  // namespace
}  // namespace opp2p
