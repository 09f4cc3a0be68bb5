#include "perf.hpp"

#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <string>

#include "input.hpp"
#include "libp2p/base/peer_text.hpp"
#include "libp2p/base/seconds.hpp"
#include "libp2p/services/perf/perf_service.hpp"
#include "tool_host.hpp"

namespace opp2p {

using libp2p::Multiaddr;
using libp2p::Nanos;
using libp2p::PeerId;
using libp2p::PerfResult;
using libp2p::PerfService;
using libp2p::Result;
using libp2p::runtime::Task;

namespace {

struct ServeOptions {
  std::string listen;
  std::string spin = "0s";
};

struct DialOptions {
  std::string address;
  std::uint64_t upload = 0;
  std::uint64_t download = 0;
  std::uint64_t streams = 1;
};

struct Totals {
  std::uint64_t uploaded = 0;
  std::uint64_t downloaded = 0;
  double upload_seconds = 0;    // of the slowest stream
  double download_seconds = 0;  // likewise
  double seconds = 0;
  double cpu_seconds = 0;
  std::uint64_t finished = 0;
  std::string error;
};

// Of this process, user and system.
double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The `index`th of `parts` shares, which add up to `total`.
std::uint64_t share_of(std::uint64_t total, std::uint64_t parts, std::uint64_t index) {
  return total / parts + (index < total % parts ? 1 : 0);
}

Task<void> run_stream(PerfService& perf, PeerId peer, std::uint64_t upload, std::uint64_t download, Totals& totals,
                      libp2p::runtime::Event& done) {
  const Result<PerfResult> result = co_await perf.run(std::move(peer), upload, download);
  ++totals.finished;
  if (result) {
    totals.uploaded += result->uploaded;
    totals.downloaded += result->downloaded;
    totals.upload_seconds = std::max(totals.upload_seconds, libp2p::seconds_of(result->upload));
    totals.download_seconds = std::max(totals.download_seconds, libp2p::seconds_of(result->download));
  } else if (totals.error.empty()) {
    totals.error = result.error().message();
  }
  done.signal();
}

Task<void> run_dial(ToolHost& tool, PerfService& perf, const DialOptions& options, const Multiaddr& address,
                    Totals& totals) {
  const Result<PeerId> peer = co_await tool.host().connect(address);
  if (!peer) {
    totals.error = "cannot connect to " + options.address + ": " + peer.error().message();
    co_return;
  }
  libp2p::runtime::Event done(tool.runtime());
  libp2p::runtime::TaskScope streams(tool.runtime());
  const double cpu = cpu_seconds();
  const auto start = tool.runtime().now().mono;
  for (std::uint64_t i = 0; i < options.streams; ++i) {
    streams.spawn(run_stream(perf, *peer, share_of(options.upload, options.streams, i),
                             share_of(options.download, options.streams, i), totals, done));
  }
  while (totals.finished < options.streams) {
    const Result<void> woken = co_await done.wait();
    if (!woken) co_return;
  }
  totals.seconds = libp2p::seconds_of(tool.runtime().now().mono - start);
  totals.cpu_seconds = cpu_seconds() - cpu;
}

int dial(opp2p::Output& out, const DialOptions& options) {
  const auto address = parse_multiaddr(options.address);
  if (!address) return 1;
  ToolHost tool(out);
  PerfService perf(tool.host());
  Totals totals;
  const auto end = tool.run(run_dial(tool, perf, options, *address, totals));
  if (end == ToolHost::End::signalled && totals.error.empty()) totals.error = "stopped by a signal";
  tool.close(libp2p::Seconds(1));
  const bool all = totals.error.empty() && totals.uploaded == options.upload && totals.downloaded == options.download;
  boost::json::object line;
  line["upload_bytes"] = totals.uploaded;
  line["download_bytes"] = totals.downloaded;
  line["streams"] = options.streams;
  line["seconds"] = totals.seconds;
  line["upload_seconds"] = totals.upload_seconds;
  line["download_seconds"] = totals.download_seconds;
  line["cpu_seconds"] = totals.cpu_seconds;
  line["ok"] = all;
  if (!totals.error.empty()) line["error"] = libp2p::peer_text(totals.error);
  print_line(out, line);
  if (!totals.error.empty()) report(totals.error);
  return all ? 0 : 1;
}

int serve(opp2p::Output& out, const ServeOptions& options) {
  const auto address = parse_multiaddr(options.listen);
  const auto spin = parse_spin(options.spin);
  if (!address || !spin) return 1;
  ToolHost tool(out, *spin);
  libp2p::PerfConfig config;
  config.serve = true;
  config.inbound_per_peer = 256;  // more than a dialer asks for
  PerfService perf(tool.host(), config);
  if (const auto listening = tool.host().listen(*address); !listening) {
    return report(listening.error());
  }
  const Multiaddr bound = tool.host().listen_addresses().front().with_peer_id(tool.host().id());
  out.write(bound.text() + "\n");
  tool.run_until_signal();
  tool.close(libp2p::Seconds(3));
  return 0;
}

}  // namespace

void add_perf_commands(CLI::App& app, opp2p::Output& out, int& exit_code) {
  auto* perf = app.add_subcommand("perf", "Measure the throughput of a connection (/perf/1.0.0)");
  perf->require_subcommand(1);

  auto serve_options = std::make_shared<ServeOptions>();
  auto* server = perf->add_subcommand("serve", "Serve until SIGTERM; the first line of output is the address to dial");
  server->add_option("--listen", serve_options->listen, "Address to listen on, for example /ip4/127.0.0.1/tcp/0")
      ->required();
  server->add_option("--spin", serve_options->spin, "Time to look for events before sleeping, for example 100us")
      ->capture_default_str();
  server->callback([serve_options, &out, &exit_code] { exit_code = serve(out, *serve_options); });

  auto options = std::make_shared<DialOptions>();
  auto* dialer =
      perf->add_subcommand("dial", "Send bytes to a server, receive bytes from it, and print the times as JSON");
  dialer->add_option("address", options->address, "Address of the server, /ip4/…/tcp/…[/p2p/ID]")->required();
  dialer->add_option("--upload-bytes", options->upload, "Bytes to send over all streams together")
      ->required()
      ->check(CLI::NonNegativeNumber);
  dialer->add_option("--download-bytes", options->download, "Bytes to receive over all streams together")
      ->required()
      ->check(CLI::NonNegativeNumber);
  dialer->add_option("--streams", options->streams, "Number of parallel streams that share the bytes")
      ->capture_default_str()
      ->check(CLI::Range(1, 200));
  dialer->callback([options, &out, &exit_code] { exit_code = dial(out, *options); });
}

}  // namespace opp2p
