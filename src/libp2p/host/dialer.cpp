#include "libp2p/host/dialer.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/peer_text.hpp"
#include "libp2p/host/address_scope.hpp"
#include "libp2p/host/dial_target.hpp"

namespace libp2p {

using runtime::Parking;
using runtime::Task;
using runtime::Wake;

struct Dialer::Attempt {
  Attempt(std::vector<Attempt*>& all, PeerId whom, Multiaddr at)
      : attempts(all), peer(std::move(whom)), address(std::move(at)) {
    attempts.push_back(this);
  }
  ~Attempt() { std::erase(attempts, this); }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  std::vector<Attempt*>& attempts;
  const PeerId peer;  // empty: whoever answers
  const Multiaddr address;
  Parking parking;
  std::optional<Result<PeerId>> outcome;
  bool half_open = false;
  // Later than half-open, the connection that tells of it is at work and must not be re-entered.
  void wake() {
    if (half_open) {
      parking.wake(Wake::ok);
    } else {
      parking.wake_now(Wake::ok);
    }
  }
};

namespace {

std::string seconds(Nanos duration) {
  return std::to_string(std::chrono::duration_cast<Seconds>(duration).count()) + " s";
}

}  // namespace

Dialer::Dialer(runtime::Runtime& runtime, const HostConfig& config, Swarm& swarm, Gater& gater, HostCounters& counters)
    : runtime_(runtime), config_(config), swarm_(swarm), gater_(gater), counters_(counters) {}

Dialer::~Dialer() {
  life_.end();
  cancel();
}

void Dialer::cancel() {
  cancelled_ = true;
  for (auto& [key, running] : jobs_) {
    running.job->finish(fail(Errc::cancelled, "the host is closing"));
    running.job->on_abandoned = nullptr;
  }
  jobs_.clear();
}

std::size_t Dialer::end_not_permitted() {
  std::vector<std::pair<std::string, Error>> over;
  for (const auto& [key, running] : jobs_) {
    if (running.job->peer.empty()) continue;
    auto permitted = gater_.permits(running.job->peer, Multiaddr());
    if (!permitted) over.emplace_back(key, std::move(permitted).error());
  }
  for (auto& [key, why] : over) (void)end(key, std::move(why));
  std::size_t ended = over.size();
  for (Attempt* const attempt : attempts_) {
    if (attempt->outcome || attempt->parking.woken()) continue;
    auto permitted = gater_.permits(attempt->peer, attempt->address);
    if (permitted) continue;
    attempt->outcome.emplace(std::move(permitted).error());
    attempt->parking.wake(Wake::ok);
    ++ended;
  }
  counters_.closed_by_gater += ended;
  return ended;
}

void Dialer::check() const {
  OPP2P_CHECK(jobs_.size() <= config_.limits.pending_dials, "a bounded number of dials is under way", jobs_.size());
  OPP2P_CHECK(jobs_.empty() || !cancelled_, "no dial is under way after all were cancelled", jobs_.size());
  for (const auto& [key, running] : jobs_) {
    OPP2P_CHECK(running.job->key == key && running.scope != nullptr, "a dial under way stands under its key");
    OPP2P_CHECK(!running.job->outcome, "a dial under way has no outcome");
  }
}

void Dialer::abandon(const std::string& key) {
  if (end(key, fail(Errc::cancelled, "nobody waits for the dial any more"))) ++counters_.abandoned_dials;
}

void Dialer::on_connected(const PeerId& peer) { (void)end(key_of(peer), peer); }

// Its place is free at once, and what it was doing ends.
bool Dialer::end(const std::string& key, Result<PeerId> outcome) {
  auto node = jobs_.extract(key);
  if (!node) return false;
  OPP2P_ASSERT(!node.mapped().job->outcome, "a dial that is under way has no outcome");
  node.mapped().job->finish(std::move(outcome));
  if (on_dial_) on_dial_(*node.mapped().job);
  node.mapped().scope->cancel();
  ended_.push_back(std::move(node.mapped().scope));
  free_ended();
  return true;
}

void Dialer::free_ended() {
  runtime_.post(life_.guard([this] { ended_.clear(); }));
}

std::shared_ptr<DialJob> Dialer::dial(const PeerId& peer, const std::vector<Multiaddr>& addresses) {
  OPP2P_ASSERT(!addresses.empty(), "a dial has an address to begin with");
  std::string key = peer.empty() ? "address " + addresses.front().text() : key_of(peer);
  const auto known = jobs_.find(key);
  if (known != jobs_.end()) {
    known->second.job->add(addresses);
    return known->second.job;
  }
  auto job = std::make_shared<DialJob>();
  job->key = std::move(key);
  job->peer = peer;
  job->addresses.assign(addresses.begin(), addresses.end());
  if (cancelled_) {
    job->finish(fail(Errc::cancelled, "the host is closing"));
    return job;
  }
  if (jobs_.size() >= config_.limits.pending_dials) {
    ++counters_.refused_pending_dials;
    job->finish(fail(Errc::exhausted, std::to_string(jobs_.size()) +
                                          " dials are under way, which is the limit "
                                          "(Limits::pending_dials); try again when some have ended"));
    return job;
  }
  if (!peer.empty()) {
    auto allowed = gater_.intercept_peer_dial(peer);
    if (!allowed) {
      ++counters_.denied_by_gater;
      job->finish(std::move(allowed).error());
      if (on_dial_) on_dial_(*job);
      return job;
    }
  }
  job->on_abandoned = [this, key = job->key] { abandon(key); };
  Running& running = jobs_[job->key];
  running.job = job;
  running.scope = std::make_unique<runtime::TaskScope>(runtime_);
  if (on_dial_) on_dial_(*job);
  running.scope->spawn(run(job));
  return job;
}

Task<void> Dialer::run(std::shared_ptr<DialJob> job) {
  const MonoTime end = runtime_.now().mono + kWholeDial;
  std::string failures;
  Errc code = Errc::unreachable;
  std::optional<Result<PeerId>> result;
  while (!job->addresses.empty() && runtime_.now().mono < end) {
    Multiaddr address = std::move(job->addresses.front());
    job->addresses.pop_front();
    job->tried.push_back(address);
    const std::string text = peer_text(address.text());
    PeerId peer = job->peer;
    auto trying = try_address(std::move(peer), std::move(address), end);
    auto outcome = co_await trying;
    if (outcome || outcome.error() == Errc::cancelled) {
      result.emplace(std::move(outcome));
      break;
    }
    code = outcome.error().code();
    if (!failures.empty()) failures.append("; ");
    failures.append(text).append(": ").append(outcome.error().text());
  }
  if (job->outcome) co_return;  // abandoned meanwhile
  if (!result) {
    ++counters_.failed_dials;
    result.emplace(fail(code, "dialling failed: " + failures));
  }
  const auto running = jobs_.find(job->key);
  if (running != jobs_.end() && running->second.job == job) {
    ended_.push_back(std::move(running->second.scope));
    jobs_.erase(running);
    free_ended();
  }
  job->finish(std::move(*result));
  if (on_dial_) on_dial_(*job);
}

Task<Result<PeerId>> Dialer::try_address(PeerId peer, Multiaddr address, MonoTime end) {
  auto parsed = dial_target(address);
  if (!parsed) co_return parsed.error();
  const DialTarget target = std::move(*parsed);
  if (swarm_.dialler_of(target.address) == nullptr) co_return not_usable(address, swarm_.why_not(target.address));
  if (!target.name) {
    Multiaddr to = target.address;
    auto trying = try_resolved(std::move(peer), std::move(to), end);
    auto outcome = co_await trying;
    co_return outcome;
  }
  std::string name = *target.name;
  const MonoTime patience = std::min(end, runtime_.now().mono + config_.limits.dial_timeout);
  auto looking = look_up(std::move(name), target.family, patience);
  auto found = co_await looking;
  if (!found) co_return found.error();
  std::vector<std::string> ips = std::move(*found);
  if (ips.size() > kAddressesPerName) ips.resize(kAddressesPerName);
  if (resolved_) resolved_(peer, ips);
  Error last = fail(Errc::not_found, "'" + peer_text(*target.name) + "' has no address");
  for (const auto& ip : ips) {
    auto to = with_ip(target.address, ip);
    if (!to) {
      last = std::move(to).error();
      continue;
    }
    PeerId expected = peer;
    Multiaddr at = std::move(*to);
    auto trying = try_resolved(std::move(expected), std::move(at), end);
    auto outcome = co_await trying;
    if (outcome || outcome.error() == Errc::cancelled) co_return outcome;
    last = outcome.error();
    if (runtime_.now().mono >= end) break;
  }
  co_return last;
}

Task<Result<PeerId>> Dialer::try_resolved(PeerId peer, Multiaddr address, MonoTime end) {
  auto allowed = gater_.intercept_addr_dial(peer, address);
  if (!allowed) {
    ++counters_.denied_by_gater;
    co_return allowed.error();
  }
  Nanos patience = config_.limits.dial_timeout;
  if (is_near(reach_of(address))) patience = std::min(patience, kPrivateAddress);
  const MonoTime deadline = std::min(end, runtime_.now().mono + patience);
  auto connecting = connect(std::move(peer), std::move(address), deadline);
  auto outcome = co_await connecting;
  co_return outcome;
}

Task<Result<std::vector<std::string>>> Dialer::look_up(std::string host, runtime::Family family, MonoTime end) {
  Parking parking;
  std::optional<Result<std::vector<std::string>>> answer;
  auto* out = &answer;
  auto* wake = &parking;
  const Nanos patience = end - runtime_.now().mono;
  const auto timer = runtime_.make_timer([wake] { wake->wake_now(Wake::timed_out); });
  timer->arm(end);
  const auto operation = runtime_.resolve(host, family, [out, wake](Result<std::vector<std::string>> result) {
    out->emplace(std::move(result));
    wake->wake_now(Wake::ok);
  });
  co_await parking.park();
  if (answer) co_return std::move(*answer);
  if (parking.outcome() == Wake::cancelled)
    co_return parking.result("the look-up of '" + peer_text(host) + "'").error();
  co_return fail(Errc::timed_out, "look-up of '" + peer_text(host) + "' failed: no answer within " + seconds(patience) +
                                      "; check that the name servers of this machine answer");
}

Task<Result<PeerId>> Dialer::connect(PeerId peer, Multiaddr address, MonoTime end) {
  Transport* const transport = swarm_.dialler_of(address);
  if (transport == nullptr) co_return not_usable(address, swarm_.why_not(address));
  Attempt dialled(attempts_, peer, address);
  Attempt* const out = &dialled;
  const Nanos patience = end - runtime_.now().mono;
  const auto timer = runtime_.make_timer([out] { out->parking.wake_now(Wake::timed_out); });
  timer->arm(end);
  std::optional<PeerId> expected;
  if (!peer.empty()) expected = std::move(peer);
  const Swarm& swarm = swarm_;
  Done<ConnectionId> done = [out, &swarm](Result<ConnectionId> id) {
    if (out->outcome) return;  // the gater has ended the attempt
    if (id) {
      out->outcome.emplace(swarm.peer_of(*id));
    } else {
      out->outcome.emplace(std::move(id).error());
    }
    out->wake();
  };
  const auto dialling = transport->dial(address, std::move(expected), swarm_.owner(), std::move(done));
  dialling->when_half_open([out, clock = timer.get()] {
    out->half_open = true;
    clock->disarm();
  });
  co_await dialled.parking.park();
  if (dialled.outcome) co_return std::move(*dialled.outcome);
  if (dialled.parking.outcome() == Wake::cancelled) {
    co_return dialled.parking.result(dialled.half_open ? "the handshake" : "the dial").error();
  }
  co_return fail(Errc::timed_out, "no answer from " + place_text(address) + " within " + seconds(patience));
}

}  // namespace libp2p
