#include "libp2p/testing/transport_suite.hpp"

#include "libp2p/testing/transport_suite_cases.hpp"

namespace libp2p {
namespace {

struct TransportCase {
  std::string_view name;
  void (*run)(transport_cases::Case&);
};

constexpr TransportCase kTransportCases[] = {
    {"echo", transport_cases::echo},
    {"half_close", transport_cases::half_close},
    {"reset", transport_cases::reset},
    {"many_streams", transport_cases::many_streams},
    {"back_pressure", transport_cases::back_pressure},
    {"slow_reader", transport_cases::slow_reader},
    {"fairness", transport_cases::fairness},
    {"last_words", transport_cases::last_words},
    {"abrupt_loss", transport_cases::abrupt_loss},
    {"facts", transport_cases::facts},
    {"wrong_peer", transport_cases::wrong_peer},
    {"cancelled_dials", transport_cases::cancelled_dials},
    {"crossing_dials", transport_cases::crossing_dials},
    {"taken_address", transport_cases::taken_address},
    {"nobody_listens", transport_cases::nobody_listens},
    {"listener_that_goes", transport_cases::listener_that_goes},
    {"foreign_address", transport_cases::foreign_address},
    {"sockets_carry_bytes", transport_cases::sockets_carry_bytes},
    {"sockets_end_each_way", transport_cases::sockets_end_each_way},
    {"sockets_hold_back", transport_cases::sockets_hold_back},
    {"sockets_of_dials_given_up", transport_cases::sockets_of_dials_given_up},
    {"sockets_nobody_listens", transport_cases::sockets_nobody_listens},
};

}  // namespace

std::vector<std::string> transport_suite_cases() {
  std::vector<std::string> names;
  for (const auto& entry : kTransportCases) names.emplace_back(entry.name);
  return names;
}

Failures run_transport_case(std::string_view name, const MakeTransportBed& make_bed,
                            const TransportSuiteOptions& options) {
  for (const auto& entry : kTransportCases) {
    if (entry.name != name) continue;
    const auto bed = make_bed(options.seed);
    Findings findings(bed->plan().name + " " + std::string(name));
    transport_cases::Case test(*bed, options, findings);
    entry.run(test);
    return findings.take();
  }
  return unknown_case(name);
}

Failures run_transport_suite(const MakeTransportBed& make_bed, const TransportSuiteOptions& options) {
  Failures all;
  for (const auto& entry : kTransportCases)
    for (auto& failure : run_transport_case(entry.name, make_bed, options)) all.push_back(std::move(failure));
  return all;
}

}  // namespace libp2p
