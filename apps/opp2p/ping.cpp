#include "ping.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "input.hpp"
#include "libp2p/base/peer_text.hpp"
#include "libp2p/services/ping/ping_service.hpp"
#include "tool_host.hpp"

namespace opp2p {

using libp2p::Multiaddr;
using libp2p::Nanos;
using libp2p::PeerId;
using libp2p::Result;
using libp2p::runtime::Task;

namespace {

struct Options {
  std::string address;
  std::size_t count = 5;
  double interval = 1;
  double timeout = 10;
  std::string spin = "0s";
  bool json = false;
};

// What has been found out so far, also when a signal ends the command.
struct Findings {
  PeerId peer;
  Nanos connected_in{0};
  std::vector<Nanos> round_trips;
  std::string error;
};

double millis(Nanos time) { return std::chrono::duration<double, std::milli>(time).count(); }
Nanos from_seconds(double seconds) { return std::chrono::duration_cast<Nanos>(std::chrono::duration<double>(seconds)); }

void print_round_trip(opp2p::Output& out, const Options& options, std::size_t index, Nanos time) {
  if (options.json) {
    boost::json::object line;
    line["seq"] = index + 1;
    line["round_trip_ms"] = millis(time);
    print_line(out, line);
  } else {
    out.write(fmt::format("answer {}: {:.3f} ms\n", index + 1, millis(time)));
  }
}

Task<void> ping_peer(ToolHost& tool, opp2p::Output& out, const Options& options, const Multiaddr& address,
                     Findings& findings) {
  const auto start = tool.runtime().now().mono;
  const Result<PeerId> peer = co_await tool.host().connect(address);
  if (!peer) {
    findings.error = "cannot connect to " + options.address + ": " + peer.error().message();
    co_return;
  }
  findings.peer = *peer;
  findings.connected_in = tool.runtime().now().mono - start;
  if (!options.json) {
    out.write(fmt::format("connected to {} in {:.3f} ms\n", peer->to_base58(), millis(findings.connected_in)));
  }
  libp2p::PingService::HeardOne heard = [&out, &options, &findings](std::size_t index, Nanos time) {
    findings.round_trips.push_back(time);
    print_round_trip(out, options, index, time);
  };
  const Nanos interval = from_seconds(options.interval);
  const Result<void> done = co_await tool.pings().ping_many(*peer, options.count, interval, std::move(heard));
  if (!done) findings.error = done.error().message();
}

void print_summary(opp2p::Output& out, const Options& options, const Findings& findings) {
  const auto& times = findings.round_trips;
  Nanos least(0);
  Nanos most(0);
  Nanos sum(0);
  if (!times.empty()) {
    least = *std::min_element(times.begin(), times.end());
    most = *std::max_element(times.begin(), times.end());
    for (const Nanos time : times) sum += time;
  }
  const double mean = times.empty() ? 0 : millis(sum) / static_cast<double>(times.size());
  if (!options.json) {
    if (!times.empty()) {
      out.write(fmt::format("{} answers: least {:.3f} ms, mean {:.3f} ms, most {:.3f} ms\n", times.size(),
                            millis(least), mean, millis(most)));
    }
    return;
  }
  boost::json::object line;
  line["address"] = libp2p::peer_text(options.address);
  line["peer"] = findings.peer.empty() ? boost::json::value(nullptr) : boost::json::value(findings.peer.to_base58());
  line["answers"] = times.size();
  if (!findings.peer.empty()) line["connect_ms"] = millis(findings.connected_in);
  if (!times.empty()) {
    line["least_ms"] = millis(least);
    line["mean_ms"] = mean;
    line["most_ms"] = millis(most);
  }
  line["ok"] = findings.error.empty();
  if (!findings.error.empty()) line["error"] = libp2p::peer_text(findings.error);
  print_line(out, line);
}

int run_ping(opp2p::Output& out, const Options& options) {
  const auto address = parse_multiaddr(options.address);
  const auto spin = parse_spin(options.spin);
  if (!address || !spin) return 1;
  libp2p::PingConfig config;
  config.timeout = from_seconds(options.timeout);
  ToolHost tool(out, *spin, config);
  Findings findings;
  const auto end = tool.run(ping_peer(tool, out, options, *address, findings));
  if (end == ToolHost::End::signalled && findings.round_trips.empty())
    findings.error = "stopped before the first answer";
  tool.close(libp2p::Seconds(1));
  print_summary(out, options, findings);
  if (findings.error.empty()) return 0;
  return report(findings.error);
}

}  // namespace

void add_ping_command(CLI::App& app, opp2p::Output& out, int& exit_code) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("ping", "Measure the round-trip time to a peer");
  command->add_option("address", options->address, "Address of the peer, /ip4/…/tcp/…[/p2p/ID]")->required();
  command->add_option("--count,-c", options->count, "Number of pings")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  command->add_option("--interval,-i", options->interval, "Seconds between two pings")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 3600.0));
  command->add_option("--timeout", options->timeout, "Seconds to wait for an answer")
      ->capture_default_str()
      ->check(CLI::Range(0.001, 3600.0));
  command->add_option("--spin", options->spin, "Time to look for the answer before sleeping, for example 100us")
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print one JSON line for each answer and one for the summary");
  command->callback([options, &out, &exit_code] { exit_code = run_ping(out, *options); });
}

}  // namespace opp2p
