// A world of gossiping members on one virtual clock. One seed decides all that happens; the trace hash covers every
// event, and the same seed gives the same hash, whether RPCs are objects or bytes. Random choices come from a stream of
// numbers for each purpose and member, and those of the network from the connection and the number of the RPC, so that
// one more choice in one place changes no other.
//
// An RPC's way: its sender's router or send queue gives it when the up-link can take it; the up-link sends long frames
// one after another; it travels for the latency of the two regions, with jitter and lost packets; the down-link takes
// it in; it waits for the receiver's processor. Until that has read it, it counts for the window of its connection, so
// that a slow reader holds its senders back.
//
// Owner: a test, or Network (network.hpp). Thread: one. Bounds: events are bounded by the windows of connections, one
// timer for a member, its works and what at() is told. Re-entrancy: actors call their ports only; what at() is given
// may call everything but run_until().
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "libp2p/base/assert.hpp"
#include "sim/gossip/actor.hpp"
#include "sim/gossip/event_queue.hpp"
#include "sim/gossip/frame_cache.hpp"
#include "sim/gossip/send_queue.hpp"
#include "sim/gossip/world_params.hpp"

namespace opp2p::sim::gossip {

struct MemberSpec {
  std::string role;       // for reports: "honest", "sequencer", "sybil"
  bool honest = true;     // it counts as one of those whom the network is for
  bool announces = true;  // discover() finds it
  Region region = Region::europe_west;
  std::optional<Multiaddr> address = std::nullopt;  // none: an IPv4 address of its own
  LinkParams link = {};
  std::optional<CpuParams> cpu = CpuParams{};  // none: work takes no time
  Nanos clock_skew{};                          // of its wall clock
  std::size_t max_inbound = 64;                // connections that others have dialled
  ActorFactory make;
};

// Since the start.
struct WorldCounters {
  std::uint64_t events = 0;
  std::uint64_t rpcs_sent = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_lost = 0;  // with connections that ended
  std::uint64_t packets_lost = 0;
  std::uint64_t sends_refused = 0;  // ActorPort::send() without room
  std::uint64_t dials = 0;
  std::uint64_t dials_failed = 0;
  std::uint64_t works_late = 0;  // beyond their deadline
  std::uint64_t checks = 0;
};

class World {
 public:
  explicit World(WorldParams params);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Member add(MemberSpec spec);  // it does not run yet
  void start(Member member);
  // How a member ends: its peers learn of it at once (after the latency), or when they miss it.
  enum class Ending : std::uint8_t { in_order, power_cut };
  void stop(Member member, Ending ending = Ending::in_order);
  bool is_running(Member member) const { return members_[member]->actor != nullptr; }

  // Connects two running members without a dial; false when they are connected, or the other has no room.
  bool connect(Member from, Member to);
  // Members in different groups do not reach each other. All are in group 0 at first.
  void set_group(Member member, std::uint32_t group);
  void heal();

  // Calls `happen` at that time, after what was to happen then before.
  void at(MonoTime time, std::function<void()> happen);
  void run_until(MonoTime time);

  MonoTime time() const { return time_; }
  UnixTime wall() const { return params_.epoch + time_.time_since_epoch(); }
  std::size_t size() const { return members_.size(); }
  const WorldParams& params() const { return params_; }
  const MemberSpec& spec(Member member) const { return members_[member]->spec; }
  bool is_honest(Member member) const { return members_[member]->spec.honest; }
  PeerId id_of(Member member) const;
  Multiaddr address_of(Member member) const { return members_[member]->address; }
  Actor* actor(Member member) { return members_[member]->actor.get(); }
  // For what the actor of a member is told from outside of the events: publish, a sybil's orders. Settles it after.
  void act(Member member, const std::function<void(Actor&)>& deed);
  bool is_connected(Member a, Member b) const { return find(a, b) != nullptr; }
  std::vector<Member> peers_of(Member member) const;
  // The time that the member's processors have worked.
  Nanos busy_time(Member member) const { return members_[member]->busy; }
  FrameCache& frames() { return frames_; }

  const WorldCounters& counters() const { return counters_; }
  std::uint64_t trace_hash() const { return hash_; }
  void fold(std::uint64_t value);
  // Everything about all members.
  void check() const;

 private:
  class Port;
  enum class EventKind : std::uint8_t {
    none,
    arrival,    // an RPC is at the receiver's down-link
    receipt,    // and through it
    processor,  // the receiver's processor is free
    uplink,     // the up-link can take more
    credit,     // the sender hears that an RPC was read
    timer,
    work,  // a verifier has done its work, or cannot
    dialled,
    dial_failed,
    closed,  // one end hears that the connection has ended
    cut,     // a partition is noticed
    script,
  };
  struct Connection;
  struct Event {
    EventKind kind = EventKind::none;
    bool flag = false;
    std::uint8_t end = 0;  // of the connection: who receives, or whom it is about
    std::uint32_t member = 0;
    std::uint32_t connection = 0;
    std::uint64_t number = 0;  // generation of the connection, ticket, epoch
    Wire wire = {};
  };
  struct Link {  // one direction of a connection: what end `i` sends
    MonoTime last_arrival{};
    MonoTime last_receipt{};
    MonoTime not_before{};      // after a partition
    std::size_t in_flight = 0;  // bytes sent and not yet read
    std::uint32_t sent = 0;     // RPCs
    bool is_ready = false;      // in its member's ready list
    bool wants_credit = false;  // it had something, and no window
    bool pulls = false;         // the actor has something
    SendQueue pushed;
    std::vector<Wire> held;  // arrived across a partition
  };
  struct Connection {
    std::uint64_t generation = 0;  // 0: the slot is free
    std::array<Member, 2> ends{};  // the first has dialled
    std::array<bool, 2> open{};    // as each end knows it
    Nanos latency{};
    std::array<Link, 2> links;
    unsigned end_of(Member member) const { return ends[1] == member ? 1 : 0; }
    bool whole() const { return open[0] && open[1]; }
  };
  struct Inbound {
    std::uint32_t connection = 0;
    std::uint64_t generation = 0;
    std::uint8_t end = 0;
    Wire wire = {};
  };
  struct State {  // what every event needs comes first
    std::unique_ptr<Actor> actor;
    std::vector<std::pair<Member, std::uint32_t>> connections;  // by peer
    MonoTime uplink_free{};
    MonoTime downlink_free{};
    MonoTime processor_free{};
    std::optional<MonoTime> timer;  // the earliest timer event that stands
    std::uint64_t timer_number = 0;
    std::uint64_t settled = 0;
    std::uint32_t epoch = 0;  // of runs
    std::uint32_t group = 0;
    std::uint32_t identity = 0;
    bool uplink_waits = false;
    bool processor_waits = false;
    std::deque<std::pair<std::uint32_t, std::uint64_t>> ready;  // what has something to send: connection, generation
    std::deque<Inbound> inbox;
    Nanos busy{};
    std::vector<MonoTime> verifiers;
    std::size_t inbound = 0;
    std::set<Member> dialling;
    std::unique_ptr<Port> port;
    std::unique_ptr<libp2p::SeededRng> rng;
    std::unique_ptr<libp2p::SeededRng> discovery;
    Multiaddr address;
    MemberSpec spec;
  };

  // world.cpp: members and time
  void dispatch(Event& event);
  void prefetch(const Event& event) const;
  void settle(Member member);
  void arm(Member member);
  Now now_of(Member member) const;
  void check_member(Member member) const;
  void check_connection(std::uint32_t index) const;

  // world_connections.cpp: dials, ends of connections, partitions
  const Connection* find(Member a, Member b) const;
  Connection* find(Member a, Member b, std::uint32_t& index);
  void dial(Member from, Member to);
  void finish_dial(Member from, Member to, bool reached);
  bool reaches(Member a, Member b) const { return members_[a]->group == members_[b]->group; }
  std::uint32_t open(Member from, Member to);
  void close_end(std::uint32_t index, unsigned end);
  void hear_of_close(std::uint32_t index, unsigned end);
  void close(Member member, std::uint32_t index, Nanos until_heard);
  void drop_traffic(Connection& connection);
  void free_if_closed(std::uint32_t index);
  void notice_cut(std::uint32_t index);

  // world_links.cpp: RPCs on their way
  bool push(Member from, Member to, SharedBytes frame);
  void make_ready(std::uint32_t index, unsigned end);
  void pump(Member member);
  std::optional<Wire> next_of(std::uint32_t index, unsigned end);
  void transmit(std::uint32_t index, unsigned end, Wire wire);
  Nanos delay_of(const Connection& connection, unsigned end, std::size_t size);
  void arrive(Event& event);
  void receive(Event& event);
  void read(Inbound inbound);
  void run_processor(Member member);
  void give_credit(std::uint32_t index, unsigned end, std::size_t size);
  void work(Member member, Nanos cost, Nanos deadline, std::uint64_t ticket);
  static Nanos transfer_time(std::size_t size, std::uint64_t rate);

  WorldParams params_;
  MonoTime time_{};
  EventQueue<Event> events_;
  std::vector<std::unique_ptr<State>> members_;
  std::vector<const Actor*> actors_;  // those that run, by member: for prefetch()
  std::vector<Connection> connections_;
  std::vector<std::uint32_t> free_connections_;
  std::uint64_t next_generation_ = 1;
  std::map<std::uint64_t, std::function<void()>> scripts_;
  std::uint64_t next_script_ = 1;
  std::vector<Member> announced_;
  FrameCache frames_;
  WorldCounters counters_;
  std::uint64_t hash_;
};

}  // namespace opp2p::sim::gossip
