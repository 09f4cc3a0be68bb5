// A script of requests, ends and time, of peers some of which share an address. What must hold: every admitted ticket
// is decided once, or displaced after that; it waits or runs until it is finished; no bound is passed; and nothing is
// left when all are finished.
#include <map>

#include "opstack/sync/engine/request_limiter.hpp"
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
  out.max_per_address = 7;
  out.max_per_site = 9;
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
    } else if (what % 4 == 2 && !open_.empty()) {
      limiter_.on_progress(std::next(open_.begin(), value % static_cast<std::ptrdiff_t>(open_.size()))->first, now_);
    } else {
      ask(value % 9);
    }
    settle();
  }

  void end() {
    while (!open_.empty()) finish(open_.begin()->first);
    settle();
    require(limiter_.open() == 0 && limiter_.waiting() == 0);
  }

 private:
  // Peers 0 to 2 have no share of an address, 3 to 5 share one, 6 to 8 another of the same site.
  static libp2p::AddressBlocks blocks_of(std::uint8_t name) {
    if (name < 3) return {};
    return {Bytes{1, name < 6 ? std::uint8_t{1} : std::uint8_t{2}}, Bytes{1}};
  }
  void ask(std::uint8_t name) {
    const auto peer = PeerId::from_bytes(Bytes{0x00, 0x01, name}).value();
    const auto admission = limiter_.on_request(peer, blocks_of(name), now_);
    if (admission.refused != RequestLimiter::Refusal::none) return;
    require(open_.emplace(admission.ticket, Open{name, admission.granted}).second);
  }
  void finish(TicketId ticket) {
    limiter_.on_finished(ticket, now_);
    open_.erase(ticket);
  }
  void settle() {
    limiter_.check();
    while (const auto decision = limiter_.poll_decision()) {
      const auto found = open_.find(decision->ticket);
      require(found != open_.end());
      require(!found->second.decided || decision->refused == RequestLimiter::Refusal::displaced);
      found->second.decided = true;
      if (decision->refused != RequestLimiter::Refusal::none) finish(decision->ticket);
    }
    std::size_t waiting = 0;
    std::map<std::uint8_t, std::size_t> of_peer;
    std::map<Bytes, std::size_t> of_block;
    for (const auto& [ticket, open] : open_) {
      waiting += open.decided ? 0 : 1;
      require(++of_peer[open.name] <= 5);
      if (const auto blocks = blocks_of(open.name); !blocks.is_exempt())
        require(++of_block[blocks.narrow] <= 7 && ++of_block[blocks.wide] <= 9);
    }
    require(limiter_.open() == open_.size() && open_.size() <= 12 && limiter_.waiting() == waiting);
    require(limiter_.waiting() == 0 || limiter_.next_deadline().has_value());
  }

  struct Open {
    std::uint8_t name;
    bool decided;
  };
  libp2p::MonoTime now_{libp2p::Seconds(10)};
  RequestLimiter limiter_;
  std::map<TicketId, Open> open_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Run run(data[0] % 4 != 0);
  for (std::size_t at = 1; at + 1 < size && at < 4000; at += 2) run.step(data[at], data[at + 1]);
  run.end();
  return 0;
}
