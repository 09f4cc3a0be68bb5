#include "libp2p/runtime/asio/name_lookup.hpp"

#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "libp2p/runtime/asio/asio_runtime.hpp"
#include "libp2p/runtime/asio/asio_test_support.hpp"
#include "libp2p/runtime/asio/fake_dns_test.hpp"

namespace libp2p::runtime {
namespace {

using testing_asio::kLimit;
using Addresses = std::vector<std::string>;

std::size_t entries_of(const char* folder) {
  DIR* open = opendir(folder);
  if (open == nullptr) return 0;
  std::size_t count = 0;
  while (readdir(open) != nullptr) ++count;
  closedir(open);
  return count;
}
std::size_t open_files() { return entries_of("/proc/self/fd"); }

struct Lookup {
  std::optional<Result<Addresses>> result;
  std::unique_ptr<Operation> operation;
  std::string text() const {
    if (!result) return "pending";
    if (!*result) return result->error().text();
    std::string out;
    for (const auto& ip : **result) out.append(out.empty() ? "" : " ").append(ip);
    return out;
  }
};

class NameLookupTest : public testing::Test {
 protected:
  static AsioRuntimeOptions options_of(NameOptions names) { return {1, Nanos(0), std::move(names)}; }
  NameLookupTest() { names.servers = {dns.text()}; }

  void start(AsioRuntime& rt, Lookup& lookup, const std::string& host, Family family = Family::any) {
    lookup.operation =
        rt.resolve(host, family, [&lookup](Result<Addresses> r) { lookup.result.emplace(std::move(r)); });
  }
  // Turns both loops: a runtime is told its servers when it is made, so they cannot run on its own.
  bool run_until(AsioRuntime& rt, const std::function<bool()>& done) {
    const MonoTime end = rt.now().mono + kLimit;
    while (!done() && rt.now().mono < end) {
      server_loop.restart();
      server_loop.poll();
      rt.run_until(done, Millis(1));
    }
    return done();
  }
  std::string look_up(AsioRuntime& rt, const std::string& host, Family family = Family::any) {
    Lookup lookup;
    start(rt, lookup, host, family);
    EXPECT_TRUE(run_until(rt, [&lookup] { return lookup.result.has_value(); })) << host;
    return lookup.text();
  }

  boost::asio::io_context server_loop;
  FakeDns dns{server_loop};
  NameOptions names;
};

TEST_F(NameLookupTest, asks_for_the_records_of_the_family) {
  dns->names["both.test"] = {"127.0.0.9", "::1"};
  AsioRuntime rt(options_of(names));
  EXPECT_EQ(look_up(rt, "both.test", Family::ip4), "127.0.0.9");
  EXPECT_EQ(look_up(rt, "both.test", Family::ip6), "::1");
  // RFC 6724: ::1 is first, as its precedence is 50 and that of IPv4 is 35.
  EXPECT_EQ(look_up(rt, "both.test"), "::1 127.0.0.9");
}

// Four threads, each held for half a minute by a name whose server does not answer, held up all other names.
TEST_F(NameLookupTest, names_without_an_answer_do_not_hold_up_one_that_has_one) {
  dns->names["good.test"] = {"127.0.0.9"};
  AsioRuntime rt(options_of(names));
  std::vector<Lookup> dead(20);
  for (std::size_t i = 0; i < dead.size(); ++i) {
    const std::string name = "dead" + std::to_string(i) + ".test";
    dns->dead.insert(name);
    start(rt, dead[i], name);
  }
  EXPECT_EQ(look_up(rt, "good.test"), "127.0.0.9");
  for (const Lookup& lookup : dead) EXPECT_EQ(lookup.text(), "pending");
}

TEST_F(NameLookupTest, an_abandoned_look_up_leaves_nothing_behind) {
  dns->dead = {"dead.test"};
  dns->names["good.test"] = {"127.0.0.9"};
  AsioRuntime rt(options_of(names));
  EXPECT_EQ(look_up(rt, "good.test"), "127.0.0.9");  // the reactor is there from now on
  const std::size_t asked = dns->questions.size();
  const std::size_t before = open_files();
  const std::size_t threads = entries_of("/proc/self/task");
  {
    std::vector<Lookup> dead(50);
    for (Lookup& lookup : dead) start(rt, lookup, "dead.test");
    EXPECT_TRUE(run_until(rt, [&] { return dns->questions.size() >= asked + 100; }));
    EXPECT_EQ(open_files(), before + 50);  // A and AAAA share a socket
    EXPECT_EQ(entries_of("/proc/self/task"), threads);
  }
  EXPECT_EQ(open_files(), before);
}

TEST_F(NameLookupTest, above_the_limit_look_ups_wait_and_an_abandoned_one_makes_room) {
  dns->dead = {"dead.test"};
  dns->names["good.test"] = {"127.0.0.9"};
  names.most_running = 2;
  names.most_waiting = 2;
  AsioRuntime rt(options_of(names));
  std::vector<Lookup> dead(3);
  for (Lookup& lookup : dead) start(rt, lookup, "dead.test");
  Lookup good;
  start(rt, good, "good.test");
  const std::string refused = look_up(rt, "more.test");
  EXPECT_EQ(refused,
            "look-up of 'more.test' refused: 2 are under way and 2 wait, which are the limits; try again when some "
            "have ended");
  EXPECT_EQ(good.text(), "pending");
  dead[2].operation.reset();  // it waited
  dead[0].operation.reset();  // it ran
  EXPECT_TRUE(run_until(rt, [&good] { return good.result.has_value(); }));
  EXPECT_EQ(good.text(), "127.0.0.9");
  EXPECT_EQ(dead[1].text(), "pending");
}

TEST_F(NameLookupTest, an_operation_may_be_destroyed_in_its_own_callback_and_start_another) {
  dns->names["good.test"] = {"127.0.0.9"};
  AsioRuntime rt(options_of(names));
  std::unique_ptr<Operation> first;
  Lookup second;
  first = rt.resolve("good.test", Family::ip4, [&](Result<Addresses>) {
    first.reset();
    start(rt, second, "good.test");
  });
  EXPECT_TRUE(run_until(rt, [&second] { return second.result.has_value(); }));
  EXPECT_EQ(second.text(), "127.0.0.9");
}

TEST_F(NameLookupTest, operations_may_be_pending_when_the_runtime_goes) {
  dns->dead = {"dead.test"};
  std::vector<Lookup> dead(3);
  const std::size_t before = open_files();
  {
    names.most_running = 2;
    AsioRuntime rt(options_of(names));
    for (Lookup& lookup : dead) start(rt, lookup, "dead.test");
    EXPECT_TRUE(run_until(rt, [this] { return dns->questions.size() >= 2; }));
  }
  EXPECT_EQ(open_files(), before);
  for (const Lookup& lookup : dead) EXPECT_EQ(lookup.text(), "pending");
}

TEST_F(NameLookupTest, a_dead_server_costs_its_turn_and_the_next_one_answers) {
  FakeDns silent(server_loop);
  silent->dead = {"good.test"};
  dns->names["good.test"] = {"127.0.0.9"};
  names.servers = {silent.text(), dns.text()};
  names.server_timeout = Millis(50);
  AsioRuntime rt(options_of(names));
  EXPECT_EQ(look_up(rt, "good.test"), "127.0.0.9");
  EXPECT_GE(silent->questions.size(), 1U);
}

// A broken server of which there are many: it drops questions for AAAA.
TEST_F(NameLookupTest, a_server_that_ignores_one_family_still_gives_the_other) {
  dns->names["good.test"] = {"127.0.0.9"};
  dns->answers_aaaa = false;
  names.server_timeout = Millis(50);
  AsioRuntime rt(options_of(names));
  EXPECT_EQ(look_up(rt, "good.test"), "127.0.0.9");
}

TEST_F(NameLookupTest, a_server_may_have_an_ip6_address) {
  FakeDns six(server_loop, "::1");
  six->names["good.test"] = {"127.0.0.9"};
  names.servers = {six.text()};
  AsioRuntime rt(options_of(names));
  EXPECT_EQ(look_up(rt, "good.test"), "127.0.0.9");
}

TEST_F(NameLookupTest, says_what_is_wrong_and_what_to_do) {
  dns->names["four.test"] = {"127.0.0.9"};
  dns->dead = {"dead.test"};
  names.server_timeout = Millis(20);
  AsioRuntime rt(options_of(names));
  EXPECT_EQ(look_up(rt, "none.test"), "look-up of 'none.test' failed: no such name; check how it is written");
  EXPECT_EQ(look_up(rt, "no name"), "look-up of 'no name' failed: this is no host name; check how it is written");
  EXPECT_EQ(look_up(rt, std::string("four.test\0x", 11)),
            "look-up of 'four.test\\u0000x' failed: this is no host name; check how it is written");
  EXPECT_EQ(look_up(rt, ""), "look-up of '' failed: this is no host name; check how it is written");
  EXPECT_EQ(look_up(rt, "four.test", Family::ip6),
            "look-up of 'four.test' failed: the name has no IPv6 address (AAAA record); check its DNS records");
  EXPECT_EQ(look_up(rt, "dead.test"),
            "look-up of 'dead.test' failed: no answer from the name servers (127.0.0.1); check the "
            "nameserver lines of /etc/resolv.conf and the way to them");
  dns->failure = 2;  // SERVFAIL
  EXPECT_EQ(look_up(rt, "none.test"),
            "look-up of 'none.test' failed: the name servers (127.0.0.1) are not there, or cannot or will not answer; "
            "try again "
            "later, or check the nameserver lines of /etc/resolv.conf");
  dns->failure = 1;  // FORMERR
  EXPECT_EQ(look_up(rt, "none.test"),
            "look-up of 'none.test' failed: DNS server claims query was misformatted, from the name servers "
            "(127.0.0.1); try again later, or check the nameserver lines of /etc/resolv.conf");
}

// c-ares reads datagrams until there are no more: a server that sends faster held the network thread.
TEST_F(NameLookupTest, a_flood_of_datagrams_takes_turns_with_others_and_the_answer_behind_it_counts) {
  dns->names["good.test"] = {"127.0.0.9"};
  dns->noise = 100;
  AsioRuntime rt(options_of(names));
  Lookup good;
  start(rt, good, "good.test", Family::ip4);
  server_loop.run_one_for(kLimit);  // all of it is on its way
  std::size_t turns = 0;
  std::function<void()> count = [&] {
    ++turns;
    if (!good.result) rt.post(count);
  };
  rt.post(count);
  EXPECT_TRUE(rt.run_until([&good] { return good.result.has_value(); }, kLimit));
  EXPECT_EQ(good.text(), "127.0.0.9");
  EXPECT_GE(turns, 3U) << "101 datagrams, 32 in a turn";
}

// c-ares opens a socket for each address to sort them, for thousands where an answer has as many.
TEST_F(NameLookupTest, an_answer_of_thousands_of_addresses_gives_the_first_ones) {
  FakeDns large(server_loop, "127.0.0.77");
  large.serve_tcp();
  auto& listed = large->names["large.test"];
  for (int i = 0; i < 4000; ++i) listed.push_back("127.1." + std::to_string(i / 256) + "." + std::to_string(i % 256));
  names.servers = {large.text()};
  AsioRuntime rt(options_of(names));
  Lookup lookup;
  start(rt, lookup, "large.test", Family::ip4);
  ASSERT_TRUE(run_until(rt, [&lookup] { return lookup.result.has_value(); }));
  ASSERT_TRUE(*lookup.result) << lookup.text();
  EXPECT_EQ(**lookup.result, Addresses(listed.begin(), listed.begin() + NameLookup::kMostAddresses));
}

TEST_F(NameLookupTest, a_look_up_ends_by_its_limit_whatever_the_servers_do) {
  dns->dead = {"dead.test"};
  names.longest = Millis(30);
  AsioRuntime rt(options_of(names));
  Lookup dead;
  start(rt, dead, "dead.test");
  EXPECT_TRUE(run_until(rt, [&dead] { return dead.result.has_value(); }));
  EXPECT_EQ(dead.result->error().code(), Errc::timed_out);
}

TEST_F(NameLookupTest, the_hosts_file_and_literal_addresses_need_no_server) {
  names.server_timeout = Millis(20);
  dns->dead = {"localhost"};
  AsioRuntime rt(options_of(names));
  EXPECT_EQ(look_up(rt, "localhost", Family::ip4), "127.0.0.1");
  EXPECT_EQ(look_up(rt, "127.0.0.1"), "127.0.0.1");
  EXPECT_EQ(look_up(rt, "::1", Family::ip6), "::1");
  EXPECT_EQ(look_up(rt, "::1"), "::1");
  EXPECT_NE(look_up(rt, "::1", Family::ip4).find("the name has no IPv4 address"), std::string::npos);
  EXPECT_EQ(dns->questions, std::vector<std::string>{});
}

class ResolvConf : public NameLookupTest {
 protected:
  ResolvConf() {
    char folder[] = "/tmp/opp2p-names-XXXXXX";
    folder_ = mkdtemp(folder);
    names.servers.clear();
    names.resolv_conf = folder_ + "/resolv.conf";
    names.server_timeout = Millis(200);
  }
  ~ResolvConf() override {
    unlink(names.resolv_conf.c_str());
    rmdir(folder_.c_str());
  }
  void write(const std::string& text) const { std::ofstream(names.resolv_conf) << text; }

 private:
  std::string folder_;
};

TEST_F(ResolvConf, a_change_counts_from_the_next_look_up) {
  FakeDns other(server_loop, "127.0.0.2", dns.port());
  names.port = dns.port();
  dns->names["one.test"] = {"127.0.0.1"};
  other->names["one.test"] = {"127.0.0.2"};
  other->names["one.inside.test"] = {"127.0.0.3"};
  write("nameserver 127.0.0.1\n");
  AsioRuntime rt(options_of(names));
  EXPECT_EQ(look_up(rt, "one.test"), "127.0.0.1");
  write("nameserver 127.0.0.2\nsearch inside.test\n");
  EXPECT_EQ(look_up(rt, "one.test"), "127.0.0.2");
  EXPECT_EQ(look_up(rt, "one"), "127.0.0.3");
}

TEST_F(ResolvConf, one_that_would_hold_up_the_network_thread_is_refused_and_named) {
  ASSERT_EQ(mkfifo(names.resolv_conf.c_str(), 0600), 0);
  AsioRuntime rt(options_of(names));
  EXPECT_NE(look_up(rt, "one.test").find(names.resolv_conf + " is no regular file"), std::string::npos);
  EXPECT_EQ(look_up(rt, "::1"), "::1");
  unlink(names.resolv_conf.c_str());
  write(std::string(64 * 1024 + 1, '#'));
  EXPECT_NE(look_up(rt, "one.test").find("larger than 64 KiB"), std::string::npos);
}

TEST_F(ResolvConf, without_one_the_hosts_file_still_counts_and_other_names_fail_plainly) {
  AsioRuntime rt(options_of(names));
  EXPECT_EQ(look_up(rt, "localhost", Family::ip4), "127.0.0.1");
  // Nobody, or whoever listens on port 53 of this machine.
  EXPECT_NE(look_up(rt, "none.test").find("look-up of 'none.test' failed: "), std::string::npos);
}

}  // namespace
}  // namespace libp2p::runtime
