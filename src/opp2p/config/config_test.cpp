#include "opp2p/config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>

#include "opstack/testing/chain_builder.hpp"

namespace opp2p {
namespace {

namespace fs = std::filesystem;
using libp2p::Errc;
using testing::AllOf;
using testing::HasSubstr;

class ConfigTest : public testing::Test {
 protected:
  ConfigTest() {
    std::string name = (fs::temp_directory_path() / "opp2p-config-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    libp2p::SeededRng rng(1);
    opstack::testing::ChainOptions chain;
    chain.genesis_time = 1'700'000'000;
    write("rollup.json", boost::json::serialize(opstack::testing::ChainBuilder(chain, rng).rollup_config()));
    options_.rollup_config = path("rollup.json");
    options_.priv_path = path("key.txt");
  }
  ~ConfigTest() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }

  // The text of the error that resolving ends with.
  std::string error() {
    const auto result = resolve(options_, rng_);
    if (result) {
      ADD_FAILURE() << "no error";
      return {};
    }
    return result.error().message();
  }

  fs::path folder_;
  NodeOptions options_;
  libp2p::SeededRng rng_{2};
};

TEST_F(ConfigTest, connections_are_secured_unless_none_is_asked_for) {
  using testing::ElementsAre;
  EXPECT_THAT(resolve(options_, rng_)->securities, ElementsAre("noise"));
  for (const auto* value : {"NOISE", "noise,noise", " noise "}) {
    options_.security = value;
    EXPECT_THAT(resolve(options_, rng_)->securities, ElementsAre("noise")) << value;
  }
  options_.security = "TLS,noise,tls";
  EXPECT_THAT(resolve(options_, rng_)->securities, ElementsAre("tls", "noise")) << "in the order of preference";
  options_.security = " noise , tls";
  EXPECT_THAT(resolve(options_, rng_)->securities, ElementsAre("noise", "tls"));
  options_.security = "none";
  EXPECT_THAT(resolve(options_, rng_)->securities, ElementsAre("plaintext"));
  options_.security = "noise,none";
  EXPECT_THAT(error(), HasSubstr("--p2p.security names none together with others"));
}

TEST_F(ConfigTest, peers_are_scored_as_op_node_does_unless_another_profile_is_named) {
  const auto light = resolve(options_, rng_).value().scoring;
  EXPECT_EQ(light.name, "light");
  ASSERT_TRUE(light.params);
  EXPECT_EQ(light.params->decay_interval, libp2p::Seconds(2));  // the chain's block time
  EXPECT_EQ(light.thresholds.graylist, -40);
  options_.scoring = "none";
  EXPECT_FALSE(resolve(options_, rng_).value().scoring.params);
  for (const auto* wrong : {"full", "", "scored", "LIGHT"}) {
    options_.scoring = wrong;
    EXPECT_THAT(error(), AllOf(HasSubstr("--p2p.scoring: "), HasSubstr(std::string("\"") + wrong + "\""),
                               HasSubstr("the profiles are none, light, opp2p")))
        << wrong;
  }
}

TEST_F(ConfigTest, the_defaults_with_a_rollup_config_are_enough) {
  const auto config = resolve(options_, rng_);
  ASSERT_TRUE(config) << config.error().message();
  ASSERT_EQ(config->listen.size(), 1u);
  EXPECT_EQ(config->listen[0].text(), "/ip4/0.0.0.0/tcp/9222");
  EXPECT_EQ(config->peers_lo, 20u);
  EXPECT_EQ(config->sync_memory, 64u << 20);
  EXPECT_EQ(config->gossip_timestamp_threshold, libp2p::Seconds(60));
  EXPECT_FALSE(config->unsafe_block_signer);
  EXPECT_FALSE(config->rpc_enable_admin);
}

TEST_F(ConfigTest, the_node_key_is_made_once_with_a_private_mode_and_kept) {
  const auto first = resolve(options_, rng_);
  ASSERT_TRUE(first);
  struct stat info{};
  ASSERT_EQ(::stat(path("key.txt").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(info.st_size, 64);
  const auto second = resolve(options_, rng_);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->node_key, first->node_key);
}

TEST_F(ConfigTest, a_raw_key_wins_over_the_file_and_may_have_a_prefix_and_space) {
  options_.priv_raw = " 0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318\n";
  ASSERT_TRUE(resolve(options_, rng_));
  EXPECT_FALSE(fs::exists(path("key.txt")));
}

TEST_F(ConfigTest, keys_that_are_none_are_refused_with_the_texts_of_the_reference) {
  write("key.txt", "not a key");
  EXPECT_THAT(error(), HasSubstr("p2p priv key is not formatted in hex chars"));
  write("key.txt", "abcd");
  EXPECT_THAT(error(), HasSubstr("failed to parse priv key from 2 bytes"));
  write("key.txt", std::string(64, '0'));
  EXPECT_THAT(error(), HasSubstr("failed to parse priv key from 32 bytes"));
}

TEST_F(ConfigTest, a_key_file_that_cannot_be_used_is_named) {
  options_.priv_path = folder_.string();
  EXPECT_THAT(error(), HasSubstr("cannot be read"));
  options_.priv_path = path("no/such/folder/key.txt");
  EXPECT_THAT(error(), HasSubstr("cannot be created"));
}

TEST_F(ConfigTest, ports_and_peer_counts_have_the_rules_of_the_reference) {
  options_.listen_tcp = 80;
  EXPECT_THAT(error(), HasSubstr("port is reserved for system: 80"));
  options_.listen_tcp = 70000;
  EXPECT_THAT(error(), HasSubstr("port out of range: 70000"));
  options_.listen_tcp = 0;
  options_.peers_lo = 31;
  EXPECT_THAT(error(), HasSubstr("peers lo/hi tides are invalid: 31, 30"));
  options_.peers_lo = 0;
  EXPECT_THAT(error(), HasSubstr("peers lo/hi tides are invalid"));
}

TEST_F(ConfigTest, static_peers_must_name_a_peer) {
  options_.static_peers = "/ip4/127.0.0.1/tcp/9000";
  EXPECT_THAT(error(), AllOf(HasSubstr("--p2p.static"), HasSubstr("must end with /p2p/ID")));
  const auto key = libp2p::crypto::PrivateKey::generate(libp2p::crypto::KeyType::secp256k1, rng_).value();
  const auto id = libp2p::PeerId::from_public_key(key.public_key()).to_base58();
  options_.static_peers = "/ip4/127.0.0.1/tcp/9000/p2p/" + id + ", ,/dns4/node.example/tcp/9222/p2p/" + id;
  const auto config = resolve(options_, rng_);
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->static_peers.size(), 2u);
}

TEST_F(ConfigTest, a_static_peer_that_cannot_be_dialled_is_named_before_anything_starts) {
  const auto key = libp2p::crypto::PrivateKey::generate(libp2p::crypto::KeyType::secp256k1, rng_).value();
  const auto id = libp2p::PeerId::from_public_key(key.public_key()).to_base58();
  options_.static_peers = "nonsense";
  EXPECT_THAT(error(), AllOf(HasSubstr("--p2p.static: 'nonsense' is not a multiaddr"), HasSubstr("write for example")));
  options_.static_peers = "/ip4/127.0.0.1/udp/9000/quic-v1/p2p/" + id;
  EXPECT_THAT(error(), AllOf(HasSubstr("--p2p.static"), HasSubstr("quic-v1"), HasSubstr("only /tcp")));
  options_.static_peers = "/unix/x/p2p/" + id;
  EXPECT_THAT(error(), HasSubstr("--p2p.static"));
}

// A disk without room, as far as a file at the limit of its size is one.
TEST_F(ConfigTest, a_key_that_could_not_be_written_leaves_no_file_behind) {
  struct rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit half{32, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &half), 0);
  const auto refused = resolve(options_, rng_);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), AllOf(HasSubstr("key.txt"), HasSubstr("cannot be written")));
  EXPECT_FALSE(fs::exists(path("key.txt")));
  EXPECT_TRUE(resolve(options_, rng_));
}

TEST_F(ConfigTest, a_user_agent_that_peers_would_not_show_whole_is_refused) {
  options_.user_agent = std::string(256, 'a');
  EXPECT_EQ(resolve(options_, rng_)->user_agent, options_.user_agent);
  options_.user_agent += "a";
  EXPECT_THAT(error(), HasSubstr("--p2p.useragent has 257 bytes, but at most 256 are allowed"));
}

TEST_F(ConfigTest, what_is_wrong_names_its_option) {
  options_.rollup_config = path("nothing.json");
  EXPECT_THAT(error(), HasSubstr("--rollup.config"));
  options_.rollup_config = folder_.string();
  EXPECT_THAT(error(), HasSubstr("is a directory"));
  options_.rollup_config = "/dev/zero";
  EXPECT_THAT(error(), HasSubstr("is larger than"));
  options_.rollup_config = path("rollup.json");
  write("rollup.json", "{");
  EXPECT_THAT(error(), HasSubstr("rollup.json"));
  write("rollup.json", "{}");
  EXPECT_THAT(error(), HasSubstr("--rollup.config"));
}

TEST_F(ConfigTest, other_values_are_checked_too) {
  const auto wrong = [&](auto NodeOptions::* field, const auto& value, const char* expected) {
    NodeOptions saved = options_;
    options_.*field = value;
    EXPECT_THAT(error(), HasSubstr(expected));
    options_ = saved;
  };
  wrong(&NodeOptions::listen_ip, "localhost", "--p2p.listen.ip");
  wrong(&NodeOptions::unsafe_block_signer, "0x12", "--p2p.unsafe.block.signer");
  wrong(&NodeOptions::sequencer_key, "zz", "--p2p.sequencer.key");
  wrong(&NodeOptions::sync_server_limits, "on", "--p2p.sync.server.limits");
  wrong(&NodeOptions::sync_memory, "10", "--sync.memory");
  wrong(&NodeOptions::store_max_size, "many", "--store.max-size");
  wrong(&NodeOptions::peers_grace, libp2p::Seconds(-1), "--p2p.peers.grace is -1s, but may not be negative");
  wrong(&NodeOptions::gossip_timestamp_threshold, -libp2p::Nanos(1), "--p2p.gossip.timestamp.threshold is -1ns");
  wrong(&NodeOptions::dial_timeout, libp2p::Seconds(0), "--p2p.timeout.dial is 0");
  wrong(&NodeOptions::data_dir, "", "--data-dir is empty");
  wrong(&NodeOptions::spin, libp2p::Seconds(1), "--p2p.spin must be at most 10ms; 1s would");
  wrong(&NodeOptions::limits_exempt, "10.0.0.0/8,nowhere", "--p2p.limits.exempt: 'nowhere' is no address block");
  wrong(&NodeOptions::limits_address_rate, std::numeric_limits<double>::quiet_NaN(),
        "--p2p.limits.address.rate must be above 0");
  wrong(&NodeOptions::limits_address_rate, 1'000'000.5, "at most 1000000 connections a second");
  wrong(&NodeOptions::limits_ip6_48_rate, 0.0, "--p2p.limits.ip6-48.rate must be above 0");
  wrong(&NodeOptions::rpc_port, std::int64_t{-1}, "--rpc.port: port out of range: -1");
}

TEST_F(ConfigTest, the_metrics_are_op_nodes_and_their_address_counts_only_when_they_are_on) {
  options_.metrics_addr = "nowhere";
  options_.metrics_port = 65536;
  const auto off = resolve(options_, rng_);
  ASSERT_TRUE(off) << off.error().message();
  EXPECT_FALSE(off->metrics_enabled);
  options_.metrics_enabled = true;
  EXPECT_THAT(resolve(options_, rng_).error().message(), HasSubstr("--metrics.addr: 'nowhere' is not an IP address"));
  options_.metrics_addr = NodeOptions().metrics_addr;
  EXPECT_THAT(resolve(options_, rng_).error().message(), HasSubstr("--metrics.port: port out of range: 65536"));
  options_.metrics_port = NodeOptions().metrics_port;
  const auto on = resolve(options_, rng_);
  ASSERT_TRUE(on) << on.error().message();
  EXPECT_EQ(on->metrics_addr, "0.0.0.0");
  EXPECT_EQ(on->metrics_port, 7300);
}

TEST_F(ConfigTest, several_listen_addresses_are_listened_at_with_the_same_port_each_once) {
  options_.listen_ip = "0.0.0.0, ::,0.0.0.0";
  options_.listen_tcp = 9300;
  const auto config = resolve(options_, rng_);
  ASSERT_TRUE(config) << config.error().message();
  ASSERT_EQ(config->listen.size(), 2u);
  EXPECT_EQ(config->listen[0].text(), "/ip4/0.0.0.0/tcp/9300");
  EXPECT_EQ(config->listen[1].text(), "/ip6/::/tcp/9300");
  options_.listen_ip = "127.0.0.1,";
  EXPECT_THAT(error(), AllOf(HasSubstr("--p2p.listen.ip: '' is not an IP address"), HasSubstr("0.0.0.0,::")));
}

TEST_F(ConfigTest, announced_addresses_have_the_advertised_port_or_that_of_listening) {
  options_.advertise_ip = "192.0.2.1,2001:db8::5,node.example.org";
  const auto texts = [this] {
    std::vector<std::string> out;
    const auto config = resolve(options_, rng_);
    if (!config) return std::vector<std::string>{config.error().message()};
    for (const auto& address : config->announce) out.push_back(address.text());
    return out;
  };
  using testing::ElementsAre;
  EXPECT_THAT(texts(),
              ElementsAre("/ip4/192.0.2.1/tcp/9222", "/ip6/2001:db8::5/tcp/9222", "/dns4/node.example.org/tcp/9222"));
  options_.advertise_tcp = 4001;
  options_.advertise_ip = "192.0.2.1";
  EXPECT_THAT(texts(), ElementsAre("/ip4/192.0.2.1/tcp/4001"));
  options_.advertise_ip = "";
  EXPECT_THAT(texts(), ElementsAre());
  for (const auto* wrong : {"http://x", "a/tcp/1", "0.0.0.0", "::", "1.2.3.4,", " ", "a b"}) {
    options_.advertise_ip = wrong;
    EXPECT_THAT(error(), HasSubstr("--p2p.advertise.ip: '")) << wrong;
  }
  options_.advertise_ip = "192.0.2.1";
  options_.advertise_tcp = 80;
  EXPECT_THAT(error(), HasSubstr("--p2p.advertise.tcp: port is reserved for system: 80"));
}

TEST_F(ConfigTest, bans_are_op_nodes_and_the_gater_has_their_threshold_unless_told_otherwise) {
  const auto plain = resolve(options_, rng_);
  ASSERT_TRUE(plain) << plain.error().message();
  EXPECT_TRUE(plain->ban_peers);
  EXPECT_EQ(plain->ban_threshold, -100);
  EXPECT_EQ(plain->ban_duration, std::chrono::hours(1));
  EXPECT_EQ(plain->gater_min_score, -100);
  options_.ban_threshold = -20;
  options_.ban_duration = std::chrono::hours(24 * 30);
  const auto told = resolve(options_, rng_);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->gater_min_score, -20);
  EXPECT_EQ(told->ban_duration, std::chrono::hours(7 * 24)) << "its record is kept for a week";
  EXPECT_EQ(told->wanted_ban_duration, std::chrono::hours(24 * 30));
  options_.gater_min_score = -50;
  EXPECT_EQ(resolve(options_, rng_)->gater_min_score, -50);
  options_.gater_min_score = -std::numeric_limits<double>::infinity();
  EXPECT_EQ(resolve(options_, rng_)->gater_min_score, -std::numeric_limits<double>::infinity());
  for (const double wrong : {0.5, std::numeric_limits<double>::quiet_NaN()}) {
    options_.gater_min_score = wrong;
    EXPECT_THAT(error(), HasSubstr("--p2p.gater.min-score must be 0 or less"));
    options_.gater_min_score.reset();
    options_.ban_threshold = wrong;
    EXPECT_THAT(error(), HasSubstr("--p2p.ban.threshold must be 0 or less"));
    options_.ban_threshold = -100;
  }
  options_.ban_duration = libp2p::Millis(999);
  EXPECT_THAT(error(), AllOf(HasSubstr("--p2p.ban.duration is 999ms"), HasSubstr("--p2p.ban.peers=false")));
}

TEST_F(ConfigTest, time_limits_of_the_steps_of_a_connection_take_effect_and_are_not_zero) {
  options_.accept_timeout = libp2p::Seconds(3);
  options_.negotiation_timeout = libp2p::Seconds(4);
  options_.dial_timeout = libp2p::Seconds(5);
  const auto config = resolve(options_, rng_);
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->limits.handshake_timeout, libp2p::Seconds(3));
  EXPECT_EQ(config->limits.negotiation_timeout, libp2p::Seconds(4));
  EXPECT_EQ(config->dial_timeout, libp2p::Seconds(5));
  options_.accept_timeout = libp2p::Seconds(0);
  EXPECT_THAT(error(), HasSubstr("--p2p.timeout.accept is 0, so every inbound connection would fail"));
  options_.accept_timeout = libp2p::Seconds(1);
  options_.negotiation_timeout = libp2p::Seconds(-1);
  EXPECT_THAT(error(), HasSubstr("--p2p.timeout.negotiation is -1s"));
}

TEST_F(ConfigTest, mesh_sizes_are_op_nodes_and_fit_each_other) {
  const auto plain = resolve(options_, rng_);
  EXPECT_EQ(plain->mesh.degree, 8u);
  EXPECT_EQ(plain->mesh.low, 6u);
  EXPECT_EQ(plain->mesh.high, 12u);
  EXPECT_EQ(plain->mesh.lazy, 6u);
  EXPECT_EQ(plain->mesh.outbound, 2u);
  EXPECT_FALSE(plain->mesh.flood_publish);
  const std::pair<std::uint64_t NodeOptions::*, const char*> sizes[] = {
      {&NodeOptions::mesh_d, "--p2p.gossip.mesh.d: mesh D param"},
      {&NodeOptions::mesh_lo, "--p2p.gossip.mesh.lo: mesh Dlo param"},
      {&NodeOptions::mesh_hi, "--p2p.gossip.mesh.dhi: mesh Dhi param"},
      {&NodeOptions::mesh_lazy, "--p2p.gossip.mesh.dlazy: mesh Dlazy param"}};
  for (const auto& [field, text] : sizes)
    for (const std::uint64_t wrong : {std::uint64_t{0}, std::uint64_t{1001}}) {
      const NodeOptions saved = options_;
      options_.*field = wrong;
      EXPECT_THAT(error(), HasSubstr(std::string(text) + " must not be 0 or exceed 1000, but got "));
      options_ = saved;
    }
  options_.mesh_lo = 9;
  EXPECT_THAT(error(), HasSubstr("are 9, 8 and 12"));
  for (const std::uint64_t all : {1, 2, 1000}) {
    options_.mesh_d = options_.mesh_lo = options_.mesh_hi = options_.mesh_lazy = all;
    const auto small = resolve(options_, rng_);
    ASSERT_TRUE(small) << small.error().message();
    EXPECT_TRUE(libp2p::gossipsub::validate(small->mesh)) << all;
  }
}

TEST_F(ConfigTest, a_node_without_its_peer_to_peer_layer_looks_at_no_option_of_it_and_makes_no_key) {
  options_.p2p_disable = true;
  options_.static_peers = "nonsense";
  options_.listen_ip = "nowhere";
  const auto config = resolve(options_, rng_);
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_TRUE(config->p2p_disable);
  EXPECT_TRUE(config->listen.empty());
  EXPECT_FALSE(fs::exists(path("key.txt")));
}

TEST_F(ConfigTest, the_limits_of_inbound_connections_are_go_libp2ps_unless_it_is_told_others) {
  const auto plain = resolve(options_, rng_);
  ASSERT_TRUE(plain) << plain.error().message();
  EXPECT_EQ(plain->limits.connections_per_address, 8u);
  EXPECT_EQ(plain->limits.connections_per_ip6_48, 64u);
  EXPECT_EQ(plain->limits.address_rate.per_second, 0.2);
  options_.limits_address_rate = 1'000'000;
  EXPECT_TRUE(resolve(options_, rng_)) << "the most";
  EXPECT_EQ(plain->limits.address_rate.burst, 16);
  EXPECT_EQ(plain->limits.ip6_48_rate.per_second, 0.5);
  EXPECT_EQ(plain->limits.ip6_48_rate.burst, 80);
  EXPECT_TRUE(plain->limits.exempt.empty());
  options_.limits_exempt = "172.17.0.0/16,2001:db8::1";
  options_.limits_address_conns = 3;
  const auto told = resolve(options_, rng_);
  ASSERT_TRUE(told);
  ASSERT_EQ(told->limits.exempt.size(), 2u);
  EXPECT_EQ(told->limits.exempt[0].text(), "172.17.0.0/16");
  EXPECT_EQ(told->limits.exempt[1].text(), "2001:db8::1/128");
  EXPECT_EQ(told->limits.connections_per_address, 3u);
}

TEST_F(ConfigTest, a_zero_signer_means_none) {
  options_.unsafe_block_signer = "0x0000000000000000000000000000000000000000";
  EXPECT_FALSE(resolve(options_, rng_)->unsafe_block_signer);
}

TEST(ParseByteCount, reads_bytes_and_units) {
  EXPECT_EQ(*parse_byte_count("1024"), 1024u);
  EXPECT_EQ(*parse_byte_count("64MiB"), 64u << 20);
  EXPECT_EQ(*parse_byte_count("2 GB"), 2'000'000'000u);
  for (const auto* wrong : {"", "MiB", "-1", "1.5GiB", "64MB8", "99999999999999999999", "99999999999GiB"})
    EXPECT_FALSE(parse_byte_count(wrong)) << wrong;
}

TEST_F(ConfigTest, times_for_ever_are_bounded_so_that_now_can_be_added) {
  options_.peers_grace = libp2p::Nanos::max();
  options_.gossip_timestamp_threshold = libp2p::Nanos::max();
  const auto config = resolve(options_, rng_);
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_LT(config->peers_grace, libp2p::Nanos::max() / 2);
  EXPECT_LT(config->gossip_timestamp_threshold, libp2p::Nanos::max() / 2);
}

TEST_F(ConfigTest, a_network_by_name_is_refused_unless_its_configuration_is_given) {
  options_.network = "op-mainnet";
  EXPECT_TRUE(resolve(options_, rng_));
  options_.rollup_config.clear();
  EXPECT_THAT(error(), AllOf(HasSubstr("--network op-mainnet"), HasSubstr("--rollup.config")));
}

TEST_F(ConfigTest, the_rpc_listens_at_an_ip_address_or_localhost) {
  options_.rpc_addr = "localhost";
  EXPECT_EQ(resolve(options_, rng_).value().rpc_addr, "127.0.0.1");
  options_.rpc_addr = "::1";
  EXPECT_EQ(resolve(options_, rng_).value().rpc_addr, "::1");
  for (const char* wrong : {"", "here", "1.2.3", "127.0.0.1:9545"}) {
    options_.rpc_addr = wrong;
    EXPECT_THAT(error(), AllOf(HasSubstr("--rpc.addr"), HasSubstr("not an IP address"), HasSubstr("127.0.0.1")));
  }
}

TEST_F(ConfigTest, overrides_of_forks_win_over_the_rollup_configuration_and_are_checked) {
  using opstack::chain::Fork;
  const auto plain = resolve(options_, rng_);
  ASSERT_TRUE(plain);
  ASSERT_FALSE(plain->rollup.activation_time(Fork::jovian));
  options_.fork_times[static_cast<std::size_t>(Fork::jovian)] = 1'800'000'000;
  const auto told = resolve(options_, rng_);
  ASSERT_TRUE(told) << told.error().message();
  EXPECT_EQ(told->rollup.activation_time(Fork::jovian), 1'800'000'000u);
  options_.fork_times[static_cast<std::size_t>(Fork::canyon)] = 5;
  EXPECT_THAT(error(), AllOf(HasSubstr("--override"), HasSubstr("canyon_time")));
}

// The tests below change the working folder, which belongs to the process.
class NodeKeyTest : public ConfigTest {
 protected:
  NodeKeyTest() : before_(fs::current_path()) {
    fs::create_directory(folder_ / "work");
    fs::current_path(folder_ / "work");
    options_.priv_path.reset();
    options_.data_dir = path("data");
  }
  ~NodeKeyTest() override { fs::current_path(before_); }

  fs::path before_;
};

TEST_F(NodeKeyTest, the_node_key_is_made_in_the_data_folder_when_none_is_configured) {
  const auto first = resolve(options_, rng_);
  ASSERT_TRUE(first) << first.error().message();
  EXPECT_EQ(first->node_key_file, path("data/opnode_p2p_priv.txt"));
  EXPECT_TRUE(first->node_key_is_new);
  EXPECT_TRUE(fs::is_empty(fs::current_path()));
  struct stat info{};
  ASSERT_EQ(::stat(path("data/opnode_p2p_priv.txt").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  // From another working folder it is the same node.
  fs::current_path(folder_);
  const auto second = resolve(options_, rng_);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->node_key, first->node_key);
  EXPECT_FALSE(second->node_key_is_new);
}

TEST_F(NodeKeyTest, a_key_of_the_working_folder_is_used_first_so_that_an_upgrade_keeps_its_peer_id) {
  write("work/opnode_p2p_priv.txt", std::string(64, '1'));
  const auto config = resolve(options_, rng_);
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(libp2p::to_hex(config->node_key), std::string(64, '1'));
  EXPECT_EQ(config->node_key_file, (fs::current_path() / "opnode_p2p_priv.txt").string());
  EXPECT_FALSE(fs::exists(path("data/opnode_p2p_priv.txt")));
}

TEST_F(NodeKeyTest, a_key_of_the_working_folder_that_is_none_is_an_error_and_no_reason_for_another_peer_id) {
  write("work/opnode_p2p_priv.txt", "not a key");
  EXPECT_THAT(error(), AllOf(HasSubstr("found in the working folder"),
                             HasSubstr((fs::current_path() / "opnode_p2p_priv.txt").string())));
}

TEST_F(ConfigTest, the_multiplexers_that_are_named_are_offered_in_that_order) {
  using testing::ElementsAre;
  EXPECT_THAT(resolve(options_, rng_)->muxers, ElementsAre("yamux"));
  options_.mux = "mplex, YAMUX,mplex";
  EXPECT_THAT(resolve(options_, rng_)->muxers, ElementsAre("mplex", "yamux"));
  for (const auto* wrong : {"", "quic", "yamux,", "yamux,,mplex"}) {
    options_.mux = wrong;
    EXPECT_THAT(error(), AllOf(HasSubstr("--p2p.mux: "), HasSubstr("is not a multiplexer"), HasSubstr("yamux")))
        << wrong;
  }
}

TEST_F(NodeKeyTest, the_peerstore_lies_in_the_data_folder_unless_another_place_is_named) {
  EXPECT_EQ(resolve(options_, rng_)->peerstore_path, path("data/peerstore"));
  options_.peerstore_path = "memory";
  EXPECT_EQ(resolve(options_, rng_)->peerstore_path, kPeerstoreInMemory);
  options_.peerstore_path = path("mine");
  EXPECT_EQ(resolve(options_, rng_)->peerstore_path, path("mine"));
  options_.peerstore_path = "";
  EXPECT_THAT(error(), HasSubstr("--p2p.peerstore.path: peerstore path must be specified"));
}

TEST_F(NodeKeyTest, a_peerstore_of_op_node_is_refused_and_found_where_op_node_makes_it) {
  fs::create_directory("opnode_peerstore_db");
  write("work/opnode_peerstore_db/CURRENT", "MANIFEST-000000\n");
  EXPECT_TRUE(resolve(options_, rng_)->found_peerstore.empty()) << "it is no LevelDB";
  write("work/opnode_peerstore_db/MANIFEST-000000", "");
  EXPECT_EQ(resolve(options_, rng_)->found_peerstore, (fs::current_path() / "opnode_peerstore_db").string());
  options_.peerstore_path = "opnode_peerstore_db";
  EXPECT_THAT(error(), AllOf(HasSubstr("--p2p.peerstore.path"), HasSubstr("LevelDB"),
                             HasSubstr("opp2p peerstore import opnode_peerstore_db")));
  options_.peerstore_path.reset();
  fs::create_directories(path("data/peerstore"));
  EXPECT_TRUE(resolve(options_, rng_)->found_peerstore.empty()) << "there is one of our own";
}

TEST_F(NodeKeyTest, a_data_folder_that_cannot_be_made_is_named) {
  write("file", "");
  options_.data_dir = path("file/data");
  EXPECT_THAT(error(), AllOf(HasSubstr("--data-dir"), HasSubstr("file/data")));
}

}  // namespace
}  // namespace opp2p
