// A script of requests, ends and time. What must hold: every admitted ticket is decided at most once, waits or runs until it is
// finished, no bound is passed, and nothing is left when all are finished.
#include <map>

#include "opstack/sync/request_limiter.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using namespace opstack::sync;
using libp2p::fuzzing::require;

RequestLimits limits(bool rated) {
  RequestLimits out;
  out.rate_limited = rated;
  out.global_burst = 6;
  out.peer_burst = 3;
  out.remembered_peers = 3;
  out.max_per_peer = 5;
  out.max_total = 12;
  return out;
}

class Run {
 public:
  explicit Run(bool rated) : limiter_(limits(rated), now_) {}

  void step(std::uint8_t what, std::uint8_t value) {
    if (what % 4 == 0) {
      now_ += libp2p::Millis(value * 40);
      limiter_.on_timeout(now_);
    } else if (what % 4 == 1 && !open_.empty()) {
      finish(std::next(open_.begin(), value % static_cast<std::ptrdiff_t>(open_.size()))->first);
    } else {
      ask(PeerId::from_bytes(Bytes{0x00, 0x01, static_cast<std::uint8_t>(value % 5)}).value());
    }
    settle();
  }

  void end() {
    while (!open_.empty()) finish(open_.begin()->first);
    settle();
    require(limiter_.open() == 0 && limiter_.waiting() == 0);
  }

 private:
  void ask(const PeerId& peer) {
    const auto admission = limiter_.on_request(peer, now_);
    if (admission.refused != RequestLimiter::Refusal::none) return;
    require(open_.emplace(admission.ticket, admission.granted).second);
  }
  void finish(TicketId ticket) {
    limiter_.on_finished(ticket, now_);
    open_.erase(ticket);
  }
  void settle() {
    while (const auto decision = limiter_.poll_decision()) {
      const auto found = open_.find(decision->ticket);
      require(found != open_.end() && !found->second);
      found->second = true;
      if (decision->refused != RequestLimiter::Refusal::none) finish(decision->ticket);
    }
    std::size_t waiting = 0;
    for (const auto& [ticket, decided] : open_) waiting += decided ? 0 : 1;
    require(limiter_.open() == open_.size() && open_.size() <= 12 && limiter_.waiting() == waiting);
    require(limiter_.waiting() == 0 || limiter_.next_deadline().has_value());
  }

  libp2p::MonoTime now_{libp2p::Seconds(10)};
  RequestLimiter limiter_;
  std::map<TicketId, bool> open_;  // whether it has been decided
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Run run(data[0] % 4 != 0);
  for (std::size_t at = 1; at + 1 < size && at < 4000; at += 2) run.step(data[at], data[at + 1]);
  run.end();
  return 0;
}
