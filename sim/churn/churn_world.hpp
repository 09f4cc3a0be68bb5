// ChurnWorld: the network of a run, and what happens in it. Member 0 is the sequencer; the next two are those that
// visitors come to, and run all the time, so that what one process gathers is seen; all others restart. Each member
// dials up to three of those before it.
//
// Owner: run() of churn.cpp. Thread: one. Bounds: those of the settings.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "sim/churn/churn.hpp"
#include "sim/churn/levels.hpp"
#include "sim/churn/observer.hpp"
#include "sim/sim_network.hpp"
#include "sim/visitor.hpp"

namespace opp2p::sim::churn {

class ChurnWorld {
 public:
  static constexpr std::size_t kVisited = 2;  // members

  explicit ChurnWorld(const ChurnSettings& settings);
  ~ChurnWorld();
  ChurnWorld(const ChurnWorld&) = delete;
  ChurnWorld& operator=(const ChurnWorld&) = delete;

  // A minute in which peers come and go.
  void churn_a_minute();
  // Everybody goes and all members run, until that minute of the run, and on until after the next block.
  void rest_until(double minute);
  Levels levels();
  // Visitors may come again.
  void open();
  void close();

  double minute() const { return minute_; }
  std::uint64_t links() const { return links_; }
  const ChurnTally& tally() const { return tally_; }
  libp2p::runtime::SimWorld& world() { return network_->world(); }

 private:
  struct Place {
    libp2p::runtime::SimNode node;
    VisitorOptions options;
    std::unique_ptr<VisitorPlace> visitor;
    explicit Place(libp2p::runtime::SimNode at) : node(at) {}
  };
  struct Away {
    std::size_t member = 0;
    double until = 0;  // minutes
  };
  void add_member(std::size_t index);
  SimMemberOptions member_options(std::size_t index);
  void watch(std::size_t index, libp2p::runtime::Runtime& runtime, Node& node);
  void add_places();
  Place& add_place(const VisitorOptions& options);
  void pass(libp2p::Nanos duration);  // time with blocks
  void come_back(bool all);
  void stop_one();
  void operate();
  void operate_at(Node& node);
  void knock();
  void scrape();
  void leak();

  const ChurnSettings settings_;
  libp2p::SeededRng rng_;
  ChurnTally tally_;
  std::set<libp2p::PeerId> kept_;
  std::unique_ptr<opstack::testing::ChainBuilder> chain_;
  std::unique_ptr<SimNetwork> network_;
  std::vector<std::unique_ptr<Observer>> observers_;  // by member; null while it is away
  std::vector<std::unique_ptr<Place>> places_;
  std::optional<libp2p::runtime::SimNode> stranger_;
  std::vector<std::unique_ptr<libp2p::runtime::Operation>> knocking_;
  std::vector<std::unique_ptr<libp2p::runtime::Socket>> knocked_;
  std::vector<Away> away_;
  std::vector<std::unique_ptr<std::uint8_t[]>> leaked_;
  std::uint64_t visits_leaked_ = 0;
  std::uint64_t links_ = 0;
  libp2p::MonoTime begin_{};
  double minute_ = 0;
};

}  // namespace opp2p::sim::churn
