// The processes of a devnet and what a story may do with them: start, stop, cut off and connect nodes, and have them
// sequence. All of it acts on real processes, by signals and their JSON-RPC. The record says what was seen.
//
// Owner: Devnet. Thread: the caller's; each producer has one more. Bounds: those of the plan. The listener is called
// inside calls of the stage and must not call it.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/devnet/branches.hpp"
#include "apps/devnet/data_folder.hpp"
#include "apps/devnet/devnet.hpp"
#include "apps/devnet/judgement.hpp"
#include "apps/devnet/member.hpp"
#include "apps/devnet/plan.hpp"
#include "apps/devnet/producer.hpp"
#include "apps/devnet/record.hpp"
#include "apps/devnet/view.hpp"
#include "libp2p/runtime/entropy.hpp"

namespace opp2p::devnet {

class StageListener {
 public:
  virtual ~StageListener() = default;
  virtual void on_event(const std::string& name, const Event& event) = 0;
  // A node that was started after the others is up; `again`: it had been stopped.
  virtual void on_up(const MemberPlace& place, bool again) = 0;
};

class Stage {
 public:
  using Names = std::vector<std::string>;

  // `interrupted`: asked while nodes start. All outlive the stage.
  Stage(const DevnetOptions& options, std::function<bool()> interrupted, StageListener& listener);
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // Starts everybody that does not wait, one after the other, and writes devnet.json.
  libp2p::Result<void> open(const Plan& plan);
  // The first member begins to sequence; the time of the record begins.
  libp2p::Result<void> begin();

  // ---- for the steps of a story ----

  const Record& record() const { return record_; }
  void say(const std::string& name, const Event& event) { listener_.on_event(name, event); }
  // The member publishes a branch from now on, which begins `lower` blocks below the published tip. It may be behind
  // its time: each block comes `late` after its timestamp.
  libp2p::Result<void> sequence(const std::string& name, std::uint64_t lower, libp2p::Nanos late = {});
  // How long the first block of such a branch is past its timestamp.
  libp2p::Nanos behind(std::uint64_t lower) const;
  void stop_sequencing(const std::string& name);
  // In order, and waits for its end.
  libp2p::Result<void> stop(const std::string& name);
  // One that waits or was stopped; with the data that it had. It is up when its row says so.
  libp2p::Result<void> start(const std::string& name);
  // A new key signs from now on. Who is started knows only that one. Answers its address.
  std::string rotate_signer();
  // These two where the plan has no static peers.
  libp2p::Result<void> cut(const Names& some, const Names& others);
  libp2p::Result<void> connect(const Names& some, const Names& others);

  // ---- for the run ----

  // Asks all nodes how they are, and reports what has happened.
  void look();
  void step_done();
  void stop_production();
  // The chains of all nodes and the published one, into the record.
  void read_chains();
  void add_problem(std::string text) { record_.problems.push_back(std::move(text)); }
  void end(bool interrupted, bool story_ended);
  // Ends all processes; those that do not end in order.
  Checks stop_all();

  DevnetStart facts() const;
  DevnetStatus status();
  const DataFolder& folder() const { return folder_; }
  bool has_intruder() const { return intruder_.has_value(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Actor {
    MemberPlan plan;
    std::unique_ptr<Member> member;  // none while it waits
    bool up = false;
    bool again = false;  // it was started before
    Clock::time_point started{};
  };

  libp2p::Result<void> make_chain();
  std::string signer_address() const;
  libp2p::Result<void> launch(Actor& actor);
  libp2p::Result<void> look_starting(Actor& actor, NodeRecord& node);
  libp2p::Result<void> on_up(Actor& actor);
  libp2p::Result<void> start_intruder();
  libp2p::Result<void> write_about() const;
  std::vector<std::string> node_command(const MemberPlan& plan, const std::string& folder) const;
  std::vector<std::string> addresses() const;
  Actor& actor(const std::string& name);
  void finish(const std::string& name, Producer& producer);
  bool sequences(const std::string& name) const { return producers_.contains(name); }

  const DevnetOptions options_;
  const std::function<bool()> interrupted_;
  StageListener& listener_;
  libp2p::runtime::SystemRng rng_;
  DataFolder folder_;
  libp2p::crypto::secp256k1::Secret signer_{};
  std::optional<opstack::testing::ChainBuilder> chain_;  // at genesis
  std::optional<Branches> branches_;
  bool static_peers_ = true;
  std::vector<Actor> actors_;  // as the nodes of the record
  std::optional<Member> intruder_;
  std::map<std::string, std::unique_ptr<Producer>> producers_;  // by the name of the member
  Clock::time_point started_{};
  Clock::time_point step_at_{};
  Record record_;
};

}  // namespace opp2p::devnet
