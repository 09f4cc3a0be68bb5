// Makes the report of an attack from what the network counted.
#pragma once

#include <vector>

#include "sim/attacks/plot.hpp"
#include "sim/attacks/report.hpp"
#include "sim/attacks/run.hpp"
#include "sim/gossip/network.hpp"

namespace opp2p::sim::attacks {

class ReportMaker {
 public:
  // `scenario` and `settings` outlive it.
  ReportMaker(const Scenario& scenario, const Settings& settings) : scenario_(scenario), settings_(settings) {}
  // Nodes that the report looks at by themselves.
  void set_targets(std::vector<Member> targets) { targets_ = std::move(targets); }

  // Without bars.
  Report make(const gossip::Network& network, const Plot& plot) const;

 private:
  Spread spread_between(const gossip::Metrics& metrics, double from, double until,
                        const std::vector<Member>& only) const;

  const Scenario& scenario_;
  const Settings& settings_;
  std::vector<Member> targets_;
};

}  // namespace opp2p::sim::attacks
