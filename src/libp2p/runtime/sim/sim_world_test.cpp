#include "libp2p/runtime/sim/sim_wire_test.hpp"

namespace libp2p::runtime {
namespace {

TEST(SimWorld, nodes_have_addresses_of_their_own) {
  SimWorld world(1);
  const SimNode a = world.add_node();
  const SimNode b = world.add_node();
  EXPECT_EQ(a.ip4(), "10.0.0.1");
  EXPECT_EQ(b.ip4(), "10.0.0.2");
  EXPECT_EQ(b.ip6(), "fd00::2");
}

TEST(SimWorld, checks_a_node_after_each_of_its_events_and_of_no_other) {
  SimWorld world(1);
  const SimNode a = world.add_node();
  const SimNode b = world.add_node();
  int done = 0, checked = 0, first_saw = 0;
  world.check_after_events(a.index(), [&] { ++checked; });
  world.check_after_events(a.index(), [&] { first_saw = first_saw == 0 ? done : first_saw; });
  for (int i = 0; i < 5; ++i) a.runtime().post([&] { ++done; });
  b.runtime().post([] {});
  world.at(world.now(), [] {});
  world.run_for(Millis(1));
  EXPECT_EQ(done, 5);
  EXPECT_EQ(checked, 5);
  EXPECT_EQ(first_saw, 1) << "a check comes behind its event";
}

TEST(SimWorld, checks_every_nth_event_where_it_is_told_to_and_the_trace_stays_the_same) {
  std::vector<std::uint64_t> hashes;
  const auto count = [&hashes](std::uint64_t every) {
    SimWorldOptions options;
    options.check_every = every;
    SimWorld world(7, options, std::make_unique<UniformLinks>());
    const SimNode node = world.add_node();
    int checked = 0;
    world.check_after_events(node.index(), [&checked] { ++checked; });
    for (int i = 0; i < 100; ++i) node.runtime().post([] {});
    world.run_for(Millis(1));
    hashes.push_back(world.trace_hash());
    return checked;
  };
  EXPECT_EQ(count(1), 100);
  EXPECT_EQ(count(10), 10);
  EXPECT_EQ(count(0), 0);
  EXPECT_EQ(hashes[0], hashes[1]);
  EXPECT_EQ(hashes[0], hashes[2]);
}

#ifndef OPP2P_NO_ASSERTIONS
TEST(SimWorldDeathTest, a_violated_invariant_names_the_seed_and_the_event) {
  SimWorld world(42);
  const SimNode node = world.add_node();
  int used = 0;
  world.check_after_events(node.index(), [&used] { OPP2P_CHECK(used < 2, "the window is never overdrawn", used); });
  const auto timer = node.runtime().make_timer([&used] { ++used; });
  node.runtime().post([&used] { ++used; });
  timer->arm(world.now() + Millis(5));
  EXPECT_DEATH(world.run_for(Seconds(1)),
               "the window is never overdrawn\n.*: used < 2\n  used = 2\n"
               "  in the simulated world of seed 42, after 5000 us of its time, in event 2 \\(timer, node 0\\)");
  const auto failing = node.runtime().make_timer([] { OPP2P_ASSERT(false, "never here"); });
  failing->arm(world.now());
  EXPECT_DEATH(world.run_for(Seconds(1)), "never here\n.*\n  in the simulated world of seed 42.*timer, node 0");
}
#endif

TEST(SimWorld, bytes_arrive_in_order_after_the_latency) {
  SimWorld world(1);
  const SimNode a = world.add_node();
  const SimNode b = world.add_node();
  const MonoTime start = world.now();
  Wire wire(world, a, b);
  ASSERT_TRUE(wire.near && wire.far);
  EXPECT_EQ(world.now() - start, Millis(40));
  EXPECT_EQ(wire.far->remote(), wire.near->local());
  ASSERT_TRUE(wire.near->write(as_bytes("hello ")));
  ASSERT_TRUE(wire.near->write(as_bytes("world")));
  world.run_for(Millis(19));
  EXPECT_EQ(read_all(*wire.far), "");
  world.run_for(Millis(1));
  EXPECT_EQ(read_all(*wire.far), "hello world");
}

TEST(SimWorld, bandwidth_spreads_bytes_over_time) {
  LinkQuality slow;
  slow.bytes_per_second = 1'000'000;
  slow.latency = Millis(10);
  SimWorld world(1, {}, std::make_unique<UniformLinks>(slow));
  Wire wire(world, world.add_node(), world.add_node());
  const Bytes chunk(100'000);
  ASSERT_EQ(*wire.near->write(chunk), chunk.size());
  ASSERT_EQ(*wire.near->write(chunk), chunk.size());
  world.run_for(Millis(110));
  EXPECT_EQ(read_all(*wire.far).size(), 100'000u);
  world.run_for(Millis(99));
  EXPECT_EQ(read_all(*wire.far).size(), 0u);
  world.run_for(Millis(1));
  EXPECT_EQ(read_all(*wire.far).size(), 100'000u);
}

TEST(SimWorld, a_reader_that_does_not_read_holds_the_writer_back) {
  LinkQuality small;
  small.buffer_bytes = 10'000;
  SimWorld world(1, {}, std::make_unique<UniformLinks>(small));
  Wire wire(world, world.add_node(), world.add_node());
  const Bytes chunk(8'000);
  EXPECT_EQ(*wire.near->write(chunk), 8'000u);
  EXPECT_EQ(*wire.near->write(chunk), 2'000u);
  EXPECT_EQ(wire.near->write(chunk).error().code(), Errc::would_block);
  bool woken = false;
  wire.near->when_writable([&woken] { woken = true; });
  world.run_for(Seconds(10));
  EXPECT_FALSE(woken);
  EXPECT_EQ(read_all(*wire.far).size(), 10'000u);
  world.run_for(Millis(20));
  EXPECT_TRUE(woken);
  EXPECT_EQ(*wire.near->write(chunk), 8'000u);
}

TEST(SimWorld, closing_ends_the_stream_after_its_bytes) {
  SimWorld world(1);
  Wire wire(world, world.add_node(), world.add_node());
  ASSERT_TRUE(wire.near->write(as_bytes("last words")));
  wire.near.reset();
  bool readable = false;
  wire.far->when_readable([&readable] { readable = true; });
  world.run_for(Seconds(1));
  EXPECT_TRUE(readable);
  EXPECT_EQ(read_all(*wire.far), "last words<end>");
  EXPECT_EQ(wire.far->write(as_bytes("x")).error().code(), Errc::reset);
}

TEST(SimWorld, no_callback_comes_after_the_socket_has_gone) {
  SimWorld world(1);
  Wire wire(world, world.add_node(), world.add_node());
  bool called = false;
  wire.far->when_readable([&called] { called = true; });
  ASSERT_TRUE(wire.near->write(as_bytes("x")));
  world.run_until([&] { return read_all(*wire.far) == "x"; }, Seconds(1));
  wire.far.reset();
  world.run_for(Seconds(1));
  EXPECT_FALSE(called);
}

TEST(SimWorld, dials_are_refused_where_nobody_listens) {
  SimWorld world(1);
  const SimNode a = world.add_node();
  const SimNode b = world.add_node();
  std::string error;
  const auto dial =
      a.runtime().connect({b.ip4(), 1}, [&error](Result<std::unique_ptr<Socket>> s) { error = s.error().message(); });
  EXPECT_EQ(error, "");
  world.run_for(Seconds(1));
  EXPECT_EQ(error, "unreachable: connect to 10.0.0.2:1 failed: connection refused");
}

TEST(SimWorld, a_dial_that_is_given_up_does_not_call_back) {
  SimWorld world(1);
  const SimNode a = world.add_node();
  const SimNode b = world.add_node();
  std::unique_ptr<Socket> accepted;
  const auto listener = b.runtime().listen({b.ip4(), 7}, [&](std::unique_ptr<Socket> s) { accepted = std::move(s); });
  bool called = false;
  auto dial = a.runtime().connect({b.ip4(), 7}, [&called](Result<std::unique_ptr<Socket>>) { called = true; });
  world.run_until([&] { return accepted != nullptr; }, Seconds(1));
  dial.reset();
  world.run_for(Seconds(1));
  EXPECT_FALSE(called);
  EXPECT_EQ(read_all(*accepted), "<end>");
}

TEST(SimWorld, disconnect_resets_both_ends) {
  SimWorld world(1);
  const SimNode a = world.add_node();
  const SimNode b = world.add_node();
  Wire wire(world, a, b);
  int woken = 0;
  wire.near->when_readable([&woken] { ++woken; });
  wire.far->when_readable([&woken] { ++woken; });
  EXPECT_EQ(world.disconnect(a.index(), b.index()), 1u);
  world.run_for(Nanos(0));
  EXPECT_EQ(woken, 2);
  EXPECT_EQ(read_all(*wire.near), "<reset>");
  EXPECT_EQ(wire.far->write(as_bytes("x")).error().code(), Errc::reset);
}

TEST(SimWorld, a_connection_counts_until_both_its_ends_have_gone) {
  SimWorld world(1);
  const SimNode a = world.add_node();
  const SimNode b = world.add_node();
  Wire wire(world, a, b);
  wire.near.reset();
  EXPECT_EQ(world.sizes().connections, 1u);
  EXPECT_EQ(world.disconnect(a.index(), b.index()), 1u);
  EXPECT_EQ(read_all(*wire.far), "<reset>");
  wire.far.reset();
  EXPECT_EQ(world.sizes().connections, 0u);
}

TEST(SimWorld, a_partition_holds_bytes_and_dials_until_it_heals) {
  SimWorld world(1);
  const SimNode a = world.add_node();
  const SimNode b = world.add_node();
  const SimNode c = world.add_node();
  Wire wire(world, a, b);
  world.partition({{a.index()}, {b.index(), c.index()}});
  EXPECT_TRUE(world.reachable(b.index(), c.index()));
  ASSERT_TRUE(wire.near->write(as_bytes("one ")));
  world.run_for(Seconds(5));
  ASSERT_TRUE(wire.near->write(as_bytes("two")));
  EXPECT_EQ(read_all(*wire.far), "");
  Wire blocked(world, a, b, 9001);
  ASSERT_TRUE(blocked.error);
  EXPECT_EQ(blocked.error->code(), Errc::timed_out);
  world.heal();
  world.run_for(Millis(20));
  EXPECT_EQ(read_all(*wire.far), "one two");
}

TEST(SimWorld, names_are_resolved_by_family) {
  SimWorld world(1);
  const SimNode a = world.add_node();
  world.add_name("node.test", {"10.0.0.9", "fd00::9"});
  std::vector<std::string> log;
  std::vector<std::unique_ptr<Operation>> keep;
  for (const auto family : {Family::any, Family::ip4, Family::ip6}) {
    keep.push_back(a.runtime().resolve("node.test", family, [&log](Result<std::vector<std::string>> r) {
      for (const auto& ip : *r) log.push_back(ip);
    }));
  }
  keep.push_back(a.runtime().resolve("other.test", Family::any, [&log](Result<std::vector<std::string>> r) {
    log.push_back(std::string(to_string(r.error().code())));
  }));
  world.run_for(Seconds(1));
  EXPECT_EQ(log, (std::vector<std::string>{"10.0.0.9", "fd00::9", "10.0.0.9", "fd00::9", "not found"}));
}

TEST(SimWorld, a_dead_name_holds_up_no_other_and_is_gone_when_abandoned) {
  SimWorld world(1);
  const SimNode a = world.add_node();
  world.add_dead_name("dead.test");
  world.add_name("slow.test", {"10.0.0.9"}, Seconds(3));
  world.add_name("good.test", {"10.0.0.8"});
  std::vector<std::string> log;
  std::vector<std::unique_ptr<Operation>> keep;
  const auto start = [&](const std::string& name) {
    keep.push_back(a.runtime().resolve(name, Family::any, [&log, name](Result<std::vector<std::string>> r) {
      log.push_back(r ? r->at(0) : r.error().text());
    }));
  };
  for (int i = 0; i < 20; ++i) start("dead.test");
  start("slow.test");
  start("good.test");
  world.run_for(Seconds(1));
  EXPECT_EQ(log, (std::vector<std::string>{"10.0.0.8"}));
  world.run_for(Seconds(3));
  EXPECT_EQ(log, (std::vector<std::string>{"10.0.0.8", "10.0.0.9"}));
  EXPECT_EQ(world.sizes().events, 20U);
  keep.resize(1);
  EXPECT_EQ(world.sizes().events, 1U);
  world.run_for(Seconds(3));
  EXPECT_EQ(log.back(), "look-up of 'dead.test' failed: no answer from the name servers");
}

TEST(SimWorld, look_ups_above_the_limit_wait_until_one_is_abandoned) {
  SimWorldOptions options;
  options.most_look_ups = 1;
  SimWorld world(1, options, std::make_unique<UniformLinks>());
  const SimNode a = world.add_node();
  world.add_dead_name("dead.test");
  world.add_name("good.test", {"10.0.0.8"});
  std::optional<Result<std::vector<std::string>>> good;
  auto dead = a.runtime().resolve("dead.test", Family::any, [](Result<std::vector<std::string>>) {});
  const auto waits = a.runtime().resolve("good.test", Family::any,
                                         [&good](Result<std::vector<std::string>> r) { good.emplace(std::move(r)); });
  world.run_for(Seconds(1));
  EXPECT_FALSE(good);
  dead.reset();
  world.run_for(Seconds(1));
  ASSERT_TRUE(good);
  EXPECT_TRUE(*good);
}

TEST(SimWorld, wall_clocks_may_be_off_and_the_monotonic_one_is_shared) {
  SimWorld world(1);
  const SimNode a = world.add_node();
  const SimNode b = world.add_node({.wall_offset = Seconds(-30)});
  world.run_for(Seconds(5));
  EXPECT_EQ(a.runtime().now().mono, b.runtime().now().mono);
  EXPECT_EQ(a.runtime().now().wall - b.runtime().now().wall, Seconds(30));
  b.set_wall_offset(Seconds(7));
  EXPECT_EQ(b.runtime().now().wall - a.runtime().now().wall, Seconds(7));
}

TEST(SimWorld, timers_fire_in_order_and_can_be_moved_and_taken_back) {
  SimWorld world(1);
  Runtime& rt = world.add_node().runtime();
  std::string order;
  const auto a = rt.make_timer([&order] { order += 'a'; });
  const auto b = rt.make_timer([&order] { order += 'b'; });
  const auto c = rt.make_timer([&order] { order += 'c'; });
  a->arm(rt.now().mono + Seconds(2));
  b->arm(rt.now().mono + Seconds(1));
  c->arm(rt.now().mono + Seconds(1));
  c->disarm();
  world.run_for(Seconds(1));
  EXPECT_EQ(order, "b");
  a->arm(rt.now().mono + Seconds(5));
  world.run_for(Seconds(4));
  EXPECT_EQ(order, "b");
  world.run_for(Seconds(1));
  EXPECT_EQ(order, "ba");
}

std::uint64_t run_story(std::uint64_t seed) {
  SimWorld world(seed);
  const SimNode a = world.add_node();
  const SimNode b = world.add_node();
  Wire wire(world, a, b);
  for (int i = 0; i < 20; ++i) {
    a.runtime().run_on_worker([] {},
                              [&wire, &a, i] {
                                Bytes payload = to_bytes("job " + std::to_string(i));
                                append(payload, ByteView(a.runtime().rng().array<16>()));
                                (void)wire.near->write(payload);
                              });
  }
  world.run_for(Seconds(1));
  EXPECT_EQ(read_all(*wire.far).size(), 20u * 16 + 10 * 5 + 10 * 6);
  return world.trace_hash();
}

TEST(SimWorld, the_same_seed_gives_the_same_trace_hash_and_another_seed_another) {
  EXPECT_EQ(run_story(5), run_story(5));
  EXPECT_NE(run_story(5), run_story(6));
}

TEST(SimWorld, work_that_runs_here_costs_what_the_seed_says_and_moves_no_clock) {
  const auto costs = [](std::uint64_t seed, SimWorldOptions options = {}) {
    SimWorld world(seed, options, std::make_unique<UniformLinks>());
    Runtime& runtime = world.add_node().runtime();
    const MonoTime start = world.now();
    std::vector<Nanos> out;
    int runs = 0;
    for (int i = 0; i < 100; ++i) out.push_back(runtime.run_here([&runs] { ++runs; }));
    EXPECT_EQ(runs, 100);
    EXPECT_EQ(world.now(), start);
    return out;
  };
  const auto first = costs(1);
  EXPECT_EQ(costs(1), first);
  EXPECT_NE(costs(2), first);
  const auto [least, most] = std::minmax_element(first.begin(), first.end());
  EXPECT_GE(*least, Micros(20));
  EXPECT_LE(*most, Micros(80));
  EXPECT_GT(*most - *least, Micros(40)) << "over the whole range";
  SimWorldOptions even;
  even.least_work_here = even.most_work_here = Micros(7);
  EXPECT_EQ(costs(1, even), std::vector<Nanos>(100, Micros(7)));
  SimWorld world(1);
  EXPECT_THROW((void)world.add_node().runtime().run_here(nullptr), std::invalid_argument);
}

TEST(SimWorld, worker_jobs_end_in_an_order_drawn_from_the_seed) {
  const auto order_of = [](std::uint64_t seed) {
    SimWorld world(seed);
    Runtime& rt = world.add_node().runtime();
    std::string order;
    for (char name = 'a'; name < 'k'; ++name) rt.run_on_worker([] {}, [&order, name] { order += name; });
    world.run_for(Seconds(1));
    return order;
  };
  EXPECT_EQ(order_of(1), order_of(1));
  EXPECT_NE(order_of(1), order_of(2));
  EXPECT_EQ(order_of(1).size(), 10u);
}

}  // namespace
}  // namespace libp2p::runtime
