#include "tool_host.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <optional>
#include <utility>

#include "input.hpp"
#include "opp2p/base/end_signals.hpp"
#include "opp2p/config/config.hpp"

namespace opp2p {

using libp2p::Nanos;
using libp2p::runtime::Task;

namespace {

// Longer than any command runs, and far from the end of what a clock can hold.
constexpr Nanos kForever = std::chrono::hours(24 * 365);

constexpr Nanos kMostSpin = libp2p::Millis(10);  // as of the node's --p2p.spin

Task<void> run_and_say(Task<void> main, bool* finished) {
  co_await main;
  *finished = true;
}

Task<void> close_and_say(libp2p::Host& host, Nanos limit, bool* finished) {
  co_await host.close(limit);
  *finished = true;
}

}  // namespace

class ToolHost::Signals {
 public:
  explicit Signals(boost::asio::io_context& executor) : set_(executor), set_while_writing_(while_writing_) {
    for (auto* set : {&set_, &set_while_writing_}) {
      for (const int signal : opp2p::end_signals()) set->add(signal);
      set->async_wait([this](const boost::system::error_code& error, int) {
        if (!error) came_ = true;
      });
    }
  }
  bool came() const { return came_; }
  // For a write that waits for its reader, during which the tool's loop does not run.
  bool came_while_writing() {
    while_writing_.poll();
    return came_;
  }

 private:
  boost::asio::io_context while_writing_;
  boost::asio::signal_set set_;
  boost::asio::signal_set set_while_writing_;
  bool came_ = false;
};

ToolHost::ToolHost(opp2p::Output& out, Nanos spin, libp2p::PingConfig ping) : out_(out), runtime_(1, spin) {
  auto key = libp2p::crypto::PrivateKey::generate(libp2p::crypto::KeyType::ed25519, runtime_.rng());
  libp2p::HostConfig config(std::move(key).value());
  signals_ = std::make_unique<Signals>(runtime_.executor());
  out_.give_up_when([this] { return signals_->came_while_writing(); });
  host_ = std::make_unique<libp2p::Host>(runtime_, std::move(config));
  identify_ = std::make_unique<libp2p::IdentifyService>(*host_);
  pings_ = std::make_unique<libp2p::PingService>(*host_, ping);
}

ToolHost::~ToolHost() { out_.give_up_when(nullptr); }

ToolHost::End ToolHost::run(Task<void> main, Nanos limit) {
  bool finished = false;
  libp2p::runtime::TaskScope scope(runtime_);
  scope.spawn(run_and_say(std::move(main), &finished));
  const auto ended = [&finished, this] { return finished || signals_->came() || out_.failed(); };
  if (!runtime_.run_until(ended, limit > Nanos(0) ? limit : kForever)) return End::timed_out;
  if (out_.failed()) return End::output_failed;
  return finished ? End::finished : End::signalled;
}

void ToolHost::run_until_signal() {
  runtime_.run_until([this] { return signals_->came() || out_.failed(); }, kForever);
}

void ToolHost::close(Nanos limit) {
  bool finished = false;
  libp2p::runtime::TaskScope scope(runtime_);
  scope.spawn(close_and_say(*host_, limit, &finished));
  runtime_.run_until([&finished] { return finished; }, limit + libp2p::Seconds(1));
}

std::optional<libp2p::Multiaddr> parse_multiaddr(const std::string& text) {
  auto address = libp2p::Multiaddr::from_text(text);
  if (address) return std::move(*address);
  report("\"" + text + "\" is not an address: " + address.error().message() +
         ". Write a multiaddr, for example /ip4/127.0.0.1/tcp/9222/p2p/16Uiu2…");
  return std::nullopt;
}

std::optional<Nanos> parse_spin(const std::string& text) {
  const auto time = opp2p::parse_duration(text);
  if (time && *time >= Nanos(0) && *time <= kMostSpin) return *time;
  if (!time || *time < Nanos(0))
    report("--spin: " + (time ? opp2p::go_quote(text) + " is negative" : time.error().text()) +
           "; write for example 100us");
  else
    report("--spin must be at most 10ms; " + opp2p::go_quote(text) + " would keep a core busy. Try 100us");
  return std::nullopt;
}

}  // namespace opp2p
